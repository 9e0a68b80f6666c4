"""Processes a batch of records from any source: writes audit entries, queues notifications, reports failed records.

A record that cannot be parsed will never be, so it goes to the dead letters instead of blocking the rest. Everything
else is done at least once: a record that may not have been written is reported as failed, and its source retries it.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from functions.hosting import lines, metrics
from functions.hosting.metrics import Metric
from functions.hosting.observation import current
from functions.webhook.services import WebhookServices
from roadstead.trail.entries import AuditEntry, Operation, rfc3339

_UPLOADS = {"path=edge": "UploadsByEdge", "path=service": "UploadsByService"}  # metrics, by an upload's detail
_QUOTAS = {Operation.WARN_QUOTA: "QuotaWarnings", Operation.EXCEED_QUOTA: "QuotasExceeded"}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Received:
    """A record: its source's identifier, the entries in it, or the `problem` that makes it a dead letter."""

    identifier: str
    record: Any
    entries: tuple[AuditEntry, ...] = ()
    problem: str = ""


def process(services: WebhookServices, source: str, batch: Sequence[Received], *, in_order: bool = False) -> list[str]:
    """Process a batch; return the identifiers of the records to retry.

    With `in_order`, the source retries from the first failed record on: only that one is returned, and those behind it
    count as not processed, although some of them may be in the log.
    """
    entries = [entry for received in batch for entry in received.entries]
    recorded = services.recorder.record(entries) if entries else None
    unsent = recorded.unsent if recorded is not None else frozenset()
    rejected = recorded.rejected if recorded is not None else frozenset()
    failed = {one.identifier for one in batch if any(entry.id in unsent for entry in one.entries)}
    failed |= _bury(services, source, [one for one in batch if one.problem])
    failed |= _bury(
        services,
        source,
        [
            Received(one.identifier, one.record, (), "the audit log rejected its time or its length")
            for one in batch
            if any(entry.id in rejected for entry in one.entries)
        ],
    )
    done = _done(batch, failed, in_order=in_order)
    failed |= _notify(services, done)
    _measure(source, [entry for one in done for entry in one.entries], failures=len(failed))
    named = [one.identifier for one in batch if one.identifier in failed]
    return named[:1] if in_order else named


def _done(batch: Sequence[Received], failed: set[str], *, in_order: bool) -> list[Received]:
    if not in_order:
        return [one for one in batch if one.identifier not in failed]
    first = next((place for place, one in enumerate(batch) if one.identifier in failed), len(batch))
    return list(batch[:first])


def _bury(services: WebhookServices, source: str, letters: Sequence[Received]) -> set[str]:
    """Send records to the dead letters; return the identifiers of those that could not be sent."""
    if not letters:
        return set()
    now = rfc3339(int(time.time() * 1000))
    bodies = [{"source": source, "reason": one.problem, "time": now, "record": one.record} for one in letters]
    for one in letters:
        _log.error("record %s of %s goes to the dead letters: %s", one.identifier, source, one.problem)
    try:
        services.dead_letters.send([json.dumps(body, default=str, separators=(",", ":")) for body in bodies])
    except Exception:
        _log.exception("%d dead letters could not be sent", len(letters))
        return {one.identifier for one in letters}
    return set()


def _notify(services: WebhookServices, done: Sequence[Received]) -> set[str]:
    entries = [entry for one in done for entry in one.entries]
    if services.notifications is None or not entries:
        return set()
    try:
        services.notifications.dispatcher.enqueue(entries)
    except Exception:
        _log.exception("notifications of %d entries could not be queued", len(entries))
        return {one.identifier for one in done if one.entries}
    return set()


def _measure(source: str, entries: Iterable[AuditEntry], *, failures: int) -> None:
    """Write one line of metrics for the batch; none if there is nothing to count."""
    entries = list(entries)
    counted = [Metric("AuditEntries", len(entries))] if entries else []
    if failures:
        counted.append(Metric("AuditFailures", failures))
    uploads = [entry for entry in entries if entry.operation is Operation.UPLOAD]
    mounts = sum(entry.operation is Operation.MOUNT for entry in entries)
    if uploads:
        counted.append(Metric("UploadBytes", sum(entry.size for entry in uploads)))
        paths = Counter(_UPLOADS[entry.detail] for entry in uploads if entry.detail in _UPLOADS)
        counted += [Metric(name, some) for name, some in paths.items()]
    if mounts:
        counted.append(Metric("Mounts", mounts))
    pulls = sum(entry.operation is Operation.PULL for entry in entries)
    if pulls:
        counted.append(Metric("Pulls", pulls))
    for operation, name in _QUOTAS.items():
        if crossings := sum(entry.operation is operation for entry in entries):
            counted.append(Metric(name, crossings))
    if counted:
        properties = {"function": "webhook", "source": source, "request_id": current().request_id}
        lines.write(metrics.line(counted, properties, now_ms=int(time.time() * 1000)))
