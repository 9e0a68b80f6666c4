"""`PullCounts` on the index table. The counting function may write only these partitions.

pulls#<repository>  <digest>  count, last
counted#<batch>     <part>    marks a batch that was added; expires by TTL after a day
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from roadstead.aws.table import TRANSACTION, Key, Table, Write, put, update
from roadstead.conflicts import Conflict
from roadstead.names import RepositoryName
from roadstead.trail.pull_counts import Artifact, Pulls

_DAY = 86_400
_ABSENT = "attribute_not_exists(pk)"


class DynamoPullCounts:
    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock

    def add(self, batch: str, pulls: Mapping[Artifact, Pulls]) -> None:
        """Costs one TransactWriteItems for up to 99 artifacts: their counts, and the batch's mark."""
        ordered = sorted(pulls.items())
        size = TRANSACTION - 1
        for start in range(0, len(ordered), size):
            mark = put((f"counted#{batch}", f"{start:06d}"), {"expires": int(self._clock()) + _DAY}, _ABSENT)
            try:
                self._table.transact([mark, *(_addition(*pair) for pair in ordered[start : start + size])])
            except Conflict:
                continue  # this part has been added

    def find(self, repository: RepositoryName) -> dict[str, Pulls]:
        """Costs one Query per page."""
        items = self._table.query(f"pulls#{repository}")
        return {item["sk"]: Pulls(item["count"], item["last"]) for item in items}

    def forget(self, artifacts: Iterable[Artifact]) -> None:
        """Costs one BatchWriteItem for each 25."""
        self._table.batch_write(deletes=[_key(artifact) for artifact in artifacts])


def _addition(artifact: Artifact, pulls: Pulls) -> Write:
    return update(
        _key(artifact),
        "SET #last = :last ADD #count :count",
        values={":last": pulls.last, ":count": pulls.count},
        names={"#last": "last", "#count": "count"},
    )


def _key(artifact: Artifact) -> Key:
    return (f"pulls#{artifact.repository}", artifact.digest)
