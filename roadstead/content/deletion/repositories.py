"""Deleting a repository with everything in it, in as many parts as it takes.

It leaves all lists at once. What was there then is deleted manifest by manifest, by whoever calls `sweep`: the request
that asked for it, an execution if that takes longer, and at last the collector. What is pushed meanwhile stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from roadstead.conflicts import Conflict
from roadstead.content.commit_rules import RuleRefused
from roadstead.content.deletion.trash import Unit, UnitKind
from roadstead.content.manifest_index import ManifestIndex
from roadstead.content.manifests import Manifests
from roadstead.content.repositories import DeletionMark, PushedManifest, Repositories
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.names import RepositoryName
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
        tags where the project has rules, and one transaction.
        """
        self._check_tags(repository)
        unit = self._manifests.new_unit(repository, UnitKind.REPOSITORY, actor)
        mark = DeletionMark(unit.at if unit is not None else self._events.now_ms(), unit)
        event = self._events.make(Operation.DELETE_REPOSITORY, actor, repository)
        try:
            self._repositories.begin_deletion(repository, mark, event=event)
        except Conflict as error:
            begun = self._repositories.find_deletion(repository)
            if begun is None:
                raise RegistryError(ErrorCode.NAME_UNKNOWN, f"there is no repository {repository}") from error
            return begun
        return mark

    def sweep(
        self, repository: RepositoryName, mark: DeletionMark, actor: Actor, *, go_on: Callable[[], bool]
    ) -> Swept:
        """Delete what was pushed before the deletion, until `go_on` says no. Idempotent, and may run beside itself.

        Costs one Query for each 500 manifests and about five calls for each, eight manifests at a time; what an index
        needs is tried again behind it. Raises RuleRefused if a tag has become immutable meanwhile; then
        the repository is in lists again.
        """
        deleted, at = 0, mark.at
        while True:
            gone = kept = 0
            for batch in self._older(repository, at):
                if not go_on():
                    return Swept(deleted + gone, kept, complete=False)
                try:
                    results = each(lambda one: self._delete(repository, one.digest, actor, mark.unit), batch)
                except RuleRefused:
                    self._repositories.end_deletion(repository, at=at)
                    self._repositories.settle_deletion(repository, at=at)  # it is there again, with what is left
                    raise
                gone += sum(results)
                kept += len(results) - sum(results)
            deleted += gone
            if not kept or not gone:
                break
        if not kept:
            self._repositories.end_deletion(repository, at=at)
        return Swept(deleted, kept, complete=True)

    def _check_tags(self, repository: RepositoryName) -> None:
        _, governing = self._index.find_governed(repository)
        if not governing.rules:
            return
        after = ""
        while tags := self._index.list_tags(repository, after=after, limit=_PAGE):
            self._index.commit_rules.check_removal(repository, tags, governing)
            after = tags[-1]

    def _older(self, repository: RepositoryName, at: int) -> Iterator[Sequence[PushedManifest]]:
        after: Digest | None = None
        while page := self._repositories.list_manifests(repository, after=after, limit=_PAGE):
            after = page[-1].digest
            older = [one for one in page if one.at <= at]
            for start in range(0, len(older), _AT_ONCE):
                yield older[start : start + _AT_ONCE]

    def _delete(self, repository: RepositoryName, digest: Digest, actor: Actor, unit: Unit | None) -> bool:
        """Whether it is gone; not if something needs it."""
        try:
            self._manifests.delete(repository, digest, actor, unit=unit)
        except RegistryError as error:
            if error.status == 404:
                return True
            if error.status == 405:
                return False
            raise
        return True
