"""What every store of trail pages does."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from moto import mock_aws

from roadstead.aws.table import Table
from roadstead.aws.trail.dynamodb_trail import DynamoTrailPages
from roadstead.trail.entries import Actor, AuditEntry, Operation
from roadstead.trail.pages import TrailPages
from tests import aws
from tests.memory.audit import MemoryTrailPages

DAY = 86_400_000
NOW = 1_800_000_000_000


@pytest.fixture(params=["memory", "moto", "ministack", "embedded", "busy"])
def pages(request: pytest.FixtureRequest) -> Iterator[TrailPages]:
    if request.param == "memory":
        yield MemoryTrailPages()
    elif request.param == "moto":
        with mock_aws():
            yield _dynamo(aws.client("dynamodb"))
    else:
        yield _dynamo(aws.client("dynamodb", request.getfixturevalue(f"{request.param}_endpoint")))


def _dynamo(client: Any) -> DynamoTrailPages:
    index = f"index-{uuid.uuid4().hex}"
    aws.make_tables(client, index, f"identity-{uuid.uuid4().hex}")
    return DynamoTrailPages(Table(client, index, sleep=lambda _: None))


def entry(id_: str, at: int = NOW, project: str = "acme") -> AuditEntry:
    repository = f"{project}/ships" if project else ""
    return AuditEntry(id_, at, Operation.PUSH, Actor("ada"), project=project, repository=repository)


def ids(entries: Sequence[AuditEntry]) -> list[str]:
    return [one.id for one in entries]


def test_an_empty_trail_has_no_entries(pages: TrailPages) -> None:
    for project in ("acme", None):
        assert ids(pages.read(project, limit=5)) == []
        assert pages.count(project) == 0


def test_entries_come_newest_first(pages: TrailPages) -> None:
    pages.write([entry(f"e{number}", NOW - number) for number in range(30)] + [entry("other", NOW, "cargo")])
    for limit in (1, 7, 29):
        assert ids(pages.read("acme", limit=limit)) == [f"e{number}" for number in range(limit)]
    assert ids(pages.read("acme", limit=50)) == [f"e{number}" for number in range(30)]
    assert list(pages.read("cargo", limit=10)) == [entry("other", NOW, "cargo")]
    assert (pages.count("acme"), pages.count("cargo"), pages.count(None)) == (30, 1, 31)


def test_everything_goes_on_over_days(pages: TrailPages) -> None:
    entries = [entry(f"e{number}", NOW - number * DAY // 3) for number in range(12)]
    pages.write([*entries, entry("nobody", NOW - 80 * DAY, "")])
    everything = [*(f"e{number}" for number in range(12)), "nobody"]
    for limit in (1, 5, 13, 50):
        assert ids(pages.read(None, limit=limit)) == everything[:limit]
    assert pages.count(None) == 13


def test_the_newest_entries_are_those_of_today_and_where_they_are_too_few_of_days_before(pages: TrailPages) -> None:
    now = int(time.time() * 1000)
    assert list(pages.newest(2)) == []
    pages.write([entry("a", now - 3 * 86_400_000), entry("b", now - 86_400_000, "boats"), entry("c", now)])
    assert ids(pages.newest(3)) == ["c", "b", "a"]
    assert ids(pages.newest(2)) == ["c", "b"]
    assert ids(pages.newest(1)) == ["c"]


def test_what_is_written_again_is_there_once(pages: TrailPages) -> None:
    pages.write([entry("a"), entry("a"), entry("b", NOW - 1)])
    pages.write([entry("b", NOW - 1), entry("a")])
    for project in ("acme", None):
        assert ids(pages.read(project, limit=10)) == ["a", "b"]
        assert pages.count(project) == 2


def test_a_range_has_both_of_its_ends(pages: TrailPages) -> None:
    pages.write([entry(f"e{number}", NOW - number * DAY) for number in range(6)])
    for project in ("acme", None):
        assert ids(pages.read(project, since=NOW - 3 * DAY, until=NOW - DAY, limit=10)) == ["e1", "e2", "e3"]
        assert ids(pages.read(project, since=NOW - 3 * DAY + 1, until=NOW - DAY - 1, limit=10)) == ["e2"]
        assert ids(pages.read(project, until=NOW - 4 * DAY, limit=1)) == ["e4"]
        assert pages.count(project, since=NOW - 3 * DAY) == 4
    assert pages.count("acme", since=NOW - 3 * DAY + 1) == 3


def test_days_that_are_over_are_counted_once(pages: TrailPages) -> None:
    long_ago = int(time.time() * 1000) - 30 * DAY
    pages.write([entry("old", long_ago), entry("new", long_ago + 30 * DAY)])
    assert [pages.count(None) for _ in range(2)] == [2, 2]
    pages.write([entry("newer", long_ago + 30 * DAY)])
    assert pages.count(None) == 3
