"""The audit trail for people: the last 90 days, newest first. The log itself stays the record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from roadstead.trail.entries import AuditEntry, Operation, Outcome

PAGE_DAYS = 90
MAX_EXAMINED = 10_000  # entries that one question looks at

_OFTEN = frozenset({Operation.PULL, Operation.PULL_BLOB, Operation.UPLOAD_RECEIVED})


class TrailPages(Protocol):
    """`project` None stands for entries of every project and of none. Times in milliseconds since the epoch."""

    def write(self, entries: Sequence[AuditEntry]) -> None:
        """Keep entries by their project and by their day; one that is written again replaces itself.

        Costs one BatchWriteItem for each 12 entries, and two to four write units for each; one unit more for a day
        that this process has not written to before.
        """
        ...

    def count(self, project: str | None, *, since: int = 0) -> int:
        """Return how many entries there are from `since` on. Without a project `since` counts by whole days.

        Costs one Query for each MB, about 1,500 entries; without a project at least one for each day with entries,
        of which a process remembers those that are over.
        """
        ...

    def newest(self, limit: int) -> Sequence[AuditEntry]:
        """Return up to `limit` entries of every project and of none, newest first.

        Costs one Query where today has so many; else one more, and one for each day that is read.
        """
        ...

    def read(
        self, project: str | None, *, since: int = 0, until: int | None = None, limit: int
    ) -> Sequence[AuditEntry]:
        """Return up to `limit` entries from `since` to `until`, both included, newest first.

        Costs one Query for each MB, about 1,500 entries; without a project at least one for each day that is read.
        """
        ...


class TooManyEntries(Exception):
    """The question would look at more than MAX_EXAMINED entries. The message says how to narrow it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the trail.

    `projects` None asks for everything; otherwise each project comes with the time from which on its entries count:
    one that is older is about another project that had the name. `matches` and `oldest_first` make the whole range be
    looked at.
    """

    projects: dict[str, int] | None
    since: int = 0
    until: int | None = None
    matches: Callable[[AuditEntry], bool] | None = None
    oldest_first: bool = False

    @property
    def plain(self) -> bool:
        """Whether counting is enough to know the total."""
        return self.since == 0 and self.until is None and self.matches is None and not self.oldest_first


def ask(pages: TrailPages, asked: Asked, *, start: int, size: int) -> tuple[Sequence[AuditEntry], int]:
    """Return the answer's entries from `start` on, at most `size`, and how many it has. Raises TooManyEntries."""
    scopes: list[tuple[str | None, int]] = [(None, 0)] if asked.projects is None else list(asked.projects.items())
    if asked.plain:
        if start + size > MAX_EXAMINED:
            raise TooManyEntries(f"pages end at entry {MAX_EXAMINED}: ask for a range, q=op_time=[from~to]")
        total = sum(pages.count(project, since=since) for project, since in scopes)
        found = _merged(
            [pages.read(project, since=since, limit=start + size) for project, since in scopes if start < total]
        )
        return found[start : start + size], total
    entries: list[Sequence[AuditEntry]] = []
    left = MAX_EXAMINED
    for project, since in scopes:
        read = pages.read(project, since=max(since, asked.since), until=asked.until, limit=left + 1)
        left -= len(read)
        if left < 0:
            raise TooManyEntries(
                f"more than {MAX_EXAMINED} entries would have to be looked at: narrow the time, q=op_time=[from~to]"
            )
        entries.append(read)
    found = [one for one in _merged(entries) if asked.matches is None or asked.matches(one)]
    if asked.oldest_first:
        found.reverse()
    return found[start : start + size], len(found)


def _merged(entries: Sequence[Sequence[AuditEntry]]) -> list[AuditEntry]:
    """Newest first."""
    return sorted((one for each in entries for one in each), key=lambda one: (one.at, one.id), reverse=True)


def is_paged(entry: AuditEntry, *, pulls: bool = False) -> bool:
    """Return whether pages have an entry: pulls and successful logins, which each pull brings, only if asked for."""
    routine = entry.operation is Operation.LOGIN and entry.outcome is Outcome.SUCCESS
    return pulls or not (entry.operation in _OFTEN or routine)
