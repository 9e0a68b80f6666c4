"""The origin-response function (Lambda@Edge): what S3 says against a whole PUT becomes an error that clients print.

CloudFront runs no viewer-response function for answers of 400 and above, and S3 answers in XML; docs/adr/0003 weighs
this function. It is deployed by itself (us-east-1, no environment variables), so it imports nothing of the registry.
Event: "Lambda@Edge event structure", origin response. The body of S3's answer is not in it, only its status.
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
_REASONS = {400: "Bad Request", 403: "Forbidden", 429: "Too Many Requests", 503: "Service Unavailable"}


def handler(event: dict[str, Any], context: object = None) -> dict[str, Any]:
    """The response as it is, or, for a refused whole PUT, another status with an OCI error as its body."""
    record = event["Records"][0]["cf"]
    request, response = record["request"], record["response"]
    status = int(response["status"])
    if request["method"] != "PUT" or not request["uri"].startswith("/blobs/") or status < 400:
        return dict(response)
    status, code, message = _ERRORS.get(status) or (_REFUSED if status < 500 else _FAILED)
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
