"""The CloudFront emulator: the distribution in front of everything, as an ASGI application.

It runs the functions of edge/ as they are deployed, enforces CloudFront's rules on them and on viewers, and streams
both ways. Its behaviours are those of edge/README.md:

    /blobs/*                signed URLs, viewer-response function, the bucket
    /v2/*/blobs/uploads/*   viewer-request, viewer-response and origin-response functions
    default                 the viewer-request function

Not emulated: caching (except of errors), HTTP/2, TLS.
"""

from __future__ import annotations

import contextlib
import fnmatch
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edge import build, origin_response
from edge.names import API, BLOBS
from local.edge import loopback, rules
from local.edge.error_cache import CachedError, ErrorCache
from local.edge.function_workers import FunctionFailed, FunctionWorkers, Outcome
from local.edge.origins import Origin, OriginResponse, TimedOut, Unreachable, exchange
from local.edge.rules import Headers, RuleBroken
from local.edge.signed_urls import KeyGroup
from local.edge.viewer import Disconnected, Receive, Scope, Send, Viewer

UPLOADS = "/v2/*/blobs/uploads/*"
PULLS = "/blobs/"  # of signed URLs; the behaviour exists only with keys
_PULL_HEADERS = frozenset(
    {"range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"}
)

_REPEATED = frozenset({"GET", "HEAD", "OPTIONS"})
_VIA = "1.1 local.cloudfront.net (CloudFront)"
_CLIENT_WENT = 499  # for the log; nobody receives a response

_log = logging.getLogger(__name__)


class _Page(Exception):
    """A response of CloudFront itself."""

    def __init__(self, status: int, body: bytes, headers: Headers, cache: str) -> None:
        self.status = status
        self.body = body
        self.headers: Headers = (*headers, ("content-length", str(len(body))), ("x-cache", cache))


@dataclass(frozen=True, slots=True)
class Chosen:
    """Where a request goes; `second` gets it if the first origin responds with one of `statuses`."""

    origin: Origin
    second: Origin | None = None
    statuses: frozenset[int] = frozenset()


class Edge:
    """The ASGI application. `origins` are by id: "api", "blobs", "registry" and "token" if they are function URLs, and
    "relay" if there is one.

    `redirects` is the S3 that clients are redirected to, if not every client can resolve its name (loopback.py).
    """

    def __init__(
        self,
        workers: FunctionWorkers,
        origins: Mapping[str, Origin],
        *,
        blob_keys: KeyGroup | None = None,
        error_caching: float = 0.0,
        redirects: Origin | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._workers = workers
        self._origins = dict(origins)
        self._blob_keys = blob_keys
        self._errors = ErrorCache(error_caching, clock)
        self._redirects = redirects

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        viewer = Viewer(scope, receive, send, secrets.token_urlsafe(32))
        began = time.monotonic()
        try:
            await self._serve(viewer)
        except _Page as page:
            await _send(viewer, page.status, page.headers, _once(page.body))
        except Disconnected:
            viewer.status = _CLIENT_WENT
        took = (time.monotonic() - began) * 1000
        # The path only: the query of an upload contains its token.
        _log.info("%s %s %s %d %.0f ms", viewer.request_id[:8], viewer.method, viewer.path, viewer.status, took)

    async def _serve(self, viewer: Viewer) -> None:
        if viewer.has_long_url():
            raise _page(414, f"The URL is longer than {rules.URL_LIMIT} bytes.")
        if viewer.has_large_head():
            raise _page(494, f"Request line and headers are longer than {rules.REQUEST_LIMIT} bytes.")
        if viewer.method == "GET" and viewer.sends_body:
            raise _page(403, "CloudFront takes no body with GET.")
        request, chosen = self._pull(viewer) or await self._routed(viewer)
        if (error := self._errors.find(viewer.method, request["uri"])) is not None:
            raise _Page(error.status, error.body, error.headers, "Error from cloudfront")
        try:
            async with self._answer(viewer, request, chosen) as answer:
                if self._redirects is not None and (target := loopback.target(answer, self._redirects)) is not None:
                    await self._follow(viewer, self._redirects, target, answer)
                else:
                    await self._respond(viewer, request, answer)
        except Unreachable as error:
            _log.warning("%s %s: %s", viewer.method, viewer.path, error)
            raise _page(502, "CloudFront wasn't able to connect to the origin.") from None
        except TimedOut:
            raise _page(504, "CloudFront did not get a response from the origin in time.") from None

    async def _follow(self, viewer: Viewer, origin: Origin, target: str, redirect: OriginResponse) -> None:
        """Respond with the target of a redirect, unless the viewer can reach it itself."""
        host = dict(viewer.headers).get("host", "")
        if viewer.method != "GET" or loopback.finds_s3(host):
            await _send(viewer, redirect.status, redirect.headers, redirect.body)
            return
        async with exchange(origin, "GET", target, loopback.conditions(viewer.headers), None) as found:
            answer = loopback.merged(redirect, found)
            await _send(viewer, answer.status, answer.headers, answer.body)

    @contextlib.asynccontextmanager
    async def _answer(
        self, viewer: Viewer, request: Mapping[str, Any], chosen: Chosen
    ) -> AsyncIterator[OriginResponse]:
        """Yield the first origin's response, or the second's where the first's status asks for it.

        CloudFront asks a second origin for GET, HEAD and OPTIONS alone ("Origin failover").
        """
        async with self._forward(viewer, request, chosen.origin) as answer:
            if chosen.second is None or answer.status not in chosen.statuses or viewer.method not in _REPEATED:
                yield answer
                return
        async with self._forward(viewer, request, chosen.second) as answer:
            yield answer

    def _pull(self, viewer: Viewer) -> tuple[dict[str, Any], Chosen] | None:
        """The behaviour for signed URLs: no viewer-request function, and only the viewer's headers that GET needs."""
        if self._blob_keys is None or not viewer.path.startswith(PULLS):
            return None
        refusal = self._blob_keys.refusal(viewer.path, viewer.query)
        if refusal is not None or viewer.method not in ("GET", "HEAD"):
            raise _page(403, refusal or "This distribution is not configured to allow this method.")
        event: dict[str, Any] = viewer.event("viewer-request")["request"]
        kept = {name: value for name, value in event["headers"].items() if name in _PULL_HEADERS}
        return {**event, "headers": kept, "cookies": {}, "querystring": {}}, Chosen(self._origins[BLOBS])

    async def _routed(self, viewer: Viewer) -> tuple[dict[str, Any], Chosen]:
        """Return the request that the viewer-request function returned, and its origin or origins."""
        event = viewer.event("viewer-request")
        outcome = await self._run(build.REQUEST, event, viewer)
        request = outcome.result
        try:
            if "statusCode" in request:
                headers = rules.pairs(request.get("headers", {}))
                body = rules.generated_body(request)
                raise _Page(request["statusCode"], body, headers, "FunctionGeneratedResponse from cloudfront")
            rules.check_request(event["request"], request)
        except RuleBroken as broken:
            raise _page(502, f"The function's result is not valid: {broken}.") from broken
        group = outcome.group
        if group is not None:
            return request, Chosen(self._origin(group.first), self._origin(group.second), group.statuses)
        return request, Chosen(self._origin(outcome.origin or API))

    def _origin(self, name: str) -> Origin:
        if name not in self._origins:
            raise _page(502, f"The distribution has no origin {name}.")
        return self._origins[name]

    async def _run(self, function: str, event: Mapping[str, Any], viewer: Viewer) -> Outcome:
        # An ASGI server does not distinguish `/path?` from `/path`.
        try:
            return await self._workers.run(function, event, viewer.query or None)
        except FunctionFailed as error:
            _log.error("%s %s: the function %s failed: %s", viewer.method, viewer.path, function, error)
            raise _page(503, "The CloudFront function failed.") from error

    def _forward(self, viewer: Viewer, request: Mapping[str, Any], origin: Origin) -> Any:
        """Forward a request. Header policy: all of the viewer's headers except Host (AllViewerExceptHostHeader)."""
        set_here = {"host", "via", "x-forwarded-for", *(name for name, _ in origin.headers)}
        headers = [pair for pair in rules.pairs(request["headers"]) if pair[0] not in set_here]
        named = dict(rules.pairs(request["headers"]))
        if cookies := rules.pairs(request["cookies"]):
            headers.append(("cookie", "; ".join(f"{name}={value}" for name, value in cookies)))
        forwarded = ", ".join(value for value in (named.get("x-forwarded-for"), viewer.address) if value)
        via = ", ".join(value for value in (named.get("via"), _VIA) if value)
        headers += [("x-forwarded-for", forwarded), ("via", via), ("x-amz-cf-id", viewer.request_id), *origin.headers]
        query = rules.query_text(request)
        target = f"{request['uri']}?{query}" if query else request["uri"]
        return exchange(origin, viewer.method, target, tuple(headers), viewer.body() if viewer.sends_body else None)

    async def _respond(self, viewer: Viewer, request: Mapping[str, Any], answer: OriginResponse) -> None:
        """Pass an origin's response on, through the functions of the behaviour and the error cache."""
        if fnmatch.fnmatchcase(viewer.path, UPLOADS):
            answer = _origin_response(request, answer)
            answer = await self._viewer_response(viewer, request, answer)
        elif self._blob_keys is not None and viewer.path.startswith(PULLS):
            answer = await self._viewer_response(viewer, viewer.event("viewer-request")["request"], answer)
        body = answer.body
        if self._errors.keeps(viewer.method, answer.status):
            whole = b"".join([piece async for piece in body])
            self._errors.keep(request["uri"], CachedError(answer.status, answer.headers, whole))
            body = _once(whole)
        cache = "Error from cloudfront" if answer.status >= 400 else "Miss from cloudfront"
        await _send(viewer, answer.status, (*answer.headers, ("x-cache", cache)), body)

    async def _viewer_response(
        self, viewer: Viewer, request: Mapping[str, Any], answer: OriginResponse
    ) -> OriginResponse:
        """Run the viewer-response function, as CloudFront does below 400. It can neither see nor change the body."""
        if answer.status >= 400:
            return answer
        event = viewer.event("viewer-response")
        hidden = tuple(pair for pair in answer.headers if rules.is_hidden(pair[0]) or pair[0] == "set-cookie")
        shown = rules.values(pair for pair in answer.headers if pair not in hidden)
        event["request"] = dict(request)
        event["response"] = {"statusCode": answer.status, "statusDescription": answer.reason, "headers": shown}
        outcome = await self._run(build.RESPONSE, event, viewer)
        try:
            rules.check_response(event["response"], outcome.result)
        except RuleBroken as broken:
            raise _page(502, f"The function's result is not valid: {broken}.") from broken
        headers = (*rules.pairs(outcome.result["headers"]), *hidden)
        return OriginResponse(outcome.result["statusCode"], "", headers, answer.body)


def _origin_response(request: Mapping[str, Any], answer: OriginResponse) -> OriginResponse:
    """Run the Lambda@Edge function between origin and CloudFront: it can replace the body, not read it."""
    headers: dict[str, list[dict[str, str]]] = {}
    for name, value in answer.headers:
        headers.setdefault(name, []).append({"key": name, "value": value})
    response = {"status": str(answer.status), "statusDescription": answer.reason, "headers": headers}
    record = {"request": {"method": request["method"], "uri": request["uri"]}, "response": response}
    result = origin_response.handler({"Records": [{"cf": record}]})
    if "body" not in result:
        return answer
    body = result["body"].encode()
    pairs = tuple((name, one["value"]) for name, several in result["headers"].items() for one in several)
    return OriginResponse(int(result["status"]), "", (*pairs, ("content-length", str(len(body)))), _once(body))


async def _send(viewer: Viewer, status: int, headers: Headers, body: AsyncIterator[bytes]) -> None:
    own: Headers = (("via", _VIA), ("x-amz-cf-pop", "LOCAL1-C1"), ("x-amz-cf-id", viewer.request_id))
    await viewer.respond(status, (*headers, *own), body)


def _page(status: int, sentence: str) -> _Page:
    body = f"<html><head><title>ERROR</title></head><body><h1>{status}</h1><p>{sentence}</p></body></html>".encode()
    return _Page(status, body, (("content-type", "text/html"),), "Error from cloudfront")


async def _once(body: bytes) -> AsyncIterator[bytes]:
    if body:
        yield body
