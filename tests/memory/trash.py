"""`TrashStore` in memory, over a `MemoryIndex`, whose deletions fill it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from roadstead.content.deletion.trash import DEFAULT_GRACE, Trashed, Unit
from roadstead.names import ProjectName
from roadstead.trail.entries import Event
from tests.memory.index import MemoryIndex


class MemoryTrash:
    def __init__(self, index: MemoryIndex) -> None:
        self._index = index

    def find_grace(self, project: ProjectName) -> int:
        return self._index.graces.get(project, DEFAULT_GRACE)

    def put_grace(self, project: ProjectName, grace: int, *, event: Event) -> None:
        self._index.graces[project] = grace
        self._index.events.append(event)

    def put_unit(self, unit: Unit) -> None:
        self._index.units[unit.id] = unit

    def units(self, project: ProjectName, *, before: str | None = None, limit: int = 100) -> Sequence[Unit]:
        if before is not None and not before[:13].isdigit():
            raise ValueError(before)
        found = [one for one in self._index.units.values() if one.project == project]
        return sorted((one for one in found if before is None or one.id < before), key=lambda one: one.id)[::-1][:limit]

    def find_unit(self, project: ProjectName, unit_id: str) -> Unit | None:
        unit = self._index.units.get(unit_id)
        return unit if unit is not None and unit.project == project else None

    def manifests(self, unit: Unit, *, after: str = "") -> Iterator[Trashed]:
        for key, one in sorted(self._index.trashed.items()):
            if one.unit == unit.id and key[0] == unit.repository and f"{one.digest}#{one.generation}" > after:
                yield one

    def remove(self, unit: Unit, manifests: Sequence[Trashed], *, at: int, event: Event | None = None) -> None:
        for one in manifests:
            self._index.trashed.pop((one.repository, one.digest, one.generation), None)
            self._index.candidates.append({"kind": "manifest", "repository": one.repository, "digest": one.digest})
        self._index.units.pop(unit.id, None)
        if event is not None:
            self._index.events.append(event)
