"""Lines of the other functions' logs, by a subscription filter: what was served and what was refused.

CloudWatch Logs invokes the function asynchronously: it takes no partial answer, so what is raised here has the whole
batch come again, and after two more failures to the function's failure destination.
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
from functions.webhook.batch import Received, work
from functions.webhook.services import WebhookServices
from roadstead.trail.entries import AuditEntry


class NotRecorded(Exception):
    """Some of a batch could not be worked on; all of it must come again."""


def handle(services: WebhookServices, event: Mapping[str, Any]) -> None:
    """Raises NotRecorded, or what the index raises; ValueError for what is not of CloudWatch Logs."""
    document = decoded(event)
    if document.get("messageType") != "DATA_MESSAGE":
        return  # a CONTROL_MESSAGE: CloudWatch looks whether somebody is there
    events = document["logEvents"]
    batch = [_read(one) for one in events]
    failed = work(services, "logs", batch)
    if failed:
        raise NotRecorded(f"{len(failed)} of {len(batch)} lines could not be worked on")
    # The ids are CloudWatch's own and the same in every attempt, so a batch that comes again is counted once.
    identifier = hashlib.sha256("".join(str(one["id"]) for one in events).encode()).hexdigest()[:32]
    services.trail.count_pulls(identifier, (entry for one in batch for entry in one.entries))


def decoded(event: Mapping[str, Any]) -> dict[str, Any]:
    """The document in the event of a subscription. Raises ValueError."""
    try:
        document = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"], validate=True)))
    except (KeyError, TypeError, binascii.Error, OSError, EOFError) as error:
        raise ValueError(f"no event of CloudWatch Logs: {error!r}") from error
    if not isinstance(document, dict):
        raise ValueError("no event of CloudWatch Logs: no object")
    return document


def _read(event: Mapping[str, Any]) -> Received:
    identifier = str(event.get("id", ""))
    try:
        entry = AuditEntry.from_json(json.loads(event["message"])[AUDIT])
    except (KeyError, TypeError, ValueError) as error:
        return Received(identifier, event, problem=f"no line of the trail: {error!r}")
    return Received(identifier, event, (entry,))
