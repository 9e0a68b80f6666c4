"""Executions and their tasks."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import (
    Described,
    Parameter,
    Schema,
    array,
    created,
    flag,
    mapping,
    nullable,
    number,
    obj,
    one_of,
    page_of,
    ref,
    text,
    time,
)
from roadstead.lifecycle.executions.executions import Status, Trigger

_STATUS = one_of(*map(str, Status))
_PROGRESS = mapping(number(), "counts so far, by their names")

SCHEMAS: Mapping[str, Schema] = {
    "Execution": obj(
        {
            "id": number(),
            "kind": text("which work it is"),
            "project": text("empty for the whole registry"),
            "trigger": one_of(*map(str, Trigger)),
            "requested_by": text(),
            "status": _STATUS,
            "stopping": flag("it ends after the step that is under way"),
            "created": time(),
            "started": nullable(time()),
            "ended": nullable(time()),
            "progress": _PROGRESS,
            "message": text("why it failed; empty if it did not"),
        },
        {"stored_until": time("of a collection: until when S3 keeps, and charges for, what it deleted")},
    ),
    "BucketAuditSchedule": obj({"cron": text("six fields, UTC; empty for never")}, {"next": nullable(time())}),
    "ExecutionTask": obj(
        {
            "number": number("counts from 1"),
            "name": text("a repository, for example"),
            "status": _STATUS,
            "started": nullable(time()),
            "ended": nullable(time()),
            "progress": _PROGRESS,
        }
    ),
}

OPERATIONS: Mapping[str, Described] = {
    "getExecution": Described("Show how far an execution is", ref("Execution")),
    "stopExecution": Described("Let an execution end after the step that is under way", status=202, also=(409,)),
    "listTasksOfExecution": Described(
        "List the parts of an execution, 100 a page",
        array(ref("ExecutionTask")),
        query=[Parameter("after", number(minimum=0), "the number of the last task of the page before")],
    ),
    "listBucketAudits": page_of("List audits of the bucket, newest first", ref("Execution")),
    "startBucketAudit": created(
        "Compare bucket, index and usage now; with repair, hand what nothing explains to the collector, and count anew",
        obj({}, {"repair": flag()}),
        answer=ref("Execution"),
    ),
    "getBucketAuditSchedule": Described("Show when audits of the bucket start", ref("BucketAuditSchedule")),
    "setBucketAuditSchedule": Described("Set when they start", body=ref("BucketAuditSchedule"), also=(409,)),
    "getLogOfTask": Described(
        "Read the log of a task, 4 MB at a time",
        text(),
        query=[Parameter("after", number(minimum=0), "the number of the last part of the log that was read")],
        media_type="text/plain",
    ),
}
