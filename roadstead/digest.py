"""Digests: `algorithm:hex`, as image-spec's descriptor document defines them, for the two registered algorithms."""

from __future__ import annotations

import hashlib
import re

ALGORITHMS = ("sha256", "sha512")
DEFAULT_ALGORITHM = "sha256"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


class Digest(str):
    """A well-formed digest. Create one with `parse` or `of`; the constructor trusts its caller."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Return the digest. Raises ValueError, with a message for users, unless it is lower-case sha256 or sha512."""
        if _DIGEST.fullmatch(text) is None:
            raise ValueError(
                f"{text[:160]!r} is not a digest: expected sha256: and 64, or sha512: and 128 lower-case hex digits"
            )
        return cls(text)

    @classmethod
    def of(cls, data: bytes, algorithm: str = DEFAULT_ALGORITHM) -> Digest:
        """Return the digest of `data`."""
        return cls(f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}")

    @property
    def algorithm(self) -> str:
        return self[: self.index(":")]

    @property
    def hex(self) -> str:
        return self[self.index(":") + 1 :]

    def matches(self, data: bytes) -> bool:
        """Return whether `data` hashes to this digest."""
        return Digest.of(data, self.algorithm) == self


def parse_algorithm(text: str) -> str:
    """Return a `digest-algorithm` parameter's value. Raises ValueError unless this registry supports it."""
    if text not in ALGORITHMS:
        raise ValueError(f"{text[:40]!r} is not a digest algorithm of this registry: use {' or '.join(ALGORITHMS)}")
    return text
