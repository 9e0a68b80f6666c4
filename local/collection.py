"""The component that invokes the collector function by a timer, as EventBridge Scheduler does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from local.functions.environments import FunctionError, Pool, Throttled, TimedOut

FUNCTION = "collector"
TIMEOUT = 900.0  # seconds
HOUR = 3_600.0

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


class Collection:
    """`pools` must have the function when this starts. A run comes every `pause` seconds."""

    name = "the collector's schedule"

    def __init__(self, pools: Mapping[str, Pool], *, pause: float = HOUR) -> None:
        self._pools = pools
        self._pause = pause
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._running = asyncio.create_task(self._run())

    async def watch(self) -> None:
        """Do nothing: a run that fails is taken up by the next."""
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """A run under way ends with its environment: what it has not done is left to the next."""
        self._stopping.set()
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running

    async def _run(self) -> None:
        while not self._stopping.is_set():
            await asyncio.sleep(self._pause)
            try:
                await self._pools[FUNCTION].invoke(b"{}", request_id=str(uuid.uuid4()), timeout=TIMEOUT)
            except (FunctionError, Throttled, TimedOut) as error:
                _log.warning("the collector failed: %s", error)
