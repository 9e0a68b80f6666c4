"""The viewer's side of the edge: the request, and the way back for its response."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from local.edge.rules import REQUEST_LIMIT, URL_LIMIT, Headers, viewer_event
from local.http_headers import HOP_BY_HOP

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

DRAIN = 60.0  # seconds to read the rest of a refused body, so that the client sees the response


class Disconnected(Exception):
    """The viewer disconnected before its request was complete."""


class Viewer:
    """One request. `status` is the response's, 0 before that."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        self.method: str = scope["method"]
        self.path = (scope.get("raw_path") or scope["path"].encode()).decode("utf-8", "replace")
        self.query: str = scope["query_string"].decode("utf-8", "replace")
        self.headers: Headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        )
        self.address: str = scope["client"][0] if scope.get("client") else ""
        self.request_id = request_id
        self.status = 0
        self._receive = receive
        self._send = send
        self._ended = False

    def has_long_url(self) -> bool:
        return len(self.path) + len(self.query) + 1 > URL_LIMIT

    def has_large_head(self) -> bool:
        line = len(f"{self.method} {self.path}?{self.query} HTTP/1.1\r\n")
        return line + sum(len(name) + len(value) + 4 for name, value in self.headers) > REQUEST_LIMIT

    @property
    def sends_body(self) -> bool:
        return any(
            name == "transfer-encoding" or (name == "content-length" and value != "0") for name, value in self.headers
        )

    def event(self, kind: str) -> dict[str, Any]:
        """Return the event for a function of this kind."""
        return viewer_event(kind, self.method, self.path, self.query, self.headers, self.address, self.request_id)

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the pieces of the body, once. Raises Disconnected."""
        while not self._ended:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            self._ended = not message.get("more_body", False)
            if data := message.get("body", b""):
                yield data

    async def respond(self, status: int, headers: Headers, body: AsyncIterator[bytes]) -> None:
        """Send a response; before it ends, read and drop what is left of the request's body."""
        self.status = status
        sent = [
            (name.encode("latin-1"), value.encode("latin-1", "replace"))
            for name, value in headers
            if name not in HOP_BY_HOP and name != "date"  # the server writes one
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": sent})
        async for piece in body:
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        if self.sends_body and not self._ended:
            # Closing a connection with unread data resets it, and a client in the middle of its upload would see that
            # instead of the response.
            await self._send({"type": "http.response.body", "body": b"", "more_body": True})
            await self._drain()
        await self._send({"type": "http.response.body", "body": b""})

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(DRAIN):
                async for _ in self.body():
                    pass
        except (Disconnected, TimeoutError):
            self._ended = True
