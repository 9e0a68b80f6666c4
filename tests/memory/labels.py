"""`LabelStore` in memory, over a `MemoryIndex`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from roadstead.catalog.labels import Label, NameTaken
from roadstead.conflicts import Conflict
from roadstead.digest import Digest
from roadstead.ids import clock_id
from roadstead.names import RepositoryName
from roadstead.trail.entries import Event
from tests.memory.index import MemoryIndex


class MemoryLabels:
    def __init__(self, index: MemoryIndex) -> None:
        self._index = index
        self._labels: dict[int, Label] = {}
        self._claimed: set[int] = set()

    def create_label(self, label: Label, *, event: Event) -> Label:
        with self._index.lock:
            self._check_name(label)
            id_ = max([clock_id(label.created), *(claimed + 1 for claimed in self._claimed)])
            self._claimed.add(id_)
            self._labels[id_] = replace(label, id=id_)
            self._index.events.append(event)
            return self._labels[id_]

    def find_label(self, id_: int) -> Label | None:
        return self._labels.get(id_)

    def list_labels(self, project_id: int) -> tuple[Label, ...]:
        return tuple(label for _, label in sorted(self._labels.items()) if label.project_id == project_id)

    def list_all_labels(self) -> tuple[Label, ...]:
        return tuple(sorted(self._labels.values(), key=lambda one: (one.project_id, one.id)))

    def update_label(self, label: Label, *, replaces: Label, event: Event) -> None:
        with self._index.lock:
            self._check(replaces)
            self._check_name(label)
            self._labels[label.id] = label
            self._index.events.append(event)

    def delete_label(self, label: Label, *, event: Event) -> None:
        with self._index.lock:
            self._check(label)
            del self._labels[label.id]
            self._index.events.append(event)

    def find_assigned(self, repository: RepositoryName, digests: Collection[Digest]) -> Mapping[Digest, frozenset[int]]:
        return {digest: ids for digest, ids in self.list_assigned(repository).items() if digest in digests}

    def list_assigned(self, repository: RepositoryName) -> Mapping[Digest, frozenset[int]]:
        return {digest: ids for (name, digest), ids in self._index.labelled.items() if name == repository}

    def assign(
        self,
        repository: RepositoryName,
        digest: Digest,
        ids: frozenset[int],
        *,
        replaces: frozenset[int],
        event: Event,
    ) -> None:
        with self._index.lock:
            key = (repository, digest)
            there = self._index.find_manifest(repository, digest) is not None
            if not there or self._index.labelled.get(key, frozenset()) != replaces:
                raise Conflict(digest)
            self._index.labelled[key] = ids
            if not ids:
                del self._index.labelled[key]
            self._index.events.append(event)

    def _check(self, label: Label) -> None:
        if self._labels.get(label.id) != label:
            raise Conflict(label.name)

    def _check_name(self, label: Label) -> None:
        for other in self.list_labels(label.project_id):
            if other.name == label.name and other.id != label.id:
                raise NameTaken(label.name)
