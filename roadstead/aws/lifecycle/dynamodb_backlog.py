"""`Backlog` on the index table.

Candidates lie in `gc#<day>#<shard>`, in time order (roadstead/aws/content/index_items.py), marked links in
`gc#marked#<shard>`, and the day from which on there are candidates in `gc#collector`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from roadstead.aws.content.index_items import DAY_MS, candidate_write, event_write, shards
from roadstead.aws.table import Item, Key, Table, put
from roadstead.digest import Digest
from roadstead.lifecycle.collector.backlog import Candidate, Kind, MarkedLink
from roadstead.names import RepositoryName
from roadstead.trail.entries import Event

FIRST_DAY = 20_781  # 2026-11-24: there are no candidates of before
LATE_DAYS = 15  # S3's events wait in a queue for up to 14 days, and become candidates of the day when they happened
_STATE: Key = ("gc#collector", "state")
_PAGE = 100


class DynamoBacklog:
    """A run reads 16 partitions of each day since the oldest that had candidates, of 15 days at least."""

    def __init__(self, table: Table, *, first_day: int = FIRST_DAY) -> None:
        self._table = table
        self._first_day = first_day
        self._reached: int | None = None

    def candidates(self, before: int) -> Iterator[Sequence[Candidate]]:
        state = self._table.get(_STATE)
        first, last, oldest = (state or {}).get("day", self._first_day), before // DAY_MS, None
        for day in range(first, last + 1):
            for shard in shards():
                for items in self._due(f"gc#{day}#{shard}", before):
                    oldest = day if oldest is None else oldest
                    yield [_candidate(item) for item in items]
        reached = min(last - LATE_DAYS, last if oldest is None else oldest)
        self._reached = reached if reached > first else None

    def marked(self, before: int) -> Iterator[Sequence[MarkedLink]]:
        for shard in shards():
            for items in self._due(f"gc#marked#{shard}", before):
                yield [_marked(item) for item in items]

    def _due(self, pk: str, before: int) -> Iterator[Sequence[Item]]:
        after = None
        while True:
            items = list(self._table.query(pk, after=after, limit=_PAGE))
            due = [item for item in items if _time(item) < before]
            if due:
                yield due
            if len(items) < _PAGE or len(due) < len(items):
                return
            after = items[-1]["sk"]

    def keep(self, links: Sequence[MarkedLink]) -> None:
        self._table.batch_write(puts=[_marked_item(link) for link in links])

    def renew(self, kind: Kind, fields: Mapping[str, str], at: int) -> None:
        self._table.write(candidate_write(at, kind, **fields))

    def done(self, looked_at: Sequence[Candidate | MarkedLink]) -> None:
        self._table.batch_write(deletes=[one.place for one in looked_at])

    def checkpoint(self) -> None:
        if self._reached is not None:
            self._table.write(put(_STATE, {"day": self._reached}))

    def tell(self, event: Event) -> None:
        self._table.transact([event_write(event)])  # with a token: a repeated request writes one event


def _time(item: Item) -> int:
    return int(item["sk"].partition("#")[0])


def _candidate(item: Item) -> Candidate:
    fields = {name: value for name, value in item.items() if name not in ("pk", "sk", "kind")}
    return Candidate(Kind(item["kind"]), _time(item), fields, (item["pk"], item["sk"]))


def _marked(item: Item) -> MarkedLink:
    return MarkedLink(
        RepositoryName(item["repository"]),
        Digest(item["digest"]),
        item["mark"],
        item["size"],
        _time(item),
        (item["pk"], item["sk"]),
    )


def _marked_item(link: MarkedLink) -> tuple[Key, dict[str, Any]]:
    chosen = secrets.choice(shards())
    item = {"repository": link.repository, "digest": link.digest, "mark": link.mark, "size": link.size}
    return (f"gc#marked#{chosen}", f"{link.at:013d}#{secrets.token_hex(8)}"), item
