"""Deriving everything again from what is stored: after a restore, after an upgrade, or when in doubt.

Runs beside pushes and beside the indexer, may be stopped anywhere and run again: each step is the indexer's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from roadstead.catalog.derived import Walk
from roadstead.catalog.indexing import Indexer, Target
from roadstead.names import RepositoryName

_ROUNDS = 10  # comparisons of counts; each leaves out those that somebody changed meanwhile


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How much was looked at; `blobs` are those that count in a usage.

    `busy` names repositories and projects whose counts changed again and again.
    """

    repositories: int
    manifests: int
    blobs: int
    busy: tuple[str, ...] = ()


class Rebuild:
    def __init__(self, indexer: Indexer, walk: Walk) -> None:
        self._indexer = indexer
        self._walk = walk

    def run(self, report: Callable[[RepositoryName], object] = lambda _: None) -> Rebuilt:
        """Derive everything. `report` hears of each repository before it is looked at.

        Costs one pass over the keys of the index, about twelve reads for each manifest and four for each blob that a
        manifest needs, and no write where nothing is wrong.
        """
        manifests = blobs = 0
        names = self._walk.names()
        busy: list[str] = []
        for repository in names.repositories:
            report(repository)
            for digest in self._walk.manifests(repository):
                self._indexer.settle(Target(repository, digest))
                manifests += 1
            for digest in self._walk.summaries(repository):
                self._indexer.settle(Target(repository, digest))  # of manifests that are gone
            if not _agrees(lambda repository=repository: self._walk.recount(repository)):  # type: ignore[misc]
                busy.append(repository)
            self._indexer.settle(Target(repository))
        for project in names.projects:
            owned = list(self._walk.owned(project))
            self._indexer.settle_blobs(project, owned)
            blobs += len(owned)
            if not _agrees(lambda project=project: self._walk.recount_usage(project)):  # type: ignore[misc]
                busy.append(project)
        return Rebuilt(len(names.repositories), manifests, blobs, tuple(busy))


def _agrees(compare: Callable[[], bool]) -> bool:
    return any(compare() for _ in range(_ROUNDS))
