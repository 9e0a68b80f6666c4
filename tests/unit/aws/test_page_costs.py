"""What a page costs: its calls are the same for ten tags and for many, on the first page and on the last."""

from __future__ import annotations

import os
from typing import Any

import pytest
from moto import mock_aws

from roadstead.aws.dynamodb_pages import DynamoPages
from roadstead.aws.index_items import pushed_manifest, pushed_tag, repository_pk
from roadstead.aws.table import Table
from roadstead.digest import Digest
from roadstead.names import RepositoryName
from tests import aws

MANY = int(os.environ.get("FOUNDATION_TAGS", "1200"))
SHIPS = RepositoryName("ships/galleon")
QUERY, BATCH_GET = "dynamodb.Query", "dynamodb.BatchGetItem"


@pytest.fixture(params=[10, MANY])
def pages(request: pytest.FixtureRequest) -> Any:
    with mock_aws():
        client = aws.client("dynamodb")
        aws.make_tables(client, "index", "identity")
        table = Table(client, "index")
        pk = repository_pk(SHIPS)
        shown = {"type": "t", "size": 1, "by": "ada"}
        puts = []
        for number in range(request.param):
            digest, tag, at = Digest.of(b"%d" % number), f"v{number:06d}", 1_800_000_000_000 + number
            puts.append(((pk, f"tag#{tag}"), {"digest": digest, "at": at, "pushed": pushed_tag(at, tag), **shown}))
            puts.append(((pk, f"manifest#{digest}"), {"at": at, "pushed": pushed_manifest(at, digest), **shown}))
        table.batch_write(puts=puts)
        yield DynamoPages(table), aws.record_calls(client), request.param


def test_a_page_by_push_is_one_query_wherever_it_is(pages: Any) -> None:
    stored, calls, total = pages
    first = stored.tags_by_push(SHIPS, after=None, limit=50)
    oldest = stored.tags_by_push(SHIPS, after=None, limit=1, oldest_first=True)[0]
    last = stored.tags_by_push(SHIPS, after=f"{oldest.place}~", limit=50)
    assert len(first) == min(50, total) and len(last) == 1
    assert calls == [QUERY] * 3


def test_a_page_by_name_is_one_query_both_ways(pages: Any) -> None:
    stored, calls, total = pages
    middle = f"v{total // 2:06d}"
    for backward in (False, True):
        assert stored.tags_by_name(SHIPS, after=middle, limit=4, backward=backward)
    assert calls == [QUERY] * 2


def test_artifacts_by_push_counts_and_details_are_one_call_each(pages: Any) -> None:
    stored, calls, _ = pages
    rows = stored.artifacts_by_push(SHIPS, after=None, limit=50)
    stored.count(SHIPS)
    stored.details(SHIPS, [row.digest for row in rows])
    assert calls == [QUERY, QUERY, BATCH_GET]
