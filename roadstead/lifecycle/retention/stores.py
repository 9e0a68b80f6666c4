"""What retention reads and keeps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from roadstead.lifecycle.retention.rules import Policy
from roadstead.lifecycle.retention.verdicts import Candidate
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.trail.entries import Event

ImmutableTags = Callable[[ProjectName], Callable[[RepositoryName, Tag], bool]]


class RetentionPolicies(Protocol):
    def find_policy(self, project: ProjectName) -> Policy | None:
        """Return a project's rules, or None. One read, strongly consistent."""
        ...

    def find_policies(self, projects: Collection[ProjectName]) -> Mapping[ProjectName, Policy]:
        """Return the rules of those projects that have some. One read for each 100, strongly consistent."""
        ...

    def put_policy(self, project: ProjectName, policy: Policy, *, replaces: Policy | None, event: Event) -> None:
        """Keep rules instead of `replaces`. Raises Conflict if others are there."""
        ...

    def remove_policy(self, project: ProjectName, *, event: Event) -> None:
        """Remove a project's rules. Raises Conflict if there are none."""
        ...


class RetentionView(Protocol):
    def repositories(self, project: ProjectName, *, after: str, limit: int) -> Sequence[RepositoryName]:
        """Return up to `limit` repositories of a project after `after`, in byte order."""
        ...

    def candidates(self, repository: RepositoryName) -> Sequence[Candidate]:
        """Return every artifact that lists show, with its tags but cosign's. Milliseconds old, at least."""
        ...

    def last_pull(self, repository: RepositoryName, one: Candidate) -> int:
        """Return when it, or a child of it, was last pulled or seen by HEAD (ms), 0 for never. Strongly consistent.

        One read; two for an index, three for one that is too large for the table, of whose children the first count.
        """
        ...
