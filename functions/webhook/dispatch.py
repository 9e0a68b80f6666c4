"""Dispatches an event to the handler of its source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.webhook import delivery, log_lines, object_events, streams
from functions.webhook.services import WebhookServices


class UnknownSource(Exception):
    """The event's source is not one that this function handles: the deployment is wrong."""


def dispatch(services: WebhookServices, event: Mapping[str, Any]) -> dict[str, Any] | None:
    """Handle an event and return what its source expects. Raises UnknownSource."""
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
        raise UnknownSource(f"messages from the queue {queue!r} are not handled")
    raise UnknownSource(f"events from {source!r} with {', '.join(sorted(event))[:200]} are not handled")
