"""Pages of the audit trail, for people: the last 90 days, newest first. The log itself stays the record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from roadstead.trail.entries import AuditEntry, Operation, Outcome

PAGE_DAYS = 90
MAX_EMPTY_DAYS = 10  # days without entries that one page looks through

_OFTEN = frozenset({Operation.PULL, Operation.PULL_BLOB, Operation.UPLOAD_RECEIVED})


@dataclass(frozen=True, slots=True)
class TrailPage:
    """Entries, newest first; `after` is where the next page begins, None at the end.

    A page may be short, or empty, and yet not the last: days without entries that are looked through are bounded.
    """

    entries: tuple[AuditEntry, ...]
    after: str | None


class TrailPages(Protocol):
    def write(self, entries: Sequence[AuditEntry]) -> None:
        """Keep entries by their project and by their day; one that is written again replaces itself.

        Costs one BatchWriteItem for each 12 entries, and two to four write units for each.
        """
        ...

    def project_page(self, project: str, *, after: str | None, limit: int) -> TrailPage:
        """Return entries about a project. One Query; about 9 read units for 50."""
        ...

    def page(self, *, after: str | None, limit: int, now_ms: int) -> TrailPage:
        """Return entries about everything, up to now. One Query for each day that is looked through."""
        ...


def is_paged(entry: AuditEntry, *, pulls: bool = False) -> bool:
    """Return whether pages have an entry: pulls and successful logins, which each pull brings, only if asked for."""
    routine = entry.operation is Operation.LOGIN and entry.outcome is Outcome.SUCCESS
    return pulls or not (entry.operation in _OFTEN or routine)
