"""A request's body on its way from the event loop, where it arrives, to the thread that stores it."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from roadstead.content.uploads import BodyInterrupted

Receive = Callable[[], Awaitable[dict[str, Any]]]


class StreamedBody:
    """Iterated by one worker thread; each piece is asked for when the last was used up, so TCP does the waiting."""

    def __init__(self, receive: Receive, loop: asyncio.AbstractEventLoop) -> None:
        self._receive = receive
        self._loop = loop
        self.ended = False
        self.interrupted = False

    def __iter__(self) -> Iterator[bytes]:
        """Raises BodyInterrupted when the client goes away, or the server stops, before the body's end."""
        while not self.ended:
            try:
                message = asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()
            except (concurrent.futures.CancelledError, RuntimeError) as error:
                self.interrupted = True
                raise BodyInterrupted from error
            if message["type"] == "http.disconnect":
                self.interrupted = True
                raise BodyInterrupted
            self.ended = not message.get("more_body", False)
            if data := message.get("body", b""):
                yield data

    async def drain(self, seconds: float) -> None:
        """Read and forget what is left: a client that is still sending sees no answer before a closed connection."""
        try:
            async with asyncio.timeout(seconds):
                while not self.ended and not self.interrupted:
                    message = await self._receive()
                    self.interrupted = message["type"] == "http.disconnect"
                    self.ended = not message.get("more_body", False)
        except TimeoutError:
            return

    async def _next(self) -> dict[str, Any]:
        return await self._receive()
