"""How often each artifact was pulled, when last, and by whom.

A HEAD by tag counts as seen: it renews `last` without raising the count. Nodes that have an image only ask whether the
tag has moved, and a rule that deletes what nobody pulled must not delete what they run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from roadstead.names import RepositoryName

REMEMBERED = 8  # batches that an item remembers
PULLER_DAYS = 90  # since the last pull


class Artifact(NamedTuple):
    repository: str
    digest: str


class Puller(NamedTuple):
    """A user or robot who pulled an artifact; `actor` is empty for anonymous pulls."""

    repository: str
    digest: str
    actor: str


@dataclass(frozen=True, slots=True)
class Pulls:
    """`last` in milliseconds since the epoch."""

    count: int
    last: int


class PullCounts(Protocol):
    def add(self, batch: str, pulls: Mapping[Artifact, Pulls], pullers: Mapping[Puller, Pulls]) -> None:
        """Add what a batch of log lines tells. A count of 0 says that an artifact was seen at `last`.

        Costs one write for each artifact, puller and repository; two if the batch is not the latest. The same `batch`
        changes nothing when it comes again with the same pulls, whether all or some of it was added, unless more than
        REMEMBERED others were added to the same item since. `last` never goes back.
        """
        ...

    def find(self, repository: RepositoryName) -> Mapping[str, Pulls]:
        """Return pulls by digest; what was never pulled is not there. One Query for each MB, about 5,000 artifacts."""
        ...

    def total(self, repository: RepositoryName) -> Pulls:
        """Return the pulls of all artifacts, of those that are gone too. One read."""
        ...

    def find_pullers(self, repository: RepositoryName, digest: str) -> Mapping[str, Pulls]:
        """Return who pulled an artifact within PULLER_DAYS, by actor. One Query."""
        ...
