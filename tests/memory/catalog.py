"""`Pages`, `DerivedIndex` and `Walk` in memory, over a `MemoryIndex`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from roadstead.catalog.derived import KeptRepository, Names
from roadstead.catalog.pages import ArtifactRow, ArtifactTag, Counts, Details, RepositorySummary, TagRow, Totals
from roadstead.catalog.summaries import Summary
from roadstead.conflicts import Conflict
from roadstead.content.accessories import is_accessory
from roadstead.content.manifest_index import ManifestEntry
from roadstead.digest import Digest
from roadstead.names import ProjectName, RepositoryName
from roadstead.trail.pull_counts import Artifact, Pulls
from tests.memory.audit import MemoryPullCounts
from tests.memory.index import MemoryIndex

R = TypeVar("R", TagRow, ArtifactRow)
_Of = tuple[RepositoryName, Digest]


class MemoryCatalog:
    """All three Protocols, so that what one derives the other shows."""

    def __init__(self, index: MemoryIndex, pulls: MemoryPullCounts | None = None) -> None:
        self._index = index
        self._pulls = pulls or MemoryPullCounts()
        self._summaries: dict[_Of, Summary] = {}
        self._kept: dict[RepositoryName, KeptRepository] = {}
        self._owned: dict[ProjectName, dict[Digest, int]] = {}

    # Pages

    def tags_by_push(
        self, repository: RepositoryName, *, after: str | None, limit: int, oldest_first: bool = False
    ) -> tuple[TagRow, ...]:
        return _page(self._tags(repository), after, limit, oldest_first)

    def tags_by_name(
        self,
        repository: RepositoryName,
        *,
        after: str | None,
        limit: int,
        prefix: str = "",
        backward: bool = False,
    ) -> tuple[TagRow, ...]:
        rows = [row for row in self._tags(repository) if row.tag.startswith(prefix)]
        if after is not None:
            rows = [row for row in rows if (row.tag < after if backward else row.tag > after)]
        return tuple(sorted(rows, key=lambda row: row.tag, reverse=backward)[:limit])

    def artifacts_by_push(
        self, repository: RepositoryName, *, after: str | None, limit: int, oldest_first: bool = False
    ) -> tuple[ArtifactRow, ...]:
        return _page(self._artifacts(repository), after, limit, oldest_first)

    def count(self, repository: RepositoryName) -> Counts:
        return Counts(len(self._tags(repository)), len(self._artifacts(repository)))

    def details(self, repository: RepositoryName, digests: Collection[Digest]) -> Mapping[Digest, Details]:
        pulls = self._pulls.find(repository)
        return {digest: Details(self._summaries.get((repository, digest)), pulls.get(digest)) for digest in digests}

    def tags_of(
        self, repository: RepositoryName, digests: Collection[Digest], *, limit: int
    ) -> Mapping[Digest, tuple[ArtifactTag, ...]]:
        tags = self.all_tags(repository, limit=1_000_000)
        return {digest: tags.get(digest, ())[:limit] for digest in digests}

    def all_tags(self, repository: RepositoryName, *, limit: int) -> Mapping[Digest, tuple[ArtifactTag, ...]]:
        own = self._index.repositories.get(repository)
        found: dict[Digest, tuple[ArtifactTag, ...]] = {tag.digest: () for tag in own.tags.values()} if own else {}
        for row in sorted(self._tags(repository), key=lambda row: (row.digest, row.tag))[:limit]:
            found[row.digest] = (*found.get(row.digest, ()), ArtifactTag(row.tag, row.at))
        return found

    def all_summaries(self, repository: RepositoryName, *, limit: int) -> tuple[Summary, ...]:
        own = sorted((digest, one) for (name, digest), one in self._summaries.items() if name == repository)
        return tuple(one for _, one in own[:limit])

    def all_pulls(self, repository: RepositoryName) -> Mapping[Digest, Pulls]:
        return {Digest(digest): pulls for digest, pulls in self._pulls.find(repository).items()}

    def list_repositories(self, project: ProjectName) -> tuple[RepositorySummary, ...]:
        return tuple(self._repository(name) for name in self.list_names() if name.project == project)

    def last_updated(self, names: Collection[RepositoryName], *, limit: int) -> tuple[RepositorySummary, ...]:
        found = (self._repository(name) for name in self.list_names() if name in set(names))
        return tuple(sorted(found, key=lambda one: (-one.updated, one.name))[:limit])

    def count_repositories(self, projects: Collection[ProjectName]) -> Mapping[ProjectName, int]:
        names = self.list_names()
        return {project: sum(name.project == project for name in names) for project in projects}

    def totals_of(self, repositories: Collection[RepositoryName]) -> Mapping[RepositoryName, Totals]:
        return {
            name: Totals(self._kept[name].counts.artifacts if name in self._kept else 0, self._pulls.total(name).count)
            for name in repositories
        }

    def usage(self, projects: Collection[ProjectName]) -> Mapping[ProjectName, int]:
        return {project: used for project in projects if (used := self.used_bytes(project))}

    def list_names(self) -> tuple[RepositoryName, ...]:
        return self._index.list_repositories(after="", limit=1_000_000)

    def find_repositories_with(self, digest: Digest) -> dict[RepositoryName, bool]:
        manifests = {repository for repository, one in self._summaries if one == digest}
        links = {RepositoryName(name) for name, own in self._index.repositories.items() if digest in own.links}
        return {name: name in manifests for name in sorted(manifests | links)}

    # DerivedIndex

    def find_summary(self, repository: RepositoryName, digest: Digest) -> Summary | None:
        return self._summaries.get((repository, digest))

    def put_summary(self, repository: RepositoryName, summary: Summary, *, replaces: Summary | None) -> None:
        if self._summaries.get((repository, summary.digest)) != replaces:
            raise Conflict(summary.digest)
        self._summaries[repository, summary.digest] = summary

    def remove_summary(self, repository: RepositoryName, summary: Summary) -> None:
        if self._summaries.get((repository, summary.digest)) != summary:
            raise Conflict(summary.digest)
        del self._summaries[repository, summary.digest]

    def forget_pulls(self, repository: RepositoryName, digest: Digest) -> None:
        if self._index.find_manifest(repository, digest) is not None:
            raise Conflict(digest)
        self._pulls.forget([Artifact(repository, digest)])
        self._index.labelled.pop((repository, digest), None)

    def set_listed(self, repository: RepositoryName, entry: ManifestEntry, listed: bool) -> None:
        found = self._index.find_manifest(repository, entry.digest)
        if found is None or found.generation != entry.generation or found.listed == listed:
            raise Conflict(entry.digest)
        self._index.repositories[repository].manifests[entry.digest] = replace(found, listed=listed)

    def find_created(self, repository: RepositoryName) -> int | None:
        own = self._index.repositories.get(repository)
        return own.created if own is not None and own.exists else None

    def find_repository(self, repository: RepositoryName) -> KeptRepository | None:
        return self._kept.get(repository)

    def put_repository(self, repository: RepositoryName, kept: KeptRepository) -> None:
        self._kept[repository] = kept

    def remove_repository(self, repository: RepositoryName) -> None:
        self._kept.pop(repository, None)

    def find_owned(self, project: ProjectName, digests: Collection[Digest]) -> Mapping[Digest, int]:
        owned = self._owned.get(project, {})
        return {digest: owned[digest] for digest in digests if digest in owned}

    def repositories_with_blob(self, project: ProjectName, digest: Digest) -> Iterator[RepositoryName]:
        names = [RepositoryName(name) for name, own in self._index.repositories.items() if digest in own.links]
        yield from (name for name in names if name.project == project)

    def change_usage(self, project: ProjectName, *, own: Mapping[Digest, int], disown: Mapping[Digest, int]) -> None:
        owned = self._owned.setdefault(project, {})
        if own.keys() & owned.keys() or any(owned.get(digest) != size for digest, size in disown.items()):
            raise Conflict(project)
        self._owned[project] = {digest: size for digest, size in {**owned, **own}.items() if digest not in disown}

    def used_bytes(self, project: ProjectName) -> int:
        kept = [one.manifest_size for (name, _), one in self._summaries.items() if name.project == project]
        return sum(self._owned.get(project, {}).values()) + sum(kept)

    # Walk

    def names(self) -> Names:
        repositories = {*map(RepositoryName, self._index.repositories), *(name for name, _ in self._summaries)}
        projects = {*self._owned, *(repository.project for repository in repositories)}
        return Names(tuple(sorted(repositories)), tuple(sorted(projects)))

    def manifests(self, repository: RepositoryName) -> Iterator[Digest]:
        own = self._index.repositories.get(repository)
        yield from list(own.manifests) if own is not None else ()

    def summaries(self, repository: RepositoryName) -> Iterator[Digest]:
        yield from [digest for name, digest in self._summaries if name == repository]
        yield from [Digest(digest) for digest in self._pulls.find(repository)]

    def owned(self, project: ProjectName) -> Iterator[Digest]:
        yield from list(self._owned.get(project, {}))

    def recount(self, repository: RepositoryName) -> bool:
        return True  # nothing is kept that could be wrong

    def recount_usage(self, project: ProjectName) -> bool:
        return True

    def _tags(self, repository: RepositoryName) -> list[TagRow]:
        own = self._index.repositories.get(repository)
        if own is None:
            return []
        return [
            TagRow(tag, entry.digest, entry.media_type, entry.size, *own.pushes[tag])
            for tag, entry in own.tags.items()
            if not is_accessory(tag)
        ]

    def _artifacts(self, repository: RepositoryName) -> list[ArtifactRow]:
        own = self._index.repositories.get(repository)
        return [
            ArtifactRow(one.digest, one.media_type, one.size, one.at, own.pushed_by[one.digest])
            for one in (own.manifests.values() if own is not None else ())
            if one.listed and own is not None
        ]

    def _repository(self, name: RepositoryName) -> RepositorySummary:
        created = self._index.repositories[name].created
        kept = self._kept.get(name) or KeptRepository(created, created, self.count(name))
        pulls = self._pulls.total(name)
        counts = kept.counts
        description = self._index.repositories[name].description
        return RepositorySummary(
            name, created, kept.updated, counts.tags, counts.artifacts, pulls.count, pulls.last, description
        )


def _page(rows: list[R], after: str | None, limit: int, oldest_first: bool) -> tuple[R, ...]:
    if after is not None:
        rows = [row for row in rows if (row.place > after if oldest_first else row.place < after)]
    return tuple(sorted(rows, key=lambda row: row.place, reverse=not oldest_first)[:limit])
