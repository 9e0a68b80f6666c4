"""The emulator of a function URL with IAM authorisation: one function behind a host name of its own.

Sources: "Invoking Lambda function URLs" (payload format 2.0) and "Control access to Lambda function URLs" of the Lambda
developer guide. The headers that it renames are those seen in responses of real ones: the documentation does not list
them.

    403   a signature that is missing or wrong: never the function's own response
    413   an event above Lambda's 6 MB
    429   Lambda was throttled
    502   the function failed or ran out of time, or its result is not a response
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import logging
import time
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from edge.names import REGISTRY, TOKEN
from local import ports
from local.cloud.errors import AwsError
from local.cloud.signatures import Credentials, Head, Verifier
from local.functions.environments import EVENT_LIMIT, FunctionError, Throttled, TimedOut
from local.gateway.asgi import Disconnected, Invoker, Receive, Scope, Send, incoming, log_path, read
from local.gateway.events import TEXT, Incoming, MalformedResult, Outgoing
from local.gateway.http_api import INTEGRATION_TIMEOUT, HttpServer
from local.http_headers import HOP_BY_HOP

SERVICE = "lambda"  # that a signature is for
_RENAMED = frozenset(
    {"connection", "content-length", "date", "server", "trailer", "transfer-encoding", "via", "www-authenticate"}
)
_PREFIX = "x-amzn-remapped-"

_log = logging.getLogger(__name__)


class FunctionUrl:
    """The ASGI application. `timeout` is the function's, in seconds; `scheme` that by which clients come."""

    def __init__(
        self, name: str, functions: Mapping[str, Invoker], credentials: Credentials, *, timeout: float, scheme: str
    ) -> None:
        self._name = name
        self._functions = functions
        self._verifier = Verifier(credentials)
        self._timeout = timeout
        self._scheme = scheme

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = str(uuid.uuid4())
        began = time.monotonic()
        try:
            body = await read(scope, receive)
        except Disconnected:
            return
        answer = await self._answer(incoming(scope, body or b"", self._scheme), body is None, request_id)
        took = (time.monotonic() - began) * 1000
        _log.info("%s %s %s %d %.0f ms", request_id, scope["method"], log_path(scope), answer.status, took)
        headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in answer.headers]
        headers.append((b"x-amzn-requestid", request_id.encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, request: Incoming, too_large: bool, request_id: str) -> Outgoing:
        if (refusal := self._refusal(request)) is not None:
            _log.warning("%s %s: %s", request_id, self._name, refusal)
            return _own(403, {"Message": "Forbidden"}, "AccessDeniedException")
        event = event_for(request, request_id=request_id, now=time.time())
        data = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
        if too_large or len(data) > EVENT_LIMIT:
            return _own(413, {"Message": "Request must be smaller than 6291456 bytes"}, "RequestTooLargeException")
        try:
            function = self._functions[self._name]
            result = await function.invoke(data, request_id=request_id, timeout=self._timeout)
            return response_from(result, request.method)
        except Throttled:
            throttled = {"Reason": "ConcurrentInvocationLimitExceeded", "Type": "User", "message": "Rate Exceeded."}
            return _own(429, throttled, "TooManyRequestsException")
        except (FunctionError, MalformedResult, TimedOut) as error:
            _log.error("%s %s: %s: %s", request_id, self._name, type(error).__name__, error)
            return Outgoing(
                502, (("content-type", "application/json"), ("content-length", "21")), b"Internal Server Error"
            )

    def _refusal(self, request: Incoming) -> str | None:
        """Return why IAM does not let the request pass, or None."""
        headers = joined(request)
        if not headers.get("authorization", "").startswith("AWS4-HMAC-SHA256"):
            return "it is not signed"
        content_hash = hashlib.sha256(request.body).hexdigest()
        if headers.get("x-amz-content-sha256", content_hash) != content_hash:
            return "x-amz-content-sha256 is not the hash of the body"
        try:
            head = Head(request.method, request.target, request.query, headers)
            self._verifier.check_headers(head, SERVICE, content_hash, time.time())
        except AwsError as error:
            return str(error)
        return None


def reader_urls(
    functions: Mapping[str, Invoker], credentials: Credentials, *, scheme: str
) -> tuple[dict[str, str], list[HttpServer]]:
    """Return the URLs of the functions that reads go to, by name, and their servers, which do not run yet."""
    urls, servers = {}, []
    for name in (REGISTRY, TOKEN):
        listener = ports.listen(ports.INTERNAL_ADDRESS, 0)
        urls[name] = "http://{}:{}".format(*listener.getsockname()[:2])
        app = FunctionUrl(name, functions, credentials, timeout=INTEGRATION_TIMEOUT, scheme=scheme)
        servers.append(HttpServer(f"the {name} function's URL", app, listener))
    return urls, servers


def event_for(request: Incoming, *, request_id: str, now: float) -> dict[str, Any]:
    """Return the event. The signature is among its headers."""
    host = request.header("host") or ""
    as_text = TEXT.fullmatch((request.header("content-type") or "").partition(";")[0].strip().lower()) is not None
    kept = {name: value for name, value in joined(request).items() if name not in HOP_BY_HOP | {"transfer-encoding"}}
    kept["x-amzn-trace-id"] = f"Root=1-{int(now):08x}-{time.monotonic_ns() & (1 << 96) - 1:024x}"
    kept["x-forwarded-for"] = request.client
    kept["x-forwarded-port"] = str(request.port)
    kept["x-forwarded-proto"] = request.scheme
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True, errors="replace", max_num_fields=10_000):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    body = request.body.decode("utf-8", "replace") if as_text else base64.b64encode(request.body).decode("ascii")
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.target,
        "rawQueryString": request.query,
        "headers": kept,
        **({"queryStringParameters": parameters} if parameters else {}),
        "requestContext": {
            "accountId": "000000000000",
            "apiId": host.partition(".")[0],
            "authorizer": {"iam": {"userId": "cloudfront.amazonaws.com"}},
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "http": {
                "method": request.method,
                "path": request.target,
                "protocol": "HTTP/1.1",
                "sourceIp": request.client,
                "userAgent": request.header("user-agent") or "",
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        **({"body": body} if request.body else {}),
        "isBase64Encoded": bool(request.body) and not as_text,
    }


def response_from(result: object, method: str) -> Outgoing:
    """Return the response that a function's result describes. Raises MalformedResult.

    A HEAD's says that it has no bytes, whatever the function said: that is renamed.
    """
    if not isinstance(result, Mapping) or not isinstance(result.get("statusCode"), int):
        raise MalformedResult("the result is not an object with a statusCode")
    given = result.get("headers") or {}
    if not isinstance(given, Mapping) or not all(isinstance(value, str) for value in given.values()):
        raise MalformedResult("headers are not texts by name")
    try:
        text = result.get("body") or ""
        body = base64.b64decode(text, validate=True) if result.get("isBase64Encoded") else str(text).encode()
    except (binascii.Error, ValueError):
        raise MalformedResult("body is not base64") from None
    named = {name.lower(): value for name, value in given.items()}
    if any(name.startswith(_PREFIX) for name in named):
        raise MalformedResult("a function URL takes no header that it makes itself by renaming")
    headers = [(f"{_PREFIX}{name}" if name in _RENAMED else name, value) for name, value in named.items()]
    if "content-type" not in named:
        headers.append(("content-type", "application/json"))
    sent = b"" if method == "HEAD" or result["statusCode"] in (204, 304) else body
    return Outgoing(result["statusCode"], (*headers, ("content-length", str(len(sent)))), sent)


def joined(request: Incoming) -> dict[str, str]:
    """Return the headers with repeated ones joined, as events have them."""
    found: dict[str, str] = {}
    for name, value in request.headers:
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _own(status: int, document: Mapping[str, str], kind: str) -> Outgoing:
    """Return a response of Lambda itself."""
    body = json.dumps(document, separators=(",", ":")).encode()
    headers = (("content-type", "application/json"), ("content-length", str(len(body))), ("x-amzn-errortype", kind))
    return Outgoing(status, headers, body)
