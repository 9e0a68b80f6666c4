"""Which repository may serve which blob, and which object holds its bytes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

from roadstead.digest import Digest
from roadstead.names import RepositoryName
from roadstead.trail.entries import Event

MAX_INLINE_BLOB = 16 * 1024  # bytes; a blob up to this size is kept in the link item and answered from there


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object whose bytes are proven to hash to a digest; `data` holds them when they fit into the index."""

    key: str
    size: int
    data: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class BlobLink:
    """This repository may serve this blob. `marked` is there while its removal is being considered.

    A mark is the time (ms, 13 digits) and a random part: two that were set in the same millisecond still differ.
    """

    digest: Digest
    size: int
    key: str
    data: bytes | None = field(default=None, repr=False)
    marked: str | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """A manifest, in one generation, needs a blob or child manifest; written at `at` (ms), before its commit."""

    manifest: Digest
    generation: str
    at: int


class SpentUploads(Protocol):
    """Which uploads can no longer become a blob. All reads are strongly consistent."""

    def find_spent_uploads(self, upload_ids: Collection[str]) -> frozenset[str]:
        """Return those that were consumed or cancelled; neither state ever changes. One read for each 100."""
        ...

    def find_object_key(self, digest: Digest) -> str | None:
        """Return the key of the object that serves a digest, whichever repositories have it, or None. One read."""
        ...


class BlobIndex(SpentUploads, Protocol):
    """The links between repositories and blobs. All reads are strongly consistent."""

    def find_link(self, repository: RepositoryName, digest: Digest) -> BlobLink | None:
        """One read."""
        ...

    def link_object(
        self,
        repository: RepositoryName,
        digest: Digest,
        stored: StoredObject,
        *,
        upload_id: str,
        mark_expires: int | None,
        event: Event,
    ) -> BlobLink:
        """Turn an upload into a blob of the repository, atomically: link, inverse, object, consumed upload, event.

        Where the digest already has an object the link points there, and `stored` is surplus (the answer's key
        differs from `stored.key`). Idempotent: the same upload and digest again answers the link while it stands.
        Either way a pending removal of the link is called off.
        `mark_expires` (epoch seconds) bounds how long the upload is remembered as consumed; None keeps it.
        Raises UploadConsumed when the upload was cancelled, or consumed and its blob is gone since.
        """
        ...

    def consume(self, repository: RepositoryName, digest: Digest, *, upload_id: str, key: str, at: int) -> bool:
        """Use an upload up without making a blob of it, so that its object (`key`) is never adopted; `at` in ms.

        Its object becomes a candidate of the collector. False when the upload was used up or cancelled before.
        """
        ...

    def mount(self, source: RepositoryName, target: RepositoryName, digest: Digest, *, event: Event) -> BlobLink | None:
        """Let `target` serve a blob of `source`, atomically; None when `source` has no such blob."""
        ...

    def mark_link(self, repository: RepositoryName, digest: Digest, mark: str) -> BlobLink | None:
        """Note on the link that its removal is being considered; None when there is none."""
        ...

    def unmark_link(self, repository: RepositoryName, digest: Digest, mark: str | None = None) -> bool:
        """Remove the mark (any, or only `mark`); whether the link is there without it."""
        ...

    def find_uses(self, repository: RepositoryName, digest: Digest, *, after: Use | None = None) -> tuple[Use, ...]:
        """Up to 100 uses of a blob or child manifest, live or not, from behind `after`."""
        ...

    def unlink(self, repository: RepositoryName, digest: Digest, *, mark: str, event: Event) -> None:
        """Remove the link, if it still carries `mark`. Raises Conflict otherwise."""
        ...
