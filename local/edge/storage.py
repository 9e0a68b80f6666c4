"""S3 as the edge's origin: requests signed as by origin access control."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from local.cloud.signatures import UNSIGNED, Credentials, signed

_CONTENT_HASH = "x-amz-content-sha256"


@dataclass(frozen=True, slots=True)
class Signing:
    """Signs with credentials in the place of CloudFront's: SigV4 for S3 in `region`."""

    access_key: str
    secret_key: str = field(repr=False)
    region: str
    clock: Callable[[], float] = time.time

    def sign(self, method: str, url: str, headers: Mapping[str, str]) -> dict[str, str]:
        """Return `headers` (names in lower case) with date and Authorization. Headers with `x-amz-` are signed.

        The body's hash is taken from the headers; without it the body is unsigned.
        """
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        content = headers.get(_CONTENT_HASH, UNSIGNED)
        own = {name: value for name, value in headers.items() if name.startswith("x-amz-")}
        own |= {"host": parts.netloc, _CONTENT_HASH: content}
        credentials = Credentials(self.access_key, self.secret_key, self.region)
        made = signed(credentials, "s3", method, target, own, content, self.clock())
        del made["host"]  # the connection sends it
        return {**headers, **made}
