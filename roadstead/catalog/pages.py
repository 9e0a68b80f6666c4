"""Pages of tags, artifacts and repositories, as people look through them.

Tags and artifacts are large sets: they have fixed orders, each read page by page behind a cursor at the same cost on
every page. Repositories of a project are a small set, read whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from roadstead.catalog.summaries import Summary
from roadstead.digest import Digest
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.trail.pull_counts import Pulls

MAX_DETAILS = 50  # artifacts whose summaries and pulls one read brings
TAGS_AT_ONCE = 1_000  # tags of a repository that one Query of `tags_of` reads


@dataclass(frozen=True, slots=True)
class TagRow:
    """A tag as pages show it. `at` is when it was last pushed, in ms; `by` who pushed it."""

    tag: Tag
    digest: Digest
    media_type: str
    size: int
    at: int
    by: str

    @property
    def place(self) -> str:
        """The cursor behind which the next page by push begins."""
        return f"{self.at:013d}#{self.tag}"


@dataclass(frozen=True, slots=True)
class ArtifactRow:
    """A manifest that lists show as an artifact. `at` is when it was pushed, in ms."""

    digest: Digest
    media_type: str
    size: int
    at: int
    by: str

    @property
    def place(self) -> str:
        """The cursor behind which the next page by push begins."""
        return f"{self.at:013d}#{self.digest}"


@dataclass(frozen=True, slots=True)
class ArtifactTag:
    """One of an artifact's tags; `at` is when it was last pushed, in ms."""

    tag: Tag
    at: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many tags and artifacts a repository has; cosign's tags, referrers and untagged children do not count."""

    tags: int
    artifacts: int


@dataclass(frozen=True, slots=True)
class Details:
    """What a page shows of an artifact beside its row; None where the indexer has not come to it, or nobody pulled."""

    summary: Summary | None = None
    pulls: Pulls | None = None


@dataclass(frozen=True, slots=True)
class RepositorySummary:
    """A repository as lists show it. Times in ms: `updated` is the last push or deletion, `last_pull` 0 for none."""

    name: RepositoryName
    created: int
    updated: int
    tags: int
    artifacts: int
    pulls: int = 0
    last_pull: int = 0
    description: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """What a search shows of a repository, as far as the indexer has come."""

    artifacts: int = 0
    pulls: int = 0


class Pages(Protocol):
    """Reads of the index for people. `limit` is at least 1; `after` a cursor, None for the first page.

    cost (read units)        calls                          10 tags    100,000 tags, a page of 50
    tags_by_push             1 Query of the index `by-push`  0.5        1 to 2, eventually consistent
    tags_by_name             1 Query                         1          3
    artifacts_by_push        1 Query of the index `by-push`  0.5        1 to 2, eventually consistent
    count                    1 Query                         1          3
    details of 50            1 BatchGetItem                             100 (one for each item)
    tags_of 10               1 Query                        1          up to 60: 1 Query, and 1 for each artifact
    all_summaries            1 Query for each MB                        about 800 artifacts
    all_tags                 1 Query for each MB                        about 5,000 tags
    all_pulls                1 Query for each MB                        about 3,000 artifacts
    """

    def tags_by_push(
        self, repository: RepositoryName, *, after: str | None, limit: int, oldest_first: bool = False
    ) -> tuple[TagRow, ...]:
        """Return tags, the last pushed first. A push is seen some milliseconds after it was accepted."""
        ...

    def tags_by_name(
        self,
        repository: RepositoryName,
        *,
        after: str | None,
        limit: int,
        prefix: str = "",
        backward: bool = False,
    ) -> tuple[TagRow, ...]:
        """Return tags that begin with `prefix` in byte order, or backward; `after` is the last tag of the page before.

        A page may be short where cosign's tags stand between: then its last tag still leads on.
        """
        ...

    def artifacts_by_push(
        self, repository: RepositoryName, *, after: str | None, limit: int, oldest_first: bool = False
    ) -> tuple[ArtifactRow, ...]:
        """Return artifacts, the last pushed first: no referrers, and children of indexes only if they have a tag."""
        ...

    def count(self, repository: RepositoryName) -> Counts:
        """Return how many there are, exactly; zeros for a repository that does not exist."""
        ...

    def details(self, repository: RepositoryName, digests: Collection[Digest]) -> Mapping[Digest, Details]:
        """Return summaries and pulls of up to MAX_DETAILS artifacts, an entry for each."""
        ...

    def tags_of(
        self, repository: RepositoryName, digests: Collection[Digest], *, limit: int
    ) -> Mapping[Digest, tuple[ArtifactTag, ...]]:
        """Return the first `limit` tags of each artifact by name, an entry for each; without cosign's.

        One Query where the repository has up to TAGS_AT_ONCE tags, else one more for each artifact, eight at a time.
        """
        ...

    def all_tags(self, repository: RepositoryName, *, limit: int) -> Mapping[Digest, tuple[ArtifactTag, ...]]:
        """Return every tag by its artifact; no more than the first `limit` of them by digest.

        Without cosign's: an artifact that has only those has an empty entry.
        """
        ...

    def all_summaries(self, repository: RepositoryName, *, limit: int) -> tuple[Summary, ...]:
        """Return the first `limit` summaries by digest: also those of children and referrers."""
        ...

    def all_pulls(self, repository: RepositoryName) -> Mapping[Digest, Pulls]:
        """Return the pulls of those artifacts that were pulled."""
        ...

    def list_repositories(self, project: ProjectName) -> tuple[RepositorySummary, ...]:
        """Return a project's repositories in byte order: three Queries, each for up to a MB (about 5,000).

        For a repository that was created a moment ago a Query more, of its counts.
        """
        ...

    def last_updated(self, names: Collection[RepositoryName], *, limit: int) -> tuple[RepositorySummary, ...]:
        """Return the `limit` of these repositories that were updated last, the last one first.

        Two reads for up to 100 names; for more one Query for each of their projects, eight at a time, and a read. A
        Query more for each that was created a moment ago.
        """
        ...

    def count_repositories(self, projects: Collection[ProjectName]) -> Mapping[ProjectName, int]:
        """Return how many repositories each project has: one Query each, or one for each MB of all names."""
        ...

    def totals_of(self, repositories: Collection[RepositoryName]) -> Mapping[RepositoryName, Totals]:
        """Return what repositories hold, an entry for each. One read for each 50."""
        ...

    def usage(self, projects: Collection[ProjectName]) -> Mapping[ProjectName, int]:
        """Return bytes in use as far as the indexer has come; a project without any is not there. One read for each
        100."""
        ...

    def list_names(self) -> tuple[RepositoryName, ...]:
        """Return every repository's name, for a search by substring: one Query for each MB, about 15,000 names."""
        ...

    def find_repositories_with(self, digest: Digest) -> Mapping[RepositoryName, bool]:
        """Return the repositories that have a digest: True where it is a manifest, False where a blob. Two Queries."""
        ...
