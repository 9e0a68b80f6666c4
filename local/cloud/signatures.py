"""Signature Version 4, in headers and in presigned URLs, as the services check it.

"Signature Version 4", "Authenticating Requests (AWS Signature Version 4)" of the S3 API reference. None of botocore is
used, so that signing and checking cannot be wrong together.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote, unquote, unquote_plus

from local.cloud.errors import AwsError

SKEW = 900.0  # seconds by which a client's clock may be off
UNSIGNED = "UNSIGNED-PAYLOAD"
LONGEST = 604_800  # seconds for which a presigned URL may be good
HEX = re.compile(r"[0-9a-f]{64}")

_SAFE = "-_.~"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)/(\d{8})/([^/,]+)/([^/,]+)/aws4_request,\s*"
    r"SignedHeaders=([A-Za-z0-9;_-]+),\s*Signature=([0-9a-f]{64})"
)
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method."
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """The one key pair that is taken, and the region that it is for."""

    access_key: str
    secret_key: str = field(repr=False)
    region: str


@dataclass(frozen=True, slots=True)
class Head:
    """A request's head. `path` and `query` as they were sent; names of headers in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]

    def parameters(self) -> list[tuple[str, str]]:
        """The query's names and values, decoded, in their order."""
        pairs = (part.partition("=") for part in self.query.split("&") if part)
        return [(unquote_plus(name), unquote_plus(value)) for name, _, value in pairs]


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a request says of its own signature."""

    access_key: str
    day: str
    region: str
    service: str
    stamp: str
    signed: tuple[str, ...]
    signature: str


class Verifier:
    """Checks signatures against one key pair."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def check_headers(self, head: Head, service: str, content_hash: str, now: float) -> None:
        """Check a request that is signed in its Authorization header, over a body of this hash. Raises AwsError."""
        claim = _claim_in_headers(head.headers)
        self._check(head, claim, service, content_hash, head.query, now)
        sent = _moment(claim.stamp)
        if abs(now - sent) > SKEW:
            raise AwsError(
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
                403,
            )

    def check_presigned(self, head: Head, now: float) -> None:
        """Check a presigned URL of S3. Raises AwsError."""
        claim, lasts = _claim_in_query(head)
        query = "&".join(part for part in head.query.split("&") if not part.startswith("X-Amz-Signature="))
        content_hash = head.headers.get("x-amz-content-sha256", UNSIGNED)
        self._check(head, claim, "s3", content_hash, query, now)
        sent = _moment(claim.stamp)
        if sent - now > SKEW:
            raise AwsError("AccessDenied", "Request is not yet valid", 403)
        if now > sent + lasts:
            raise AwsError("AccessDenied", "Request has expired", 403)

    def _check(self, head: Head, claim: _Claim, service: str, content_hash: str, query: str, now: float) -> None:
        own = self._credentials
        if not hmac.compare_digest(claim.access_key.encode(), own.access_key.encode()):
            raise AwsError(
                "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403
            )
        if claim.region != own.region:
            raise AwsError(
                "AuthorizationHeaderMalformed",
                f"The authorization header is malformed; the region '{claim.region}' is wrong; "
                f"expecting '{own.region}'",
                400,
                Region=own.region,
            )
        if claim.service != service:
            raise AwsError(
                "AuthorizationHeaderMalformed",
                f"The authorization header is malformed; incorrect service '{claim.service}'; expecting '{service}'",
            )
        if claim.stamp[:8] != claim.day:
            raise AwsError("SignatureDoesNotMatch", "The date of the credential is not that of the request.", 403)
        unsigned = [
            name for name in head.headers if (name == "host" or name.startswith("x-amz-")) and name not in claim.signed
        ]
        if unsigned:
            raise AwsError(
                "AccessDenied",
                f"There were headers present in the request which were not signed: {', '.join(unsigned)}",
                403,
                HeadersNotSigned=", ".join(unsigned),
            )
        key = _signing_key(own.secret_key, claim.day, claim.region, claim.service)
        scope = f"{claim.day}/{claim.region}/{claim.service}/aws4_request"
        # A path is signed as the documentation encodes it, or as it is sent, which differ in characters that need not
        # be encoded: "%7E" and "~".
        for path in dict.fromkeys((head.path, _encoded_path(head.path))):
            canonical = _canonical(head, path, claim.signed, content_hash, query)
            digest = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
            text = "\n".join(("AWS4-HMAC-SHA256", claim.stamp, scope, digest))
            if hmac.compare_digest(hmac.digest(key, text.encode("latin-1"), "sha256").hex(), claim.signature):
                return
        raise AwsError("SignatureDoesNotMatch", _MISMATCH, 403)


def signed(
    credentials: Credentials,
    service: str,
    method: str,
    target: str,
    headers: Mapping[str, str],
    content_hash: str,
    now: float,
) -> dict[str, str]:
    """`headers` (names in lower case, Host among them) with the date and the signature of a request with such a body.

    `target` is path and query as they are sent.
    """
    path, _, query = target.partition("?")
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    dated = {**headers, "x-amz-date": stamp}
    names = sorted(dated)
    scope = f"{stamp[:8]}/{credentials.region}/{service}/aws4_request"
    canonical = _canonical(Head(method, path, query, dated), path, names, content_hash, query)
    text = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode("latin-1")).hexdigest()))
    key = _signing_key(credentials.secret_key, stamp[:8], credentials.region, service)
    signature = hmac.digest(key, text.encode("latin-1"), "sha256").hex()
    credential = f"Credential={credentials.access_key}/{scope}"
    dated["authorization"] = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={';'.join(names)}, Signature={signature}"
    return dated


def is_presigned(query: str) -> bool:
    return "X-Amz-Signature=" in query or "X-Amz-Algorithm=" in query


@lru_cache(maxsize=64)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for step in (day, region, service, "aws4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    return key


def _claim_in_headers(headers: Mapping[str, str]) -> _Claim:
    found = _AUTHORIZATION.fullmatch(headers["authorization"].strip())
    if found is None:
        raise AwsError(
            "AuthorizationHeaderMalformed", "The authorization header is malformed; it is not of Signature Version 4."
        )
    access_key, day, region, service, signed, signature = found.groups()
    names = tuple(signed.lower().split(";"))
    return _Claim(access_key, day, region, service, headers.get("x-amz-date", ""), names, signature)


def _claim_in_query(head: Head) -> tuple[_Claim, int]:
    """The claim of a presigned URL, and for how many seconds it is good."""
    named = dict(head.parameters())
    scope = named.get("X-Amz-Credential", "").split("/")
    expires = named.get("X-Amz-Expires", "")
    complete = all(named.get(f"X-Amz-{name}") for name in ("Date", "SignedHeaders", "Signature"))
    if (
        named.get("X-Amz-Algorithm") != "AWS4-HMAC-SHA256"
        or len(scope) != 5
        or scope[4] != "aws4_request"
        or not complete
        or not expires.isascii()
        or not expires.isdigit()
    ):
        raise AwsError(
            "AuthorizationQueryParametersError",
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
            "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        )
    if not 0 < int(expires) <= LONGEST:
        raise AwsError(
            "AuthorizationQueryParametersError",
            f"X-Amz-Expires must be between 1 and {LONGEST} seconds",
        )
    names = tuple(named["X-Amz-SignedHeaders"].lower().split(";"))
    claim = _Claim(scope[0], scope[1], scope[2], scope[3], named["X-Amz-Date"], names, named["X-Amz-Signature"])
    return claim, int(expires)


def _canonical(head: Head, path: str, signed: Sequence[str], content_hash: str, query: str) -> str:
    lines = "".join(f"{name}:{' '.join(head.headers.get(name, '').split())}\n" for name in signed)
    return "\n".join((head.method, path, _sorted(query), lines, ";".join(signed), content_hash))


def _encoded_path(path: str) -> str:
    return path if path == "/" else quote(unquote(path, "latin-1"), safe=f"/{_SAFE}", encoding="latin-1")


def _sorted(query: str) -> str:
    if not query:
        return ""
    pairs = (part.partition("=") for part in query.split("&") if part)
    return "&".join(sorted(f"{_encoded(name)}={_encoded(value)}" for name, _, value in pairs))


def _encoded(text: str) -> str:
    return quote(unquote_plus(text, "latin-1"), safe=_SAFE, encoding="latin-1")


def _moment(stamp: str) -> float:
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise AwsError("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header", 403) from None
