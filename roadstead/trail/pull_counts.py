"""How often each artifact was pulled, and when last: what a console shows."""

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
    """`last` in milliseconds since the epoch."""

    count: int
    last: int


class PullCounts(Protocol):
    def add(self, batch: str, pulls: Mapping[Artifact, Pulls]) -> None:
        """Add what a batch of log lines tells, once: the same `batch` again within a day changes nothing.

        The batch must hold the same pulls then, too. `last` is that of the batch that was added last; one that came
        late, after a retry, may set it back by some minutes.
        """
        ...

    def find(self, repository: RepositoryName) -> dict[str, Pulls]:
        """By digest; what was never pulled is not there."""
        ...

    def forget(self, artifacts: Iterable[Artifact]) -> None:
        """Artifacts that were deleted. A pull that is told later begins at one again."""
        ...
