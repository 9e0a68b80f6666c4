"""The relay as an ASGI application: the registry's upload endpoints, and a health check.

A request is authorised by its upload token alone: whatever credentials a careless client sends along are dropped
before anything looks at them. Bodies are stored by worker threads; the event loop only moves them there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote

from functions.distribution.application import Application
from functions.distribution.routes import Needs, match
from functions.hosting.boundary import answer
from functions.relay.body import Receive, StreamedBody
from roadstead.content.uploads import BodyInterrupted
from roadstead.errors import ErrorCode, RegistryError
from roadstead.http import Request, Response

Scope = Mapping[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]

FUNCTION = "relay"  # as metrics call it
HEALTH_PATH = "/health"
MAX_REQUEST_ID = 128  # characters
DRAIN_BODY_SECONDS = 60.0  # for the rest of a body that was refused
_DROPPED = frozenset({"authorization", "cookie", "proxy-authorization"})

_log = logging.getLogger(__name__)


class Watch(Protocol):
    """Who has to know, all the while, how many uploads are under way."""

    async def watch(self, active: Callable[[], int]) -> None: ...


class Relay:
    """`uploads` bodies are stored at once; another one is answered 429 so that the client, or the edge, comes again."""

    def __init__(self, application: Application, *, uploads: int, protection: Watch | None = None) -> None:
        self._application = application
        self._capacity = uploads
        self._active = 0
        self._protection = protection
        self._workers = ThreadPoolExecutor(uploads, thread_name_prefix="upload")

    @property
    def active(self) -> int:
        """Uploads under way: what scale-in protection goes by."""
        return self._active

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["path"] == HEALTH_PATH and scope["method"] in ("GET", "HEAD"):
            await _send(send, Response.json(200, {"status": "ok", "uploads": self._active}), more=False)
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = StreamedBody(receive, asyncio.get_running_loop())
        request = request_from_scope(scope)
        if self._active >= self._capacity:
            response = answer(request, _busy, function=FUNCTION)
        else:
            self._active += 1
            try:
                loop = asyncio.get_running_loop()
                response = await loop.run_in_executor(self._workers, self._respond, request, body)
            finally:
                self._active -= 1
        if body.interrupted:
            return
        # Answered first and closed after: between the two the client may finish sending what nobody wants.
        await _send(send, response, more=True)
        await body.drain(DRAIN_BODY_SECONDS)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _respond(self, request: Request, body: StreamedBody) -> Response:
        def run(request: Request) -> Response:
            if match(request.method, request.path).route.needs is not Needs.UPLOAD:
                raise RegistryError(
                    ErrorCode.UNSUPPORTED, "the relay serves uploads alone; ask the registry's own host", status=404
                )
            try:
                return self._application.respond(request, body, _length(request))
            except BodyInterrupted:
                _log.info("the client went away: request %s", request.request_id)
                return Response(400)  # seen by nobody

        return answer(request, run, function=FUNCTION)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        """The server says when it starts, and when it ends, which is after the uploads under way."""
        watching: asyncio.Task[None] | None = None
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup" and self._protection is not None:
                watching = asyncio.create_task(self._protection.watch(lambda: self.active))
            if message["type"] == "lifespan.shutdown" and watching is not None:
                watching.cancel()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                self._workers.shutdown(wait=True)
                return


def request_from_scope(scope: Scope) -> Request:
    """The request's head; its body stays where it is. Credentials are dropped here."""
    headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"])
    named = dict(headers)
    client = scope.get("client")
    return Request(
        method=scope["method"],
        path=unquote(scope["raw_path"].decode("latin-1")),
        query=tuple(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        headers=tuple(header for header in headers if header[0] not in _DROPPED),
        host=named.get("host", "localhost"),
        scheme=scope.get("scheme", "http"),
        source_ip=client[0] if client else "",
        # Not of our making where the relay is asked directly, and it goes into the event of an upload.
        request_id=(named.get("x-amz-cf-id") or named.get("x-amzn-trace-id", ""))[:MAX_REQUEST_ID],
    )


def _length(request: Request) -> int | None:
    text = request.header("content-length")
    if text is not None and text.isascii() and text.isdigit():
        return int(text)
    return None if request.header("transfer-encoding") else 0


def _busy(_: Request) -> Response:
    raise RegistryError(
        ErrorCode.TOOMANYREQUESTS,
        "the relay takes no more uploads at the moment; try again",
        headers=[("Retry-After", "5")],
    )


async def _send(send: Send, response: Response, *, more: bool) -> None:
    headers = list(response.headers)
    if response.status != 204 and not any(name.lower() == "content-length" for name, _ in headers):
        headers.append(("Content-Length", str(len(response.body))))
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": response.status, "headers": encoded})
    await send({"type": "http.response.body", "body": response.body, "more_body": more})
