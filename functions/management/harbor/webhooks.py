"""Harbor's documents of webhooks, their deliveries as executions with one task each, and as jobs.

Source: Harbor, src/server/v2.0/handler/model/webhook_policy.go, webhook.go, webhook_job.go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from functions.management.harbor.shapes import milliseconds, timestamp
from roadstead.notifications.stores import Delivery, Outcome, PayloadFormat, Webhook

NOTIFY_TYPE = "http"
_HASH_BITS = 11  # of an id; the time is above them


def policy_document(webhook: Webhook, *, project_id: int, authorization: str) -> dict[str, Any]:
    target = {
        "type": NOTIFY_TYPE,
        "address": webhook.url,
        "skip_cert_verify": webhook.skip_verify,
        "payload_format": str(webhook.payload),
    }
    if authorization:
        target["auth_header"] = authorization
    return {
        "id": int(webhook.id),
        "name": webhook.name,
        "description": webhook.description,
        "project_id": project_id,
        "targets": [target],
        "event_types": sorted(map(str, webhook.events)),
        "creator": webhook.created_by,
        "creation_time": timestamp(webhook.created),
        "update_time": timestamp(webhook.updated),
        "enabled": webhook.enabled,
    }


def event_types_document(events: tuple[str, ...]) -> dict[str, Any]:
    formats = [str(one) for one in PayloadFormat]
    return {
        "event_type": list(events),
        "notify_type": [NOTIFY_TYPE],
        "payload_formats": [{"notify_type": NOTIFY_TYPE, "formats": formats}],
    }


def delivery_number(delivery: Delivery) -> int:
    """Return the id of a delivery: ordered by time, below 2^53, the same every time."""
    digest = hashlib.sha256(delivery.id.encode()).digest()
    return delivery.at << _HASH_BITS | int.from_bytes(digest[:2], "big") >> (16 - _HASH_BITS)


def parse_number(text: str) -> tuple[int, Callable[[Delivery], bool]] | None:
    """Return the time in a delivery's id, and what tells the delivery among those of that time; None for no id."""
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        return None
    number = int(text)
    return number >> _HASH_BITS, lambda delivery: delivery_number(delivery) == number


def execution_document(webhook: Webhook, delivery: Delivery) -> dict[str, Any]:
    outcomes = {
        "success_task_count": Outcome.SUCCESS,
        "error_task_count": Outcome.ERROR,
        "running_task_count": Outcome.RUNNING,
    }
    return {
        "id": delivery_number(delivery),
        "vendor_type": "WEBHOOK",
        "vendor_id": int(webhook.id),
        "status": str(delivery.outcome),
        "status_message": delivery.detail,
        "metrics": {"task_count": 1, **{name: int(delivery.outcome is one) for name, one in outcomes.items()}},
        "trigger": "MANUAL" if delivery.test else "EVENT",
        "extra_attrs": {"event_type": delivery.event, "delivery": delivery.id, "payload": delivery.body},
        "start_time": milliseconds(delivery.at),
        "end_time": _end(delivery),
    }


def task_document(delivery: Delivery) -> dict[str, Any]:
    number = delivery_number(delivery)
    return {
        "id": number,
        "execution_id": number,
        "status": str(delivery.outcome),
        "status_message": delivery.detail,
        "run_count": delivery.attempts,
        "extra_attrs": {"event_type": delivery.event, "delivery": delivery.id},
        "creation_time": milliseconds(delivery.at),
        "start_time": milliseconds(delivery.at),
        "update_time": milliseconds(delivery.updated),
        "end_time": _end(delivery),
    }


def job_document(webhook: Webhook, delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery_number(delivery),
        "policy_id": int(webhook.id),
        "event_type": delivery.event,
        "notify_type": NOTIFY_TYPE,
        "status": str(delivery.outcome),
        "job_detail": delivery.body,
        "creation_time": milliseconds(delivery.at),
        "update_time": milliseconds(delivery.updated),
    }


def trigger_document(webhook: Webhook, event: str, last: int) -> dict[str, Any]:
    """`last` in milliseconds, 0 for never."""
    return {
        "policy_name": webhook.name,
        "event_type": event,
        "enabled": webhook.enabled,
        "creation_time": timestamp(webhook.created),
        "last_trigger_time": milliseconds(last),
    }


def _end(delivery: Delivery) -> str:
    return milliseconds(0 if delivery.outcome is Outcome.RUNNING else delivery.updated)
