"""Requests and responses, and their form in the events of API Gateway and of function URLs.

Of an HTTP API it is payload format 1.0 ("Working with AWS Lambda proxy integrations for HTTP APIs"), which can repeat a
response header and keeps repeated query parameters apart. A function URL knows 2.0 only ("Invoking Lambda function
URLs"): it joins repeated headers by commas, and its raw query string is parsed here.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from roadstead.documents import compact

Headers = tuple[tuple[str, str], ...]

_RENAMED = frozenset({"content-length", "www-authenticate"})  # by function URLs
DISTRIBUTION = "distribution"  # the stage variable of the HTTP API with the distribution's URL


@dataclass(frozen=True, slots=True)
class Request:
    """A request after the gateway. Header names are lower case; the path is percent-decoded, once.

    The method is as it was sent: methods are case-sensitive (RFC 9110 section 9.1).
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # tokens are in queries, headers and forms
    headers: Headers = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    host: str = "localhost"
    scheme: str = "https"
    source_ip: str = ""
    request_id: str = ""
    via_edge: bool = False  # it came through the distribution, which takes uploads of any size
    by_url: bool = False  # it came by the function's URL: a 401 is asked for again through the API (docs/adr/0028)
    distribution: str = ""  # the distribution's URL, if the API's stage names it

    def header(self, name: str) -> str | None:
        """Return a header's values joined by commas (RFC 9110 section 5.3), or None if it is absent."""
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None

    def parameter(self, name: str) -> str | None:
        """Return the first value of a query parameter, or None."""
        return next((value for key, value in self.query if key == name), None)

    def parameters(self, name: str) -> tuple[str, ...]:
        """Return every value of a query parameter, in order."""
        return tuple(value for key, value in self.query if key == name)

    def has(self, tag: str) -> bool:
        """Whether the client has what the entity tag `tag` names, by its If-None-Match (RFC 9110 section 13.1.2)."""
        known = {one.strip().removeprefix("W/") for one in (self.header("if-none-match") or "").split(",")}
        return tag in known or "*" in known

    @property
    def user_agent(self) -> str:
        """The User-Agent header, cut to 256 characters."""
        return (self.header("user-agent") or "")[:256]

    @property
    def trace_id(self) -> str:
        """The root of the X-Ray trace, `1-<time>-<random>`; empty without one."""
        fields = (self.header("x-amzn-trace-id") or "").split(";")
        return next((field.strip()[5:69] for field in fields if field.strip().startswith("Root=")), "")

    @property
    def base_url(self) -> str:
        """The scheme and host that the client used, without a trailing slash."""
        return f"{self.scheme}://{self.host}"


@dataclass(frozen=True, slots=True)
class Response:
    """A response before its host sends it."""

    status: int
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)

    def with_headers(self, *headers: tuple[str, str]) -> Response:
        return Response(self.status, self.headers + headers, self.body)

    @property
    def head(self) -> Headers:
        """The headers to send: with a Content-Length, unless one is present (HEAD) or the status is 204 or 304."""
        if self.status in (204, 304) or any(name.lower() == "content-length" for name, _ in self.headers):
            return self.headers
        return (*self.headers, ("Content-Length", str(len(self.body))))

    @classmethod
    def json(cls, status: int, document: Any, headers: Iterable[tuple[str, str]] = ()) -> Response:
        """Return a response with a JSON document, of type `application/json` unless the headers name another."""
        headers = tuple(headers)
        if not any(name.lower() == "content-type" for name, _ in headers):
            headers = (("Content-Type", "application/json"), *headers)
        # Encode as UTF-8: escapes would double the length of some texts, and Lambda limits a response's size. Only an
        # unpaired surrogate stays an escape, which is what backslashreplace makes of it.
        return cls(status, headers, compact(document, ascii_only=False).encode("utf-8", "backslashreplace"))


def request_from_gateway(event: Mapping[str, Any], *, decode_path: bool = True) -> Request:
    """The request in a payload 1.0 event. The gateway itself sets `requestContext`: a client cannot forge it.

    Without `decode_path` the path stays as the gateway passes it on, where `%2F` may stand for a slash in a name.
    """
    context = event.get("requestContext") or {}
    headers = tuple(
        (name.lower(), value) for name, values in (event.get("multiValueHeaders") or {}).items() for value in values
    )
    query = tuple(
        (name, value)
        for name, values in (event.get("multiValueQueryStringParameters") or {}).items()
        for value in values
    )
    return Request(
        method=event["httpMethod"],
        # The gateway delivers a decoded path, according to its documentation. No name, tag or digest contains a percent
        # sign, so decoding again changes no valid path.
        path=unquote(event["path"]) if decode_path else event["path"],
        query=query,
        headers=headers,
        body=_event_body(event),
        host=context.get("domainName") or "localhost",
        scheme=_scheme(headers),
        source_ip=(context.get("identity") or {}).get("sourceIp") or "",
        request_id=context.get("requestId") or "",
        distribution=(event.get("stageVariables") or {}).get(DISTRIBUTION) or "",
    )


def request_from_url(event: Mapping[str, Any]) -> Request:
    """The request in a function URL's event. Its `Authorization` is CloudFront's signature, and left out."""
    context = event.get("requestContext") or {}
    http = context.get("http") or {}
    headers = tuple((name.lower(), value) for name, value in (event.get("headers") or {}).items())
    return Request(
        method=http["method"],
        path=unquote(event["rawPath"]),
        query=tuple(parse_qsl(event.get("rawQueryString") or "", keep_blank_values=True, errors="replace")),
        headers=tuple(header for header in headers if header[0] != "authorization"),
        body=_event_body(event),
        host=context.get("domainName") or "localhost",
        scheme=_scheme(headers),
        source_ip=http.get("sourceIp") or "",
        request_id=context.get("requestId") or "",
        by_url=True,
    )


def _event_body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    try:
        return base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    except (binascii.Error, ValueError) as error:
        raise ValueError("the gateway's body is not base64") from error


def _scheme(headers: Headers) -> str:
    forwarded = next((value for name, value in headers if name == "x-forwarded-proto"), "https")
    return "http" if forwarded == "http" else "https"


def response_to_gateway(response: Response) -> dict[str, Any]:
    """Return the payload 1.0 response. The body is always base64, so that every byte of a manifest is preserved."""
    headers: dict[str, list[str]] = {}
    for name, value in response.head:
        headers.setdefault(name, []).append(value)
    return {
        "statusCode": response.status,
        "multiValueHeaders": headers,
        "body": base64.b64encode(response.body).decode("ascii"),
        "isBase64Encoded": True,
    }


def response_to_url(response: Response) -> dict[str, Any]:
    """Return the payload 2.0 response of a function URL.

    A function URL renames `Content-Length` and `WWW-Authenticate`, so neither is sent: it counts the body itself, and a
    Bearer challenge becomes a 403, after which the distribution asks the API (docs/adr/0028).
    """
    challenged = any(
        name.lower() == "www-authenticate" and value.lower().startswith("bearer ") for name, value in response.headers
    )
    headers: dict[str, str] = {}
    for name, value in response.headers:
        if name.lower() not in _RENAMED:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return {
        "statusCode": 403 if response.status == 401 and challenged else response.status,
        "headers": headers,
        "body": base64.b64encode(response.body).decode("ascii"),
        "isBase64Encoded": True,
    }
