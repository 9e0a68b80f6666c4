"""Comparing what counts in the usage of projects with what exists.

The indexer counts what events tell it of. An event that never came, or one that nothing could be derived from, leaves a
count behind that no later one corrects. This goes through everything, page by page: first through the repositories of a
project, then through the blobs that are counted in it; then it adds up. Every page is looked at by itself, from a place
that a checkpoint can keep, and needs the same memory in every registry.

It runs beside pushes, deletions and the indexer. What is counted is right a moment after a change, so whoever finds a
difference has to look `again`: what still differs then was not about to be counted. Sums of many items are
compared only where the version of the count says that nothing has changed while they were added up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from roadstead.catalog.derived import DerivedIndex
from roadstead.catalog.indexing import HOPELESS, Indexer, Target
from roadstead.conflicts import Throttled
from roadstead.content.manifest_index import ManifestIndex
from roadstead.digest import Digest
from roadstead.names import ProjectName, RepositoryName
from roadstead.parallel import each

PAGE = 100  # items, of which each may take some reads
SUMMED = 1_000  # items that are only added up
_TRIES = 3  # at adding up a project that changes meanwhile
_BYTES = "bytes"
_log = logging.getLogger(__name__)


class Kind(StrEnum):
    """What a difference is about."""

    MANIFEST = "manifest"  # bytes of a manifest
    BLOB = "blob"  # bytes of a blob, which counts while manifests of the project need it
    ARTIFACT = "artifact"  # whether a manifest counts as an artifact of its own
    SHARD = "shard"  # a part of a repository's number of artifacts
    REPOSITORY = "repository"  # the number of a repository's artifacts, as the project's usage has it
    TOTAL = "total"  # bytes of a project: what it is charged, against the sum of what counts

    @property
    def unit(self) -> str:
        return _BYTES if self in (Kind.MANIFEST, Kind.BLOB, Kind.TOTAL) else "artifacts"


# Corrected in this order: sums of what counts, while they are those that were compared; then what counts.
_SUMS = (Kind.SHARD, Kind.TOTAL)


@dataclass(frozen=True, slots=True)
class Difference:
    """`what` is a digest or a shard; `version` is that of a sum when it was compared."""

    kind: Kind
    project: ProjectName
    repository: RepositoryName | None
    what: str
    counted: int
    there: int
    version: str = ""

    def __str__(self) -> str:
        where = " ".join(one for one in (self.repository or self.project, self.what) if one)
        return f"{self.kind} {where}: {self.counted} {self.kind.unit} counted, {self.there} there"


@dataclass(frozen=True, slots=True)
class Tally:
    """A count and its version, which changes with every change of the count; empty where there is none."""

    count: int = 0
    version: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A manifest; `shard` is the part of the repository's count that it belongs to, if it is `listed`."""

    digest: Digest
    shard: str
    listed: bool
    has_subject: bool


class UsageWalk(Protocol):
    """Everything that counts, page by page, in byte order. All reads are strongly consistent."""

    def next_project(self, after: str) -> ProjectName | None:
        """Return the next project after a name. One read."""
        ...

    def next_repository(self, project: ProjectName, after: str) -> RepositoryName | None:
        """Return the project's next repository after a name: one that is listed, or of which something may be left.

        Three reads.
        """
        ...

    def manifests(self, repository: RepositoryName, after: str) -> Sequence[Standing]:
        """Return the next PAGE manifests after a digest. One read for each MB of them."""
        ...

    def links(self, repository: RepositoryName, after: str) -> Mapping[Digest, int]:
        """Return the next PAGE blobs that a repository serves, with their sizes. One read for each MB of them."""
        ...

    def summaries(self, repository: RepositoryName, after: str, *, limit: int) -> Mapping[Digest, int]:
        """Return the next manifests that count, with their sizes. One read for each MB of their summaries."""
        ...

    def find_summarized(self, repository: RepositoryName, digests: Collection[Digest]) -> frozenset[Digest]:
        """Return those of PAGE manifests that count. One read."""
        ...

    def owned(self, project: ProjectName, after: str, *, limit: int) -> Mapping[Digest, int]:
        """Return the next blobs that count in a project, with their sizes. One read."""
        ...

    def shards(self, repository: RepositoryName) -> Mapping[str, Tally]:
        """Return the parts of a repository's number of artifacts. One read."""
        ...

    def usage(self, project: ProjectName) -> Tally:
        """Return the bytes that a project is charged. One read."""
        ...

    def correct_shard(self, repository: RepositoryName, shard: str, right: int, *, version: str) -> bool:
        """Set a part of the number of artifacts if it has still this version; return whether it is set. One write."""
        ...

    def correct_usage(self, project: ProjectName, right: int, *, version: str) -> bool:
        """The same for the bytes that a project is charged."""
        ...


Place = Mapping[str, Any]  # how far it came, as JSON; empty at the beginning


@dataclass(frozen=True, slots=True)
class Page:
    """`place` is where the next page begins, None at the end. `projects` have been begun with it; `changing` are counts
    that changed while they were compared, so that nothing can be said of them."""

    place: Place | None
    differences: tuple[Difference, ...] = ()
    projects: int = 0
    changing: int = 0


class UsageAudit:
    def __init__(self, walk: UsageWalk, derived: DerivedIndex, manifests: ManifestIndex, indexer: Indexer) -> None:
        self._walk = walk
        self._derived = derived
        self._manifests = manifests
        self._indexer = indexer
        self._parts: dict[str, Callable[[dict[str, Any]], Page]] = {
            "": self._next_project,
            "repositories": self._next_repository,
            "manifests": self._compare_manifests,
            "summaries": self._compare_summaries,
            "links": self._compare_links,
            "owned": self._compare_owned,
            "sum": self._begin_sum,
            "sum-owned": self._add_owned,
            "sum-repositories": self._next_to_add,
            "sum-summaries": self._add_summaries,
        }

    def page(self, place: Place) -> Page:
        """Compare a page.

        Costs for each manifest a read, or three if it has no tag; for each blob that counts in a project four; for each
        100 of either three more, and three for each repository. Then one for each 1,000 of what is added up.
        """
        return self._parts[place.get("part", "")](dict(place))

    def again(self, differences: Iterable[Difference]) -> tuple[Difference, ...]:
        """Return those of some differences that are as they were. Up to six reads for each."""
        return tuple(one for one in differences if self._look(one) == one)

    def repair(self, differences: Iterable[Difference]) -> int:
        """Count anew what differs; return how many were repaired. Each takes what the indexer takes for it.

        A sum that has changed since it was compared stays, and so does what the indexer cannot derive.
        """
        ordered = sorted(differences, key=lambda one: (one.kind not in _SUMS, one.kind is Kind.REPOSITORY))
        repaired = sum(self._repair(one) for one in ordered)
        for repository in dict.fromkeys(one.repository for one in ordered if one.kind.unit != _BYTES):
            if repository is not None:
                self._settle(Target(repository))  # shows what its corrected parts add up to
        return repaired

    def _repair(self, one: Difference) -> bool:
        if one.kind is Kind.TOTAL:
            return self._walk.correct_usage(one.project, one.there, version=one.version)
        if one.repository is None:
            return self._attempt(lambda: self._indexer.settle_blobs(one.project, [Digest(one.what)]), one)
        if one.kind is Kind.SHARD:
            return self._walk.correct_shard(one.repository, one.what, one.there, version=one.version)
        return self._settle(Target(one.repository, Digest(one.what) if one.what else None))

    def _settle(self, target: Target) -> bool:
        return self._attempt(lambda: self._indexer.settle(target), target)

    def _attempt(self, settle: Callable[[], None], what: object) -> bool:
        try:
            settle()
        except (Throttled, *HOPELESS):
            _log.exception("%s cannot be counted", what)
            return False
        return True

    def _look(self, one: Difference) -> Difference | None:
        """Return a difference as it is now, None if there is none."""
        if one.kind is Kind.TOTAL:
            return one if self._walk.usage(one.project) == Tally(one.counted, one.version) else None
        if one.repository is None:
            return self._blob(one.project, Digest(one.what))
        if one.kind is Kind.SHARD:
            found = self._walk.shards(one.repository).get(one.what, Tally())
            return one if found == Tally(one.counted, one.version) else None
        if one.kind is Kind.REPOSITORY:
            return self._repository(one.repository)
        look = self._artifact if one.kind is Kind.ARTIFACT else self._manifest
        return look(one.repository, Digest(one.what))

    def _manifest(self, repository: RepositoryName, digest: Digest) -> Difference | None:
        entry, kept = self._manifests.find_manifest(repository, digest), self._derived.find_summary(repository, digest)
        counts = entry is not None and (kept is not None or self._indexer.can_count(entry))
        there = entry.size if entry is not None and counts else 0
        counted = kept.manifest_size if kept is not None else 0
        return _differing(Difference(Kind.MANIFEST, repository.project, repository, digest, counted, there))

    def _artifact(self, repository: RepositoryName, digest: Digest) -> Difference | None:
        entry = self._manifests.find_manifest(repository, digest)
        if entry is None:
            return None
        shown = self._indexer.shows(repository, digest, has_subject=entry.subject is not None)
        return _differing(
            Difference(Kind.ARTIFACT, repository.project, repository, digest, int(entry.listed), int(shown))
        )

    def _repository(self, repository: RepositoryName) -> Difference | None:
        kept, created = self._derived.find_repository(repository), self._derived.find_created(repository)
        there = self._derived.count(repository).artifacts if created is not None else 0
        counted = kept.counts.artifacts if kept is not None else 0
        return _differing(Difference(Kind.REPOSITORY, repository.project, repository, "", counted, there))

    def _blob(self, project: ProjectName, digest: Digest) -> Difference | None:
        counted = self._derived.find_owned(project, [digest]).get(digest, 0)
        return self._needed(project, digest, counted)

    def _needed(
        self, project: ProjectName, digest: Digest, counted: int, *, by: RepositoryName | None = None
    ) -> Difference | None:
        """Compare what counts for a blob with its size, if a manifest needs it: where several repositories have such
        manifests, only with the first of them as `by`, so that nothing is reported twice."""
        need = self._indexer.find_need(project, digest)
        if by is not None and (need is None or need[0] != by):
            return None
        there = need[1] if need is not None else 0
        return _differing(Difference(Kind.BLOB, project, None, digest, counted, there))

    # The parts, in their order. Each takes a place, and says where the next page begins.

    def _next_project(self, place: dict[str, Any]) -> Page:
        name = self._walk.next_project(place.get("project", ""))
        if name is None:
            return Page(None)
        return Page({"project": name, "part": "repositories", "repository": ""}, projects=1)

    def _next_repository(self, place: dict[str, Any]) -> Page:
        project = ProjectName(place["project"])
        name = self._walk.next_repository(project, place["repository"])
        if name is None:
            return Page({"project": project, "part": "owned", "after": ""})
        versions = {shard: tally.version for shard, tally in self._walk.shards(name).items()}
        begun = {"part": "manifests", "after": "", "versions": versions, "listed": {}}
        return Page({"project": project, "repository": name, **begun})

    def _compare_manifests(self, place: dict[str, Any]) -> Page:
        repository = RepositoryName(place["repository"])
        found = self._walk.manifests(repository, place["after"])
        if not found:
            return self._compare_artifacts(place, repository)
        listed: dict[str, int] = dict(place["listed"])
        for one in found:
            if one.listed:
                listed[one.shard] = listed.get(one.shard, 0) + 1
        kept = self._walk.find_summarized(repository, [one.digest for one in found])
        shown = each(lambda one: self._indexer.shows(repository, one.digest, has_subject=one.has_subject), found)
        differences = [self._manifest(repository, one.digest) for one in found if one.digest not in kept]
        differences += [
            self._artifact(repository, one.digest) for one, is_shown in zip(found, shown, strict=True)
            if one.listed != is_shown
        ]  # fmt: skip
        return Page({**place, "after": found[-1].digest, "listed": listed}, _found(differences))

    def _compare_artifacts(self, place: dict[str, Any], repository: RepositoryName) -> Page:
        """The numbers of artifacts, of those parts that were left alone while the manifests were read."""
        before, listed, tallies = place["versions"], place["listed"], self._walk.shards(repository)
        differences, changing = [self._repository(repository)], 0
        for shard in sorted({*before, *listed, *tallies}):
            tally = tallies.get(shard, Tally())
            if tally.version != before.get(shard, ""):
                changing += 1
                continue
            differences.append(
                _differing(
                    Difference(
                        Kind.SHARD, repository.project, repository, shard, tally.count, listed.get(shard, 0),
                        tally.version,
                    )
                )
            )  # fmt: skip
        return Page(_within(place, "summaries"), _found(differences), changing=changing)

    def _compare_summaries(self, place: dict[str, Any]) -> Page:
        repository = RepositoryName(place["repository"])
        found = self._walk.summaries(repository, place["after"], limit=PAGE)
        if not found:
            return Page(_within(place, "links"))
        standing = self._manifests.read_contents(repository, blobs=(), manifests=found).manifests
        differences = [self._manifest(repository, digest) for digest in found if digest not in standing]
        return Page({**place, "after": list(found)[-1]}, _found(differences))

    def _compare_links(self, place: dict[str, Any]) -> Page:
        repository = RepositoryName(place["repository"])
        found = self._walk.links(repository, place["after"])
        if not found:
            return Page({"project": place["project"], "part": "repositories", "repository": repository})
        owned = self._derived.find_owned(repository.project, found)
        differences = each(
            lambda digest: self._needed(repository.project, digest, 0, by=repository),
            [digest for digest in found if digest not in owned],
        )
        return Page({**place, "after": list(found)[-1]}, _found(differences))

    def _compare_owned(self, place: dict[str, Any]) -> Page:
        project = ProjectName(place["project"])
        found = self._walk.owned(project, place["after"], limit=PAGE)
        if not found:
            return Page({"project": project, "part": "sum", "tries": 1})
        differences = each(lambda one: self._needed(project, *one), found.items())
        return Page({**place, "after": list(found)[-1]}, _found(differences))

    def _begin_sum(self, place: dict[str, Any]) -> Page:
        usage = self._walk.usage(ProjectName(place["project"]))
        return Page({**place, "part": "sum-owned", "after": "", "version": usage.version, "sum": 0})

    def _add_owned(self, place: dict[str, Any]) -> Page:
        found = self._walk.owned(ProjectName(place["project"]), place["after"], limit=SUMMED)
        if not found:
            return Page({**place, "part": "sum-repositories", "repository": ""})
        return Page(_added(place, found))

    def _next_to_add(self, place: dict[str, Any]) -> Page:
        name = self._walk.next_repository(ProjectName(place["project"]), place["repository"])
        if name is None:
            return self._compare_sum(place)
        return Page({**place, "part": "sum-summaries", "repository": name, "after": ""})

    def _add_summaries(self, place: dict[str, Any]) -> Page:
        found = self._walk.summaries(RepositoryName(place["repository"]), place["after"], limit=SUMMED)
        if not found:
            return Page({**place, "part": "sum-repositories"})
        return Page(_added(place, found))

    def _compare_sum(self, place: dict[str, Any]) -> Page:
        project, following = ProjectName(place["project"]), {"project": place["project"]}
        usage = self._walk.usage(project)
        if usage.version != place["version"]:
            if place["tries"] < _TRIES:
                return Page({**following, "part": "sum", "tries": place["tries"] + 1})
            return Page(following, changing=1)
        one = Difference(Kind.TOTAL, project, None, "", usage.count, place["sum"], usage.version)
        return Page(following, _found([_differing(one)]))


def _within(place: Place, part: str) -> Place:
    """The beginning of another part of the same repository."""
    return {"project": place["project"], "repository": place["repository"], "part": part, "after": ""}


def _added(place: Place, found: Mapping[Digest, int]) -> Place:
    return {**place, "after": list(found)[-1], "sum": place["sum"] + sum(found.values())}


def _differing(one: Difference) -> Difference | None:
    return one if one.counted != one.there else None


def _found(differences: Iterable[Difference | None]) -> tuple[Difference, ...]:
    return tuple(one for one in differences if one is not None)
