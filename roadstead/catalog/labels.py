"""Labels: names with a color that people put on artifacts, for the whole registry or for one project.

A label is known by its id, and its name is unique in its scope. Which labels an artifact has is a set of ids beside it;
an id that no label has any more says nothing, so removing a label changes no artifact.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from roadstead.conflicts import retry_conflicts
from roadstead.digest import Digest
from roadstead.names import ProjectName, RepositoryName
from roadstead.trail.entries import Actor, Event, Operation
from roadstead.trail.events import EventMaker

MAX_LABELS = 1_000  # of a project, and of the registry
MAX_ASSIGNED = 50  # of one artifact
MAX_NAME, MAX_DESCRIPTION = 128, 1_024  # characters
_COLOR = re.compile(r"(#[0-9A-Fa-f]{3,8})?")
GLOBAL = 0  # the project id of a label of the registry


@dataclass(frozen=True, slots=True)
class Label:
    """`project_id` is GLOBAL for a label of the registry. Times in seconds since the epoch."""

    id: int
    project_id: int
    name: str
    description: str
    color: str
    created: int
    updated: int


class LabelStore(Protocol):
    """All reads are strongly consistent."""

    def create_label(self, label: Label, *, event: Event) -> Label:
        """Keep a new label under the next free id from its own on; return it. Raises NameTaken. Two transactions at
        most."""
        ...

    def find_label(self, id_: int) -> Label | None:
        """Two reads."""
        ...

    def list_labels(self, project_id: int) -> tuple[Label, ...]:
        """Return the labels of a project, or of the registry, by id. One Query."""
        ...

    def list_all_labels(self) -> tuple[Label, ...]:
        """Return every label, by project and id. One Query for each MB, about 6,000 labels."""
        ...

    def update_label(self, label: Label, *, replaces: Label, event: Event) -> None:
        """One transaction. Raises NameTaken; Conflict if `replaces` is not what is kept."""
        ...

    def delete_label(self, label: Label, *, event: Event) -> None:
        """One transaction. Raises Conflict if `label` is not what is kept."""
        ...

    def find_assigned(self, repository: RepositoryName, digests: Collection[Digest]) -> Mapping[Digest, frozenset[int]]:
        """Return the ids of the labels of artifacts; what has none is not there. One batch read for each 100."""
        ...

    def list_assigned(self, repository: RepositoryName) -> Mapping[Digest, frozenset[int]]:
        """Return the ids of the labels of all artifacts that have any. One Query for each MB."""
        ...

    def assign(
        self,
        repository: RepositoryName,
        digest: Digest,
        ids: frozenset[int],
        *,
        replaces: frozenset[int],
        event: Event,
    ) -> None:
        """Set an artifact's labels, while it is there: one transaction. Raises Conflict."""
        ...


class NameTaken(Exception):
    """Another label of the same scope has the name."""


class LabelRefused(Exception):
    """The change is not possible. The message is a sentence for a person."""


class LabelExists(LabelRefused):
    """There is a label of that name, or the artifact has the label."""


class Labels:
    """Changes labels in an actor's name. Every method raises LabelRefused."""

    def __init__(self, store: LabelStore, *, actor: Actor, clock: Callable[[], float]) -> None:
        self._store = store
        self._actor = actor
        self._clock = clock
        self._events = EventMaker(clock)

    def create(
        self, name: str, *, description: str, color: str, project: ProjectName | None = None, project_id: int = GLOBAL
    ) -> Label:
        _check(name, description, color)
        if len(self._store.list_labels(project_id)) >= MAX_LABELS:
            raise LabelRefused(f"there are {MAX_LABELS} labels already, which is the most; delete one first")
        now = int(self._clock())
        label = Label(0, project_id, name, description, color, now, now)
        try:
            return self._store.create_label(label, event=self._event(Operation.CREATE_LABEL, name, project))
        except NameTaken as error:
            raise _exists(name) from error

    def update(
        self, label: Label, *, name: str, description: str, color: str, project: ProjectName | None = None
    ) -> None:
        _check(name, description, color)

        def attempt() -> None:
            kept = self._store.find_label(label.id)
            if kept is None:
                raise LabelRefused(f"label {label.id} was deleted")
            changed = replace(kept, name=name, description=description, color=color, updated=int(self._clock()))
            event = self._event(Operation.CHANGE_LABEL, name, project)
            self._store.update_label(changed, replaces=kept, event=event)

        try:
            retry_conflicts(attempt, f"label {label.id}")
        except NameTaken as error:
            raise _exists(name) from error

    def delete(self, label: Label, *, project: ProjectName | None = None) -> None:
        """A label that has gone meanwhile is not an error."""

        def attempt() -> None:
            kept = self._store.find_label(label.id)
            if kept is not None:
                event = self._event(Operation.DELETE_LABEL, kept.name, project)
                self._store.delete_label(kept, event=event)

        retry_conflicts(attempt, f"label {label.id}")

    def add(self, repository: RepositoryName, digest: Digest, label: Label, *, known: Collection[int]) -> None:
        """Put a label on an artifact. `known` are the ids of labels that there are: others are dropped.

        Raises LabelExists if it is there.
        """

        def change(ids: frozenset[int]) -> frozenset[int]:
            if label.id in ids:
                raise LabelExists(f"the artifact has the label {label.name!r} already")
            kept = ids & frozenset(known)
            if len(kept) >= MAX_ASSIGNED:
                raise LabelRefused(f"an artifact has at most {MAX_ASSIGNED} labels; remove one first")
            return kept | {label.id}

        self._reassign(repository, digest, change, Operation.LABEL, label)

    def remove(self, repository: RepositoryName, digest: Digest, label: Label) -> None:
        """Take a label off an artifact. Raises LabelRefused if it is not there."""

        def change(ids: frozenset[int]) -> frozenset[int]:
            if label.id not in ids:
                raise LabelRefused(f"the artifact does not have the label {label.name!r}")
            return ids - {label.id}

        self._reassign(repository, digest, change, Operation.UNLABEL, label)

    def _reassign(
        self,
        repository: RepositoryName,
        digest: Digest,
        change: Callable[[frozenset[int]], frozenset[int]],
        operation: Operation,
        label: Label,
    ) -> None:
        def attempt() -> None:
            ids = self._store.find_assigned(repository, [digest]).get(digest, frozenset())
            event = self._events.make(
                operation, self._actor, repository, digest=digest, detail=f"label={label.id} name={label.name}"
            )
            self._store.assign(repository, digest, change(ids), replaces=ids, event=event)

        retry_conflicts(attempt, digest)

    def _event(self, operation: Operation, name: str, project: ProjectName | None) -> Event:
        return self._events.make(operation, self._actor, "", project=project or "", detail=f"name={name}")


def assigned_labels(labels: Iterable[Label], ids: Collection[int]) -> list[Label]:
    """Return those labels whose ids an artifact has, in their order."""
    return [label for label in labels if label.id in ids]


def _check(name: str, description: str, color: str) -> None:
    if not name.strip():
        raise LabelRefused("a label needs a name")
    if len(name) > MAX_NAME:
        raise LabelRefused(f"the name has {len(name)} characters; at most {MAX_NAME} are accepted")
    if not name.isprintable():
        raise LabelRefused("the name has a character that cannot be printed")
    if len(description) > MAX_DESCRIPTION:
        raise LabelRefused(f"the description has {len(description)} characters; at most {MAX_DESCRIPTION} are accepted")
    if _COLOR.fullmatch(color) is None:
        raise LabelRefused("the color must be empty, or # and three to eight hexadecimal digits")


def _exists(name: str) -> LabelExists:
    return LabelExists(f"there is a label {name!r} already")
