"""Which repository may serve which blob, and which object holds its bytes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

from roadstead.digest import Digest
from roadstead.names import RepositoryName
from roadstead.trail.entries import Event

MAX_INLINE_BLOB = 16 * 1024  # bytes; a smaller or equal blob is kept in the link item and served from there


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object whose bytes are proven to hash to a digest. `data` holds them if the index can."""

    key: str
    size: int
    data: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class BlobLink:
    """A repository may serve this blob. `marked` is set while a removal is pending.

    A mark is the time (ms, 13 digits) and a random part, so that two marks of the same millisecond differ.
    """

    digest: Digest
    size: int
    key: str
    data: bytes | None = field(default=None, repr=False)
    marked: str | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """A manifest, in one generation, needs a blob or child manifest. Written at `at` (ms), before the commit."""

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
        """Return the link, or None. One read."""
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

        If the digest already has an object, the link points to it and `stored` is surplus (the returned key differs
        from `stored.key`). Idempotent: the same upload and digest again return the link while it exists. Cancels a
        pending removal of the link. An upload is remembered as consumed as long as its object is served; that of a
        surplus object until `mark_expires` (epoch seconds), without end if that is None. Raises UploadConsumed if the
        upload was cancelled, or was consumed and its blob has been removed since.
        """
        ...

    def consume(self, repository: RepositoryName, digest: Digest, *, upload_id: str, key: str, at: int) -> bool:
        """Consume an upload without making a blob of it, so that its object (`key`) is never adopted; `at` in ms.

        The object becomes a candidate for the collector. Returns False if the upload was already consumed or cancelled.
        """
        ...

    def mount(self, source: RepositoryName, target: RepositoryName, digest: Digest, *, event: Event) -> BlobLink | None:
        """Let `target` serve a blob of `source`, atomically. Returns None if `source` does not have the blob."""
        ...

    def mark_link(self, repository: RepositoryName, digest: Digest, mark: str) -> BlobLink | None:
        """Mark the link: its removal is pending. Returns the marked link, or None if there is no link."""
        ...

    def unmark_link(self, repository: RepositoryName, digest: Digest, mark: str | None = None) -> bool:
        """Remove the mark (any, or only `mark`). Returns whether the link exists and is now unmarked."""
        ...

    def find_uses(self, repository: RepositoryName, digest: Digest, *, after: Use | None = None) -> tuple[Use, ...]:
        """Return up to 100 uses of a blob or child manifest, live or not, starting after `after`."""
        ...

    def unlink(self, repository: RepositoryName, digest: Digest, *, mark: str, event: Event) -> None:
        """Remove the link if it still carries `mark`. Raises Conflict otherwise."""
        ...
