"""What a push writes: items of its transaction, and write units by DynamoDB's rules (docs/benchmarks.md has the table).

A unit is a KB of an item, two in a transaction; the index by-push takes one more for each item that it keeps.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.write_units import Write, writes
from tests.unit.functions.registry.cloud import REPOSITORY, Function, running
from tests.unit.functions.registry.test_aws_calls import image

LAYERS = [b"layer %d" % number for number in range(10)]

UNITS = (120, 24, 30)  # of ten layers, of their manifest and tag before, and after


@pytest.fixture
def function() -> Iterator[Function]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as one:
        one.push_blob(b"{}")
        yield one


def written(function: Function, since: int) -> list[Write]:
    return list(writes(function.asked[since:]))


def units(written: list[Write]) -> int:
    return sum(write.units for write in written)


def push(function: Function, body: bytes, tag: str) -> list[Write]:
    since = len(function.asked)
    function.cost("PUT", f"/v2/{REPOSITORY}/manifests/{tag}", body, status=201)
    return written(function, since)


def in_transaction(written: list[Write]) -> list[Write]:
    return [write for write in written if write.in_transaction]


def is_new(write: Write) -> bool:
    """Whether pages and counts brought a write; the shards of artifacts have the repository's era, too."""
    return write.partition.startswith("count#")


def test_a_push_of_one_tag_is_a_transaction_of_at_most_ten_items(function: Function) -> None:
    first = push(function, image(), "first")  # a new repository, a new manifest with a subject, a new tag
    assert len(in_transaction(first)) <= 10
    moved = push(function, image(filler=1), "first")  # a tag that moves: its old inverse goes
    assert len(in_transaction(moved)) <= 10
    again = push(function, image(filler=1), "second")
    assert len(in_transaction(again)) == 6  # one of them looks at the era of the repository


def test_what_the_counts_and_the_order_by_push_add_to_a_push(function: Function) -> None:
    push(function, image(), "first")  # a repository that is there
    since = len(function.asked)
    for data in LAYERS:
        function.push_blob(data)
    layers = units(written(function, since))
    body = image(*LAYERS).replace(b'"subject"', b'"other"')
    pushed = push(function, body, "eleven")
    assert any(map(is_new, pushed))
    added = sum(2 for write in pushed if is_new(write)) + sum("pushed" in write.item for write in pushed)
    assert added == 6  # two counts, and two entries of the index by-push
    assert (layers, units(pushed) - added, units(pushed)) == UNITS
    retag = push(function, body, "again")
    assert sum(2 for write in retag if is_new(write)) + sum("pushed" in write.item for write in retag) == 5
    assert [write.sort[:5] for write in retag if is_new(write)] == ["tags#", "artif"]  # a count, and a look at the era
