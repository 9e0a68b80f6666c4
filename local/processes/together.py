"""Components that start at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from local.processes.supervisor import Component


class Together:
    """A component of several that do not need each other: they start and stop at the same time."""

    def __init__(self, components: Sequence[Component]) -> None:
        self._components = components
        self.name = ", ".join(component.name for component in components)

    async def start(self) -> None:
        """Start all. Raises the first Failure, after stopping those that have started."""
        results = await asyncio.gather(*(one.start() for one in self._components), return_exceptions=True)
        errors = [result for result in results if isinstance(result, BaseException)]
        if errors:
            started = [one for one, result in zip(self._components, results, strict=True) if result is None]
            await asyncio.gather(*(one.stop() for one in started), return_exceptions=True)
            raise errors[0]

    async def watch(self) -> None:
        """Watch all. Raises the first Failure."""
        watchers = [asyncio.create_task(one.watch(), name=one.name) for one in self._components]
        try:
            await asyncio.gather(*watchers)
        finally:
            for watcher in watchers:
                watcher.cancel()
            await asyncio.gather(*watchers, return_exceptions=True)

    async def stop(self) -> None:
        """Stop all. Raises a Failure of one of them, once all have stopped."""
        results = await asyncio.gather(*(one.stop() for one in self._components), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
