"""Harbor's documents of garbage collection. Source: Harbor, src/server/v2.0/handler/gc.go and model/gc.go."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from functions.management.errors import bad_request
from functions.management.harbor.shapes import milliseconds
from roadstead.lifecycle.collector.execution import RECOVERY_DAYS, CollectionSchedule, Every, stored_until
from roadstead.lifecycle.executions.executions import Execution, Trigger

MANUAL = "Manual"
_NAME = "GARBAGE_COLLECTION"


def stored_until_of(one: Execution) -> dict[str, str]:
    """Return until when S3 keeps, and charges for, what a run deleted; nothing before its end, or if it is nothing."""
    days = one.progress.get(RECOVERY_DAYS, 0)
    return {"stored_until": milliseconds(stored_until(one.ended, days))} if days and one.ended else {}


def history_document(one: Execution) -> dict[str, Any]:
    """`job_parameters` is JSON in a text, with what was freed: bytes of objects, and how many."""
    freed = one.progress
    parameters = {
        "delete_untagged": one.parameters.get("delete_untagged") is True,
        "dry_run": one.parameters.get("dry_run") is True,
        "workers": 1,
        "freed_space": freed.get("bytes_freed", 0),
        "purged_blobs": freed.get("blobs_deleted", 0) + freed.get("leftovers_deleted", 0),
        "purged_manifests": freed.get("manifests_deleted", 0),
        "deleted_untagged": freed.get("untagged", 0),
        **stored_until_of(one),
    }
    manual = one.trigger is Trigger.MANUAL
    return {
        "id": one.id,
        "job_name": _NAME,
        "job_kind": "MANUAL" if manual else "SCHEDULE",
        "job_parameters": json.dumps(parameters, separators=(",", ":")),
        "job_status": str(one.status),
        "schedule": {"type": MANUAL if manual else "Schedule"},
        "deleted": False,
        "creation_time": milliseconds(one.created),
        "update_time": milliseconds(one.ended or one.started or one.created),
    }


def schedule_document(one: CollectionSchedule) -> dict[str, Any]:
    """There is always a schedule: clients take an absent one for an error."""
    parameters = {"delete_untagged": one.delete_untagged, "dry_run": False, "workers": 1}
    schedule: dict[str, Any] = {"type": str(one.every), "cron": one.cron}
    if one.next is not None:
        schedule["next_scheduled_time"] = milliseconds(one.next)
    return {
        "id": 1,
        "job_name": _NAME,
        "job_kind": "SCHEDULE",
        "job_parameters": json.dumps(parameters, separators=(",", ":")),
        "job_status": "",
        "schedule": schedule,
        "deleted": False,
        "creation_time": milliseconds(0),
        "update_time": milliseconds(0),
    }


def parse_schedule(document: Mapping[str, Any]) -> tuple[Every | None, str, bool, bool]:
    """Return how often (None: once, now), the cron expression, `delete_untagged` and `dry_run`. Raises 400."""
    schedule, parameters = document.get("schedule"), document.get("parameters")
    parameters = {} if parameters is None else parameters
    if not isinstance(schedule, dict) or not isinstance(parameters, dict):
        raise bad_request('the body must be {"schedule": {"type", "cron"}, "parameters": {…}}')
    flags = [parameters.get(name, False) for name in ("delete_untagged", "dry_run")]
    if not all(isinstance(flag, bool) for flag in flags):
        raise bad_request("delete_untagged and dry_run must be true or false")
    kind, cron = schedule.get("type"), schedule.get("cron") or ""
    if kind == MANUAL:
        return None, "", flags[0], flags[1]
    if kind not in list(Every) or not isinstance(cron, str):
        raise bad_request(f"the type of a schedule must be one of {MANUAL}, {', '.join(Every)}")
    return Every(kind), cron, flags[0], flags[1]
