"""What the indexer keeps: derived from the index, by whoever is told that something may have changed.

Nothing here is decided by what an event says. The indexer reads what is derived, reads what it is derived from, writes
the difference on a condition, and looks again until there is none (`roadstead.catalog.indexing`). So events may come
late, twice, in any order and at several indexers at once; only one that never comes leaves something stale.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from roadstead.catalog.pages import Counts
from roadstead.catalog.summaries import Summary
from roadstead.content.manifest_index import ManifestEntry
from roadstead.digest import Digest
from roadstead.names import ProjectName, RepositoryName

MAX_USAGE_CHANGES = 90


@dataclass(frozen=True, slots=True)
class KeptRepository:
    """What is kept of a repository; times in ms."""

    created: int
    updated: int
    counts: Counts


class DerivedIndex(Protocol):
    """All reads are strongly consistent. Conflict means: read again."""

    def find_summary(self, repository: RepositoryName, digest: Digest) -> Summary | None:
        """One read."""
        ...

    def put_summary(self, repository: RepositoryName, summary: Summary, *, replaces: Summary | None) -> None:
        """Keep a summary if `replaces` is what is kept: one transaction. Raises Conflict.

        A new one adds the manifest's bytes to the project's usage, and lets search find its digest.
        """
        ...

    def remove_summary(self, repository: RepositoryName, summary: Summary) -> None:
        """Drop a summary if it is what is kept, and what `put_summary` noted: one transaction. Raises Conflict."""
        ...

    def forget_pulls(self, repository: RepositoryName, digest: Digest) -> None:
        """Drop pull counts and labels while there is no such manifest: one transaction. Raises Conflict."""
        ...

    def set_listed(self, repository: RepositoryName, entry: ManifestEntry, listed: bool) -> None:
        """Show a manifest in lists, or no more, and count it so: one transaction. Raises Conflict if it is so already,
        or the manifest is not of that generation any more."""
        ...

    def count(self, repository: RepositoryName) -> Counts:
        """How many tags and artifacts there are. One Query."""
        ...

    def find_created(self, repository: RepositoryName) -> int | None:
        """When the repository was created, in ms; None where there is none. One read."""
        ...

    def find_repository(self, repository: RepositoryName) -> KeptRepository | None:
        """One read."""
        ...

    def put_repository(self, repository: RepositoryName, kept: KeptRepository) -> None:
        """One write."""
        ...

    def remove_repository(self, repository: RepositoryName) -> None:
        """One write."""
        ...

    def find_owned(self, project: ProjectName, digests: Collection[Digest]) -> Mapping[Digest, int]:
        """Return the sizes by which blobs count in a project's usage; what does not count is not there.

        One read for each 100.
        """
        ...

    def repositories_with_blob(self, project: ProjectName, digest: Digest) -> Iterator[RepositoryName]:
        """Yield the project's repositories that have a link to a blob. One read for each MB of them."""
        ...

    def change_usage(self, project: ProjectName, *, own: Mapping[Digest, int], disown: Mapping[Digest, int]) -> None:
        """Count blobs in a project's usage, and others no more: one transaction for up to MAX_USAGE_CHANGES.

        Raises Conflict if one of `own` counts already, or one of `disown` does not count by that size.
        """
        ...

    def used_bytes(self, project: ProjectName) -> int:
        """Bytes of a project's manifests, and of the blobs that they need, each once, as far as the indexer has come.

        One read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Names:
    """Every repository and project of which anything is stored or derived, in byte order."""

    repositories: tuple[RepositoryName, ...]
    projects: tuple[ProjectName, ...]


class Walk(Protocol):
    """Everything of the index, for a rebuild. Reads page after page as it is consumed."""

    def names(self) -> Names:
        """Those that no list has, too (blobs without a manifest yet, what is left of something deleted): one pass over
        all keys of the index."""
        ...

    def manifests(self, repository: RepositoryName) -> Iterator[Digest]: ...

    def summaries(self, repository: RepositoryName) -> Iterator[Digest]:
        """Digests of the summaries and pull counts that are kept, whether there is such a manifest or not."""
        ...

    def owned(self, project: ProjectName) -> Iterator[Digest]:
        """Blobs that count in the project's usage."""
        ...

    def recount(self, repository: RepositoryName) -> bool:
        """Compare the counts of tags and artifacts with what is there, write those that differ; whether all agreed.

        A count that changes meanwhile is left as it is. One walk over the repository's tags and manifests.
        """
        ...

    def recount_usage(self, project: ProjectName) -> bool:
        """The same for the project's usage: against the blobs and summaries that are counted in it."""
        ...
