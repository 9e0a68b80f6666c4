"""The relay as an ASGI application: the registry's upload endpoints, and a health check.

A request is authorised by its upload token alone; other credentials that a careless client sends are dropped unread.
Worker threads store the bodies; the event loop only moves them there.

What the relay cannot do at the moment is 503, not 429: Docker's classic store retries a layer after the first and gives
up after the second. podman and skopeo retry neither, so a body first waits for its place.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote

from functions.distribution.application import Application
from functions.distribution.routes import Needs, match
from functions.distribution.services import Services
from functions.hosting.boundary import response_of
from functions.relay.body import BodyTooSlow, Pace, Receive, StreamedBody
from functions.relay.places import WAITING, NoPlace, Places
from roadstead.content.uploads.token import UploadToken
from roadstead.content.uploads.uploads import BodyInterrupted
from roadstead.errors import ErrorCode, RegistryError
from roadstead.http import Request, Response

Scope = Mapping[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]

FUNCTION = "relay"  # as metrics call it
HEALTH_PATH = "/health"
MAX_REQUEST_ID = 128  # characters
DRAIN_BODY_SECONDS = 60.0  # for the rest of a body that was refused
RETRY_AFTER = 10  # seconds
_OTHERS = 16  # threads for requests without a body
_DROPPED = frozenset({"authorization", "cookie", "proxy-authorization"})

_log = logging.getLogger(__name__)


class Watch(Protocol):
    """Who has to know, all the while, how many requests are under way."""

    async def watch(self, active: Callable[[], int]) -> None: ...


class Relay:
    """Serves uploads, each body in one of `places`. `watches` run from the start of the server to its end."""

    def __init__(
        self, services: Services, *, places: Places, pace: Pace | None = None, watches: Sequence[Watch] = ()
    ) -> None:
        self._application = Application(services, admission=self._admit)
        self._places = places
        self._pace = pace or Pace()
        self._active = 0
        self._watches = watches
        self._workers = ThreadPoolExecutor(places.total + WAITING + _OTHERS, thread_name_prefix="upload")

    @property
    def active(self) -> int:
        """Requests under way, those that wait for a place included."""
        return self._active

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["path"] == HEALTH_PATH and scope["method"] in ("GET", "HEAD"):
            await _send(send, Response.json(200, {"status": "ok", "uploads": self._active}), more=False)
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        body = StreamedBody(receive, loop, self._pace)
        request = request_from_scope(scope)
        self._active += 1
        try:
            response = await loop.run_in_executor(self._workers, self._respond, request, body)
        finally:
            self._active -= 1
        if body.interrupted:
            return
        # The response goes first and the connection is closed after: in between the client may finish sending a body
        # that was refused, and so gets to read the refusal.
        await _send(send, response, more=True)
        if not body.too_slow:
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
            except BodyTooSlow:
                raise RegistryError(
                    ErrorCode.BLOB_UPLOAD_INVALID,
                    f"the body came slower than {self._pace.rate} bytes a second; send it again",
                    status=408,
                    headers=[("Connection", "close")],
                ) from None
            except BodyInterrupted:
                _log.info("the client went away: request %s", request.request_id)
                return Response(400)  # seen by nobody

        return response_of(request, run, function=FUNCTION, busy=503)

    @contextmanager
    def _admit(self, upload: UploadToken) -> Iterator[None]:
        """Hold a place while a body is stored or read back. Raises RegistryError (503) if none becomes free in time."""
        with ExitStack() as held:
            try:
                held.enter_context(self._places.place(upload.upload_id, f"{upload.actor_kind}:{upload.actor_name}"))
            except NoPlace as error:
                raise RegistryError(
                    ErrorCode.TOOMANYREQUESTS,
                    str(error),
                    status=503,
                    headers=[("Retry-After", str(RETRY_AFTER))],
                ) from error
            yield

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        """The server says when it starts, and when it ends, which is after the uploads under way."""
        watching: list[asyncio.Task[None]] = []
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                watching = [asyncio.create_task(one.watch(lambda: self.active)) for one in self._watches]
            if message["type"] == "lifespan.shutdown":
                for task in watching:
                    task.cancel()
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


async def _send(send: Send, response: Response, *, more: bool) -> None:
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.head]
    await send({"type": "http.response.start", "status": response.status, "headers": encoded})
    await send({"type": "http.response.body", "body": response.body, "more_body": more})
