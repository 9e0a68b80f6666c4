"""Outgoing notifications at the function: entries of the audit trail into the queue, and out of it to the endpoints.

`enqueue` is called for whatever the function hears of; `deliver` answers an event of the queue's event source mapping,
which must have `ReportBatchItemFailures`. docs/notifications.md has the resources and the permissions of both.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from roadstead.notifications.delivery import Deliverer, Fate, Verdict
from roadstead.notifications.dispatch import Dispatcher
from roadstead.notifications.queue import Queue
from roadstead.trail.entries import AuditEntry

AT_ONCE = 10  # deliveries: a slow endpoint keeps nobody else of its batch waiting

Record = Mapping[str, Any]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NotificationServices:
    """`queue` is the one that `deliver` gets its events from, `dead_letters` where that is kept which was given up."""

    dispatcher: Dispatcher
    deliverer: Deliverer
    queue: Queue
    dead_letters: Queue


def enqueue(services: NotificationServices, entries: Iterable[AuditEntry]) -> int:
    """See `Dispatcher.enqueue`. Entries that nobody is told of cost nothing, or one read for their project."""
    return services.dispatcher.enqueue(entries)


def deliver(services: NotificationServices, event: Mapping[str, Any]) -> dict[str, Any]:
    """One attempt at each message of an SQS event; answers which of them SQS must not delete.

    A message that is to be tried later is made invisible until then. One that is given up goes to the dead letters from
    here, with the reason in the log; the queue's own redrive policy is for what this function could not even fail at.
    """
    records: Sequence[Record] = event["Records"]
    # Each thread logs as the invocation does: what it logs carries the request's id by a context variable.
    contexts = [copy_context() for _ in records]
    with ThreadPoolExecutor(max_workers=max(1, min(AT_ONCE, len(records)))) as pool:
        verdicts = list(
            pool.map(lambda context, record: context.run(_attempt, services.deliverer, record), contexts, records)
        )
    kept = [record for record, verdict in zip(records, verdicts, strict=True) if verdict is None]
    for record, verdict in zip(records, verdicts, strict=True):
        if verdict is not None and verdict.fate is Fate.LATER:
            kept.append(record)
            _postpone(services.queue, record, verdict.pause)
    kept += _bury(
        services.dead_letters,
        [
            record
            for record, verdict in zip(records, verdicts, strict=True)
            if verdict is not None and verdict.fate is Fate.GIVEN_UP
        ],
    )
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in kept]}


def _attempt(deliverer: Deliverer, record: Record) -> Verdict | None:
    """None when a store failed, or something unforeseen: SQS shows the message again when its time is over."""
    try:
        return deliverer.deliver(record["body"], int(record["attributes"]["ApproximateReceiveCount"]))
    except Exception:
        _log.exception("a notification could not be worked on: message %s", record.get("messageId"))
        return None


def _postpone(queue: Queue, record: Record, seconds: int) -> None:
    try:
        queue.postpone(record["receiptHandle"], seconds)
    except Exception:
        _log.exception("message %s could not be postponed; it comes back when its time is over", record["messageId"])


def _bury(dead_letters: Queue, records: Sequence[Record]) -> Sequence[Record]:
    """Sends to the dead letters; answers those that must stay in the queue because that failed."""
    try:
        dead_letters.send([record["body"] for record in records])
    except Exception:
        _log.exception("%d notifications that were given up could not be kept", len(records))
        return records
    return ()
