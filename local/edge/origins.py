"""Requests to origins, streamed both ways in bounded memory: HTTP/1.1 over asyncio, one connection per request."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import h11

from local.edge.rules import Headers
from local.edge.storage import Signing
from local.http_headers import HOP_BY_HOP

CONNECT_TIMEOUT = 10.0  # seconds, as CloudFront's
_READ = 256 * 1024  # bytes at a time; with the kernel's and asyncio's buffers, a transfer takes about 1 MiB


class Unreachable(Exception):
    """The origin refused the connection, or closed it before a response: a 502."""


class TimedOut(Exception):
    """The origin did not respond in time: a 504."""


@dataclass(frozen=True, slots=True)
class Origin:
    """An origin of the distribution. `url` may have a path, which precedes the request's.

    `headers` are added to each request in place of the viewer's own; `response_timeout` is in seconds, and counts from
    the last byte of the body or between two reads; with `signing` it is S3, or the URL of a function.
    """

    url: str
    headers: Headers = ()
    response_timeout: float = 60.0
    signing: Signing | None = None


@dataclass(frozen=True, slots=True)
class OriginResponse:
    """An origin's response. Header names are in lower case; hop-by-hop headers are removed."""

    status: int
    reason: str
    headers: Headers
    body: AsyncIterator[bytes]


@contextlib.asynccontextmanager
async def exchange(
    origin: Origin,
    method: str,
    target: str,
    headers: Headers,
    body: AsyncIterator[bytes] | None,
    *,
    half_duplex: bool = False,
) -> AsyncIterator[OriginResponse]:
    """Send a request; yield its response, whose body can be read until the block ends.

    `target` is path and query; `headers` (names in lower case, no Host) say how `body` is framed. The answer may come
    before the body has been sent; then the rest of the body is left unread. With `half_duplex` nothing is read before
    the whole body has been sent, as a Lambda web function does. Raises Unreachable and TimedOut, and
    whatever reading `body` raises: then the connection is broken off, so that the origin cannot take what it got for
    the whole.
    """
    parts = urlsplit(origin.url)
    target = parts.path.rstrip("/") + target
    if origin.signing is not None:
        headers = origin.signing.sign_all(method, f"{parts.scheme}://{parts.netloc}{target}", headers)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80, limit=_READ)
    except (OSError, TimeoutError) as error:
        raise Unreachable(str(error)) from error
    connection = _Connection(reader, writer, origin.response_timeout)
    sending = asyncio.create_task(connection.send(method, target, (("host", parts.netloc), *headers), body))
    try:
        if half_duplex:
            await asyncio.wait({sending})
        answer = await connection.answer(sending)
        await _end(sending)  # stop reading the body here: the caller may read the rest
        yield answer
    finally:
        await _end(sending)
        writer.transport.abort()


async def _end(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class _Connection:
    """One request and its response."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, timeout: float) -> None:
        self._reader = reader
        self._writer = writer
        self._timeout = timeout
        self._http = h11.Connection(our_role=h11.CLIENT, max_incomplete_event_size=64 * 1024)

    async def send(self, method: str, target: str, headers: Headers, body: AsyncIterator[bytes] | None) -> None:
        lines = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]
        request = h11.Request(method=method, target=target, headers=[*lines, (b"connection", b"close")])
        self._write(request)
        if body is not None:
            async for piece in body:
                self._write(h11.Data(data=piece))
                await self._writer.drain()
        self._write(h11.EndOfMessage())
        await self._writer.drain()

    async def answer(self, sending: asyncio.Task[None]) -> OriginResponse:
        """Return the response's head. Raises what `sending` raises, unless the origin just stopped reading."""
        receiving = asyncio.create_task(self._head())
        try:
            await asyncio.wait({receiving, sending}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and not isinstance(sending.exception(), OSError):
                sending.result()
            async with asyncio.timeout(self._timeout if sending.done() else None):
                head = await receiving
        except TimeoutError:
            raise TimedOut(f"no answer within {self._timeout:.0f} s") from None
        except (OSError, h11.RemoteProtocolError) as error:
            raise Unreachable(str(error)) from error
        finally:
            await _end(receiving)
        named = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers)
        kept = tuple(pair for pair in named if pair[0] not in HOP_BY_HOP and pair[0] != "transfer-encoding")
        return OriginResponse(head.status_code, head.reason.decode("latin-1"), kept, self._body())

    async def _head(self) -> h11.Response:
        while True:
            event = await self._next()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise Unreachable("the origin closed the connection without an answer")

    async def _body(self) -> AsyncIterator[bytes]:
        while True:
            async with asyncio.timeout(self._timeout):
                event = await self._next()
            if not isinstance(event, h11.Data):
                return
            yield bytes(event.data)

    async def _next(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._reader.read(_READ))
        return event

    def _write(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self._writer.write(data)
