"""Presigned URLs of S3 by arithmetic: the same that botocore's client makes, without making that client.

A pull needs DynamoDB and a URL; a client of S3 would be a tenth of its function's start. Source: "Authenticating
Requests: Using Query Parameters (AWS Signature Version 4)", Amazon S3 API reference. Tests hold each URL to botocore's.
What is out of the ordinary (a bucket with dots, FIPS or dual-stack endpoints, an unknown partition) is left to it.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import digest
from typing import Any
from urllib.parse import quote, urlsplit

from roadstead.aws.clients import session

_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,61}[a-z0-9])")  # that is one label of a host name
# Suffixes of host names by how a region's name begins (botocore's partitions.json).
_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    **dict.fromkeys(("af-", "ap-", "ca-", "eu-", "il-", "me-", "mx-", "sa-", "us-"), "amazonaws.com"),
}
_OTHERS = re.compile(r"(?:us|eu)-iso")
_UNUSUAL = ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a bucket is: `origin` is scheme and host, `path` what precedes the key."""

    origin: str
    path: str
    region: str


def place_of(bucket: str, environ: Mapping[str, str] = os.environ) -> Place | None:
    """Return where the environment's S3 has a bucket, or None where only botocore knows."""
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION", "")
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL", "")
    if not region or not _BUCKET.fullmatch(bucket) or any(environ.get(name, "") for name in _UNUSUAL):
        return None
    if endpoint:
        by_path = environ.get("ROADSTEAD_S3_ADDRESSING") == "path" and not urlsplit(endpoint).path.strip("/")
        return Place(endpoint.rstrip("/"), f"/{bucket}/", region) if by_path else None
    suffix = next((suffix for prefix, suffix in _SUFFIXES.items() if region.startswith(prefix)), None)
    if suffix is None or _OTHERS.match(region):
        return None
    host = "s3" if region == "us-east-1" else f"s3.{region}"
    return Place(f"https://{bucket}.{host}.{suffix}", "/", region)


class Presigner:
    """Signs URLs of one bucket with the credentials of botocore's session."""

    def __init__(
        self,
        place: Place,
        *,
        seconds: int,
        credentials: Callable[[], Any] = lambda: session().get_credentials(),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._place = place
        self._host = urlsplit(place.origin).netloc
        self._seconds = seconds
        self._credentials = credentials
        self._clock = clock
        self._key: tuple[tuple[str, str], bytes] = (("", ""), b"")  # of one day and secret

    def url(self, method: str, key: str) -> str:
        """Return a URL for `method` that is good for as long as its credentials, `seconds` at most."""
        frozen = self._credentials().get_frozen_credentials()
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock()))
        scope = f"{now[:8]}/{self._place.region}/s3/aws4_request"
        query = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{frozen.access_key}/{scope}",
            "X-Amz-Date": now,
            "X-Amz-Expires": str(self._seconds),
            "X-Amz-SignedHeaders": "host",
        }
        if frozen.token:
            query["X-Amz-Security-Token"] = frozen.token
        path = quote(f"{self._place.path}{key}", safe="/~")
        pairs = {name: quote(value, safe="-_.~") for name, value in query.items()}
        canonical = "\n".join(
            (
                method,
                path,
                "&".join(f"{name}={pairs[name]}" for name in sorted(pairs)),
                f"host:{self._host}",
                "",
                "host",
                "UNSIGNED-PAYLOAD",
            )
        )
        signed = "\n".join(("AWS4-HMAC-SHA256", now, scope, sha256(canonical.encode()).hexdigest()))
        signature = digest(self._signing_key(now[:8], frozen.secret_key), signed.encode(), "sha256").hex()
        listed = "&".join(f"{name}={value}" for name, value in pairs.items())
        return f"{self._place.origin}{path}?{listed}&X-Amz-Signature={signature}"

    def _signing_key(self, day: str, secret: str) -> bytes:
        known, key = self._key
        if known != (day, secret):
            key = f"AWS4{secret}".encode()
            for part in (day, self._place.region, "s3", "aws4_request"):
                key = digest(key, part.encode(), "sha256")
            self._key = ((day, secret), key)
        return key
