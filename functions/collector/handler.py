"""The collector function's entry point."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from functions.collector.composition import Services, build
from functions.collector.settings import Settings
from functions.hosting import lines, metrics, tracing
from functions.hosting.metrics import Metric
from functions.hosting.observation import observed
from roadstead.lifecycle.bucket_audit.execution import KIND as BUCKET_AUDIT
from roadstead.lifecycle.collector.execution import KIND as COLLECTION
from roadstead.lifecycle.executions.executions import Execution, Status
from roadstead.trail.entries import rfc3339

_TOLD_EVERY = 200.0  # seconds; ticks of AWS come every five minutes
_told = 0.0  # when this environment last said whether a collection is late


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Run what the event asks for, until it is done or the invocation's time is short; return what was done.

    {"execution": id}                a new execution, which the management function has just started
    {"tick": true}                   schedules that are due, and every execution that is: new ones, and those cut short
    {} or {"dry_run": true}          the collector by itself
    """
    request_id = str(getattr(context, "aws_request_id", ""))
    with observed(request_id):
        if "execution" in event:
            return _execution(services().runner.run(int(event["execution"]), _remaining(context)))
        if event.get("tick") is True:
            services().collections.ensure_schedule()
            services().audits.ensure_schedule()
            started = services().scheduler.start_due()
            taken = services().runner.run_due(_remaining(context))
            _tell_whether_late(request_id)
            return {"started": started, "executions": taken}
        report = services().collector.run(dry=event.get("dry_run") is True, remaining=_remaining(context))
        lines.write(_line(report.as_json(), request_id))
        return report.as_json()


def _execution(found: Execution | None) -> dict[str, Any]:
    """None is no failure: another invocation has it, or it is over."""
    return {"id": found.id, "status": str(found.status)} if found is not None else {}


def _remaining(context: Any) -> Callable[[], float]:
    return lambda: float(context.get_remaining_time_in_millis()) / 1000


def tell(execution: Execution) -> None:
    """Leave the line of a collection that has ended well, as of a run by itself, and that of every audit."""
    if execution.kind == BUCKET_AUDIT:
        lines.write(_audit_line(execution))
    if execution.kind == COLLECTION and execution.status is Status.SUCCESS:
        report = {"bytes_freed": 0, "objects_deleted": 0, **execution.progress, "execution": execution.id}
        lines.write(_line({**report, "dry_run": execution.parameters.get("dry_run") is True}, ""))


def _line(report: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    """One line for each run: metrics of what was freed, and every count as a property."""
    counted = []
    if not report["dry_run"]:
        counted = [Metric("FreedBytes", report["bytes_freed"]), Metric("ObjectsDeleted", report["objects_deleted"])]
    properties = {"function": "collector", "request_id": request_id, "report": dict(report)}
    return metrics.line(counted, properties, now_ms=int(time.time() * 1000))


def _tell_whether_late(request_id: str) -> None:
    """Leave the line that an alarm waits for: no collection is late; or since when one is. Not with every tick of one
    machine, which come every two seconds."""
    global _told
    if time.time() - _told < _TOLD_EVERY:
        return
    _told = time.time()
    since = services().late_since()
    told = {"collection": "on time"} if since is None else {"collection": "late", "late_since": rfc3339(since)}
    lines.write({"function": "collector", "request_id": request_id, **told})


def _audit_line(execution: Execution) -> dict[str, Any]:
    """What an alarm looks at: how many objects nothing explains, how many are missing, how many counts of usage are
    wrong, and whether the audit was finished."""
    counts = {**execution.progress, "execution": execution.id}
    failed = execution.status is Status.ERROR
    counted = [
        Metric("UnexplainedObjects", counts.get("unexplained", 0)),
        Metric("MissingObjects", counts.get("missing", 0)),
        Metric("MiscountedUsage", counts.get("miscounted", 0)),
        Metric("FailedAudits", int(failed)),
    ]
    properties = {"function": "collector", "request_id": "", "audit": counts}
    return metrics.line(counted, properties, now_ms=int(time.time() * 1000))


@cache
def services() -> Services:
    """Return this process's services. They are built on first use, and again after a failure."""
    return build(Settings.from_environ(os.environ), tell)


def prepare() -> None:
    """Do what can be done before the first run: read the settings, create the clients, start tracing."""
    settings = Settings.from_environ(os.environ)
    tracing.start(settings.tracing)
    metrics.start(settings.metrics)
    services()
