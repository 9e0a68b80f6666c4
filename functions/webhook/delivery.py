"""Outgoing notifications: `deliver` handles the events of the notification queue.

The queue's event source mapping must have `ReportBatchItemFailures`. docs/notifications.md lists the resources and
permissions.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from roadstead.notifications.delivery import Deliverer, Fate, Verdict
from roadstead.notifications.dispatch import Dispatcher
from roadstead.notifications.queue import Queue

AT_ONCE = 10  # parallel deliveries: a slow endpoint does not delay the rest of its batch

Record = Mapping[str, Any]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NotificationServices:
    """`queue` is the one that `deliver` receives from; `dead_letters` keeps deliveries that were given up."""

    dispatcher: Dispatcher
    deliverer: Deliverer
    queue: Queue
    dead_letters: Queue


def deliver(services: NotificationServices, event: Mapping[str, Any]) -> dict[str, Any]:
    """Attempt each message of an SQS event once; return those that SQS must not delete.

    A message to be retried is made invisible until then. One that is given up is sent to the dead letters here, with
    the reason in the log; the queue's redrive policy is for messages on which the function itself fails.
    """
    records: Sequence[Record] = event["Records"]
    # A copied context, so that what a thread logs carries the invocation's request id.
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
    """Return None after a store's or an unexpected error: SQS delivers the message again after its timeout."""
    try:
        return deliverer.deliver(record["body"], int(record["attributes"]["ApproximateReceiveCount"]))
    except Exception:
        _log.exception("the notification in message %s could not be processed", record.get("messageId"))
        return None


def _postpone(queue: Queue, record: Record, seconds: int) -> None:
    try:
        queue.postpone(record["receiptHandle"], seconds)
    except Exception:
        _log.exception("message %s could not be postponed; SQS delivers it after its timeout", record["messageId"])


def _bury(dead_letters: Queue, records: Sequence[Record]) -> Sequence[Record]:
    """Send records to the dead letters; return those that must stay in the queue because that failed."""
    try:
        dead_letters.send([record["body"] for record in records])
    except Exception:
        _log.exception("%d notifications that were given up could not be sent to the dead letters", len(records))
        return records
    return ()
