"""`TrailPages` on the index table, under partitions of their own.

trail#<project>        <time>#<id>     entry (its JSON); gone by TTL after 90 days
trail#~<yyyy-mm-dd>    <time>#<id>     the same, of every project and of none
trail#~days            <yyyy-mm-dd>    a day that has entries
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from roadstead.aws.table import Item, Key, Table
from roadstead.trail.entries import AuditEntry
from roadstead.trail.pages import PAGE_DAYS

_DAYS = "trail#~days"
_DAY = 86_400  # seconds


class DynamoTrailPages:
    def __init__(self, table: Table) -> None:
        self._table = table
        self._counts: dict[str, int] = {}  # of days that are over
        self._noted: set[str] = set()  # days that this process has written down

    def write(self, entries: Sequence[AuditEntry]) -> None:
        items: dict[Key, dict[str, Any]] = {}
        for entry in entries:
            text = json.dumps(entry.as_json(), ensure_ascii=False, separators=(",", ":"))
            expires = entry.at // 1000 + PAGE_DAYS * _DAY
            day = _day(entry.at)
            for pk in (f"trail#{entry.project}", f"trail#~{day}"):
                if pk != "trail#":
                    items[pk, f"{entry.at:013d}#{entry.id}"] = {"entry": text, "expires": expires}
            if day not in self._noted:
                items[_DAYS, day] = {"expires": expires + _DAY}
        self._table.batch_write(puts=items.items())
        self._noted |= {sk for pk, sk in items if pk == _DAYS}

    def count(self, project: str | None, *, since: int = 0) -> int:
        if project is not None:
            return self._table.count(f"trail#{project}", after=_from(since)).items
        return sum(self._count(day) for day in self._days() if day >= _day(since))

    def newest(self, limit: int) -> list[AuditEntry]:
        today = f"trail#~{_day(int(time.time() * 1000))}"
        found = [_entry(item) for item in self._table.query(today, limit=limit, backward=True)]
        return found if len(found) == limit else self.read(None, limit=limit)

    def read(self, project: str | None, *, since: int = 0, until: int | None = None, limit: int) -> list[AuditEntry]:
        found: list[AuditEntry] = []
        for pk in self._partitions(project, since, until):
            after = None if until is None else f"{until + 1:013d}"
            for item in self._table.query(pk, after=after, limit=limit - len(found), backward=True):
                if item["sk"] < _from(since):
                    return found
                found.append(_entry(item))
            if len(found) == limit:
                break
        return found

    def _partitions(self, project: str | None, since: int, until: int | None) -> Iterator[str]:
        if project is not None:
            yield f"trail#{project}"
            return
        for day in self._days():
            if _day(since) <= day and (until is None or day <= _day(until)):
                yield f"trail#~{day}"

    def _days(self) -> list[str]:
        """The days with entries, the last one first. One Query."""
        return [item["sk"] for item in self._table.query(_DAYS, backward=True)]

    def _count(self, day: str) -> int:
        if day not in self._counts:
            counted = self._table.count(f"trail#~{day}").items
            if day >= _day(int(time.time() - 2 * _DAY) * 1000):
                return counted
            self._counts[day] = counted
        return self._counts[day]


def _day(at: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at // 1000))


def _from(at: int) -> str:
    """Sorts before every entry of that time."""
    return f"{at:013d}"


def _entry(item: Item) -> AuditEntry:
    return AuditEntry.from_json(json.loads(item["entry"]))
