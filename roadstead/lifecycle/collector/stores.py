"""What every part of a run works with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TypeVar

from roadstead.content.blob_index import BlobIndex
from roadstead.content.manifest_index import ManifestIndex
from roadstead.content.objects import Objects
from roadstead.content.repositories import Repositories
from roadstead.lifecycle.collector.backlog import Backlog
from roadstead.lifecycle.collector.report import Report
from roadstead.lifecycle.collector.stored import BlobRecords, UploadMarks
from roadstead.trail.events import EventMaker

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Stores:
    backlog: Backlog
    records: BlobRecords
    uploads: UploadMarks
    links: BlobIndex
    manifests: ManifestIndex
    repositories: Repositories
    objects: Objects
    events: EventMaker


@dataclass(slots=True)
class Run:
    """One run: its stores, its times in milliseconds, what it has done. With `dry` it writes nothing."""

    stores: Stores
    grace_ms: int
    fence_ms: int
    dry: bool = False
    executor: Executor | None = None
    report: Report = field(default_factory=Report)
    _seen: set[object] = field(default_factory=set)

    def is_first(self, thing: object) -> bool:
        """Return whether this run comes to `thing` for the first time: several candidates may lead to one."""
        if thing in self._seen:
            return False
        self._seen.add(thing)
        return True

    def each(self, function: Callable[[A], B], items: Iterable[A]) -> list[B]:
        """Return what `function` returns for each item; side by side where there is an executor."""
        return list(self.executor.map(function, items) if self.executor is not None else map(function, items))
