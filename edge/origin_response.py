"""The origin-response function (Lambda@Edge): turns an origin's errors into OCI errors that clients print.

It handles S3's refusal of a whole PUT (in XML), API Gateway's own 413 to a chunk that is too large, and Lambda's own
errors in place of a relay that is a web function ("Request timeout", AWS Lambda Developer Guide). CloudFront runs no
viewer-response function for a status of 400 or above; docs/adr/0003 has the alternatives. The function is deployed by
itself (us-east-1, no environment variables), so it imports nothing of the registry.
Event: "Lambda@Edge event structure", origin response. It has the head of the origin's response, not the body.
"""

from __future__ import annotations

import json
from typing import Any

RETRY_AFTER = 2  # seconds

_SLOW_DOWN = (429, "TOOMANYREQUESTS", "the registry's storage asks to slow down; try again in a moment")
_MISCONFIGURED = "the registry may not write to its storage; tell its operator"
# S3's status -> status, code and sentence. 403 stays one: clients retry a 5xx for a minute, in vain.
_ERRORS = {
    400: (
        400,
        "DIGEST_INVALID",
        "the storage refused the layer: its bytes do not hash to the digest, or not all of them arrived",
    ),
    403: (403, "DENIED", _MISCONFIGURED),
    404: (403, "DENIED", _MISCONFIGURED),
    409: (503, "UNKNOWN", "the same upload is being written by another request; try again in a moment"),
    429: _SLOW_DOWN,
    503: _SLOW_DOWN,
}
_REFUSED = (400, "BLOB_UPLOAD_INVALID", "the registry's storage refused the layer")
_FAILED = (503, "UNKNOWN", "the registry's storage failed; try again in a moment")
_TOO_LARGE = (
    413,
    "DENIED",
    "layers sent in pieces are taken up to 4.5 MB here; push with containerd, BuildKit, oras or the containerd image "
    "store of Docker, which send a layer whole, or ask the operator of the registry to deploy its relay",
)
# Not 503, which Docker's classic store would retry five times, for 15 minutes each.
_TOO_LONG = (
    413,
    "DENIED",
    "a layer sent in pieces may take 15 minutes here; push with containerd, BuildKit, oras or the containerd image "
    "store of Docker, which send a layer whole, or ask the operator of the registry for a relay without that limit",
)
_CUT_OFF = (503, "UNKNOWN", "the registry's relay was stopped or is busy; send the layer again")
# Docker's classic store, which sends a PATCH, retries a layer after 503 and gives up after 429 (docs/adr/0008).
_BUSY = (503, "TOOMANYREQUESTS", "the registry is busy; send the layer again")
_PLATFORM_ERROR = "lambda-web-error-type"  # Lambda adds it to the responses that it makes in a server's place
_OWN = "docker-distribution-api-version"  # on every response of the registry itself, behind API Gateway or at the relay
_REASONS = {
    400: "Bad Request",
    403: "Forbidden",
    413: "Content Too Large",
    429: "Too Many Requests",
    503: "Service Unavailable",
}


def handler(event: dict[str, Any], context: object = None) -> dict[str, Any]:
    """The response as it is, or, where the origin says no in its own words, an OCI error in its place."""
    record = event["Records"][0]["cf"]
    request, response = record["request"], record["response"]
    error = _error(request["method"], request["uri"], int(response["status"]), response["headers"])
    if error is None:
        return dict(response)
    status, code, message = error
    # Via and Transfer-Encoding are read-only here: whatever S3 said of them stays.
    headers = {
        name: value for name, value in response["headers"].items() if name in ("date", "via", "transfer-encoding")
    }
    headers["content-type"] = [{"key": "Content-Type", "value": "application/json"}]
    headers["cache-control"] = [{"key": "Cache-Control", "value": "no-store"}]
    if status in (429, 503):
        headers["retry-after"] = [{"key": "Retry-After", "value": str(RETRY_AFTER)}]
    return {
        "status": str(status),
        "statusDescription": _REASONS[status],
        "headers": headers,
        "bodyEncoding": "text",
        "body": json.dumps({"errors": [{"code": code, "message": message}]}, separators=(",", ":")),
    }


def _error(method: str, uri: str, status: int, headers: dict[str, Any]) -> tuple[int, str, str] | None:
    """Return the status, code and sentence to respond with instead, or None to keep the response."""
    if status >= 400 and method == "PUT" and uri.startswith("/blobs/"):
        return _ERRORS.get(status) or (_REFUSED if status < 500 else _FAILED)
    if status == 413 and method in ("PATCH", "PUT") and _OWN not in headers:
        return _TOO_LARGE
    if status >= 400 and _PLATFORM_ERROR in headers:
        return _TOO_LONG if status == 504 else _CUT_OFF
    if status == 429 and method == "PATCH" and _OWN not in headers:
        return _BUSY
    return None
