"""Repositories as wholes: what people write about them, and their end.

A repository that is being deleted is in no list. Its `meta` item stays, with the time of the deletion, until no commit
that began before can be under way any more; a push makes the repository anew.

Its *era* is the time (ms) at which it was made, or at which its last deletion began; it only grows. Each commit has the
era that it read as a condition, and leaves it on the manifest and the tags that it sets. So a commit that read before a
deletion began fails behind that, and is tried again with what is there then; and a deletion knows what to remove: what
has an earlier era (docs/adr/0024).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from roadstead.content.deletion.trash import Unit, UnitKind
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.trail.entries import Event

CLOSED_MS = 3_600_000  # how long a project stays closed: no token that was given before lives longer
MAX_DESCRIPTION = 2_048  # characters: lists of repositories read them all


class UnknownRepository(Exception):
    """There is no such repository."""


class ProjectClosed(RegistryError):
    """The project was deleted, or is about to be: nothing can be pushed to it."""

    def __init__(self, project: ProjectName) -> None:
        super().__init__(ErrorCode.DENIED, f"the project {project} was deleted: nothing can be pushed to it")


class PushedManifest(NamedTuple):
    digest: Digest
    era: int  # the repository's when it was last pushed or tagged


class PushedTag(NamedTuple):
    tag: Tag
    digest: Digest
    era: int  # the repository's when it was last set


@dataclass(frozen=True, slots=True)
class DeletionMark:
    """A deletion of a repository: when it began (ms), which is the era after it, and the unit of the trash that what it
    had goes to."""

    at: int
    unit: Unit | None = None

    def as_fields(self) -> dict[str, str]:
        """Return it as texts, for candidates, and for the parameters of executions."""
        fields = {"deletion": str(self.at)}
        if self.unit is not None:
            fields |= {"unit": self.unit.id, "until": str(self.unit.expires), "by": self.unit.by}
        return fields

    @classmethod
    def from_fields(cls, repository: RepositoryName, fields: Mapping[str, str]) -> DeletionMark:
        """Read what `as_fields` returned. Raises KeyError, ValueError."""
        at = int(fields["deletion"])
        if "unit" not in fields:
            return cls(at)
        kind, expires = UnitKind.REPOSITORY, int(fields["until"])
        return cls(at, Unit(fields["unit"], kind, repository, at, expires, fields["by"]))


class Repositories(Protocol):
    """All reads are strongly consistent."""

    def find_era(self, repository: RepositoryName) -> int | None:
        """Return the era of a repository; None if there is none, or it is being deleted. One read."""
        ...

    def begin_deletion(self, repository: RepositoryName, mark: DeletionMark, *, event: Event) -> None:
        """Take a repository out of all lists, begin another era, keep its unit of the trash, and leave a candidate for
        the collector: one transaction, of 71 items. Raises Conflict if there is no such repository, it is being deleted
        already, or its era is not before the mark's."""
        ...

    def find_deletion(self, repository: RepositoryName) -> DeletionMark | None:
        """Return the deletion of a repository that still has something of what it had, or that is not forgotten; None
        if there is none. Two reads."""
        ...

    def list_manifests(
        self, repository: RepositoryName, *, after: Digest | None, limit: int
    ) -> Sequence[PushedManifest]:
        """Return up to `limit` manifests after a digest, in byte order. One Query for each MB."""
        ...

    def list_pushed_tags(self, repository: RepositoryName, *, after: str, limit: int) -> Sequence[PushedTag]:
        """Return up to `limit` tags after a name, in byte order. One Query for each MB."""
        ...

    def is_emptying(self, project: ProjectName) -> bool:
        """Return whether a repository of the project still has what its deletion has not come to. One Query."""
        ...

    def list_deleted(self, project: ProjectName) -> Sequence[RepositoryName]:
        """Return the repositories that were deleted and are not forgotten yet: they may still have blobs. One Query."""
        ...

    def list_links(self, repository: RepositoryName) -> Sequence[Digest]:
        """Return the blobs that a repository has. One Query for each MB."""
        ...

    def end_deletion(self, repository: RepositoryName, *, at: int) -> None:
        """Note that everything is gone that was there when the deletion began. One write; idempotent."""
        ...

    def give_up_deletion(self, repository: RepositoryName, *, at: int) -> None:
        """Have what its deletion has left stand again, and put the repository in lists, if it was not made anew. One
        transaction, or two; idempotent."""
        ...

    def settle_deletion(self, repository: RepositoryName, *, at: int) -> bool:
        """Forget a repository that was deleted, unless it was made anew. For the collector, when no commit can be under
        way that began before the deletion. Returns whether that is done: not while it has manifests. A read, a Query
        and a write; idempotent."""
        ...

    def close_project(self, project: ProjectName, *, at: int) -> None:
        """Let no repository be made in a project for CLOSED_MS after `at` (ms): whoever makes one gets ProjectClosed.
        One write."""
        ...

    def open_project(self, project: ProjectName) -> None:
        """Let repositories be made again. One write."""
        ...

    def forget_project(self, project: ProjectName) -> None:
        """Drop what is kept under a deleted project's name: rules, settings, counts, what was said of its quota."""
        ...

    def describe(self, repository: RepositoryName, description: str, *, event: Event) -> None:
        """Set a repository's description: one transaction. Raises UnknownRepository."""
        ...
