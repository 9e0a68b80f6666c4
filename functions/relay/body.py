"""A request's body on its way from the event loop, where it arrives, to the thread that stores it.

A client may be slow, but not so slow that it only holds its place: see `Pace`.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from roadstead.content.uploads.uploads import BodyInterrupted

Receive = Callable[[], Awaitable[dict[str, Any]]]


class BodyTooSlow(BodyInterrupted):
    """The body arrived slower than `Pace` allows. What has arrived is kept, as when a client goes away."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The slowest that a body may be: `rate` bytes a second, averaged over `seconds` of waiting for the client."""

    rate: int = 8 * 1024
    seconds: float = 60.0


class StreamedBody:
    """Iterated by one worker thread; each piece is asked for when the last was used up, so TCP does the waiting."""

    def __init__(self, receive: Receive, loop: asyncio.AbstractEventLoop, pace: Pace | None = None) -> None:
        self._receive = receive
        self._loop = loop
        self._pace = pace or Pace()
        self._waited = 0.0  # seconds, and bytes that came in them, since the pace was last looked at
        self._came = 0
        self.ended = False
        self.interrupted = False
        self.too_slow = False

    def __iter__(self) -> Iterator[bytes]:
        """Raises BodyInterrupted when the client goes away, or the server stops, before the body's end; BodyTooSlow."""
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
        """The next message. Only time that the client takes counts, not what storing takes."""
        while True:
            began = time.monotonic()
            message: dict[str, Any] = {}
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._pace.seconds - self._waited)):
                    message = await self._receive()
            self._waited += time.monotonic() - began
            self._came += len(message.get("body", b""))
            if self._waited >= self._pace.seconds:
                if self._came < self._pace.rate * self._waited and message.get("more_body", True):
                    self.too_slow = True
                    raise BodyTooSlow
                self._waited, self._came = 0.0, 0
            if message:
                return message
