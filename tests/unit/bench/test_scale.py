"""The arithmetic of quotas."""

from __future__ import annotations

import pytest

from bench.sections.scale import LOADS, QUOTAS, Assumptions, Resource, binding, demands, requests_of_a_pull, show

COUNTS = {
    "GET token, password known": ("dynamodb.BatchGetItem",),
    "HEAD manifest by tag": ("dynamodb.GetItem",),
    "GET manifest by tag": ("dynamodb.GetItem", "dynamodb.GetItem"),
    "GET blob, 256 KiB: 307 to S3": ("dynamodb.GetItem",),
}


def amounts(pulls: float, assumed: Assumptions | None = None) -> dict[Resource, float]:
    return {demand.resource: demand.amount for demand in demands(pulls, COUNTS, assumed or Assumptions())}


def test_a_pull_is_a_token_two_requests_for_the_tag_and_one_for_each_blob() -> None:
    assert requests_of_a_pull(COUNTS, layers=8) == {
        "GET token, password known": (1, 1),
        "HEAD manifest by tag": (1, 1),
        "GET manifest by tag": (1, 2),
        "GET blob, 256 KiB: 307 to S3": (9, 1),
    }


def test_every_resource_counts_once_and_grows_with_the_load() -> None:
    few, many = amounts(10), amounts(1_000)
    assert list(few) == list(Resource) == list(QUOTAS)
    assert few[Resource.API] == 120
    assert few[Resource.TABLE] == 120  # 1 + 2 + 9; the token's read is of the other table
    for resource in (Resource.API, Resource.LAMBDA, Resource.TABLE, Resource.PARTITION, Resource.S3, Resource.EDGE):
        assert many[resource] == pytest.approx(100 * few[resource])


def test_a_slower_call_needs_more_concurrency_and_no_more_requests() -> None:
    fast, slow = amounts(100), amounts(100, Assumptions(call=0.02))
    assert slow[Resource.LAMBDA] > 3 * fast[Resource.LAMBDA]
    assert slow[Resource.API] == fast[Resource.API]


def test_kms_signs_every_direct_token_and_hardly_any_certified_one() -> None:
    assert amounts(1_000)[Resource.KMS] < 0.01
    assert amounts(1_000, Assumptions(direct_mode=True))[Resource.KMS] == 1_000


def test_the_limit_is_the_quota_with_the_largest_share() -> None:
    found = demands(1_000, COUNTS, Assumptions())
    assert binding(found).share == max(demand.share for demand in found)


def test_the_table_names_the_limit_at_each_load_and_what_raises_it() -> None:
    text = show(COUNTS, Assumptions())
    assert all(len(line) <= 120 for line in text.splitlines())
    for load in LOADS:
        assert f"{load:,} pulls/s:" in text
    for quota in QUOTAS.values():
        assert quota.source in text
