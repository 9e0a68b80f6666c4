"""The collector as an execution: asked for by an administrator, or by a schedule."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import fields

from roadstead.lifecycle.collector import TIME_FOR_A_PAGE, Collector
from roadstead.lifecycle.executions import Execution, Step
from roadstead.lifecycle.report import Report

KIND = "collect"
_SLICE = 30.0  # seconds of a step
_COUNTS = [one.name for one in fields(Report) if one.name not in ("dry_run", "complete")]


class CollectionWork:
    """Parameter `dry_run`: write nothing. A dry run is one step, since it would begin anew with each."""

    def __init__(self, collector: Collector, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._collector = collector
        self._clock = clock

    def step(self, execution: Execution) -> Step:
        """Collect for half a minute; counts of a step that was cut short are lost, not what it freed."""
        dry = execution.parameters.get("dry_run") is True
        end = self._clock() + _SLICE + TIME_FOR_A_PAGE
        report = self._collector.run(dry=dry, remaining=lambda: end - self._clock())
        progress = _sum(execution.progress, report)
        return Step({}, progress, done=report.complete or dry)


def _sum(before: Mapping[str, int], report: Report) -> dict[str, int]:
    counts = {name: before.get(name, 0) + int(getattr(report, name)) for name in _COUNTS}
    return {**counts, "objects_deleted": before.get("objects_deleted", 0) + report.objects_deleted}
