"""The process of the embedded AWS: ministack, with its state written while it runs, and stopped with its parent.

By itself ministack writes its tables at shutdown only, so that a kill would lose everything since the start while the
objects in S3 stay. Here they are written whenever they have changed, at most a twentieth of the time, and at the end.
Settings come by ministack's own environment variables; `STDIN` is a pipe that ends when the parent dies.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app as ministack
from ministack.core import persistence

from local.aws_checksums import accept_sha512

INTERVAL = 2.0  # seconds between snapshots, at least

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Snapshots:
    """Counts requests that may have changed something, and saves what ministack holds when some have."""

    def __init__(self) -> None:
        self._changes = 0
        self._saved = 0

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await ministack.app(scope, receive, send)
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
            self._changes += 1

    async def run(self) -> None:
        """Never returns. Saving holds up the event loop, so a large state is saved less often."""
        pause = INTERVAL
        while True:
            await asyncio.sleep(pause)
            if self._changes == self._saved:
                continue
            began = time.monotonic()
            self._saved = self._changes
            persistence.save_all(ministack._build_persistence_save_dict())
            pause = max(INTERVAL, 20 * (time.monotonic() - began))


async def main() -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    # Ends when the last writer has gone: the parent stopped us, or died.
    await loop.connect_read_pipe(lambda: _EndOfInput(stopping), sys.stdin)
    config = Config()
    config.bind = [f"{os.environ['BIND_HOST']}:{os.environ['GATEWAY_PORT']}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.loglevel = "WARNING"
    accept_sha512()
    snapshots = Snapshots()
    saving = asyncio.create_task(snapshots.run())
    await serve(snapshots, config, shutdown_trigger=stopping.wait)  # type: ignore[arg-type]
    saving.cancel()


class _EndOfInput(asyncio.Protocol):
    def __init__(self, stopping: asyncio.Event) -> None:
        self._stopping = stopping

    def connection_lost(self, exc: Exception | None) -> None:
        self._stopping.set()


if __name__ == "__main__":
    logging.getLogger("hypercorn.access").setLevel(logging.WARNING)
    asyncio.run(main())
