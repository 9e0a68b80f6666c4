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

BATCH_BYTES = 256 * 1024  # handed to the thread at once; one more is gathered meanwhile
GATHER_SECONDS = 0.02


class BodyTooSlow(BodyInterrupted):
    """The body arrived slower than `Pace` allows. What has arrived is kept, as when a client goes away."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The slowest that a body may be: `rate` bytes a second, averaged over `seconds` of waiting for the client."""

    rate: int = 8 * 1024
    seconds: float = 60.0


class StreamedBody:
    """Iterated by one worker thread. While it stores a batch, the loop gathers the next, and then lets TCP wait."""

    def __init__(self, receive: Receive, loop: asyncio.AbstractEventLoop, pace: Pace | None = None) -> None:
        self._receive = receive
        self._loop = loop
        self._pace = pace or Pace()
        self._waited = 0.0  # seconds, and bytes that came in them, since the pace was last looked at
        self._came = 0
        self._receiving = asyncio.Lock()  # the batch that was asked for last may still be on its way at a drain
        self.ended = False
        self.interrupted = False
        self.too_slow = False

    def __iter__(self) -> Iterator[bytes]:
        """Raises BodyInterrupted when the client goes away, or the server stops, before the body's end; BodyTooSlow.

        What arrived before that is yielded first.
        """
        asked = None if self._is_over else self._ask()
        while asked is not None:
            try:
                pieces = asked.result()
                asked = None if self._is_over else self._ask()
            except (concurrent.futures.CancelledError, RuntimeError) as error:
                self.interrupted = True
                raise BodyInterrupted from error
            yield from pieces
        if self.too_slow:
            raise BodyTooSlow
        if self.interrupted:
            raise BodyInterrupted

    async def drain(self, seconds: float) -> None:
        """Read and forget what is left: a client that is still sending sees no answer before a closed connection."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._receiving:
                while not self._is_over:
                    await self._piece()

    @property
    def _is_over(self) -> bool:
        return self.ended or self.interrupted or self.too_slow

    def _ask(self) -> concurrent.futures.Future[list[bytes]]:
        return asyncio.run_coroutine_threadsafe(self._gather(), self._loop)

    async def _gather(self) -> list[bytes]:
        """The pieces that arrive until they are BATCH_BYTES, or until GATHER_SECONDS after the first of them; none if
        the client sends none for as long as its pace is watched.

        A thread that is woken for each piece spends more time on that than on the piece. Only time that the client
        takes counts for its pace, not what storing takes.
        """
        pieces: list[bytes] = []
        size = 0
        async with self._receiving:
            began = time.monotonic()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._pace.seconds - self._waited)) as patience:
                    while size < BATCH_BYTES and not self._is_over:
                        pieces.append(await self._piece())
                        if size == 0:
                            patience.reschedule(self._loop.time() + GATHER_SECONDS)
                        size += len(pieces[-1])
            self._keep_pace(time.monotonic() - began, size)
        return pieces

    async def _piece(self) -> bytes:
        """The next bytes, perhaps none; notes the body's end."""
        message = await self._receive()
        self.interrupted = message["type"] == "http.disconnect"
        self.ended = not self.interrupted and not message.get("more_body", False)
        data: bytes = message.get("body", b"")
        return data

    def _keep_pace(self, waited: float, came: int) -> None:
        self._waited += waited
        self._came += came
        if self._waited >= self._pace.seconds:
            self.too_slow = not (self.ended or self.interrupted) and self._came < self._pace.rate * self._waited
            self._waited, self._came = 0.0, 0
