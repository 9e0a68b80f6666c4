"""The trash of a project: what was deleted, for how long, and emptying it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from roadstead.content.deletion.trash import MAX_GRACE, Trashed, TrashGrace, Unit
from roadstead.lifecycle.executions.executions import Execution, Step
from roadstead.names import ProjectName
from roadstead.trail.entries import Actor, Event, Operation
from roadstead.trail.events import EventMaker

EMPTY = "empty-trash"  # a kind of executions
_PAGE = 100
_PER_STEP = 20  # units
_NAMED = 25  # tags of a unit, in its event


class TrashStore(TrashGrace, Protocol):
    """All reads are strongly consistent. Expired units are there until somebody removes them."""

    def put_grace(self, project: ProjectName, grace: int, *, event: Event) -> None:
        """Set the grace period of later deletions, in seconds."""
        ...

    def put_unit(self, unit: Unit) -> None:
        """Write the unit of a repository's deletion, before its manifests go."""
        ...

    def units(self, project: ProjectName, *, before: str | None = None, limit: int = 100) -> Sequence[Unit]:
        """Return up to `limit` units older than the one with the id `before`, newest first. Raises ValueError."""
        ...

    def find_unit(self, project: ProjectName, unit_id: str) -> Unit | None: ...

    def manifests(self, unit: Unit, *, after: str = "") -> Iterator[Trashed]:
        """Yield the manifests of a unit in the order of digest and generation, after `<digest>#<generation>`."""
        ...

    def remove(self, unit: Unit, manifests: Sequence[Trashed], *, at: int, event: Event | None = None) -> None:
        """Remove manifests from the trash, each with a candidate for the collector of `at` (ms), then the unit.

        Idempotent; the event is written with the unit's removal.
        """
        ...


class Trash:
    def __init__(self, store: TrashStore, events: EventMaker) -> None:
        self._store = store
        self._events = events

    def grace(self, project: ProjectName) -> int:
        """Return for how many seconds deletions can be undone."""
        return self._store.find_grace(project)

    def set_grace(self, project: ProjectName, grace: int, *, actor: Actor) -> None:
        """Set it for later deletions; what is in the trash keeps its end. Raises ValueError, with a sentence."""
        if not 0 <= grace <= MAX_GRACE:
            raise ValueError(f"the grace period is from 0 (nothing can be restored) to {MAX_GRACE} seconds")
        event = self._events.make(Operation.CHANGE_TRASH, actor, "", project=project, detail=f"grace={grace}")
        self._store.put_grace(project, grace, event=event)

    def list(
        self, project: ProjectName, *, before: str | None = None, limit: int = _PAGE, repository: str = ""
    ) -> Sequence[Unit]:
        """Return units that can be restored, newest first, of all repositories or of one. Raises ValueError."""
        found: list[Unit] = []
        while len(found) < limit:
            page = self._store.units(project, before=before, limit=_PAGE)
            found += [one for one in page if self._stands(one) and repository in ("", one.repository)]
            if len(page) < _PAGE:
                break
            before = page[-1].id
        return found[:limit]

    def find(self, project: ProjectName, unit_id: str) -> Unit | None:
        """Return a unit that can be restored, or None."""
        unit = self._store.find_unit(project, unit_id)
        return unit if unit is not None and self._stands(unit) else None

    def empty(self, unit: Unit, *, actor: Actor) -> None:
        """Remove a unit for good: the collector frees what only it kept, a grace period of its own later."""
        tags = unit.tags[:_NAMED]
        event = self._events.make(
            Operation.EMPTY_TRASH, actor, unit.repository, digest=unit.digest or "", tags=tags, detail=f"unit={unit.id}"
        )
        self._store.remove(unit, list(self._store.manifests(unit)), at=self._events.now_ms(), event=event)

    def _stands(self, unit: Unit) -> bool:
        return unit.expires > self._events.now_ms()


class EmptyWork:
    """Empties the trash of a project, or with the parameter `unit` one unit of it."""

    def __init__(self, store: TrashStore, events: EventMaker) -> None:
        self._store = store
        self._trash = Trash(store, events)

    def step(self, execution: Execution) -> Step:
        project, wanted = ProjectName(execution.scope), execution.parameters.get("unit")
        if wanted is not None:
            unit = self._store.find_unit(project, str(wanted))
            page: Sequence[Unit] = [unit] if unit is not None else []
        else:
            # What was deleted later than this was asked for stays.
            page = self._store.units(project, before=f"{execution.created + 1:013d}-0", limit=_PER_STEP)
        for unit in page:
            self._trash.empty(unit, actor=execution.actor)
        count = execution.progress.get("units", 0) + len(page)
        return Step({"begun": True}, {"units": count}, done=wanted is not None or not page)
