"""HTTP API events, payload format 1.0: from a request to an event, and from a function's result to a response.

Sources: "Working with AWS Lambda proxy integrations for HTTP APIs" (developer guide), and where that is silent,
recordings of real HTTP APIs:

* The body is text for `text/*` and `application/json|xml|javascript`, and base64 for everything else, including forms
  and requests without a Content-Type (ministackorg/ministack pull request 766, its table taken from AWS).
* `path` is percent-decoded, and ends at a decoded `?` (middleapi/standard-server pull request 93, by
  the captures of hotsock/voker pull request 8; honojs/hono issue 2156).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from local.http_headers import HOP_BY_HOP

RawHeaders = tuple[tuple[str, str], ...]

TEXT = re.compile(r"text/.*|application/(json|xml|javascript)")
# Never part of an event, nor taken from a result.
_CONNECTION = HOP_BY_HOP | {"transfer-encoding"}
# Set by the gateway, which overwrites what a client sends.
_GATEWAY_HEADERS = frozenset(("x-forwarded-proto", "x-forwarded-port", "x-amzn-trace-id", "content-length"))
# HTTP APIs pass header names on in lower case, except for these, which the gateway itself writes.
_SPELLING = {
    "content-length": "Content-Length",
    "host": "Host",
    "user-agent": "User-Agent",
    "x-amzn-trace-id": "X-Amzn-Trace-Id",
    "x-forwarded-for": "X-Forwarded-For",
    "x-forwarded-port": "X-Forwarded-Port",
    "x-forwarded-proto": "X-Forwarded-Proto",
}


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request. Header names are in lower case, `target` is the raw path, `scheme` and `port` are the server's."""

    method: str
    target: str
    query: str
    headers: RawHeaders
    body: bytes
    client: str
    scheme: str
    port: int

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    @property
    def path(self) -> str:
        return decoded_path(self.target)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A response. For a HEAD there is no body, but the Content-Length."""

    status: int
    headers: RawHeaders
    body: bytes


class MalformedResult(Exception):
    """The function's result is not in payload format 1.0."""


def decoded_path(target: str) -> str:
    """Return the path that an HTTP API matches with its routes and passes on."""
    return unquote(target, errors="replace").partition("?")[0]


def event_for(request: Incoming, *, resource: str, proxy: str, request_id: str, now: float) -> dict[str, Any]:
    """Return the event for a request to the route `resource`; `proxy` is the value of `{proxy+}`, or empty."""
    headers = _event_headers(request, now)
    query = parse_qsl(request.query, keep_blank_values=True, errors="replace", max_num_fields=1000)
    as_text = TEXT.fullmatch((request.header("content-type") or "").partition(";")[0].strip().lower()) is not None
    host = request.header("host") or ""
    when = time.gmtime(now)
    return {
        "version": "1.0",
        "resource": resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": dict(headers),
        "multiValueHeaders": _grouped(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _grouped(query) or None,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "authorizer": {"claims": None, "scopes": None},
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "extendedRequestId": request_id,
            "httpMethod": request.method,
            "identity": {"sourceIp": request.client, "userAgent": request.header("user-agent") or ""},
            "path": request.path,
            "protocol": "HTTP/1.1",
            "requestId": request_id,
            "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", when),
            "requestTimeEpoch": int(now * 1000),
            "resourceId": f"ANY {resource}",
            "resourcePath": resource,
            "stage": "$default",
        },
        "pathParameters": {"proxy": proxy} if proxy else None,
        "stageVariables": None,
        "body": _event_body(request.body, as_text=as_text) if request.body else None,
        "isBase64Encoded": bool(request.body) and not as_text,
    }


def response_from(result: object, method: str) -> Outgoing:
    """Return the response that a function's result describes. Raises MalformedResult."""
    if not isinstance(result, Mapping):
        raise MalformedResult("the result is not an object")
    status = result.get("statusCode")
    if isinstance(status, str) and status.isdecimal():
        status = int(status)
    if not isinstance(status, int) or not 200 <= status <= 599:
        raise MalformedResult(f"statusCode is {status!r}")
    body = _body(result)
    headers = [(name, value) for name, value in _result_headers(result) if name not in _CONNECTION]
    if status in (204, 304):
        return Outgoing(status, tuple(pair for pair in headers if pair[0] != "content-length"), b"")
    if method == "HEAD":
        if not any(name == "content-length" for name, _ in headers):
            headers.append(("content-length", str(len(body))))
        return Outgoing(status, tuple(headers), b"")
    headers = [pair for pair in headers if pair[0] != "content-length"]
    return Outgoing(status, (*headers, ("content-length", str(len(body)))), body)


def message(status: int, text: str) -> Outgoing:
    """Return a response of the gateway itself."""
    body = json.dumps({"message": text}, separators=(",", ":")).encode()
    return Outgoing(status, (("content-type", "application/json"), ("content-length", str(len(body)))), body)


def _event_headers(request: Incoming, now: float) -> list[tuple[str, str]]:
    dropped = _CONNECTION | _GATEWAY_HEADERS | {"x-forwarded-for"}
    headers = [(name, value) for name, value in request.headers if name not in dropped]
    forwarded = [value for name, value in request.headers if name == "x-forwarded-for"]
    headers += [
        ("content-length", str(len(request.body))),
        ("x-amzn-trace-id", f"Root=1-{int(now):08x}-{time.monotonic_ns() & (1 << 96) - 1:024x}"),
        ("x-forwarded-for", ", ".join([*forwarded, request.client])),
        ("x-forwarded-port", str(request.port)),
        ("x-forwarded-proto", request.scheme),
    ]
    return [(_SPELLING.get(name, name), value) for name, value in headers]


def _event_body(body: bytes, *, as_text: bool) -> str:
    return body.decode("utf-8", errors="replace") if as_text else base64.b64encode(body).decode("ascii")


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


def _body(result: Mapping[str, Any]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedResult("body is not a string")
    if not result.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedResult("body is not base64") from None


def _result_headers(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return `headers` and `multiValueHeaders` merged, names in lower case; the latter win."""
    several = result.get("multiValueHeaders") or {}
    single = result.get("headers") or {}
    if not isinstance(several, Mapping) or not isinstance(single, Mapping):
        raise MalformedResult("headers are not objects")
    if not all(isinstance(values, list) for values in several.values()):
        raise MalformedResult("multiValueHeaders are not lists")
    merged = {name.lower(): [value] for name, value in single.items()}
    merged |= {name.lower(): values for name, values in several.items()}
    pairs = [(name, str(value)) for name, values in merged.items() for value in values]
    if any(character in name + value for name, value in pairs for character in "\r\n\0"):
        raise MalformedResult("a header contains a line break")
    return pairs
