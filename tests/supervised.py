"""Components of the local cloud, running in an event loop of another thread."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Sequence

from local.processes.supervisor import Component, supervise

_TIMEOUT = 300.0  # seconds to start, and to stop


@contextlib.contextmanager
def running(components: Sequence[Component]) -> Iterator[None]:
    """Run components as `make up` does. Raises the Failure of one that does not start, dies, or cannot save."""
    loop = asyncio.new_event_loop()
    stopping, ready = asyncio.Event(), asyncio.Event()
    supervised = loop.create_task(supervise(components, stopping, ready))
    thread = threading.Thread(target=lambda: loop.run_until_complete(supervised))
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(_first(ready, supervised), loop).result(_TIMEOUT)
        yield
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(_TIMEOUT)
        assert not thread.is_alive()
        supervised.result()
        loop.close()


async def _first(ready: asyncio.Event, supervised: asyncio.Task[None]) -> None:
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({waiting, supervised}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
