"""What a request claims of its body: x-amz-checksum-…, Content-MD5 and x-amz-content-sha256; and whether that is so."""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from local.cloud.errors import AwsError, not_emulated
from local.cloud.signatures import HEX, UNSIGNED

PREFIX = "x-amz-checksum-"
SIZES = {"sha256": 32, "sha512": 64, "sha1": 20, "crc32": 4}
_NOT_A_CHECKSUM = frozenset({"mode", "type", "algorithm"})


class Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


def new_hash(algorithm: str) -> Hash:
    """By its name in S3's headers, in lower case, or md5."""
    return _Crc32() if algorithm == "crc32" else hashlib.new(algorithm, usedforsecurity=False)


@dataclass(frozen=True, slots=True)
class Claims:
    """`checksums` by algorithm; `md5` and `content` (a SHA-256) where they are claimed."""

    checksums: Mapping[str, bytes]
    md5: bytes | None
    content: bytes | None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Claims:
        """Raises AwsError for a claim that no body can meet."""
        found: dict[str, bytes] = {}
        for name, value in headers.items():
            algorithm = name.removeprefix(PREFIX)
            if algorithm == name or algorithm in _NOT_A_CHECKSUM:
                continue
            if algorithm not in SIZES:
                raise not_emulated(f"checksums of {algorithm} in S3")
            found[algorithm] = _decoded(value, SIZES[algorithm], f"Value for {name} header is invalid.")
        if len(found) > 1:
            raise AwsError(
                "InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
            )
        md5 = None
        if "content-md5" in headers:
            md5 = _decoded(headers["content-md5"], 16, "The Content-MD5 you specified is not valid.", "InvalidDigest")
        return cls(found, md5, content_hash(headers))

    @property
    def algorithms(self) -> frozenset[str]:
        """What has to be computed; something always, for the ETag."""
        wanted = {*self.checksums} | ({"md5"} if self.md5 else set()) | ({"sha256"} if self.content else set())
        return frozenset(wanted or {"sha256"})

    def check(self, digests: Mapping[str, bytes]) -> None:
        """Raises AwsError unless the body is what is claimed."""
        if self.content is not None and digests["sha256"] != self.content:
            raise AwsError(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            )
        for algorithm, wanted in self.checksums.items():
            if digests[algorithm] != wanted:
                raise AwsError(
                    "BadDigest", f"The {algorithm.upper()} you specified did not match the calculated checksum."
                )
        if self.md5 is not None and digests["md5"] != self.md5:
            raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.")

    def texts(self) -> dict[str, str]:
        """The checksums in base64, as they are kept and returned."""
        return {algorithm: base64.b64encode(value).decode() for algorithm, value in self.checksums.items()}


def content_hash(headers: Mapping[str, str]) -> bytes | None:
    """What x-amz-content-sha256 says; None for a body that is left unsigned. Raises AwsError."""
    text = headers.get("x-amz-content-sha256", UNSIGNED)
    if text == UNSIGNED:
        return None
    if text.startswith("STREAMING-"):
        raise not_emulated("bodies in signed chunks (aws-chunked) in S3")
    if not HEX.fullmatch(text):
        raise AwsError("InvalidArgument", f"x-amz-content-sha256 must be {UNSIGNED}, or a valid sha256 value.")
    return bytes.fromhex(text)


def etag_of(digests: Mapping[str, bytes]) -> str:
    """32 hex digits. S3 promises no more of an ETag than that it changes with the bytes."""
    strongest = next(digests[name] for name in ("sha256", "sha512", "md5", "sha1", "crc32") if name in digests)
    return strongest.hex()[:32].ljust(32, "0")


def _decoded(text: str, size: int, message: str, code: str = "InvalidRequest") -> bytes:
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if len(value) != size:
        raise AwsError(code, message)
    return value
