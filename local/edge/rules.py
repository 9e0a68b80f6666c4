"""CloudFront's rules for functions: its limits, its events, and what a function may change.

Sources, all in the CloudFront developer guide: "Quotas" (URL and request lengths), "CloudFront Functions event
structure", "Restrictions on all edge functions" (which headers are hidden and which are read-only), "Request and
response behavior for custom origins".
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from local.http_headers import HOP_BY_HOP

Headers = tuple[tuple[str, str], ...]

URL_LIMIT = 8_192  # bytes of path and query
REQUEST_LIMIT = 20_480  # bytes of request line and headers
GENERATED_BODY_LIMIT = 40 * 1024  # bytes of a body that a function generates

# Like those of one connection, never shown to a function; if a function adds one, the viewer gets a 502.
_HIDDEN = (HOP_BY_HOP - {"te"}) | {
    "x-accel-buffering",
    "x-accel-charset",
    "x-accel-limit-rate",
    "x-accel-redirect",
    "x-amzn-auth",
    "x-amzn-cf-billing",
    "x-amzn-cf-id",
    "x-amzn-cf-xff",
    "x-amzn-errortype",
    "x-amzn-fle-profile",
    "x-amzn-header-count",
    "x-amzn-header-order",
    "x-amzn-lambda-integration-tag",
    "x-amzn-requestid",
    "x-cache",
    "x-forwarded-proto",
    "x-real-ip",
}
_HIDDEN_PREFIXES = ("x-amz-cf-", "x-edge-")
_READ_ONLY_IN_REQUEST = ("cdn-loop", "content-length", "host", "transfer-encoding", "via")
_READ_ONLY_IN_RESPONSE = ("via", "warning")


class RuleBroken(Exception):
    """A function's result is invalid for CloudFront: the viewer gets a 502."""


def is_hidden(name: str) -> bool:
    """Whether a header (in lower case) is hidden from functions."""
    return name in _HIDDEN or name.startswith(_HIDDEN_PREFIXES)


def viewer_event(
    kind: str, method: str, path: str, query: str, headers: Iterable[tuple[str, str]], address: str, request_id: str
) -> dict[str, Any]:
    """Return the event of a function, without a response; `query` is raw. Lacks only the method `rawQueryString`."""
    visible = [(name.lower(), value) for name, value in headers if not is_hidden(name.lower())]
    cookies = [
        pair.strip().partition("=")[::2] for name, value in visible if name == "cookie" for pair in value.split(";")
    ]
    parameters = [pair.partition("=")[::2] for pair in query.split("&") if pair]
    return {
        "version": "1.0",
        "context": {
            "distributionDomainName": "local.cloudfront.net",
            "distributionId": "LOCAL",
            "eventType": kind,
            "requestId": request_id,
        },
        "viewer": {"ip": address},
        "request": {
            "method": method,
            "uri": path,
            "querystring": values(parameters),
            "headers": values((name, value) for name, value in visible if name != "cookie"),
            "cookies": values((name, value) for name, value in cookies if name),
        },
    }


def values(pairs: Iterable[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    """Return names and values in the form of events: repeated ones in `multiValue`, the last also in `value`."""
    found: dict[str, dict[str, Any]] = {}
    for name, value in pairs:
        if name in found:
            entry = found[name]
            entry.setdefault("multiValue", [{"value": entry["value"]}]).append({"value": value})
            entry["value"] = value
        else:
            found[name] = {"value": value}
    return found


def pairs(found: Mapping[str, Mapping[str, Any]]) -> Headers:
    """Return the inverse of `values`. Raises RuleBroken if `found` does not have that form."""
    try:
        return tuple(
            (name, str(one["value"])) for name, entry in found.items() for one in entry.get("multiValue") or (entry,)
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise RuleBroken(f"headers, cookies and parameters are {{name: {{value}}}}: {error!r}") from error


def check_request(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Check the result of a viewer-request function. Raises RuleBroken."""
    if after.get("method") != before["method"]:
        raise RuleBroken("a function cannot change the method")
    uri = after.get("uri")
    if not isinstance(uri, str) or not uri.startswith("/"):
        raise RuleBroken("the URI must begin with a slash")
    query = query_text(after)
    if len(uri) + 1 + len(query) >= URL_LIMIT or any(character in query for character in "# \r\n\t"):
        raise RuleBroken("the URI with its query is too long, or has invalid characters")
    _check_headers(before["headers"], after.get("headers", {}), _READ_ONLY_IN_REQUEST)


def check_response(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Check the result of a viewer-response function. Raises RuleBroken."""
    if not isinstance(after.get("statusCode"), int):
        raise RuleBroken("statusCode must be an integer")
    _check_headers(before["headers"], after.get("headers", {}), _READ_ONLY_IN_RESPONSE)


def query_text(request: Mapping[str, Any]) -> str:
    """Return the query that is sent to the origin."""
    return "&".join(f"{name}={value}" for name, value in pairs(request.get("querystring", {})))


def generated_body(response: Mapping[str, Any]) -> bytes:
    """Return the body that a function generated: text, or an object with its encoding. Raises RuleBroken."""
    body = response.get("body", "")
    if isinstance(body, Mapping):
        text = str(body["data"])
        data = base64.b64decode(text) if body.get("encoding") == "base64" else text.encode()
    else:
        data = str(body).encode()
    if len(data) > GENERATED_BODY_LIMIT:
        raise RuleBroken("a function generates at most 40 KB")
    return data


def _check_headers(before: Mapping[str, Any], after: Mapping[str, Any], read_only: Iterable[str]) -> None:
    for name, value in pairs(after):
        if name != name.lower():
            raise RuleBroken(f"the header {name} is not in lower case")
        if is_hidden(name):
            raise RuleBroken(f"a function cannot add the header {name}")
        if any(character in value for character in "\r\n\0"):
            raise RuleBroken(f"the header {name} contains a line break")
    for name in read_only:
        if after.get(name) != before.get(name):
            raise RuleBroken(f"the header {name} is read-only")
