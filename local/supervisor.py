"""Components started in order, watched, and stopped in reverse."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Protocol

from local.failures import Failure


class Component(Protocol):
    """A part of the local cloud that runs for as long as the whole does."""

    @property
    def name(self) -> str:
        """What a person calls it."""
        ...

    async def start(self) -> None:
        """Returns once it works. Raises Failure; what it began before that is undone by itself."""
        ...

    async def watch(self) -> None:
        """Runs while all is well; raises Failure when the component can no longer do its work."""
        ...

    async def stop(self) -> None:
        """Called once after `start` returned, whatever happened since. Raises Failure when data may be lost."""
        ...


async def supervise(components: Sequence[Component], stopping: asyncio.Event, ready: asyncio.Event) -> None:
    """Run `components` until `stopping` is set; set `ready` when all of them have started.

    Raises Failure when one cannot start, dies, or cannot save what it holds; the others are stopped first.
    """
    async with AsyncExitStack() as started:
        for component in components:
            if not await _unless(stopping, component):
                return
            started.push_async_callback(component.stop)
        ready.set()
        await _first_failure(components, stopping)


async def _unless(stopping: asyncio.Event, component: Component) -> bool:
    """Start a component, unless it is time to stop; answers whether it has started."""
    if stopping.is_set():
        return False
    starting = asyncio.create_task(component.start(), name=f"start {component.name}")
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    # A start that is under way is finished even so: it knows best how to undo what it has begun.
    await starting
    return True


async def _first_failure(components: Sequence[Component], stopping: asyncio.Event) -> None:
    watchers = {asyncio.create_task(component.watch(), name=component.name) for component in components}
    waiting = asyncio.create_task(stopping.wait())
    try:
        while not stopping.is_set():
            done, _ = await asyncio.wait({waiting, *watchers}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {waiting}:
                watchers.discard(task)
                failure = task.exception()
                if failure is not None:
                    raise failure
    finally:
        for task in (waiting, *watchers):
            task.cancel()
        await asyncio.gather(waiting, *watchers, return_exceptions=True)


def complain(failure: Failure) -> int:
    """Say what went wrong and answer the exit code."""
    print(f"roadstead: {failure}", file=sys.stderr)
    return int(failure.code)
