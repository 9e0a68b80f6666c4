"""The local timers that invoke the collector function."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest

from local.collection import FUNCTION, MANAGEMENT, Times, collection, tick, warnings
from local.functions.environments import FunctionError, Pool


class FakePool:
    """Notes the events that it is invoked with; the first one fails."""

    def __init__(self, wanted: int) -> None:
        self.events: list[Any] = []
        self.done = asyncio.Event()
        self._wanted = wanted

    async def invoke(self, event: bytes, *, request_id: str, timeout: float) -> object:
        self.events.append(json.loads(event))
        if len(self.events) == self._wanted:
            self.done.set()
        if len(self.events) == 1:
            raise FunctionError("no good")
        return {}


@pytest.mark.parametrize(
    ("make", "function", "event"),
    [(collection, FUNCTION, {}), (tick, FUNCTION, {"tick": True}), (warnings, MANAGEMENT, {"tick": True})],
)
def test_a_timer_goes_on_after_a_run_that_failed(make: Any, function: str, event: dict[str, Any]) -> None:
    async def run() -> list[Any]:
        pool = FakePool(3)
        schedule = make(cast("dict[str, Pool]", {function: pool}), pause=0.001)
        await schedule.start()
        await asyncio.wait_for(pool.done.wait(), 5)
        await schedule.stop()
        return pool.events

    assert asyncio.run(run()) == [event] * 3


def test_a_timer_that_never_started_can_be_stopped() -> None:
    asyncio.run(tick({}).stop())


@pytest.mark.parametrize(("grace", "fence", "pause"), [(5, 3, 3), (0, 0, 1), (86_400, 7_200, 3_600)])
def test_a_trial_runs_often_enough_for_its_times(grace: int, fence: int, pause: float) -> None:
    assert Times(grace, fence).pause == pause
