"""The API Gateway emulator: an HTTP API in front of the functions, with the limits of the real one.

Responses of its own ("Quotas for configuring and running an HTTP API", "Lambda quotas"):

    413   a body above 10 MB, or an event above Lambda's 6 MB (about 4.5 MB of binary)
    431   request line and headers above 10,240 bytes together
    404   no route
    503   the integration took more than 30 s, or Lambda was throttled
    500   the function failed, or its result is not a response

A body that is too large is read to its end before the response, so that the client sees it and can use the connection
again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import uvicorn

from functions.api import Route
from local.failures import ExitCode, Failure
from local.functions.environments import EVENT_LIMIT, FunctionError, Throttled, TimedOut
from local.gateway.events import Incoming, MalformedResult, Outgoing, event_for, message, response_from

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

BODY_LIMIT = 10 * 1024 * 1024  # bytes
HEAD_LIMIT = 10_240  # bytes of request line and headers
INTEGRATION_TIMEOUT = 30.0  # seconds

_TOO_LARGE = message(413, "Request Entity Too Large")
_HEAD_TOO_LARGE = message(431, "Request Header Fields Too Large")
_NOT_FOUND = message(404, "Not Found")
_UNAVAILABLE = message(503, "Service Unavailable")
_INTERNAL = message(500, "Internal Server Error")

_log = logging.getLogger(__name__)


class Invoker(Protocol):
    """A Lambda function, such as `environments.Pool`."""

    async def invoke(self, event: bytes, *, request_id: str, timeout: float) -> object:
        """Return the function's result. Raises FunctionError, Throttled, TimedOut."""
        ...


class Disconnected(Exception):
    """The client disconnected before its request was complete."""


class HttpApi:
    """The ASGI application."""

    def __init__(
        self,
        routes: Sequence[Route],
        functions: Mapping[str, Invoker],
        *,
        scheme: str = "http",
        timeout: float = INTEGRATION_TIMEOUT,
    ) -> None:
        self._scheme = scheme  # by which clients come, whatever takes them here
        self._routes = routes
        self._functions = functions
        self._timeout = timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = str(uuid.uuid4())
        began = time.monotonic()
        try:
            answer = await self._answer(scope, receive, request_id)
        except Disconnected:
            return
        _log.info(
            "%s %s %s %d %.0f ms", request_id, scope["method"], _target(scope), answer.status,
            (time.monotonic() - began) * 1000,
        )  # fmt: skip
        headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in answer.headers]
        headers.append((b"apigw-requestid", request_id.encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive, request_id: str) -> Outgoing:
        body = await _read(scope, receive)
        if _head_size(scope) > HEAD_LIMIT:
            return _HEAD_TOO_LARGE
        if body is None:
            return _TOO_LARGE
        request = _incoming(scope, body, self._scheme)
        for route in self._routes:
            proxy = route.match(request.path)
            if proxy is not None:
                return await self._invoke(request, route, proxy, request_id)
        return _NOT_FOUND

    async def _invoke(self, request: Incoming, route: Route, proxy: str, request_id: str) -> Outgoing:
        event = event_for(request, resource=route.path, proxy=proxy, request_id=request_id, now=time.time())
        data = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
        if len(data) > EVENT_LIMIT:
            return _TOO_LARGE
        try:
            function = self._functions[route.function]
            result = await function.invoke(data, request_id=request_id, timeout=self._timeout)
            return response_from(result, request.method)
        except (Throttled, TimedOut) as error:
            _log.warning("%s %s: %s", request_id, type(error).__name__, error)
            return _UNAVAILABLE
        except (FunctionError, MalformedResult) as error:
            _log.error("%s %s: %s", request_id, route.function, error)
            return _INTERNAL


class HttpServer:
    """The component that serves an ASGI application on a listening socket."""

    def __init__(self, name: str, app: Any, listener: socket.socket) -> None:
        self._name = name
        self._listener = listener
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            proxy_headers=False,  # would trust X-Forwarded-Proto from any client on this machine
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=3,
            # The application itself enforces the 10,240 bytes, to respond as the gateway does.
            h11_max_incomplete_event_size=1024 * 1024,
        )
        self._server = _Server(config)
        self._serving: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        return self._name

    async def start(self) -> None:
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._listener]))
        while not self._server.started:
            if self._serving.done():
                raise Failure(ExitCode.COMPONENT_FAILED, f"{self._name} did not start.")
            await asyncio.sleep(0.01)

    async def watch(self) -> None:
        if self._serving is None:
            raise RuntimeError(f"{self._name} was not started")
        await asyncio.shield(self._serving)
        raise Failure(ExitCode.COMPONENT_FAILED, f"{self._name} stopped.")

    async def stop(self) -> None:
        """Finish requests in progress, for at most 3 s, then close."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the supervisor handles signals."""

    def capture_signals(self) -> Any:
        return contextlib.nullcontext()


async def _read(scope: Scope, receive: Receive) -> bytes | None:
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


def _incoming(scope: Scope, body: bytes, scheme: str) -> Incoming:
    return Incoming(
        method=scope["method"],
        target=_raw_path(scope).decode("ascii", "replace"),
        query=scope["query_string"].decode("ascii", "replace"),
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
        body=body,
        client=scope["client"][0] if scope.get("client") else "",
        scheme=scheme,
        port=scope["server"][1] if scope.get("server") else 0,
    )


def _raw_path(scope: Scope) -> bytes:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw


def _target(scope: Scope) -> str:
    """Return the path for the log, without the query: that of an upload contains a token."""
    return _raw_path(scope).decode("ascii", "replace")


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)


def _head_size(scope: Scope) -> int:
    """Return the size of request line and headers in bytes, white space normalised."""
    target = len(_raw_path(scope)) + (len(scope["query_string"]) + 1 if scope["query_string"] else 0)
    line = len(scope["method"]) + 1 + target + len(" HTTP/1.1\r\n")
    return line + sum(len(name) + len(": ") + len(value) + len("\r\n") for name, value in scope["headers"])
