"""Pull counts: how often each artifact was pulled, and when it was last pulled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from roadstead.names import RepositoryName


class Artifact(NamedTuple):
    repository: str
    digest: str


@dataclass(frozen=True, slots=True)
class Pulls:
    """Pulls of one artifact. `last` is in milliseconds since the epoch."""

    count: int
    last: int


class PullCounts(Protocol):
    """The store of pull counts."""

    def add(self, batch: str, pulls: Mapping[Artifact, Pulls]) -> None:
        """Add the pulls of a batch of log lines once: the same `batch` again within a day changes nothing.

        A repeated batch must hold the same pulls. `last` becomes that of the batch added last, so a batch that is
        retried late may set it back by some minutes.
        """
        ...

    def find(self, repository: RepositoryName) -> dict[str, Pulls]:
        """Return the counts of a repository by digest, without artifacts that were never pulled."""
        ...

    def forget(self, artifacts: Iterable[Artifact]) -> None:
        """Delete the counts of deleted artifacts. A pull that is counted later starts again at one."""
        ...
