"""The relay's load as a metric, by which its tasks are scaled: hashing shows in the CPU, slow clients do not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from functions.hosting import lines, metrics

METRIC = "UploadLoad"  # percent of the places; with its dimension `function`, the average over all tasks
PERIOD_SECONDS = 30.0


class LoadReport:
    """Writes how many of `places` are wanted, twice a minute."""

    def __init__(self, places: int, *, period: float = PERIOD_SECONDS) -> None:
        self._places = places
        self._period = period

    async def watch(self, active: Callable[[], int]) -> None:
        """Report until cancelled."""
        while True:
            self.report(active())
            await asyncio.sleep(self._period)

    def report(self, uploads: int) -> None:
        load = metrics.Metric(METRIC, round(100 * uploads / self._places, 1))
        lines.write(metrics.line([load], {"function": "relay"}, now_ms=int(time.time() * 1000), always=True))
