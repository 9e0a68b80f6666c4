"""Repositories as wholes: what people write about them, and their end.

A repository that is being deleted is in no list. Its `meta` item stays, with the time of the deletion, until no commit
that began before can be under way any more: a later push revives the repository, and what an earlier one put there all
the same revives it when the collector comes to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from roadstead.digest import Digest
from roadstead.names import ProjectName, RepositoryName
from roadstead.trail.entries import Event

MAX_DESCRIPTION = 2_048  # characters: lists of repositories read them all


class UnknownRepository(Exception):
    """There is no such repository."""


class PushedManifest(NamedTuple):
    digest: Digest
    at: int  # when it was pushed, in ms


class Repositories(Protocol):
    """All reads are strongly consistent."""

    def begin_deletion(self, repository: RepositoryName, *, at: int, event: Event) -> None:
        """Take a repository out of all lists, and leave a candidate for the collector: one transaction.

        `at` in milliseconds. Raises Conflict if there is no such repository, or it is being deleted already.
        """
        ...

    def find_deletion(self, repository: RepositoryName) -> int | None:
        """Return since when a repository is being deleted, in ms; None if it is not, or there is none. One read."""
        ...

    def list_manifests(
        self, repository: RepositoryName, *, after: Digest | None, limit: int
    ) -> Sequence[PushedManifest]:
        """Return up to `limit` manifests after a digest, in byte order. One Query for each MB."""
        ...

    def is_emptying(self, project: ProjectName) -> bool:
        """Return whether a repository of the project still has what its deletion has not come to. One Query."""
        ...

    def end_deletion(self, repository: RepositoryName, *, at: int) -> None:
        """Note that everything is gone that was there when the deletion began. One write; idempotent."""
        ...

    def settle_deletion(self, repository: RepositoryName, *, at: int) -> None:
        """Forget a repository that was deleted, or revive it if there are manifests. For the collector, when no commit
        can be under way that began before the deletion. One Query, one write; idempotent."""
        ...

    def describe(self, repository: RepositoryName, description: str, *, event: Event) -> None:
        """Set a repository's description: one transaction. Raises UnknownRepository."""
        ...
