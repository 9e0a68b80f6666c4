"""Deleting a repository with everything in it, in as many parts as it takes.

It leaves all lists at once, and another era begins (roadstead/content/repositories.py). What has an earlier one is
deleted manifest by manifest, by whoever calls `sweep`: the request that asked for it, an execution if that takes
longer, and at last the collector. What is pushed meanwhile stays, with the tags that are pushed with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from roadstead.conflicts import Conflict, retry_conflicts
from roadstead.content.commit_rules import RuleRefused
from roadstead.content.deletion.trash import UnitKind
from roadstead.content.manifest_index import MAX_TAGS_PER_REMOVAL, ManifestIndex
from roadstead.content.manifests import Manifests, PushedSince
from roadstead.content.repositories import DeletionMark, PushedManifest, Repositories
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.names import RepositoryName, Tag
from roadstead.parallel import each
from roadstead.trail.entries import Actor, Operation
from roadstead.trail.events import EventMaker

_AT_ONCE = 64  # manifests between two looks at the time
_PAGE = 500  # manifests, or tags, of one read


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep came to. `kept` are manifests that something needs: a later push, or one that is under way."""

    deleted: int
    kept: int
    complete: bool  # it did not stop before its time


@dataclass(frozen=True, slots=True)
class _Sweep:
    repository: RepositoryName
    mark: DeletionMark
    actor: Actor
    go_on: Callable[[], bool]


class _Outcome(Enum):
    GONE = auto()
    NEEDED = auto()
    PUSHED = auto()  # again, since the deletion began


class RepositoryDeletion:
    def __init__(
        self, repositories: Repositories, manifests: Manifests, index: ManifestIndex, events: EventMaker
    ) -> None:
        self._repositories = repositories
        self._manifests = manifests
        self._index = index
        self._events = events

    def begin(self, repository: RepositoryName, actor: Actor) -> DeletionMark:
        """Take the repository out of all lists; return its deletion, that of the first call.

        Raises NAME_UNKNOWN, and RuleRefused if one of its tags is immutable: then all stays. Costs a read for each 500
        tags where the project has rules, two reads, and one transaction.
        """
        self._check_tags(repository)
        return retry_conflicts(lambda: self._begin(repository, actor), repository)

    def _begin(self, repository: RepositoryName, actor: Actor) -> DeletionMark:
        """Attempt it once. Raises Conflict if another deletion has begun, or ended, meanwhile."""
        era = self._repositories.find_era(repository)
        if era is None:
            begun = self._repositories.find_deletion(repository)
            if begun is not None:
                return begun
            if self._repositories.find_era(repository) is not None:  # it was made anew between the two
                raise Conflict(repository)
            raise RegistryError(ErrorCode.NAME_UNKNOWN, f"there is no repository {repository}")
        unit = self._manifests.new_unit(repository, UnitKind.REPOSITORY, actor)
        at = unit.at if unit is not None else self._events.now_ms()
        if at <= era:  # by another clock it began in the future
            at, unit = era + 1, replace(unit, at=era + 1) if unit is not None else None
        event = self._events.make(Operation.DELETE_REPOSITORY, actor, repository)
        self._repositories.begin_deletion(repository, DeletionMark(at, unit), event=event)
        return DeletionMark(at, unit)

    def sweep(
        self, repository: RepositoryName, mark: DeletionMark, actor: Actor, *, go_on: Callable[[], bool]
    ) -> Swept:
        """Delete what was pushed before the deletion, until `go_on` says no. Idempotent, and may run beside itself.

        Does nothing once that is over. If a later deletion has begun, goes on with that, which has what this one left.
        Costs two reads, one Query for each 500 manifests and about five calls for each, eight manifests at a time; what
        an index needs is tried again behind it. Then one Query for each 500 tags, of which those are left that belong
        to manifests that stay. Raises RuleRefused if a tag has become immutable meanwhile; then the repository is in
        lists again.
        """
        begun = self._repositories.find_deletion(repository)
        if begun is None or begun.at < mark.at:
            return Swept(0, 0, complete=True)
        try:
            swept = self._sweep(_Sweep(repository, begun, actor, go_on))
        except RuleRefused:
            self._repositories.give_up_deletion(repository, at=begun.at)
            raise
        if swept.complete and not swept.kept:
            self._repositories.end_deletion(repository, at=begun.at)
        return swept

    def _sweep(self, sweep: _Sweep) -> Swept:
        deleted = 0
        while True:
            gone = kept = 0
            for batch in self._older(sweep):
                if not sweep.go_on():
                    return Swept(deleted + gone, kept, complete=False)
                outcomes = Counter(each(lambda one: self._delete(sweep, one.digest), batch))
                gone += outcomes[_Outcome.GONE]
                kept += outcomes[_Outcome.NEEDED]
            deleted += gone
            if not kept or not gone:
                break
        return Swept(deleted, kept, complete=self._remove_older_tags(sweep))

    def _check_tags(self, repository: RepositoryName) -> None:
        _, governing = self._index.find_governed(repository)
        if not governing.rules:
            return
        after = ""
        while tags := self._index.list_tags(repository, after=after, limit=_PAGE):
            self._index.commit_rules.check_removal(repository, tags, governing)
            after = tags[-1]

    def _older(self, sweep: _Sweep) -> Iterator[Sequence[PushedManifest]]:
        after: Digest | None = None
        while page := self._repositories.list_manifests(sweep.repository, after=after, limit=_PAGE):
            after = page[-1].digest
            older = [one for one in page if one.era < sweep.mark.at]
            for start in range(0, len(older), _AT_ONCE):
                yield older[start : start + _AT_ONCE]

    def _delete(self, sweep: _Sweep, digest: Digest) -> _Outcome:
        mark = sweep.mark
        try:
            self._manifests.delete(sweep.repository, digest, sweep.actor, unit=mark.unit, before=mark.at)
        except PushedSince:
            return _Outcome.PUSHED
        except RegistryError as error:
            if error.status == 404:
                return _Outcome.GONE
            if error.status == 405:
                return _Outcome.NEEDED
            raise
        return _Outcome.GONE

    def _remove_older_tags(self, sweep: _Sweep) -> bool:
        """Remove the tags that nobody has set since, of manifests that stay; whether there was time for all."""
        repository, mark, after = sweep.repository, sweep.mark, ""
        while page := self._repositories.list_pushed_tags(repository, after=after, limit=_PAGE):
            after = page[-1].tag
            older: dict[Digest, list[Tag]] = {}
            for one in page:
                if one.era < mark.at:
                    older.setdefault(one.digest, []).append(one.tag)
            for digest, tags in older.items():
                for start in range(0, len(tags), MAX_TAGS_PER_REMOVAL):
                    if not sweep.go_on():
                        return False
                    some = tags[start : start + MAX_TAGS_PER_REMOVAL]
                    self._manifests.remove_older_tags(
                        repository, digest, some, sweep.actor, unit=mark.unit, before=mark.at
                    )
        return True
