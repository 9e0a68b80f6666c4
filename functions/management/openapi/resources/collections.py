"""Garbage collection."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import (
    Described,
    Schema,
    created,
    flag,
    number,
    obj,
    one_of,
    page_of,
    ref,
    text,
    time,
)
from roadstead.lifecycle.collector.execution import Every
from roadstead.lifecycle.executions.executions import Status

_TYPE = one_of("Manual", *map(str, Every))

SCHEMAS: Mapping[str, Schema] = {
    "GarbageCollection": obj(
        {
            "id": number(),
            "job_name": text(),
            "job_kind": one_of("MANUAL", "SCHEDULE"),
            "job_parameters": text(
                "JSON: what was asked for, and freed_space, purged_blobs, purged_manifests, stored_until"
            ),
            "job_status": one_of("", *map(str, Status)),
            "schedule": obj({"type": text()}, {"cron": text("six fields, UTC"), "next_scheduled_time": time()}),
            "deleted": flag(),
            "creation_time": time(),
            "update_time": time(),
        }
    ),
    "NewGarbageCollection": obj(
        {"schedule": obj({"type": _TYPE}, {"cron": text()})},
        {"parameters": obj({}, {"delete_untagged": flag(), "dry_run": flag(), "workers": number()})},
    ),
}

OPERATIONS: Mapping[str, Described] = {
    "getGCHistory": page_of("List collections, newest first", ref("GarbageCollection")),
    "getGC": Described("Show a collection", ref("GarbageCollection")),
    "stopGC": Described("Let a collection end after the step that is under way"),
    "getGCLog": Described("Read what a collection did", text(), media_type="text/plain"),
    "getGCSchedule": Described("Show how often the collector runs", ref("GarbageCollection")),
    "createGCSchedule": created("Run the collector now, or set how often it runs", ref("NewGarbageCollection")),
    "updateGCSchedule": Described("Set how often it runs", body=ref("NewGarbageCollection"), also=(409,)),
}
