"""`TrashStore` on the index table (roadstead/aws/lifecycle/trash_items.py has the items)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from roadstead.aws.content.index_items import candidate_write, event_write
from roadstead.aws.lifecycle.trash_items import (
    find_grace,
    grace_key,
    trashed_from,
    trashed_key,
    unit_from,
    unit_key,
    unit_write,
)
from roadstead.aws.table import Table, Write, delete, put
from roadstead.content.deletion.trash import Trashed, Unit, UnitKind
from roadstead.names import ProjectName
from roadstead.trail.entries import Event

_AT_ONCE = 30  # manifests in a transaction, each with two writes


class DynamoTrash:
    def __init__(self, table: Table) -> None:
        self._table = table

    def find_grace(self, project: ProjectName) -> int:
        return find_grace(self._table, project)

    def put_grace(self, project: ProjectName, grace: int, *, event: Event) -> None:
        self._table.transact([put(grace_key(project), {"grace": grace}), event_write(event)])

    def put_unit(self, unit: Unit) -> None:
        self._table.write(unit_write(unit))

    def units(self, project: ProjectName, *, before: str | None = None, limit: int = 100) -> Sequence[Unit]:
        pk, after = f"trash#{project}", unit_key(project, before)[1] if before is not None else None
        return [unit_from(item) for item in self._table.query(pk, after=after, limit=limit, backward=True)]

    def find_unit(self, project: ProjectName, unit_id: str) -> Unit | None:
        try:
            item = self._table.get(unit_key(project, unit_id))
        except ValueError:
            return None
        return unit_from(item) if item is not None else None

    def manifests(self, unit: Unit, *, after: str = "") -> Iterator[Trashed]:
        prefix = f"trashed#{unit.digest}#" if unit.kind is UnitKind.MANIFEST else "trashed#"
        pk = trashed_key(unit.repository, "", "")[0]
        for item in self._table.query(pk, prefix=prefix, after=prefix + after if after else None):
            if item["unit"] == unit.id:
                yield trashed_from(item)

    def remove(self, unit: Unit, manifests: Sequence[Trashed], *, at: int, event: Event | None = None) -> None:
        for start in range(0, len(manifests), _AT_ONCE):
            self._table.transact([write for one in manifests[start : start + _AT_ONCE] for write in _gone(one, at)])
        told = [event_write(event)] if event is not None else []
        self._table.transact([delete(unit_key(unit.project, unit.id)), *told])


def _gone(one: Trashed, at: int) -> list[Write]:
    gone = {"repository": one.repository, "digest": one.digest, "generation": one.generation, "key": one.key}
    return [
        delete(trashed_key(one.repository, one.digest, one.generation)),
        candidate_write(at, "manifest", **gone),
    ]
