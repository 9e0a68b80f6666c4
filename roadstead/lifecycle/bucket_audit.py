"""Comparing the bucket with the index: objects that nothing explains, and objects that are named and not there.

The collector's work is what became a candidate; this is the slow look at everything, for an operator: after a restore,
or to be sure. It reports. Told to repair, it makes candidates of what nothing explains, so that the collector, which
looks again before it deletes, frees it after its grace period.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from roadstead.content.objects import Objects, is_whole_key
from roadstead.lifecycle.backlog import Backlog, Kind

MIN_AGE = 3 * 86_400  # seconds: what is younger may belong to an upload or a commit that is under way
_MANIFESTS, _DERIVED, _STREAMED = "manifests/", "derived/", "blobs/uploads/"


@dataclass(frozen=True, slots=True)
class Stored:
    """An object of the bucket; `at` is when it was written, in seconds since the epoch."""

    key: str
    size: int
    at: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """An item of the index that names an object by `key`, or all objects of an `upload`, or of a `generation`.

    An object that is `required` must be there while the item stands. `place` is where the item is stored.
    """

    place: tuple[str, str]
    key: str = ""
    upload: str = ""
    generation: str = ""
    required: bool = False


class BucketWalk(Protocol):
    def walk(self) -> Iterator[Stored]:
        """Yield every object in byte order of keys. One LIST for each 1,000."""
        ...


class Explanations(Protocol):
    def walk(self) -> Iterator[Explanation]:
        """Yield what the index says of objects. Reads the whole table."""
        ...

    def find(self, place: tuple[str, str]) -> Explanation | None:
        """Return what an item says now, or None if it is gone. One read."""
        ...


@dataclass(frozen=True, slots=True)
class Audit:
    """What was compared, and what differs. `young` objects that nothing explains may belong to what is under way."""

    objects: int
    size: int
    young: int
    unexplained: tuple[Stored, ...]
    missing: tuple[Explanation, ...]


class BucketAudit:
    def __init__(self, bucket: BucketWalk, explanations: Explanations, objects: Objects, backlog: Backlog) -> None:
        self._bucket = bucket
        self._explanations = explanations
        self._objects = objects
        self._backlog = backlog

    def run(self, *, now: int, min_age: int = MIN_AGE) -> Audit:
        """Compare everything; `now` in seconds. Writes nothing.

        Costs one LIST for each 1,000 objects, one read of the whole index, and one read or two for each difference;
        about 300 bytes of memory for each object.
        """
        stored = {one.key: one for one in self._bucket.walk()}
        # The bucket first: what is named from here on was either listed or is looked for once more.
        named: dict[str, Explanation] = {}
        uploads: set[str] = set()
        generations: set[str] = set()
        for one in self._explanations.walk():
            if one.key and (one.required or one.key not in named):
                named[one.key] = one
            uploads |= {one.upload} if one.upload else set()
            generations |= {one.generation} if one.generation else set()
        strange = [
            one
            for key, one in stored.items()
            if key not in named and not _is_of(key, uploads=uploads, generations=generations)
        ]
        old = [one for one in strange if one.at < now - min_age]
        unexplained = tuple(one for one in old if self._objects.find(one.key) is not None)
        missing = [one for key, one in named.items() if one.required and key not in stored]
        return Audit(
            objects=len(stored),
            size=sum(one.size for one in stored.values()),
            young=len(strange) - len(old),
            unexplained=unexplained,
            missing=tuple(one for one in missing if self._is_missing(one)),
        )

    def repair(self, audit: Audit, *, now: int) -> tuple[Stored, ...]:
        """Hand what nothing explains to the collector; return what it cannot take. `now` in seconds.

        It takes manifests and blobs that were sent whole, whose keys say what to look at. Streamed objects stay: only
        the session, which is gone, could tell the collector whether one is served by now.
        """
        left = []
        for one in audit.unexplained:
            candidate = _candidate(one.key)
            if candidate is None:
                left.append(one)
            else:
                self._backlog.renew(candidate[0], candidate[1], now * 1000)
        derived = [one.key for one in left if one.key.startswith(_DERIVED)]
        self._objects.delete(derived)  # texts that were extracted from a generation that is gone
        return tuple(one for one in left if one.key not in derived)

    def _is_missing(self, one: Explanation) -> bool:
        """Look again: the object may have come, or the item gone, since they were listed."""
        return self._objects.find(one.key) is None and self._explanations.find(one.place) == one


def _is_of(key: str, *, uploads: set[str], generations: set[str]) -> bool:
    """Whether an upload or a manifest's generation that the index knows explains an object."""
    parts = key.split("/")
    if key.startswith(_STREAMED):
        return parts[2] in uploads
    if key.startswith(_DERIVED):
        return parts[-2] in generations
    return parts[-1] in (generations if key.startswith(_MANIFESTS) else uploads)


def _candidate(key: str) -> tuple[Kind, dict[str, str]] | None:
    parts = key.split("/")
    if key.startswith(_MANIFESTS) and len(parts) >= 5:
        repository, (algorithm, hex_, generation) = "/".join(parts[1:-3]), parts[-3:]
        fields = {"repository": repository, "digest": f"{algorithm}:{hex_}", "generation": generation, "key": key}
        return Kind.MANIFEST, fields
    if is_whole_key(key) and len(parts) == 5:
        return Kind.OBJECT, {"key": key, "upload": parts[-1]}
    return None
