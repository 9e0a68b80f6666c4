"""Quotas: how much a project may hold, when that is said, and how.

A quota limits the bytes that a project's manifests and what they need take (each blob once), and the numbers of its
repositories and artifacts. A commit that would exceed one is refused; one that adds nothing never is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Protocol, Self

from roadstead.content.governing import Governing
from roadstead.digest import Digest
from roadstead.names import ProjectName, RepositoryName
from roadstead.trail.entries import Event, Operation

WARN_AT = 85  # percent of the bytes
UNLIMITED = -1
MAX_BYTES = 1024**5  # 1 PiB
MAX_NUMBER = 1_000_000  # of repositories, and of artifacts
MAX_RESERVED_BLOBS = 40
RESERVED_SECONDS = 3_600  # no commit lives longer


@dataclass(frozen=True, slots=True)
class Quota:
    """Limits of a project, each UNLIMITED or at least 1. With `hard`, commits reserve their bytes before."""

    storage: int = UNLIMITED  # bytes
    repositories: int = UNLIMITED
    artifacts: int = UNLIMITED
    hard: bool = False

    def as_json(self) -> dict[str, Any]:
        limits = {"storage": self.storage, "repositories": self.repositories, "artifacts": self.artifacts}
        set_ = {name: limit for name, limit in limits.items() if limit != UNLIMITED}
        return {**set_, "hard": True} if self.hard else set_

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        return cls(**document)


class Level(IntEnum):
    """How a project stands to its limit of bytes, as far as it was said."""

    FREE = 0
    WARNED = 1
    EXCEEDED = 2


@dataclass(frozen=True, slots=True)
class Standing:
    """What was said last of a project: its level, under which limit, and how many bytes were used then.

    `version` is the store's: 0 while nothing was said.
    """

    level: Level = Level.FREE
    limit: int = UNLIMITED
    used: int = 0
    version: int = 0

    def after(self, limit: int, used: int, *, refused: bool = False) -> tuple[Standing, Operation | None]:
        """Return how a project stands now, and what is to be said, if anything.

        A crossing is said once. It can be said again after the limit was changed, or once usage has fallen below the
        warning and below what it was when the crossing was said. A refused push is an exceeded quota at any usage.
        """
        if limit == UNLIMITED:
            return (self, None) if self.limit == UNLIMITED else (replace(self, level=Level.FREE, limit=limit), None)
        warned = used * 100 >= limit * WARN_AT
        base = Level.FREE if limit != self.limit or (not warned and used < self.used) else self.level
        now = Level.EXCEEDED if refused or used >= limit else Level.WARNED if warned else Level.FREE
        level = max(base, now)
        if (level, limit) == (self.level, self.limit):
            return self, None
        said = None
        if level > base:
            said = Operation.EXCEED_QUOTA if level is Level.EXCEEDED else Operation.WARN_QUOTA
        return replace(self, level=level, limit=limit, used=used), said


@dataclass(frozen=True, slots=True)
class Reservation:
    """Bytes that a commit adds, from before it is made until the indexer has counted them.

    `blobs` are those that the indexer counts last, up to MAX_RESERVED_BLOBS. Until the commit, it lapses at `expires`
    (seconds since the epoch).
    """

    repository: RepositoryName
    digest: Digest
    generation: str
    size: int
    blobs: tuple[Digest, ...]
    expires: int


class ProjectUsage(Protocol):
    """What projects hold, and what was said of it. All reads are strongly consistent, of what the indexer derived."""

    def find_owned(self, project: ProjectName, digests: Collection[Digest]) -> Mapping[Digest, int]:
        """Return the sizes of those blobs that count in the project's usage already. One read for each 100."""
        ...

    def count_repositories(self, project: ProjectName) -> int:
        """One read for each MB of names, which are about 15,000."""
        ...

    def count_artifacts(self, project: ProjectName) -> int:
        """As far as the indexer has come. One read for each MB of repositories, which are about 8,000."""
        ...

    def find_standing(self, project: ProjectName) -> tuple[Governing, Standing]:
        """One read."""
        ...

    def reserve(self, reservation: Reservation) -> None:
        """Keep a reservation; the same again renews it. One write. `ManifestIndex.commit` makes it last."""
        ...

    def reserved_bytes(self, project: ProjectName, *, now: int) -> int:
        """Return the sum of the reservations that have not lapsed at `now`, in seconds. One read for each MB."""
        ...

    def unreserve(self, project: ProjectName, generation: str) -> None:
        """Drop the reservation of a commit that was not made. One write."""
        ...

    def release_counted(self, project: ProjectName, *, now: int) -> None:
        """Drop reservations that have lapsed, whose bytes are counted, or whose manifest is gone.

        One read of the reservations, one for each 50 of them, one write for each that is dropped.
        """
        ...

    def put_standing(self, project: ProjectName, standing: Standing, event: Event | None) -> None:
        """Keep a standing with its event, if the version of `standing` is what is kept: one transaction.

        Raises Conflict.
        """
        ...


def amount(size: int) -> str:
    """Return a number of bytes as a person reads it: `9.5 GiB`."""
    if size < 1024:
        return f"{size} bytes"
    power = min(5, (size.bit_length() - 1) // 10)
    return f"{size / 1024**power:.1f} {'KMGTP'[power - 1]}iB"
