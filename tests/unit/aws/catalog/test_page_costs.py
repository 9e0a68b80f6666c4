"""What a page costs: its calls are the same for ten tags and for many, on the first page and on the last."""

from __future__ import annotations

import os
from typing import Any

import pytest
from moto import mock_aws

from roadstead.aws.catalog.dynamodb_pages import DynamoPages, summary_key
from roadstead.aws.content.dynamodb_manifests import DynamoManifestIndex
from roadstead.aws.content.index_items import pushed_manifest, pushed_tag, repository_pk
from roadstead.aws.table import Table
from roadstead.catalog.artifacts import MAX_EXAMINED, Artifacts, TooMany
from roadstead.catalog.pages import TAGS_AT_ONCE
from roadstead.catalog.summaries import Summary
from roadstead.content.manifest_document import OCI_MANIFEST
from roadstead.digest import Digest
from roadstead.names import RepositoryName
from tests import aws
from tests.memory.objects import MemoryObjects

MANY = int(os.environ.get("FOUNDATION_TAGS", "1200"))
SHIPS = RepositoryName("ships/galleon")
QUERY, BATCH_GET = "dynamodb.Query", "dynamodb.BatchGetItem"


@pytest.fixture(scope="module", params=[10, MANY])
def filled(request: pytest.FixtureRequest) -> Any:
    """A table that is only read, the calls to it, and how many tags are in it."""
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
            puts.append(((pk, f"tagged#{digest}#{tag}"), {"at": at}))
            puts.append(((pk, f"manifest#{digest}"), {"at": at, "pushed": pushed_manifest(at, digest), **shown}))
            summary = Summary(digest, "1", f"manifests/{number}", OCI_MANIFEST, 100, 1_000)
            puts.append((summary_key(SHIPS, digest), {"document": summary.to_json()}))
        table.batch_write(puts=puts)
        yield table, aws.record_calls(client), request.param


@pytest.fixture
def pages(filled: Any) -> Any:
    table, calls, total = filled
    calls.clear()
    return DynamoPages(table), calls, total


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


@pytest.fixture
def artifacts(pages: Any) -> Any:
    stored, calls, total = pages
    return Artifacts(stored, DynamoManifestIndex(stored._table), MemoryObjects()), calls, total


def test_a_page_of_artifacts_costs_the_same_at_the_beginning_and_by_a_cursor_anywhere(artifacts: Any) -> None:
    stored, calls, total = artifacts
    first = stored.detailed(stored.page(SHIPS, start=0, size=10, after=None), tags=True, accessories=True)
    calls_of_first = list(calls)
    last = _last_read(stored) if total > TAGS_AT_ONCE else "~"
    tags = 1 + sum(one.digest >= last for one in first)
    assert len(first) == 10
    assert calls_of_first == [QUERY, BATCH_GET] + [QUERY] * tags
    calls.clear()
    middle = stored.page(SHIPS, start=0, size=10, after=f"{1_800_000_000_000 + total // 2:013d}#")
    assert middle and calls == [QUERY]


def test_a_page_number_costs_a_query_for_each_mb_before_it(artifacts: Any) -> None:
    stored, calls, total = artifacts
    last = stored.page(SHIPS, start=total - 5, size=10, after=None)
    assert len(last) == 5
    assert len(calls) == 1 + total // 3_000


def test_a_filter_reads_every_kind_of_item_once_for_each_mb(artifacts: Any) -> None:
    stored, calls, total = artifacts
    if total > MAX_EXAMINED:
        with pytest.raises(TooMany):
            stored.examine(SHIPS, summaries=True, tags=True, pulls=True)
        return
    found = stored.examine(SHIPS, summaries=True, tags=True, pulls=True)
    assert len(found) == total and all(one.tags and one.summary for one in found)
    # Counts twice, tags, artifacts, summaries, pulls; a MB more of one or the other where there are many.
    assert set(calls) == {QUERY} and len(calls) <= 6 + total // 1_000


def _last_read(stored: Artifacts) -> str:
    """The artifact at which one Query of TAGS_AT_ONCE tags stops: tags are in the order of digests."""
    digests = sorted(one.digest for one in stored.page(SHIPS, start=0, size=MAX_EXAMINED, after=None))
    return digests[TAGS_AT_ONCE - 1]
