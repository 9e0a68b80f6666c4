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
from collections.abc import Mapping, Sequence
from typing import Any

import uvicorn

from functions.api import Route
from local.failures import ExitCode, Failure
from local.functions.environments import EVENT_LIMIT, FunctionError, Throttled, TimedOut
from local.gateway.asgi import Disconnected, Invoker, Receive, Scope, Send, incoming, log_path, raw_path, read
from local.gateway.events import Incoming, MalformedResult, Outgoing, event_for, message, response_from

HEAD_LIMIT = 10_240  # bytes of request line and headers
INTEGRATION_TIMEOUT = 30.0  # seconds

_TOO_LARGE = message(413, "Request Entity Too Large")
_HEAD_TOO_LARGE = message(431, "Request Header Fields Too Large")
_NOT_FOUND = message(404, "Not Found")
_UNAVAILABLE = message(503, "Service Unavailable")
_INTERNAL = message(500, "Internal Server Error")

_log = logging.getLogger(__name__)


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
            "%s %s %s %d %.0f ms", request_id, scope["method"], log_path(scope), answer.status,
            (time.monotonic() - began) * 1000,
        )  # fmt: skip
        headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in answer.headers]
        headers.append((b"apigw-requestid", request_id.encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive, request_id: str) -> Outgoing:
        body = await read(scope, receive)
        if _head_size(scope) > HEAD_LIMIT:
            return _HEAD_TOO_LARGE
        if body is None:
            return _TOO_LARGE
        request = incoming(scope, body, self._scheme)
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


def _head_size(scope: Scope) -> int:
    """Return the size of request line and headers in bytes, white space normalised."""
    target = len(raw_path(scope)) + (len(scope["query_string"]) + 1 if scope["query_string"] else 0)
    line = len(scope["method"]) + 1 + target + len(" HTTP/1.1\r\n")
    return line + sum(len(name) + len(": ") + len(value) + len("\r\n") for name, value in scope["headers"])
