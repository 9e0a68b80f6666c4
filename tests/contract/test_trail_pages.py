"""What every store of trail pages does."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from roadstead.aws.dynamodb_trail import DynamoTrailPages
from roadstead.aws.table import Table
from roadstead.trail.entries import Actor, AuditEntry, Operation
from roadstead.trail.pages import MAX_EMPTY_DAYS, TrailPages
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


def everything(pages: TrailPages, limit: int) -> list[str]:
    found, after = list[str](), None
    for _ in range(100):
        page = pages.page(after=after, limit=limit, now_ms=NOW)
        found += [one.id for one in page.entries]
        after = page.after
        if after is None:
            break
    return found


def test_an_empty_trail_has_no_pages(pages: TrailPages) -> None:
    assert pages.project_page("acme", after=None, limit=5).entries == ()
    assert everything(pages, 5) == []


def test_a_projects_entries_come_newest_first_page_by_page(pages: TrailPages) -> None:
    pages.write([entry(f"e{number}", NOW - number) for number in range(30)] + [entry("other", NOW, "cargo")])
    found, after = list[str](), None
    for _ in range(4):
        page = pages.project_page("acme", after=after, limit=10)
        found += [one.id for one in page.entries]
        after = page.after
        if after is None:
            break
    assert found == [f"e{number}" for number in range(30)]
    assert pages.project_page("cargo", after=None, limit=10).entries == (entry("other", NOW, "cargo"),)


def test_everything_goes_on_over_days(pages: TrailPages) -> None:
    entries = [entry(f"e{number}", NOW - number * DAY // 3) for number in range(12)]
    pages.write([*entries, entry("nobody", NOW - 30 * DAY, "")])
    for limit in (1, 5, 50):
        assert everything(pages, limit) == [*(f"e{number}" for number in range(12)), "nobody"]


def test_what_is_written_again_is_there_once(pages: TrailPages) -> None:
    pages.write([entry("a"), entry("a"), entry("b", NOW - 1)])
    pages.write([entry("b", NOW - 1), entry("a")])
    assert everything(pages, 10) == ["a", "b"]
    assert [one.id for one in pages.project_page("acme", after=None, limit=10).entries] == ["a", "b"]


def test_days_without_entries_are_looked_through_a_few_at_a_time(pages: TrailPages) -> None:
    if isinstance(pages, MemoryTrailPages):
        pytest.skip("there are no days in memory")
    pages.write([entry("old", NOW - (MAX_EMPTY_DAYS + 5) * DAY)])
    page = pages.page(after=None, limit=10, now_ms=NOW)
    assert page.entries == () and page.after is not None
    assert [one.id for one in pages.page(after=page.after, limit=10, now_ms=NOW).entries] == ["old"]
