"""What the collector has before it: candidates in time order, and the links that it has marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from roadstead.digest import Digest
from roadstead.names import RepositoryName
from roadstead.trail.entries import Event


class Kind(StrEnum):
    """What became a candidate, and why."""

    LINK = "link"  # a new link of a repository to a blob: a manifest needs it by now, or nothing does
    BLOB = "blob"  # a link was removed: the blob's object is free if that was the last one
    MANIFEST = "manifest"  # a commit was begun or a manifest was deleted: its object, and what it needed
    OBJECT = "object"  # an object was sent whole, or is surplus
    REPOSITORY = "repository"  # a repository was deleted: what a commit put there that began before
    UPLOAD = "upload"  # an upload session: its chunks, should nobody close it


@dataclass(frozen=True, slots=True)
class Candidate:
    """A thing to look at once the grace period is over. `at` is in milliseconds; `place` is where it is stored."""

    kind: Kind
    at: int
    fields: Mapping[str, str]
    place: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class MarkedLink:
    """A link that nothing needed at `at` (milliseconds), and the mark that it was given then; `size` in bytes."""

    repository: RepositoryName
    digest: Digest
    mark: str
    size: int
    at: int
    place: tuple[str, str] = ("", "")


class Backlog(Protocol):
    """All reads are strongly consistent. What a run does not report as done is there in the next one."""

    def candidates(self, before: int) -> Iterator[Sequence[Candidate]]:
        """Yield candidates of before `before` (milliseconds), oldest day first, up to 100 at a time."""
        ...

    def marked(self, before: int) -> Iterator[Sequence[MarkedLink]]:
        """Yield links that were marked before `before` (milliseconds), up to 100 at a time."""
        ...

    def keep(self, links: Sequence[MarkedLink]) -> None:
        """Keep marked links for a later run. Not atomic, idempotent only by repetition."""
        ...

    def renew(self, kind: Kind, fields: Mapping[str, str], at: int) -> None:
        """Make a candidate of something again, to be looked at a grace period after `at` (milliseconds)."""
        ...

    def done(self, looked_at: Sequence[Candidate | MarkedLink]) -> None:
        """Remove what needs no other look. Idempotent."""
        ...

    def checkpoint(self) -> None:
        """Note how far `candidates` came, so that later runs need not read days that are empty. One write at most."""
        ...

    def tell(self, event: Event) -> None:
        """Write an event by itself, for the trail."""
        ...
