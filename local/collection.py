"""Components that invoke functions by a timer, as EventBridge Scheduler does."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.functions.environments import FunctionError, Pool, Throttled, TimedOut

FUNCTION, MANAGEMENT = "collector", "management"
TIMEOUT = 900.0  # seconds
HOUR = 3_600.0
TICK = 2.0  # seconds; in AWS five minutes, where new executions need not wait for it

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Times:
    """The collector's times for a trial, in whole seconds. They are not safe beside pushes."""

    grace: int
    fence: int

    @property
    def pause(self) -> float:
        """Return the seconds between two runs: so often that none of the times is waited for twice."""
        return max(1.0, min(self.grace, self.fence, HOUR))


@dataclass(slots=True)
class Schedule:
    """Invokes a function with `event` every `pause` seconds. `pools` must have it when this starts."""

    pools: Mapping[str, Pool]
    event: Mapping[str, Any]
    pause: float
    name: str
    function: str = FUNCTION
    _running: asyncio.Task[None] | None = field(default=None, init=False)

    async def start(self) -> None:
        self._running = asyncio.create_task(self._run())

    async def watch(self) -> None:
        """Do nothing: a run that fails is taken up by the next."""
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """A run under way ends with its environment: what it has not done is left to the next."""
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running

    async def _run(self) -> None:
        event = json.dumps(self.event).encode()
        while True:
            await asyncio.sleep(self.pause)
            try:
                await self.pools[self.function].invoke(event, request_id=str(uuid.uuid4()), timeout=TIMEOUT)
            except (FunctionError, Throttled, TimedOut) as error:
                _log.warning("%s: the %s function failed: %s", self.name, self.function, error)


def collection(pools: Mapping[str, Pool], *, pause: float) -> Schedule:
    """Runs the collector by itself: for a trial, more often than its schedule, which is hourly."""
    return Schedule(pools, {}, pause, "the collector's schedule")


def tick(pools: Mapping[str, Pool], *, pause: float = TICK) -> Schedule:
    """Takes what is due by schedules, the collector's among them, and executions: without the Lambda API here, it also
    starts new ones."""
    return Schedule(pools, {"tick": True}, pause, "the tick")


def warnings(pools: Mapping[str, Pool], *, pause: float = HOUR) -> Schedule:
    """Warns of robots that expire soon."""
    return Schedule(pools, {"tick": True}, pause, "the warnings", MANAGEMENT)
