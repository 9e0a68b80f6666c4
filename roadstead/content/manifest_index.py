"""Manifests, tags, referrers and repositories as the index knows them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from roadstead.content.blob_index import BlobLink
from roadstead.digest import Digest
from roadstead.names import RepositoryName, Tag
from roadstead.trail.entries import Event

MAX_INLINE_MANIFEST = 32 * 1024  # bytes; larger manifests are read from their object
MAX_TAGS_PER_COMMIT = 25  # each tag takes up to three of a transaction's 100 actions
MAX_TAGS_PER_REMOVAL = 31  # each tag takes up to three of them, beside six for its manifest


@dataclass(frozen=True, slots=True)
class TagEntry:
    """What a tag points to; enough to answer HEAD without reading the manifest."""

    tag: Tag
    digest: Digest
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """A manifest that stands. `generation` tells one commit of a digest from a later one; `key` is its object's.

    `at` and `listed` are the store's: the commit of an entry sets them.
    """

    digest: Digest
    media_type: str
    size: int
    generation: str
    key: str
    data: bytes | None = field(default=None, repr=False)
    subject: Digest | None = None
    marked: str | None = None
    at: int = field(default=0, compare=False)  # when it was pushed, in ms
    listed: bool = field(default=True, compare=False)  # whether lists show it, and counts count it, as an artifact


@dataclass(frozen=True, slots=True)
class Contents:
    """Which of the things asked for a repository has; links and manifests come without their bytes."""

    links: Mapping[Digest, BlobLink]
    manifests: Mapping[Digest, ManifestEntry]


@dataclass(frozen=True, slots=True)
class CommitSnapshot:
    """What a commit finds: the manifest and tags as they are, whether the repository exists, what is there."""

    manifest: ManifestEntry | None
    tags: Mapping[Tag, TagEntry]
    repository_exists: bool
    contents: Contents


@dataclass(frozen=True, slots=True)
class Referrer:
    """An entry of the referrers list: the descriptor itself, or the key of the manifest that it is made from."""

    digest: Digest
    descriptor: Mapping[str, Any] | None
    key: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Commit:
    """One push of a manifest, on the condition that nothing it stands on has changed since `found` was read."""

    repository: RepositoryName
    entry: ManifestEntry
    tags: tuple[Tag, ...]
    found: CommitSnapshot
    referrer: Referrer | None
    event: Event


class ManifestIndex(Protocol):
    """All reads are strongly consistent."""

    def find_tag(self, repository: RepositoryName, tag: Tag) -> TagEntry | None:
        """One read."""
        ...

    def find_manifest(self, repository: RepositoryName, digest: Digest) -> ManifestEntry | None:
        """One read; with the bytes when they are inline."""
        ...

    def read_snapshot(
        self,
        repository: RepositoryName,
        digest: Digest,
        tags: Collection[Tag],
        *,
        blobs: Collection[Digest],
        manifests: Collection[Digest],
    ) -> CommitSnapshot:
        """All that a commit stands on, in one batch for each 100 things asked for."""
        ...

    def read_contents(
        self, repository: RepositoryName, *, blobs: Collection[Digest], manifests: Collection[Digest]
    ) -> Contents:
        """Which of these the repository has."""
        ...

    def unmark_manifest(self, repository: RepositoryName, digest: Digest, mark: str | None = None) -> bool:
        """Remove the mark (any, or only `mark`); whether the manifest is there without it."""
        ...

    def write_uses(
        self,
        repository: RepositoryName,
        manifest: Digest,
        generation: str,
        needed: Collection[Digest],
        *,
        at: int,
        key: str,
    ) -> None:
        """Note what a commit is about to need, and its object as a candidate of the collector. Not atomic."""
        ...

    def remove_uses(
        self, repository: RepositoryName, manifest: Digest, generation: str, needed: Collection[Digest]
    ) -> None:
        """Take the notes of one generation back. Not atomic, idempotent."""
        ...

    def commit(self, commit: Commit) -> None:
        """One transaction: manifest (unless it stands already), tags, inverses, referrer, repository, event.

        Raises Conflict when what was found has changed.
        """
        ...

    def delete_tag(self, repository: RepositoryName, tag: Tag, digest: Digest, *, event: Event) -> None:
        """Remove a tag that points to `digest`. Raises Conflict when it does not (any more)."""
        ...

    def mark_manifest(self, repository: RepositoryName, digest: Digest, mark: str) -> ManifestEntry | None:
        """Note that a deletion is being considered; None when there is no such manifest. Tagging removes the mark."""
        ...

    def find_tags_of(self, repository: RepositoryName, digest: Digest) -> tuple[Tag, ...]:
        """Every tag that points to a manifest."""
        ...

    def remove_tags(self, repository: RepositoryName, digest: Digest, tags: Collection[Tag], *, event: Event) -> None:
        """Remove up to MAX_TAGS_PER_REMOVAL tags that point to `digest`, atomically, with the event that tells of it.

        Raises Conflict when one has moved.
        """
        ...

    def delete_manifest(
        self,
        repository: RepositoryName,
        entry: ManifestEntry,
        *,
        mark: str,
        event: Event,
        tags: Collection[Tag] = (),
        untag: Event | None = None,
    ) -> None:
        """Remove a manifest, its referrer entry and the last of its tags, atomically, if it still carries `mark`.

        At most MAX_TAGS_PER_REMOVAL `tags`, told of by `untag`. Raises Conflict when the mark is gone or a tag moved.
        """
        ...

    def repository_exists(self, repository: RepositoryName) -> bool:
        """One read."""
        ...

    def list_tags(self, repository: RepositoryName, *, after: str, limit: int) -> tuple[Tag, ...]:
        """Up to `limit` tags behind `after` (which need not exist), in byte order."""
        ...

    def list_repositories(self, *, after: str, limit: int) -> tuple[RepositoryName, ...]:
        """Up to `limit` repositories behind `after`, in byte order."""
        ...

    def list_referrers(self, repository: RepositoryName, subject: Digest, *, after: str) -> Iterator[Referrer]:
        """Referrers of `subject` in the byte order of their digests, read as they are consumed."""
        ...
