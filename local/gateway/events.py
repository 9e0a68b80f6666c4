"""HTTP API events, payload format 1.0: from a request, and from a function's result to an answer.

Sources: "Working with AWS Lambda proxy integrations for HTTP APIs" (developer guide), and where it is silent what
others have recorded of real HTTP APIs:

* The body is text for `text/*` and `application/json|xml|javascript`, base64 for all else, forms and requests without
  a Content-Type included (ministackorg/ministack pull request 766, its table taken from AWS).
* `path` arrives percent-decoded, and ends where a decoded `?` stands (middleapi/standard-server pull request 93, by
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

RawHeaders = tuple[tuple[str, str], ...]

_TEXT = re.compile(r"text/.*|application/(json|xml|javascript)")
# Between two neighbours only (RFC 9110 section 7.6.1), so never part of an event nor taken from a result.
_HOP_BY_HOP = frozenset(
    (
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
# Set by the gateway: what a client sends in their place is overwritten.
_GATEWAY_HEADERS = frozenset(("x-forwarded-proto", "x-forwarded-port", "x-amzn-trace-id", "content-length"))
# HTTP APIs hand header names on in lower case, but for these, which the gateway itself writes.
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
    """A request as it came in: header names in lower case, `target` the raw path, `scheme` and `port` the server's."""

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
    """The answer to a client. For a HEAD the body is left out, the Content-Length kept."""

    status: int
    headers: RawHeaders
    body: bytes


class MalformedResult(Exception):
    """What the function returned is not of payload format 1.0."""


def decoded_path(target: str) -> str:
    """The path that an HTTP API matches its routes with and hands on."""
    return unquote(target, errors="replace").partition("?")[0]


def event_for(request: Incoming, *, resource: str, proxy: str, request_id: str, now: float) -> dict[str, Any]:
    """The event of a request that has met the route `resource`; `proxy` is the value of `{proxy+}`, or empty."""
    headers = _event_headers(request, now)
    query = parse_qsl(request.query, keep_blank_values=True, errors="replace", max_num_fields=1000)
    as_text = _TEXT.fullmatch((request.header("content-type") or "").partition(";")[0].strip().lower()) is not None
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


def answer_from(result: object, method: str) -> Outgoing:
    """The answer that a function's result describes. Raises MalformedResult."""
    if not isinstance(result, Mapping):
        raise MalformedResult("the result is no object")
    status = result.get("statusCode")
    if isinstance(status, str) and status.isdecimal():
        status = int(status)
    if not isinstance(status, int) or not 200 <= status <= 599:
        raise MalformedResult(f"statusCode is {status!r}")
    body = _body(result)
    headers = [(name, value) for name, value in _result_headers(result) if name not in _HOP_BY_HOP]
    if status in (204, 304):
        return Outgoing(status, tuple(pair for pair in headers if pair[0] != "content-length"), b"")
    if method == "HEAD":
        if not any(name == "content-length" for name, _ in headers):
            headers.append(("content-length", str(len(body))))
        return Outgoing(status, tuple(headers), b"")
    headers = [pair for pair in headers if pair[0] != "content-length"]
    return Outgoing(status, (*headers, ("content-length", str(len(body)))), body)


def message(status: int, text: str) -> Outgoing:
    """What the gateway answers by itself."""
    body = json.dumps({"message": text}, separators=(",", ":")).encode()
    return Outgoing(status, (("content-type", "application/json"), ("content-length", str(len(body)))), body)


def _event_headers(request: Incoming, now: float) -> list[tuple[str, str]]:
    dropped = _HOP_BY_HOP | _GATEWAY_HEADERS | {"x-forwarded-for"}
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
        raise MalformedResult("body is no string")
    if not result.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedResult("body is not base64") from None


def _result_headers(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """`headers` and `multiValueHeaders` in one, names in lower case; where both name a header the latter counts."""
    several = result.get("multiValueHeaders") or {}
    single = result.get("headers") or {}
    if not isinstance(several, Mapping) or not isinstance(single, Mapping):
        raise MalformedResult("headers are no objects")
    if not all(isinstance(values, list) for values in several.values()):
        raise MalformedResult("multiValueHeaders are no lists")
    merged = {name.lower(): [value] for name, value in single.items()}
    merged |= {name.lower(): values for name, values in several.items()}
    pairs = [(name, str(value)) for name, values in merged.items() for value in values]
    if any(character in name + value for name, value in pairs for character in "\r\n\0"):
        raise MalformedResult("a header holds a line break")
    return pairs
