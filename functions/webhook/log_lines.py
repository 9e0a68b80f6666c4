"""Handles audit entries from the other functions' logs, which a subscription filter delivers: pulls, logins, refusals.

CloudWatch Logs invokes the function asynchronously and accepts no partial result: an exception makes Lambda retry the
whole batch, twice, and then send it to the function's failure destination.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from functions.hosting.lines import AUDIT
from functions.webhook.batch import Received, process
from functions.webhook.services import WebhookServices
from roadstead.trail.entries import AuditEntry, Operation


class NotRecorded(Exception):
    """Part of a batch could not be processed; all of it must be retried."""


def handle(services: WebhookServices, event: Mapping[str, Any]) -> None:
    """Record the entries. Raises NotRecorded, what the stores raise, and ValueError for a malformed event."""
    document = decoded(event)
    if document.get("messageType") != "DATA_MESSAGE":
        return  # a CONTROL_MESSAGE: CloudWatch Logs checks that the destination is reachable
    events = document["logEvents"]
    batch = [_read(one) for one in events]
    failed = process(services, "logs", [one for one in batch if not _is_sight(one)])
    if failed:
        raise NotRecorded(f"{len(failed)} of {len(batch)} lines could not be processed")
    # CloudWatch's ids of the lines are the same in every attempt, so a retried batch is counted once.
    identifier = hashlib.sha256("".join(str(one["id"]) for one in events).encode()).hexdigest()[:32]
    services.recorder.count_pulls(identifier, (entry for one in batch for entry in one.entries))


def _is_sight(received: Received) -> bool:
    """Return whether a line only says that an artifact was seen; the trail has no entry of it."""
    return any(entry.operation is Operation.SEE for entry in received.entries)


def decoded(event: Mapping[str, Any]) -> dict[str, Any]:
    """Decode the document in a subscription's event. Raises ValueError."""
    try:
        document = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"], validate=True)))
    except (KeyError, TypeError, binascii.Error, OSError, EOFError) as error:
        raise ValueError(f"not an event of CloudWatch Logs: {error!r}") from error
    if not isinstance(document, dict):
        raise ValueError("not an event of CloudWatch Logs: its data is not a JSON object")
    return document


def _read(event: Mapping[str, Any]) -> Received:
    identifier = str(event.get("id", ""))
    try:
        entry = AuditEntry.from_json(json.loads(event["message"])[AUDIT])
    except (KeyError, TypeError, ValueError) as error:
        return Received(identifier, event, problem=f"not an audit line: {error!r}")
    return Received(identifier, event, (entry,))
