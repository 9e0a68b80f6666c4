"""The bucket: bytes of blobs and manifests, each object written once under a key that nothing else uses.

blobs/<algorithm>/<hex>/<repository hash>/<upload id>    an object sent whole: its key says the digest it claims
blobs/uploads/<upload id>                                a streamed upload; the index says what it proved to be
uploads/<upload id>/<offset>-<random>                    chunks that wait for a part; expire by lifecycle
manifests/<repository>/<algorithm>/<hex>/<generation>    a manifest's exact bytes
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from roadstead.content.upload_sessions import Part
from roadstead.digest import Digest
from roadstead.names import RepositoryName

MIN_PART = 5 * 1024 * 1024  # bytes: S3 takes no smaller part but the last
MAX_PARTS = 10_000
LISTED = 1_000  # keys in one LIST


def repository_hash(repository: RepositoryName) -> str:
    """The repository in a key: 32 hex digits, so that no name's length or slash shapes a key."""
    return hashlib.sha256(repository.encode()).hexdigest()[:32]


def whole_prefix(repository: RepositoryName, digest: Digest) -> str:
    """Where whole uploads of a digest to a repository are found."""
    return f"blobs/{digest.algorithm}/{digest.hex}/{repository_hash(repository)}/"


def whole_key(repository: RepositoryName, digest: Digest, upload_id: str) -> str:
    return whole_prefix(repository, digest) + upload_id


def streamed_key(upload_id: str, name: str) -> str:
    """A chunk or the multipart object of a streamed upload."""
    return f"blobs/uploads/{upload_id}/{name}"


def is_whole_key(key: str) -> bool:
    """Whether an object can be found by its digest's prefix (and so its upload must stay remembered)."""
    return key.startswith("blobs/") and not key.startswith("blobs/uploads/")


def manifest_object_key(repository: RepositoryName, digest: Digest, generation: str) -> str:
    return f"manifests/{repository}/{digest.algorithm}/{digest.hex}/{generation}"


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What S3 says of an object; `digests` are the checksums that it stored for the whole object."""

    size: int
    digests: frozenset[Digest]
    metadata: Mapping[str, str]


class Objects(Protocol):
    """Objects of the bucket. S3 is strongly consistent: what was written is read."""

    def put(self, key: str, data: bytes, *, digest: Digest | None = None, metadata: Mapping[str, str]) -> None:
        """Write an object; S3 itself refuses bytes that do not hash to `digest` and keeps it as the checksum."""
        ...

    def get(self, key: str) -> bytes | None:
        """All bytes of an object; None when it is not there."""
        ...

    def find(self, key: str) -> ObjectInfo | None:
        """Size, checksum and metadata; None when it is not there."""
        ...

    def list(self, prefix: str) -> tuple[str, ...]:
        """Return the first LISTED keys with a prefix, in byte order. One LIST."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; absent ones are no error."""
        ...

    def begin(self, key: str, *, metadata: Mapping[str, str]) -> str:
        """Start a multipart upload whose parts carry SHA-256 checksums; answers its id."""
        ...

    def put_part(self, key: str, multipart_id: str, number: int, data: bytes) -> Part:
        """Write a part (1 to 10,000). Raises MultipartGone when the upload was aborted or completed."""
        ...

    def complete(self, key: str, multipart_id: str, parts: Sequence[Part]) -> None:
        """Make the object of its parts. S3 checks that each is still the one named, by checksum.

        Idempotent: a completed upload stays completed. Raises MultipartGone when there is nothing to complete.
        """
        ...

    def abort(self, key: str, multipart_id: str) -> None:
        """Drop a multipart upload; an absent one is no error."""
        ...


class BlobUrls(Protocol):
    """Where clients fetch blobs from."""

    def presign(self, key: str, *, digest: Digest, method: str = "GET") -> str:
        """A URL that serves the object to whoever has it, for the configured time, ranges included. No call."""
        ...


class MultipartGone(Exception):
    """The multipart upload does not exist (any more), or its parts or waiting chunks are not those that were named."""
