"""What S3 checks of a request that is signed in its headers: an implementation of Signature Version 4 of our own.

The clients sign by botocore, and so does the edge emulator; here none of botocore is used, so that the two cannot be
wrong together. "Signature Version 4", "Authenticating Requests (AWS Signature Version 4)" of the S3 API reference.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

SKEW = 900.0  # seconds by which a client's clock may be off
UNSIGNED = "UNSIGNED-PAYLOAD"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,]+)/(\d{8})/([^/,]+)/s3/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
_HEX = re.compile(r"[0-9a-f]{64}")


class Refusal(Exception):
    """S3 would answer with this error: status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose bucket it is, and the region where it is."""

    access_key: str
    secret_key: str
    region: str


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request's head. `path` and `query` as they were sent; names of headers in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]


def check(request: SignedRequest, owner: Owner, now: datetime) -> str | None:
    """The SHA-256 in hex that the body must have, None when it was left unsigned. Raises Refusal."""
    headers = request.headers
    if "X-Amz-Signature=" in request.query:
        if "authorization" in headers:
            raise Refusal(400, "InvalidArgument", "Only one auth mechanism allowed; only one may be specified")
        return None  # LocalStack verifies presigned URLs by itself
    if "authorization" not in headers:
        raise Refusal(403, "AccessDenied", "Access Denied")
    found = _AUTHORIZATION.fullmatch(headers["authorization"])
    if found is None:
        raise Refusal(400, "AuthorizationHeaderMalformed", "The authorization header that you provided is not valid.")
    access_key, day, region, names, signature = found.groups()
    if access_key != owner.access_key:
        raise Refusal(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
    if region != owner.region:
        raise Refusal(
            400, "AuthorizationHeaderMalformed", f"the region '{region}' is wrong; expecting '{owner.region}'"
        )
    stamp, content = headers.get("x-amz-date", ""), headers.get("x-amz-content-sha256", "")
    _check_date(stamp, day, now)
    if not (content == UNSIGNED or _HEX.fullmatch(content)):
        raise Refusal(400, "InvalidArgument", f"x-amz-content-sha256 must be {UNSIGNED} or a valid sha256 value.")
    signed = names.split(";")
    unsigned = [name for name in headers if name not in signed and (name == "host" or name.startswith("x-amz-"))]
    if unsigned:
        raise Refusal(
            403, "AccessDenied", f"There were headers present in the request which were not signed: {unsigned}"
        )
    scope = f"{day}/{region}/s3/aws4_request"
    canonical = _canonical(request, signed, content)
    text = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode("latin-1")).hexdigest()))
    key = f"AWS4{owner.secret_key}".encode()
    for step in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    if not hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), signature):
        raise Refusal(403, "SignatureDoesNotMatch", "The request signature we calculated does not match yours.")
    return None if content == UNSIGNED else content


def _canonical(request: SignedRequest, signed: list[str], content: str) -> str:
    pairs = sorted(pair if "=" in pair else f"{pair}=" for pair in request.query.split("&") if pair)
    lines = [f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signed]
    return "\n".join((request.method, request.path, "&".join(pairs), "".join(lines), ";".join(signed), content))


def _check_date(stamp: str, day: str, now: datetime) -> None:
    try:
        sent = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Refusal(403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header") from None
    if stamp[:8] != day or abs((now - sent).total_seconds()) > SKEW:
        raise Refusal(403, "RequestTimeTooSkewed", "The difference between the request time and now is too large.")
