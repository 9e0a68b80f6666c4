"""Which source an event is from, and who works on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.webhook import delivery, log_lines, object_events, streams
from functions.webhook.services import WebhookServices


class UnknownSource(Exception):
    """An event of a kind that this function is not wired to: a mistake of whoever deployed it."""


def dispatch(services: WebhookServices, event: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the event's source is answered."""
    if "awslogs" in event:
        log_lines.handle(services, event)
        return None
    records = event.get("Records") or []
    source = str(records[0].get("eventSource", "")) if records else ""
    if source == "aws:dynamodb":
        return streams.handle(services, records)
    if source == "aws:sqs":
        queue = str(records[0].get("eventSourceARN", "")).rpartition(":")[2]
        if queue == services.object_events_queue:
            return object_events.handle(services, records)
        if services.notifications is not None and queue == services.notification_queue:
            return delivery.deliver(services.notifications, event)
        raise UnknownSource(f"a message of the queue {queue!r}")
    raise UnknownSource(f"an event of {source!r} with {', '.join(sorted(event))[:200]}")
