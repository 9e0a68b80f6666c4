"""S3 as the edge's origin: signed as origin access control does, and held to what S3 does where ministack does not.

ministack stores a body that does not hash to its sha512 checksum header, and takes one of any size. Here a PUT is
refused as S3 refuses it; the body's last bytes are held back until its hash is known, so that nothing is stored.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

PUT_LIMIT = 5 * 1024**3  # bytes

_CONTENT_HASH = "x-amz-content-sha256"
_CHECKSUM = "x-amz-checksum-"


class Refused(Exception):
    """S3 would answer with this error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def body(self) -> bytes:
        """The XML that S3 sends."""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{self.code}</Code><Message>{escape(str(self))}</Message></Error>"
        ).encode()


@dataclass(frozen=True, slots=True)
class Signing:
    """The credentials that stand for CloudFront's; SigV4 for S3 in `region`."""

    access_key: str
    secret_key: str = field(repr=False)
    region: str

    def sign(self, method: str, url: str, headers: Mapping[str, str]) -> dict[str, str]:
        """`headers` (names in lower case) with date and Authorization. Those of ours that say `x-amz-` are signed.

        The body's hash is what the headers say it is, else it is left unsigned.
        """
        own = {name: value for name, value in headers.items() if name.startswith("x-amz-")}
        request = AWSRequest(method=method, url=url, headers=own)
        payload = headers.get(_CONTENT_HASH, "UNSIGNED-PAYLOAD")
        _Auth(Credentials(self.access_key, self.secret_key), "s3", self.region, payload).add_auth(request)
        return {**headers, **{name.lower(): value for name, value in request.headers.items()}}


class _Auth(S3SigV4Auth):  # type: ignore[misc]
    def __init__(self, credentials: Credentials, service: str, region: str, payload: str) -> None:
        super().__init__(credentials, service, region)
        self._payload = payload

    def payload(self, request: Any) -> str:
        return self._payload


def check_put(headers: Mapping[str, str]) -> None:
    """Raises Refused for a PUT that S3 does not even begin to read."""
    length = headers.get("content-length")
    if length is None:
        raise Refused(501, "NotImplemented", "A header you provided implies functionality that is not implemented")
    if int(length) > PUT_LIMIT:
        raise Refused(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size")


async def verified(body: AsyncIterator[bytes], headers: Mapping[str, str]) -> AsyncIterator[bytes]:
    """The body as it comes, but its last piece only when all of it has the hashes that the headers claim.

    Raises Refused instead of yielding the last piece. At most one piece is held at a time.
    """
    expected = dict(_claims(headers))
    hashes = {algorithm: hashlib.new(algorithm) for algorithm, _ in expected}
    held = b""
    async for piece in body:
        if held:
            yield held
        for one in hashes.values():
            one.update(piece)
        held = piece
    for (algorithm, code), digest in expected.items():
        if hashes[algorithm].digest() != digest:
            raise Refused(400, code, f"The {algorithm} you specified did not match the calculated checksum.")
    if held:
        yield held


def _claims(headers: Mapping[str, str]) -> Iterable[tuple[tuple[str, str], bytes]]:
    """(algorithm, error code) and the digest, for every hash that the headers claim of the body."""
    for algorithm in ("sha256", "sha512"):
        if (value := headers.get(_CHECKSUM + algorithm)) is not None:
            yield (algorithm, "BadDigest"), base64.b64decode(value)
    content = headers.get(_CONTENT_HASH, "UNSIGNED-PAYLOAD")
    if content != "UNSIGNED-PAYLOAD":
        yield ("sha256", "XAmzContentSHA256Mismatch"), bytes.fromhex(content)
