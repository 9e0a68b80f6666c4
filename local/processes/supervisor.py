"""Components started in order, watched, and stopped in reverse."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Protocol

from local.failures import Failure


class Component(Protocol):
    """A part of the local cloud. It runs as long as the cloud does."""

    @property
    def name(self) -> str:
        """Its name in messages to people."""
        ...

    async def start(self) -> None:
        """Return once it works. Raises Failure, after undoing what it has begun."""
        ...

    async def watch(self) -> None:
        """Run while the component works. Raises Failure when it no longer does."""
        ...

    async def stop(self) -> None:
        """Stop; called once, after `start` has returned. Raises Failure if data may be lost."""
        ...


async def supervise(components: Sequence[Component], stopping: asyncio.Event, ready: asyncio.Event) -> None:
    """Run `components` until `stopping` is set; set `ready` when all of them have started.

    Raises Failure if one cannot start, dies, or cannot save its data; the others are stopped first.
    """
    async with AsyncExitStack() as started:
        for component in components:
            if not await _unless(stopping, component):
                return
            started.push_async_callback(component.stop)
        ready.set()
        await _first_failure(components, stopping)


async def _unless(stopping: asyncio.Event, component: Component) -> bool:
    """Start a component unless it is time to stop; return whether it has started."""
    if stopping.is_set():
        return False
    starting = asyncio.create_task(component.start(), name=f"start {component.name}")
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    # A start that is under way is allowed to finish: it undoes what it has begun.
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
    """Print what went wrong; return the exit code."""
    print(f"roadstead: {failure}", file=sys.stderr)
    return int(failure.code)
