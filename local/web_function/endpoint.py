"""The endpoint of a web function, as an ASGI application: it finds or starts an environment for each request.

What it answers by itself ("Request timeout", "Scaling behavior for Lambda Web Functions"):

    417   a request with `Expect`
    429   every environment is full
    502   the environment did not start, or ended during the request
    504   the request took longer than it may
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from local.edge.origins import Origin, OriginResponse, TimedOut, Unreachable, exchange
from local.web_function.environment import Environment, StartFailed
from local.web_function.terms import Terms

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_NOT_FORWARDED = frozenset({"host", "connection", "keep-alive"})
_log = logging.getLogger(__name__)


class Full(Exception):
    """Every environment takes as many requests as it may."""


class _Gone(Exception):
    """The client went away before its body was complete."""


class Endpoint:
    """`start` makes another environment. `environments` are those that are there, whatever their state."""

    def __init__(self, start: Callable[[], Environment], terms: Terms) -> None:
        self._start = start
        self._terms = terms
        self.environments: list[Environment] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reply = _Reply(send)
        if any(name == b"expect" for name, _ in scope["headers"]):
            await reply.error(417, "Runtime.ExpectationFailed")
            return
        try:
            environment = self._take()
        except Full:
            await reply.error(429, "Runtime.Throttled")
            return
        try:
            async with asyncio.timeout(self._terms.request):
                await asyncio.shield(environment.started)
                await self._forward(environment, scope, receive, reply)
        except (TimeoutError, TimedOut):
            await reply.error(504, "Runtime.RequestTimeout")
        except (StartFailed, Unreachable) as error:
            _log.warning("%s %s: %s", scope["method"], scope["path"], error)
            await environment.settle()
            await reply.error(502, "Runtime.Failed")
        except _Gone:
            pass
        finally:
            environment.release()

    def _take(self) -> Environment:
        """Return an environment with room. Raises Full."""
        self.environments = [one for one in self.environments if one.alive]
        for environment in self.environments:
            if environment.active < self._terms.uploads:
                break
        else:
            if len(self.environments) >= self._terms.environments:
                raise Full
            environment = self._start()
            self.environments.append(environment)
        environment.active += 1
        return environment

    async def _forward(self, environment: Environment, scope: Scope, receive: Receive, reply: _Reply) -> None:
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        kept = tuple(pair for pair in headers if pair[0] not in _NOT_FORWARDED)
        target = scope["raw_path"].decode("latin-1")
        if scope["query_string"]:
            target += "?" + scope["query_string"].decode("latin-1")
        sized = {name for name, _ in kept} & {"content-length", "transfer-encoding"}
        body = _body(receive) if sized else None
        origin = Origin(environment.url, response_timeout=self._terms.request)
        async with exchange(origin, scope["method"], target, kept, body, half_duplex=True) as answer:
            await reply.send(answer)


class _Reply:
    """The response, begun at most once."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._begun = False
        self._id = (b"lambda-web-request-id", secrets.token_hex(13).upper().encode())

    async def send(self, answer: OriginResponse) -> None:
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        self._begun = True
        await self._send({"type": "http.response.start", "status": answer.status, "headers": [*headers, self._id]})
        async for piece in answer.body:
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await self._send({"type": "http.response.body", "body": b""})

    async def error(self, status: int, kind: str) -> None:
        """Nothing can be said once a response has begun: the server breaks the connection off."""
        if self._begun:
            raise ConnectionAbortedError(kind)
        headers = [(b"content-length", b"0"), (b"lambda-web-error-type", kind.encode()), (b"connection", b"close")]
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, self._id]})
        await self._send({"type": "http.response.body", "body": b""})


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body"):
            return
