"""Write units of DynamoDB requests: a KB of an item each, two in a transaction ("Read and write operations", AWS).

An item that the index by-push keeps takes one more. Updates, deletions and condition checks count as one KB: DynamoDB
bills a check as a write (paritysuite/dynamodb-conformance, pull request 67, measured 2026-06).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Write:
    """`item` is empty for an update, a deletion or a condition check."""

    partition: str
    sort: str
    item: Mapping[str, Any]
    in_transaction: bool

    @property
    def units(self) -> int:
        return self.of_table + ("pushed" in self.item)

    @property
    def of_table(self) -> int:
        """Those of the table, without its index: they are taken by the partition of `partition`."""
        size = sum(len(name) + _size(value) for name, value in self.item.items())
        return max(1, math.ceil(size / 1024)) * (2 if self.in_transaction else 1)


def writes(requests: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[Write]:
    """Yield every write of some requests, each an operation as `dynamodb.PutItem` and its parameters."""
    for name, params in requests:
        operation = name.rpartition(".")[2]
        if operation == "TransactWriteItems":
            for action in params["TransactItems"]:
                (one,) = action.values()
                yield _write(one.get("Key") or one["Item"], one.get("Item", {}), True)
        elif operation == "BatchWriteItem":
            for asked in params["RequestItems"].values():
                for request in asked:
                    one = request.get("PutRequest", {}).get("Item") or request["DeleteRequest"]["Key"]
                    yield _write(one, one, False)
        elif operation in ("PutItem", "UpdateItem", "DeleteItem"):
            yield _write(params.get("Item") or params["Key"], params.get("Item", {}), False)


def _write(key: Mapping[str, Any], item: Mapping[str, Any], in_transaction: bool) -> Write:
    return Write(key["pk"]["S"], key["sk"]["S"], item, in_transaction)


def _size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "L":
        return 3 + sum(1 + _size(one) for one in content)
    return len(content) if kind in ("S", "B") else 10
