"""HTTP/1.1 for the services: parsed by httptools, streamed both ways, memory independent of what is moved.

An application is a coroutine function that takes a Request and returns a Response. One request of a connection is
served at a time, in order. A body is read from the connection as fast as the application takes it, and no faster.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import cast

import httptools

HEAD_LIMIT = 64 * 1024  # bytes of request line and headers
BUFFERED = 1024 * 1024  # bytes of a body that wait for the application; then the connection is not read from
DRAIN = 60.0  # seconds for which the rest of a refused body is read, so that the client gets to see the answer

_log = logging.getLogger(__name__)


class Disconnected(Exception):
    """The client went away before its request was complete."""


class Request:
    """One request. Names of headers are in lower case; several of one name are joined by commas."""

    __slots__ = (
        "_broken",
        "_connection",
        "_continue",
        "_pieces",
        "_size",
        "_waiting",
        "complete",
        "headers",
        "keep_alive",
        "method",
        "path",
        "query",
    )  # fmt: skip

    def __init__(self, connection: _Connection, method: str, target: bytes, headers: dict[str, str]) -> None:
        path, _, query = target.partition(b"?")
        self.method = method
        self.path = path.decode("latin-1")  # as it was sent, percent-encoded
        self.query = query.decode("latin-1")
        self.headers = headers
        self.keep_alive = True
        self.complete = False  # whether all of the body has arrived
        self._connection = connection
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._waiting: asyncio.Future[None] | None = None
        self._broken = False
        self._continue = headers.get("expect", "").lower() == "100-continue"

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises Disconnected."""
        while (piece := await self._next()) is not None:
            yield piece

    async def read(self, limit: int) -> bytes | None:
        """The whole body; None when it is longer than `limit` bytes. Raises Disconnected."""
        parts: list[bytes] = []
        size = 0
        while (piece := await self._next()) is not None:
            size += len(piece)
            if size > limit:
                return None
            parts.append(piece)
        return b"".join(parts)

    async def _next(self) -> bytes | None:
        if self._continue and not self._pieces and not self.complete:
            self._continue = False
            self._connection.send_continue()
        while not self._pieces:
            if self._broken:
                raise Disconnected
            if self.complete:
                return None
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        piece = self._pieces.popleft()
        self._size -= len(piece)
        if self._size < BUFFERED:
            self._connection.resume()
        return piece

    @property
    def holds_back(self) -> bool:
        """Whether the client still waits to be told that it may send the body."""
        return self._continue and not self.complete

    def feed(self, piece: bytes) -> None:
        self._continue = False
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= BUFFERED:
            self._connection.pause()
        self._wake()

    def end(self, *, broken: bool = False) -> None:
        if broken:
            self._broken = True
        else:
            self.complete = True
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


@dataclass(slots=True)
class Response:
    """What is answered. A `body` that is streamed has to be as long as `length` says."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes | AsyncIterator[bytes] = b""
    length: int | None = field(default=None)  # of the body, where it is not there to be counted

    @property
    def content_length(self) -> int:
        if self.length is not None:
            return self.length
        return len(self.body) if isinstance(self.body, bytes) else 0


Application = Callable[[Request], Awaitable[Response]]


class _Connection(asyncio.Protocol):
    """A connection with a client."""

    def __init__(self, application: Application, connections: set[_Connection]) -> None:
        self._application = application
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._headers: dict[str, str] = {}
        self._head_size = 0
        self._arriving: Request | None = None
        self._pending: deque[Request] = deque()  # complete or arriving, not served yet
        self._serving: asyncio.Task[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._paused = False
        self._closing = False

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(400)
            return
        if self._serving is None and self._pending:
            self._serving = asyncio.create_task(self._serve())

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._closing = True
        if self._arriving is not None:
            self._arriving.end(broken=True)
        if self._writable is not None and not self._writable.done():
            self._writable.set_exception(Disconnected())
        self._transport = None

    def pause_writing(self) -> None:
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    # the parser's side

    def on_message_begin(self) -> None:
        self._target, self._headers, self._head_size = b"", {}, 0

    def on_url(self, url: bytes) -> None:
        self._target += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]},{text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        method = self._parser.get_method().decode("latin-1")
        self._arriving = Request(self, method, self._target, self._headers)
        said = self._headers.get("connection", "").lower()
        self._arriving.keep_alive = "close" not in said and self._parser.get_http_version() == "1.1"
        self._pending.append(self._arriving)

    def on_body(self, body: bytes) -> None:
        if self._arriving is not None:
            self._arriving.feed(body)

    def on_message_complete(self) -> None:
        if self._arriving is not None:
            self._arriving.end()
        self._arriving = None

    def _count(self, size: int) -> None:
        self._head_size += size
        if self._head_size > HEAD_LIMIT:
            raise httptools.HttpParserError("the head is too large")

    # the request's side

    def pause(self) -> None:
        if not self._paused and self._transport is not None:
            self._transport.pause_reading()
            self._paused = True

    def resume(self) -> None:
        if self._paused and self._transport is not None:
            self._transport.resume_reading()
        self._paused = False

    def send_continue(self) -> None:
        if self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    # serving

    async def _serve(self) -> None:
        try:
            while self._pending and self._transport is not None:
                request = self._pending[0]
                if not await self._answer(request):
                    break
                self._pending.popleft()
        except Disconnected:
            self.abort()
        except Exception:
            _log.exception("a connection failed")  # and the client would wait for an answer that nobody sends
            self.abort()
        finally:
            self._serving = None

    async def _answer(self, request: Request) -> bool:
        """Whether the connection goes on."""
        response = await self._application(request)
        keep = request.keep_alive
        if not request.complete and request.holds_back:
            keep = False  # nobody knows whether the body still comes
        whole = response.body if isinstance(response.body, bytes) and request.method != "HEAD" else b""
        self._write(_head(response, keep) + whole)
        if not isinstance(response.body, bytes):
            await self._stream(request, response)
        if not request.holds_back:
            await self._drain(request)  # if it is all here, too: the connection may be paused until it is read
        if not keep and self._transport is not None:
            self._transport.close()
        return keep

    async def _stream(self, request: Request, response: Response) -> None:
        left = response.content_length
        try:
            async for piece in response.body:  # type: ignore[union-attr]
                left -= len(piece)
                self._write(piece)
                if self._writable is not None:
                    await self._writable
        except Disconnected:
            raise
        except Exception:
            _log.exception("%s %s broke off", request.method, request.path)
            left = -1
        if left:
            raise Disconnected  # a body that is too short must not look like a whole one

    async def _drain(self, request: Request) -> None:
        try:
            async with asyncio.timeout(DRAIN):
                async for _ in request.pieces():
                    pass
        except TimeoutError:
            raise Disconnected from None

    def _write(self, data: bytes) -> None:
        if self._transport is None:
            raise Disconnected
        self._transport.write(data)

    def _refuse(self, status: int) -> None:
        if self._transport is not None and not self._closing:
            self._closing = True
            self._transport.write(_head(Response(status), keep=False))
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    @property
    def busy(self) -> bool:
        return self._serving is not None

    def close_if_idle(self) -> None:
        if self._serving is None and self._transport is not None:
            self._transport.close()


def _head(response: Response, keep: bool) -> bytes:
    reason = HTTPStatus(response.status).phrase
    lines = [f"HTTP/1.1 {response.status} {reason}\r\n"]
    lines += [f"{name}: {value}\r\n" for name, value in response.headers]
    if response.status not in (204, 304):
        lines.append(f"content-length: {response.content_length}\r\n")
    lines.append("\r\n" if keep else "connection: close\r\n\r\n")
    return "".join(lines).encode("latin-1", "replace")


class Server:
    """Serves an application on sockets that listen already."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._connections: set[_Connection] = set()
        self._servers: list[asyncio.Server] = []

    async def start(self, listeners: Sequence[socket.socket]) -> None:
        loop = asyncio.get_running_loop()
        for listener in listeners:
            self._servers.append(
                await loop.create_server(lambda: _Connection(self._application, self._connections), sock=listener)
            )

    async def stop(self, patience: float) -> None:
        """Answer what is under way, for at most `patience` seconds, then close everything."""
        for server in self._servers:
            server.close()
        until = asyncio.get_running_loop().time() + patience
        while any(one.busy for one in self._connections) and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.02)
        for connection in list(self._connections):
            connection.abort()
