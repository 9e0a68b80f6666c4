"""The collector function's entry point."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from functions.collector.composition import build
from functions.collector.settings import Settings
from functions.hosting import lines, metrics, tracing
from functions.hosting.metrics import Metric
from functions.hosting.observation import observed
from roadstead.lifecycle.collector import Collector
from roadstead.lifecycle.report import Report


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Run the collector until it is done or the invocation's time is short; return its report.

    The scheduler's event says nothing. `{"dry_run": true}` asks for a run that writes nothing.
    """
    request_id = str(getattr(context, "aws_request_id", ""))
    with observed(request_id):
        report = collector().run(dry=event.get("dry_run") is True, remaining=_remaining(context))
        lines.write(_line(report, request_id))
        return report.as_json()


def _remaining(context: Any) -> Any:
    return lambda: context.get_remaining_time_in_millis() / 1000


def _line(report: Report, request_id: str) -> dict[str, Any]:
    """One line for each run: metrics of what was freed, and every count as a property."""
    counted = [] if report.dry_run else [Metric("FreedBytes", report.bytes_freed)]
    if not report.dry_run:
        counted.append(Metric("ObjectsDeleted", report.objects_deleted))
    properties = {"function": "collector", "request_id": request_id, "report": report.as_json()}
    return metrics.line(counted, properties, now_ms=int(time.time() * 1000))


@cache
def collector() -> Collector:
    """Return this process's collector. It is built on first use, and again after a failure."""
    return build(Settings.from_environ(os.environ))


def prepare() -> None:
    """Do what can be done before the first run: read the settings, create the clients, start tracing."""
    settings = Settings.from_environ(os.environ)
    tracing.start(settings.tracing)
    metrics.start(settings.metrics)
    collector()
