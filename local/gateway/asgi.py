"""What the emulators of API Gateway and of function URLs share: requests of an ASGI server, and who answers them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from local.gateway.events import Incoming

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

BODY_LIMIT = 10 * 1024 * 1024  # bytes


class Disconnected(Exception):
    """The client disconnected before its request was complete."""


class Invoker(Protocol):
    """A Lambda function, such as `environments.Pool`."""

    async def invoke(self, event: bytes, *, request_id: str, timeout: float) -> object:
        """Return the function's result. Raises FunctionError, Throttled, TimedOut."""
        ...


async def read(scope: Scope, receive: Receive) -> bytes | None:
    """Read the body; return None if it is larger than the gateway accepts."""
    declared = _header(scope, b"content-length")
    if declared is not None and int(declared) > BODY_LIMIT and _header(scope, b"expect") is not None:
        return None  # the client waits for permission, and will not send the body
    parts: list[bytes] = []
    size = 0
    while True:
        part = await receive()
        if part["type"] == "http.disconnect":
            raise Disconnected
        data = part.get("body", b"")
        size += len(data)
        if size <= BODY_LIMIT:
            parts.append(data)
        else:
            parts.clear()
        if not part.get("more_body"):
            return b"".join(parts) if size <= BODY_LIMIT else None


def incoming(scope: Scope, body: bytes, scheme: str) -> Incoming:
    return Incoming(
        method=scope["method"],
        target=raw_path(scope).decode("ascii", "replace"),
        query=scope["query_string"].decode("ascii", "replace"),
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
        body=body,
        client=scope["client"][0] if scope.get("client") else "",
        scheme=scheme,
        port=scope["server"][1] if scope.get("server") else 0,
    )


def raw_path(scope: Scope) -> bytes:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw


def log_path(scope: Scope) -> str:
    """Return the path for the log, without the query: that of an upload contains a token."""
    return raw_path(scope).decode("ascii", "replace")


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)
