"""A body on its way from the event loop to the thread that stores it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from functions.relay.body import BATCH_BYTES, BodyTooSlow, Pace, StreamedBody
from roadstead.content.uploads.uploads import BodyInterrupted

PIECE = b"x" * (BATCH_BYTES // 4)


class Client:
    """What a server of ASGI receives: `messages` at once, and then nothing until `more` or the end."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *messages: dict[str, Any]) -> None:
        self._loop = loop
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.receiving = 0
        self.more(*messages)

    def more(self, *messages: dict[str, Any]) -> None:
        for message in messages:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, message)

    async def receive(self) -> dict[str, Any]:
        self.receiving += 1
        assert self.receiving == 1, "two tasks receive at once"
        try:
            return await self._queue.get()
        finally:
            self.receiving -= 1


class Counted(StreamedBody):
    asked = 0

    def _ask(self) -> Any:
        self.asked += 1
        return super()._ask()


def piece(data: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more}


GONE = {"type": "http.disconnect"}


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def body_of(loop: asyncio.AbstractEventLoop, *messages: dict[str, Any], pace: Pace | None = None) -> Counted:
    return Counted(Client(loop, *messages).receive, loop, pace)


def drained(body: StreamedBody, loop: asyncio.AbstractEventLoop) -> None:
    asyncio.run_coroutine_threadsafe(body.drain(120), loop).result()


def test_pieces_come_in_their_order_a_batch_at_a_time(loop: asyncio.AbstractEventLoop) -> None:
    pieces = [bytes([number]) * len(PIECE) for number in range(16)]
    body = body_of(loop, *(piece(data) for data in pieces[:-1]), piece(pieces[-1], more=False))
    assert b"".join(body) == b"".join(pieces)
    assert body.asked < len(pieces)
    assert body.ended and not body.interrupted


def test_a_body_without_bytes_ends(loop: asyncio.AbstractEventLoop) -> None:
    assert b"".join(body_of(loop, piece(b"", more=False))) == b""


def test_a_piece_does_not_wait_for_a_whole_batch(loop: asyncio.AbstractEventLoop) -> None:
    client = Client(loop, piece(b"one"))
    body = iter(StreamedBody(client.receive, loop))
    assert next(body) == b"one"
    client.more(piece(b"two", more=False))
    assert b"".join(body) == b"two"


@pytest.mark.parametrize("end", [GONE, None])
def test_what_came_before_an_interruption_is_yielded_first(
    loop: asyncio.AbstractEventLoop, end: dict[str, Any] | None
) -> None:
    """The client goes away, or sends nothing more."""
    messages = [piece(PIECE), piece(b"last"), *([end] if end else [])]
    body = body_of(loop, *messages, pace=Pace(rate=10**9, seconds=0.2))
    came: list[bytes] = []
    with pytest.raises(BodyInterrupted) as error:
        for data in body:
            came.append(data)  # noqa: PERF402 - what came counts although the loop is left by an exception
    assert b"".join(came) == PIECE + b"last"
    assert isinstance(error.value, BodyTooSlow) == body.too_slow == (end is None)
    assert body.interrupted == (end is not None)


@pytest.mark.parametrize("read", [0, 1, 9])
def test_a_drain_takes_what_the_thread_left(loop: asyncio.AbstractEventLoop, read: int) -> None:
    """Whether the next batch is on its way, is there, or was never asked for."""
    body = body_of(loop, *(piece(PIECE) for _ in range(12)), piece(b"", more=False))
    pieces = iter(body)
    for _ in range(read):
        next(pieces)
    drained(body, loop)
    assert body.ended


def test_a_drain_waits_for_the_batch_that_was_asked_for(loop: asyncio.AbstractEventLoop) -> None:
    client = Client(loop, piece(PIECE))
    body = StreamedBody(client.receive, loop)
    next(iter(body))
    draining = asyncio.run_coroutine_threadsafe(body.drain(120), loop)
    client.more(piece(PIECE), piece(PIECE, more=False))
    draining.result()
    assert body.ended


def test_a_stopped_loop_interrupts_the_body(loop: asyncio.AbstractEventLoop) -> None:
    body = body_of(loop, piece(PIECE))
    pieces = iter(body)
    next(pieces)

    def stop() -> None:
        for task in asyncio.all_tasks(loop):
            task.cancel()

    loop.call_soon_threadsafe(stop)
    with pytest.raises(BodyInterrupted):
        next(pieces)
    assert body.interrupted
