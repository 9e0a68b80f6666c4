"""S3 and function URLs as the edge's origins: requests signed as by origin access control."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from local.cloud.signatures import UNSIGNED, Credentials, signed
from local.edge.rules import Headers

_CONTENT_HASH = "x-amz-content-sha256"
_EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Signing:
    """Signs with credentials in the place of CloudFront's: SigV4 for a service in `region`, S3 or Lambda."""

    access_key: str
    secret_key: str = field(repr=False)
    region: str
    clock: Callable[[], float] = time.time
    service: str = "s3"

    def sign(self, method: str, url: str, headers: Mapping[str, str]) -> dict[str, str]:
        """Return `headers` (names in lower case) with date and Authorization. Headers with `x-amz-` are signed.

        An Authorization among them is lost. The body's hash is taken from the headers; without it the body of a request
        to S3 is unsigned, and that of a request to Lambda, which takes none unsigned, is taken for empty.
        """
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        content = headers.get(_CONTENT_HASH, UNSIGNED if self.service == "s3" else _EMPTY)
        own = {name: value for name, value in headers.items() if name.startswith("x-amz-")}
        own |= {"host": parts.netloc, _CONTENT_HASH: content}
        credentials = Credentials(self.access_key, self.secret_key, self.region)
        made = signed(credentials, self.service, method, target, own, content, self.clock())
        del made["host"]  # the connection sends it
        return {**headers, **made}

    def sign_all(self, method: str, url: str, headers: Headers) -> Headers:
        """Sign a request with repeated headers, which are joined for the signature and stay repeated."""
        joined: dict[str, str] = {}
        for name, value in headers:
            joined[name] = f"{joined[name]},{value}" if name in joined else value
        made = self.sign(method, url, joined)
        own = tuple((name, value) for name, value in made.items() if joined.get(name) != value)
        return (*(pair for pair in headers if pair[0] not in dict(own)), *own)
