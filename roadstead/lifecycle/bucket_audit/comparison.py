"""Comparing the bucket with the index: objects that nothing explains, and objects that are named and not there.

The collector's work is what became a candidate; this is the slow look at everything. It goes through the bucket in byte
order of keys, and asks the index for what each key says; then through the repositories, and asks the bucket for what
they serve. Every page is looked at by itself, so an audit can stop after any and go on there, and needs no more memory
for a large registry. It reports. Told to repair, it makes candidates of what nothing explains, so that the collector,
which looks again before it deletes, frees it after its grace period.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from roadstead.content.objects import Objects, is_whole_key
from roadstead.lifecycle.collector.backlog import Backlog, Kind
from roadstead.names import RepositoryName
from roadstead.parallel import each

MIN_AGE = 3 * 86_400  # seconds: what is younger may belong to an upload or a commit that is under way
_MANIFESTS, _DERIVED = "manifests/", "derived/"
_OWN = ("blobs/", _MANIFESTS, _DERIVED)


@dataclass(frozen=True, slots=True)
class Stored:
    """An object of the bucket; `at` is when it was written, in seconds since the epoch."""

    key: str
    size: int
    at: int


@dataclass(frozen=True, slots=True)
class Served:
    """A manifest or blob of a repository: the object that it is served from, and where the item is stored."""

    key: str
    place: tuple[str, str]


class BucketWalk(Protocol):
    def page(self, after: str) -> Sequence[Stored]:
        """Return the next 1,000 objects after a key, in byte order of keys; none at the end. One LIST."""
        ...


class Explanations(Protocol):
    """All reads are strongly consistent."""

    def explained(self, keys: Collection[str]) -> frozenset[str]:
        """Return those keys that the items they lead to account for: what stands, is in the trash, or an upload's.

        One read for each 100 items; two items for most keys.
        """
        ...

    def waiting(self, keys: Collection[str], *, now: int) -> frozenset[str]:
        """Return those keys that a candidate of the collector accounts for. `now` in ms. Reads all candidates."""
        ...

    def is_linked(self, key: str) -> bool:
        """Return whether a repository serves a blob from an object that was sent whole. One read, one for each link."""
        ...

    def repositories(self, after: str) -> Sequence[RepositoryName]:
        """Return the next repositories after a name. One read."""
        ...

    def served(self, repository: RepositoryName, after: str) -> Sequence[Served]:
        """Return the next of a repository's manifests and blobs after a sort key; none at the end. A read or two."""
        ...

    def find(self, place: tuple[str, str]) -> Served | None:
        """Return what an item says now, or None if it is gone. One read."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the bucket: its objects, and which of them the items that their keys lead to do not account for."""

    last: str
    objects: int
    size: int
    strange: tuple[Stored, ...]


class BucketAudit:
    def __init__(self, bucket: BucketWalk, explanations: Explanations, objects: Objects, backlog: Backlog) -> None:
        self._bucket = bucket
        self._explanations = explanations
        self._objects = objects
        self._backlog = backlog

    def page(self, after: str) -> Page | None:
        """Look at the next 1,000 objects after a key; None at the end. One LIST, about 20 reads."""
        stored = self._bucket.page(after)
        if not stored:
            return None
        explained = self._explanations.explained([one.key for one in stored])
        strange = tuple(one for one in stored if one.key not in explained)
        return Page(stored[-1].key, len(stored), sum(one.size for one in stored), strange)

    def unexplained(self, strange: Sequence[Stored], *, now: int) -> tuple[Stored, ...]:
        """Return those of strange objects that nothing explains, not even what waits for the collector. `now` in ms.

        What is deleted while this looks has its candidate by the time that candidates are read. Costs a read of all of
        them, and one HEAD or two for what is left.
        """
        if not strange:
            return ()
        waiting = self._explanations.waiting([one.key for one in strange], now=now)
        left = [one for one in strange if one.key not in waiting]
        return tuple(one for one in left if not self._is_linked(one.key) and self._is_there(one.key))

    def repositories(self, after: str) -> Sequence[RepositoryName]:
        return self._explanations.repositories(after)

    def served(self, repository: RepositoryName, after: str) -> Sequence[Served]:
        return self._explanations.served(repository, after)

    def missing(self, served: Sequence[Served]) -> tuple[Served, ...]:
        """Return what is served from an object that is not there. One HEAD for each, eight at a time."""
        found = each(lambda one: self._objects.find(one.key) is not None, served)
        gone = [one for one, there in zip(served, found, strict=True) if not there]
        # Again: it may have been deleted, or pushed anew, since the item was read.
        return tuple(one for one in gone if self._explanations.find(one.place) == one)

    def repair(self, unexplained: Sequence[Stored], *, now: int) -> tuple[Stored, ...]:
        """Hand what nothing explains to the collector; return what it cannot take. `now` in ms.

        It takes manifests and blobs that were sent whole, whose keys say what to look at. Streamed objects stay: only
        the session, which is gone, could tell the collector whether one is served by now.
        """
        left = []
        for one in unexplained:
            candidate = _candidate(one.key)
            if candidate is None:
                left.append(one)
            else:
                self._backlog.renew(candidate[0], candidate[1], now)
        derived = {one.key for one in left if one.key.startswith(_DERIVED)}
        self._objects.delete(derived)  # texts that were extracted from a generation that is gone
        return tuple(one for one in left if one.key not in derived)

    def _is_there(self, key: str) -> bool:
        """Objects under other keys are not the registry's: they do not come and go, and it may not ask for them."""
        return not key.startswith(_OWN) or self._objects.find(key) is not None

    def _is_linked(self, key: str) -> bool:
        return is_whole_key(key) and self._explanations.is_linked(key)


def _candidate(key: str) -> tuple[Kind, dict[str, str]] | None:
    parts = key.split("/")
    if key.startswith(_MANIFESTS) and len(parts) >= 5:
        repository, (algorithm, hex_, generation) = "/".join(parts[1:-3]), parts[-3:]
        fields = {"repository": repository, "digest": f"{algorithm}:{hex_}", "generation": generation, "key": key}
        return Kind.MANIFEST, fields
    if is_whole_key(key) and len(parts) == 5:
        return Kind.OBJECT, {"key": key, "upload": parts[-1]}
    return None
