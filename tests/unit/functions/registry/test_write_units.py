"""What a push writes: items of its transaction, and write units by DynamoDB's rules (docs/benchmarks.md has the table).

A unit is a KB of an item, two in a transaction; the index by-push takes one more for each item that it keeps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.unit.functions.registry.cloud import REPOSITORY, Function, running
from tests.unit.functions.registry.test_aws_calls import image

LAYERS = [b"layer %d" % number for number in range(10)]


UNITS = (120, 24, 30)  # of ten layers, of their manifest and tag before, and after


@pytest.fixture(scope="module")
def function() -> Iterator[Function]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as one:
        one.push_blob(b"{}")
        yield one


def written(function: Function, since: int) -> list[tuple[str, Mapping[str, Any], bool]]:
    """Key, item (empty for an update or a deletion) and whether in a transaction, of every write."""
    found = []
    for name, params in function.asked[since:]:
        for action in params.get("TransactItems", ()) if name.endswith("TransactWriteItems") else ():
            ((kind, one),) = action.items()
            key = one.get("Key") or one["Item"]
            if kind != "ConditionCheck":
                found.append((f"{key['pk']['S']} {key['sk']['S']}", one.get("Item", {}), True))
        for requests in params.get("RequestItems", {}).values() if name.endswith("BatchWriteItem") else ():
            for request in requests:
                one = request.get("PutRequest", {}).get("Item") or request["DeleteRequest"]["Key"]
                found.append((f"{one['pk']['S']} {one['sk']['S']}", one, False))
        if name.endswith(("PutItem", "UpdateItem", "DeleteItem")):
            one = params.get("Item") or params["Key"]
            found.append((f"{one['pk']['S']} {one['sk']['S']}", params.get("Item", {}), False))
    return found


def units(writes: list[tuple[str, Mapping[str, Any], bool]]) -> int:
    total = 0
    for _, item, in_transaction in writes:
        size = sum(len(name) + _size(value) for name, value in item.items())
        total += max(1, math.ceil(size / 1024)) * (2 if in_transaction else 1) + ("pushed" in item)
    return total


def _size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "L":
        return 3 + sum(1 + _size(one) for one in content)
    return len(content) if kind in ("S", "B") else 10


def push(function: Function, body: bytes, tag: str) -> list[tuple[str, Mapping[str, Any], bool]]:
    since = len(function.asked)
    function.cost("PUT", f"/v2/{REPOSITORY}/manifests/{tag}", body, status=201)
    return written(function, since)


def in_transaction(writes: list[tuple[str, Mapping[str, Any], bool]]) -> list[str]:
    return [key for key, _, together in writes if together]


def is_new(key: str) -> bool:
    """Whether pages and counts brought a write."""
    return key.startswith("count#")


def test_a_push_of_one_tag_is_a_transaction_of_at_most_ten_items(function: Function) -> None:
    first = push(function, image(), "first")  # a new repository, a new manifest with a subject, a new tag
    assert len(in_transaction(first)) <= 10
    moved = push(function, image(filler=1), "first")  # a tag that moves: its old inverse goes
    assert len(in_transaction(moved)) <= 10
    again = push(function, image(filler=1), "second")
    assert len(in_transaction(again)) <= 5


def test_what_the_counts_and_the_order_by_push_add_to_a_push(function: Function) -> None:
    since = len(function.asked)
    for data in LAYERS:
        function.push_blob(data)
    layers = units(written(function, since))
    body = image(*LAYERS).replace(b'"subject"', b'"other"')
    writes = push(function, body, "eleven")
    assert [key for key, _, _ in writes if is_new(key)] != []
    added = sum(2 for key, _, _ in writes if is_new(key)) + sum("pushed" in item for _, item, _ in writes)
    assert added == 6  # two counts, and two entries of the index by-push
    assert (layers, units(writes) - added, units(writes)) == UNITS
    retag = push(function, body, "again")
    assert sum(2 for key, _, _ in retag if is_new(key)) + sum("pushed" in item for _, item, _ in retag) == 3
