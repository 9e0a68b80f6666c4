"""The bucket: bytes of blobs and manifests, each object written once under a key that nothing else uses.

blobs/<algorithm>/<hex>/<repository hash>/<upload id>    an object sent whole; its key has the digest it claims
blobs/uploads/<upload id>                                a streamed upload; the index has its proven digest
uploads/<upload id>/<offset>-<random>                    chunks that are not yet in a part; expire by lifecycle
manifests/<repository>/<algorithm>/<hex>/<generation>    a manifest's exact bytes
derived/<repository>/<algorithm>/<hex>/<generation>/     texts that the indexer extracted for pages
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from roadstead.content.uploads.sessions import Part
from roadstead.digest import Digest
from roadstead.names import RepositoryName

MIN_PART = 5 * 1024 * 1024  # bytes; S3 accepts a smaller part only as the last
MAX_PARTS = 10_000
LISTED = 1_000  # keys in one LIST


def repository_hash(repository: RepositoryName) -> str:
    """Return the repository's part of a key: 32 hex digits, independent of the name's length and slashes."""
    return hashlib.sha256(repository.encode()).hexdigest()[:32]


def whole_prefix(repository: RepositoryName, digest: Digest) -> str:
    """Return the prefix of all whole uploads of a digest to a repository."""
    return f"blobs/{digest.algorithm}/{digest.hex}/{repository_hash(repository)}/"


def whole_key(repository: RepositoryName, digest: Digest, upload_id: str) -> str:
    return whole_prefix(repository, digest) + upload_id


def streamed_key(upload_id: str, name: str) -> str:
    """Return the key of a chunk or of the multipart object of a streamed upload."""
    return f"blobs/uploads/{upload_id}/{name}"


def is_whole_key(key: str) -> bool:
    """Return whether an object can be found by its digest's prefix, so that its upload must stay remembered."""
    return key.startswith("blobs/") and not key.startswith("blobs/uploads/")


def manifest_object_key(repository: RepositoryName, digest: Digest, generation: str) -> str:
    return f"manifests/{repository}/{digest.algorithm}/{digest.hex}/{generation}"


def derived_prefix(repository: RepositoryName, digest: Digest, generation: str) -> str:
    return f"derived/{repository}/{digest.algorithm}/{digest.hex}/{generation}/"


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What S3 reports about an object; `digests` are the checksums that it stored for the whole object."""

    size: int
    digests: frozenset[Digest]
    metadata: Mapping[str, str]


class Objects(Protocol):
    """The bucket's objects. Reads are strongly consistent, as S3's are."""

    def put(self, key: str, data: bytes, *, digest: Digest | None = None, metadata: Mapping[str, str]) -> None:
        """Write an object. S3 refuses bytes that do not hash to `digest`, and stores it as the checksum."""
        ...

    def get(self, key: str) -> bytes | None:
        """Return all bytes of an object, or None if it does not exist."""
        ...

    def get_range(self, key: str, start: int, size: int) -> bytes | None:
        """Return the `size` bytes from `start` on, fewer at the object's end; None if it does not exist.

        `start` is within the object.
        """
        ...

    def find(self, key: str) -> ObjectInfo | None:
        """Return size, checksums and metadata of an object, or None if it does not exist."""
        ...

    def list(self, prefix: str) -> tuple[str, ...]:
        """Return the first LISTED keys with a prefix, in byte order. One LIST."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; absent ones are not an error."""
        ...

    def begin(self, key: str, *, metadata: Mapping[str, str]) -> str:
        """Start a multipart upload whose parts have SHA-256 checksums; return its id."""
        ...

    def put_part(self, key: str, multipart_id: str, number: int, data: bytes) -> Part:
        """Write a part (1 to 10,000). Raises MultipartGone if the upload was aborted or completed."""
        ...

    def complete(self, key: str, multipart_id: str, parts: Sequence[Part]) -> None:
        """Create the object from its parts. S3 checks by checksum that each is still the one that is named.

        Idempotent: a completed upload stays completed. Raises MultipartGone if there is nothing to complete.
        """
        ...

    def abort(self, key: str, multipart_id: str) -> None:
        """Abort a multipart upload; an absent one is not an error."""
        ...


class BlobUrls(Protocol):
    """URLs from which clients fetch blobs."""

    def presign(self, key: str, *, digest: Digest, method: str = "GET", at: str = "") -> str:
        """Return a URL that serves the object, and ranges of it, to anyone for the configured time. No call.

        `at` is the distribution's URL, for URLs of a distribution that is not configured.
        """
        ...


class MultipartGone(Exception):
    """The multipart upload does not exist, or no longer does, or its parts or chunks are not those that were named."""
