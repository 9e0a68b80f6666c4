"""`TrailPages` on the index table, under partitions of their own.

trail#<project>        <time>#<id>    entry (its JSON); gone by TTL after 90 days
trail#~<yyyy-mm-dd>    <time>#<id>    the same, of every project and of none
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from roadstead.aws.table import Item, Key, Table
from roadstead.trail.entries import AuditEntry
from roadstead.trail.pages import MAX_EMPTY_DAYS, PAGE_DAYS, TrailPage

_DAY_MS = 86_400_000


class DynamoTrailPages:
    def __init__(self, table: Table) -> None:
        self._table = table

    def write(self, entries: Sequence[AuditEntry]) -> None:
        items: dict[Key, dict[str, Any]] = {}
        for entry in entries:
            text = json.dumps(entry.as_json(), ensure_ascii=False, separators=(",", ":"))
            item = {"entry": text, "expires": entry.at // 1000 + PAGE_DAYS * 86_400}
            for pk in (f"trail#{entry.project}", _day_pk(entry.at)):
                if pk != "trail#":
                    items[pk, f"{entry.at:013d}#{entry.id}"] = item
        self._table.batch_write(puts=items.items())

    def project_page(self, project: str, *, after: str | None, limit: int) -> TrailPage:
        found = self._read(f"trail#{project}", after, limit)
        return TrailPage(tuple(map(_entry, found)), found[-1]["sk"] if len(found) == limit else None)

    def page(self, *, after: str | None, limit: int, now_ms: int) -> TrailPage:
        entries: list[AuditEntry] = []
        day_ms = _time_of(after) if after is not None else now_ms
        oldest = now_ms - PAGE_DAYS * _DAY_MS
        empty = 0
        while day_ms > oldest:
            found = self._read(_day_pk(day_ms), after, limit - len(entries))
            entries += map(_entry, found)
            if len(entries) == limit:
                return TrailPage(tuple(entries), found[-1]["sk"])
            empty += not found
            after = f"{day_ms // _DAY_MS * _DAY_MS:013d}"  # sorts before every entry of that day
            if empty == MAX_EMPTY_DAYS:
                return TrailPage(tuple(entries), after)
            day_ms = day_ms // _DAY_MS * _DAY_MS - 1
            after = None
        return TrailPage(tuple(entries), None)

    def _read(self, pk: str, after: str | None, limit: int) -> list[Item]:
        return list(self._table.query(pk, after=after, limit=limit, backward=True))


def _day_pk(at: int) -> str:
    return f"trail#~{time.strftime('%Y-%m-%d', time.gmtime(at // 1000))}"


def _time_of(place: str) -> int:
    """The time in a cursor. Raises ValueError for what was never given out."""
    return int(place.partition("#")[0])


def _entry(item: Item) -> AuditEntry:
    return AuditEntry.from_json(json.loads(item["entry"]))
