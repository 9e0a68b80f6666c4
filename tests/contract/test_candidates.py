"""Candidates of the collector: the same arrival is one of them, however often it is told."""

from __future__ import annotations

from typing import Any

import pytest
from moto import mock_aws

from roadstead.aws.lifecycle.dynamodb_candidates import DynamoCandidates
from roadstead.aws.table import Table
from roadstead.content.deletion.candidates import Candidates
from tests import aws
from tests.memory.candidates import MemoryCandidates

DAY_MS = 86_400_000


def test_an_arrival_in_memory_is_recorded_once() -> None:
    made = MemoryCandidates()
    candidates: Candidates = made
    for _ in range(2):
        candidates.note_object("blobs/a", "u1", at=5)
    candidates.note_object("blobs/b", "u2", at=5)
    assert made.objects == {("blobs/a", 5): "u1", ("blobs/b", 5): "u2"}


@pytest.mark.parametrize("backend", ["moto", "ministack", "embedded"])
def test_an_arrival_on_dynamodb_is_one_item_of_its_day(backend: str, request: pytest.FixtureRequest) -> None:
    if backend == "moto":
        with mock_aws():
            check(aws.client("dynamodb"))
    else:
        check(aws.client("dynamodb", request.getfixturevalue(f"{backend}_endpoint")))


def check(dynamodb: Any) -> None:
    aws.make_tables(dynamodb, "candidates-index", "candidates-identity")
    candidates: Candidates = DynamoCandidates(Table(dynamodb, "candidates-index"))
    at = 20_000 * DAY_MS + 7
    for _ in range(2):
        candidates.note_object("blobs/a", "u1", at=at)
    candidates.note_object("blobs/b", "u2", at=at)
    items = dynamodb.scan(TableName="candidates-index")["Items"]
    found = {(item["kind"]["S"], item["key"]["S"], item["upload"]["S"]) for item in items}
    assert found == {("object", "blobs/a", "u1"), ("object", "blobs/b", "u2")}
    assert len(items) == 2
    assert {item["pk"]["S"].rpartition("#")[0] for item in items} == {"gc#20000"}
    assert {item["sk"]["S"].partition("#")[0] for item in items} == {f"{at:013d}"}
