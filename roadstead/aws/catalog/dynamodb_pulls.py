"""`PullCounts` on the index table, under partitions of their own: whoever counts may write nothing else there.

    pulls#<repository>    <digest>          count, last
    pullers#<repository>  <digest>#<actor>  count, last; gone by TTL 90 days after the last pull
    pullsum#<project>     <repository>      count, last

Each item remembers the last batches that were added to it (b0 to b7), so adding is one conditional write.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from roadstead.aws.table import Item, Key, Table, update
from roadstead.conflicts import Conflict
from roadstead.names import RepositoryName
from roadstead.trail.pull_counts import PULLER_DAYS, REMEMBERED, Artifact, Puller, Pulls

_DAY = 86_400
_NEW = " AND ".join(f"(attribute_not_exists(b{place}) OR b{place} <> :batch)" for place in range(REMEMBERED))
_SHIFT = ", ".join(
    ["b0 = :batch", *(f"b{place} = if_not_exists(b{place - 1}, :none)" for place in range(1, REMEMBERED))]
)
_LATER = "(attribute_not_exists(#last) OR #last <= :last)"
_NAMES = {"#last": "last", "#count": "count"}


class DynamoPullCounts:
    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, batch: str, pulls: Mapping[Artifact, Pulls], pullers: Mapping[Puller, Pulls]) -> None:
        totals: dict[str, Pulls] = defaultdict(lambda: Pulls(0, 0))
        for artifact, more in sorted(pulls.items()):
            self._add(_key(artifact), batch, more)
            total = totals[artifact.repository]
            totals[artifact.repository] = Pulls(total.count + more.count, max(total.last, more.last))
        for puller, more in sorted(pullers.items()):
            self._add(_puller_key(puller), batch, more, expires=more.last // 1000 + PULLER_DAYS * _DAY)
        for repository, more in sorted(totals.items()):
            self._add(_total_key(repository), batch, more)

    def find(self, repository: RepositoryName) -> dict[str, Pulls]:
        return {item["sk"]: _pulls(item) for item in self._table.query(f"pulls#{repository}")}

    def total(self, repository: RepositoryName) -> Pulls:
        item = self._table.get(_total_key(repository))
        return _pulls(item) if item else Pulls(0, 0)

    def find_pullers(self, repository: RepositoryName, digest: str) -> dict[str, Pulls]:
        prefix = f"{digest}#"
        items = self._table.query(f"pullers#{repository}", prefix=prefix)
        return {item["sk"].removeprefix(prefix): _pulls(item) for item in items}

    def _add(self, key: Key, batch: str, more: Pulls, *, expires: int | None = None) -> None:
        values: dict[str, object] = {":count": more.count, ":batch": batch, ":none": "-"}
        last: dict[str, object] = {":last": more.last}
        set_last = "#last = :last"
        if expires is not None:
            last[":expires"] = expires
            set_last += ", expires = :expires"
        try:
            later = f"SET {_SHIFT}, {set_last} ADD #count :count"
            self._table.write(update(key, later, f"{_NEW} AND {_LATER}", {**values, **last}, _NAMES))
            return
        except Conflict:
            if more.count == 0:
                return  # seen again since
        try:
            names = {"#count": "count"}
            self._table.write(update(key, f"SET {_SHIFT} ADD #count :count", _NEW, values, names))
        except Conflict:
            return  # this batch was added before


def _key(artifact: Artifact) -> Key:
    return (f"pulls#{artifact.repository}", artifact.digest)


def _puller_key(puller: Puller) -> Key:
    return (f"pullers#{puller.repository}", f"{puller.digest}#{puller.actor}")


def _total_key(repository: str) -> Key:
    return (f"pullsum#{RepositoryName(repository).project}", repository)


def _pulls(item: Item) -> Pulls:
    return Pulls(item["count"], item["last"])
