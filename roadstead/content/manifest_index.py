"""Manifests, tags, referrers and repositories in the index."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from roadstead.content.blob_index import BlobLink
from roadstead.content.commit_rules import CommitRules
from roadstead.content.deletion.trash import Trashed, TrashGrace, Unit
from roadstead.content.governing import Governing
from roadstead.digest import Digest
from roadstead.names import RepositoryName, Tag
from roadstead.trail.entries import Event

MAX_INLINE_MANIFEST = 32 * 1024  # bytes; larger manifests are read from their object
MAX_TAGS_PER_COMMIT = 25  # each tag takes up to three of a transaction's 100 actions
MAX_TAGS_PER_REMOVAL = 30  # each tag takes up to three of them, beside eight for its manifest


@dataclass(frozen=True, slots=True)
class TagEntry:
    """What a tag points to; enough to respond to HEAD without reading the manifest.

    `era` is the store's: the repository's (roadstead/content/repositories.py) when the tag was last set.
    """

    tag: Tag
    digest: Digest
    media_type: str
    size: int
    era: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """A committed manifest. `generation` distinguishes one commit of a digest from a later one; `key` is its object's.

    `at`, `era` and `listed` are the store's: the commit of an entry sets them.
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
    era: int = field(default=0, compare=False)  # the repository's when it was last pushed or tagged
    listed: bool = field(default=True, compare=False)  # whether lists show it, and counts count it, as an artifact


@dataclass(frozen=True, slots=True)
class Contents:
    """Which of the requested blobs and manifests a repository has; both come without their bytes."""

    links: Mapping[Digest, BlobLink]
    manifests: Mapping[Digest, ManifestEntry]


@dataclass(frozen=True, slots=True)
class CommitSnapshot:
    """What a commit is based on: the manifest and tags as read, whether the repository exists, and its contents.

    `era` is the repository's; 0 if there is none. What has `since` or a later era stands: the repository's own, or any
    if its last deletion was given up.
    """

    manifest: ManifestEntry | None
    tags: Mapping[Tag, TagEntry]
    repository_exists: bool
    contents: Contents
    governing: Governing = field(default_factory=Governing)
    era: int = field(default=0, compare=False)
    since: int = field(default=0, compare=False)

    @property
    def stands(self) -> bool:
        """Whether the manifest is there, and not left from before the repository's deletion."""
        return self.manifest is not None and self.manifest.era >= self.since


@dataclass(frozen=True, slots=True)
class Referrer:
    """An entry of the referrers list: the descriptor, or the key of the manifest that it is derived from."""

    digest: Digest
    descriptor: Mapping[str, Any] | None
    key: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Commit:
    """One push of a manifest, on the condition that nothing in `found` has changed since it was read."""

    repository: RepositoryName
    entry: ManifestEntry
    tags: tuple[Tag, ...]
    found: CommitSnapshot
    referrer: Referrer | None
    event: Event
    reserved: bool = False  # whether bytes are reserved for it under the entry's generation


class ManifestIndex(TrashGrace, Protocol):
    """All reads are strongly consistent."""

    @property
    def commit_rules(self) -> CommitRules:
        """What may forbid a commit or a removal. Whoever makes one asks before it writes."""
        ...

    def find_tag(self, repository: RepositoryName, tag: Tag) -> TagEntry | None:
        """Return the tag's entry, or None. One read."""
        ...

    def find_governed(
        self, repository: RepositoryName, tags: Collection[Tag] = ()
    ) -> tuple[Mapping[Tag, TagEntry], Governing]:
        """Return those of `tags` that exist, and what governs the repository: what a removal is based on. One read."""
        ...

    def find_manifest(self, repository: RepositoryName, digest: Digest) -> ManifestEntry | None:
        """Return the manifest, or None; with its bytes if they are inline. One read."""
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
        """Return everything that a commit is based on. One batch read for each 100 items."""
        ...

    def read_contents(
        self, repository: RepositoryName, *, blobs: Collection[Digest], manifests: Collection[Digest]
    ) -> Contents:
        """Return which of these the repository has. One batch read for each 100."""
        ...

    def unmark_manifest(self, repository: RepositoryName, digest: Digest, mark: str | None = None) -> bool:
        """Remove the mark (any, or only `mark`). Returns whether the manifest exists and is now unmarked."""
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
        """Write the uses of the commit that follows, and a candidate for the collector with its object. Not atomic."""
        ...

    def remove_uses(
        self, repository: RepositoryName, manifest: Digest, generation: str, needed: Collection[Digest]
    ) -> None:
        """Remove the uses of one generation. Not atomic; idempotent."""
        ...

    def commit(self, commit: Commit) -> None:
        """Write, in one transaction: the manifest (unless it is there), tags, inverses, referrer, repository, event.

        Manifest and tags have the repository's era from now on. If bytes are reserved for it, they stay reserved until
        they are counted. Raises Conflict if anything in `commit.found` has changed, a deletion of the repository has
        begun since it was read, or the reservation has lapsed.
        """
        ...

    def delete_tag(
        self, repository: RepositoryName, tag: Tag, digest: Digest, *, event: Event, unit: Unit | None = None
    ) -> None:
        """Remove a tag that points to `digest`. Raises Conflict if it does not, or no longer does.

        This and the next two write `unit`, if there is one, to the trash in the same transaction.
        """
        ...

    def mark_manifest(self, repository: RepositoryName, digest: Digest, mark: str) -> ManifestEntry | None:
        """Mark a manifest: its deletion is pending. Returns it, or None if absent. Tagging it removes the mark."""
        ...

    def find_tags_of(self, repository: RepositoryName, digest: Digest, *, era: int = 0) -> tuple[Tag, ...]:
        """Return every tag that points to a manifest and was set to it in `era` or later. One read for each MB."""
        ...

    def find_tag_times(self, repository: RepositoryName, digest: Digest) -> Mapping[Tag, int]:
        """Return every tag that points to a manifest, and when it was last set to it (ms). One read for each MB."""
        ...

    def remove_tags(
        self,
        repository: RepositoryName,
        digest: Digest,
        tags: Collection[Tag],
        *,
        event: Event,
        unit: Unit | None = None,
        member: ManifestEntry | None = None,
        before: int | None = None,
    ) -> None:
        """Remove up to MAX_TAGS_PER_REMOVAL tags that point to `digest`, atomically, and write the event.

        A `member` of the unit has its record in the trash from now on, with the unit's tags. Raises Conflict if one has
        moved or, with `before`, was set in that era or later.
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
        unit: Unit | None = None,
    ) -> None:
        """Remove a manifest, its referrer entry and the last of its tags, atomically, if it still carries `mark`.

        Takes up to MAX_TAGS_PER_REMOVAL `tags`, whose event is `untag`. Raises Conflict if the mark is gone or a tag
        has moved. With a `unit` the manifest goes to the trash, with the unit's tags or, in a repository's, `tags`;
        a repository's unit itself is not written.
        """
        ...

    def find_trashed(
        self, repository: RepositoryName, generations: Collection[tuple[Digest, str]]
    ) -> Mapping[tuple[Digest, str], Trashed]:
        """Return which generations of manifests are in the trash, expired ones too. One read for each 100."""
        ...

    def forget_trashed(self, trashed: Trashed) -> None:
        """Remove a manifest from the trash, and its unit unless that is a repository's. Idempotent, not atomic."""
        ...

    def repository_exists(self, repository: RepositoryName) -> bool:
        """Return whether a manifest was ever committed to the repository. One read."""
        ...

    def list_tags(self, repository: RepositoryName, *, after: str, limit: int) -> tuple[Tag, ...]:
        """Return up to `limit` tags after `after` (which need not exist), in byte order."""
        ...

    def list_repositories(self, *, after: str, limit: int) -> tuple[RepositoryName, ...]:
        """Return up to `limit` repositories after `after`, in byte order."""
        ...

    def list_referrers(self, repository: RepositoryName, subject: Digest, *, after: str) -> Iterator[Referrer]:
        """Yield the referrers of `subject` in byte order of their digests, reading as they are consumed."""
        ...
