"""`ProjectUsage` in memory, over a `MemoryIndex`, in which tests set what is used."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from roadstead.conflicts import Conflict
from roadstead.content.governing import Governing
from roadstead.digest import Digest
from roadstead.lifecycle.policy.quotas import Reservation, Standing
from roadstead.names import ProjectName, RepositoryName
from roadstead.trail.entries import Event

COMMITTED = 2**53  # `expires` of a reservation that lasts

if TYPE_CHECKING:
    from tests.memory.index import MemoryIndex


class MemoryProjectUsage:
    def __init__(self, index: MemoryIndex) -> None:
        self._index = index

    def find_owned(self, project: ProjectName, digests: Collection[Digest]) -> Mapping[Digest, int]:
        owned = self._index.owned.get(project, {})
        return {digest: owned[digest] for digest in digests if digest in owned}

    def count_repositories(self, project: ProjectName) -> int:
        with self._index.lock:
            there = [RepositoryName(name) for name, own in self._index.repositories.items() if own.exists]
            return sum(1 for name in there if name.project == project)

    def count_artifacts(self, project: ProjectName) -> int:
        with self._index.lock:
            return sum(
                sum(entry.listed for entry in own.manifests.values())
                for name, own in self._index.repositories.items()
                if RepositoryName(name).project == project
            )

    def find_standing(self, project: ProjectName) -> tuple[Governing, Standing]:
        with self._index.lock:
            return self._index.governing(project), self._index.standings.get(project, Standing())

    def reserve(self, reservation: Reservation) -> None:
        with self._index.lock:
            self._index.reserved[reservation.generation] = reservation

    def reserved_bytes(self, project: ProjectName, *, now: int) -> int:
        with self._index.lock:
            return sum(
                one.size
                for one in self._index.reserved.values()
                if one.repository.project == project and one.expires >= now
            )

    def unreserve(self, project: ProjectName, generation: str) -> None:
        with self._index.lock:
            self._index.reserved.pop(generation, None)

    def release_counted(self, project: ProjectName, *, now: int) -> None:
        """In memory nobody counts: committed reservations stay while their manifests do."""
        with self._index.lock:
            for one in list(self._index.reserved.values()):
                entry = self._index.find_manifest(one.repository, one.digest)
                stands = entry is not None and entry.generation == one.generation
                if one.expires < now or (one.expires == COMMITTED and not stands):
                    del self._index.reserved[one.generation]

    def put_standing(self, project: ProjectName, standing: Standing, event: Event | None) -> None:
        with self._index.lock:
            if self._index.standings.get(project, Standing()).version != standing.version:
                raise Conflict(project)
            self._index.standings[project] = replace(standing, version=standing.version + 1)
            if event is not None:
                self._index.events.append(event)
