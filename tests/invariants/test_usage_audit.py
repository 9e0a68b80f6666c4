"""The audit of usage: what counts is compared with what exists, beside requests, and repaired only when told.

Every kind of difference that a lost event, a broken indexer or a hand can make is found by its numbers. Repairing
beside pushes and deletions, or dying at any call, loses no change and counts nothing twice.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import BotoCoreError

from roadstead.aws.catalog.dynamodb_derived import DynamoDerivedIndex
from roadstead.aws.catalog.dynamodb_usage_walk import DynamoUsageWalk
from roadstead.aws.content.counts import ARTIFACTS, shard_key
from roadstead.aws.content.index_items import own_key, usage_key
from roadstead.aws.identity.identity_items import PROJECTS, listed_project_key
from roadstead.aws.table import Key, Table
from roadstead.catalog import usage_audit
from roadstead.catalog.usage_audit import Difference, Kind, Page, Place, UsageAudit
from roadstead.conflicts import Throttled
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from roadstead.names import ProjectName
from tests.invariants.cloud import IDENTITY, Cloud
from tests.invariants.faults import Crash, Fault, Faulty
from tests.invariants.operations import CONFIG, IMAGE, LAYER, OTHER, REFERRER, SECOND
from tests.invariants.operations import INDEX as IMAGE_INDEX
from tests.invariants.registry import BOATS, SHIPS, Registry, blob
from tests.invariants.schedules import interleave, plans
from tests.invariants.test_indexing import check_derived, derived, indexer_of, settle
from tests.manifests import image_of

SCHEDULES = int(os.environ.get("INVARIANT_SCHEDULES", "90")) // 9
ACME = ProjectName("acme")
ASTRAY = Digest.of(b"nobody has this")


@pytest.fixture(autouse=True)
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls of threads that a page starts are neither counted nor interleaved."""
    monkeypatch.setattr(usage_audit, "each", lambda function, values: [function(value) for value in values])


@pytest.fixture(autouse=True)
def projects(cloud: Cloud) -> Iterator[None]:
    """The list of projects has one; the cloud keeps the identity table, and in it what other tests put there."""
    table = Table(cloud.dynamodb, IDENTITY)
    others = {(item["pk"], item["sk"]): item for item in table.query(PROJECTS)}
    table.batch_write(deletes=others)
    table.put_item(listed_project_key(ACME), {"id": 1})
    yield
    table.batch_write(deletes=[listed_project_key(ACME)])
    table.batch_write(others.items())


def audit_of(cloud: Cloud) -> UsageAudit:
    registry = Registry(cloud)
    walk = DynamoUsageWalk(registry.table, Table(cloud.dynamodb, IDENTITY))
    return UsageAudit(walk, DynamoDerivedIndex(registry.table), registry.index, indexer_of(cloud))


def pages(audit: UsageAudit) -> Iterator[Page]:
    """Every page, each from a place that was kept as JSON."""
    place: Place | None = {}
    while place is not None:
        page = audit.page(json.loads(json.dumps(place)))
        yield page
        place = page.place


def compare(cloud: Cloud, *, repair: bool = False) -> list[Difference]:
    """Compare everything; repair page by page if told."""
    audit, found = audit_of(cloud), list[Difference]()
    for page in pages(audit):
        differing = audit.again(page.differences)
        found += differing
        if repair:
            audit.repair(differing)
    return found


def prepare(cloud: Cloud) -> None:
    """Images, an index of them, a referrer, blobs that nothing needs, and a repository that has nothing else."""
    registry = Registry(cloud)
    for data in (CONFIG, LAYER, OTHER):
        registry.upload(data)
    registry.upload(OTHER, BOATS)
    registry.push(IMAGE)
    registry.push(SECOND, tags=["second"])
    registry.push(IMAGE_INDEX, tags=["index"])
    registry.push(REFERRER)
    settle(cloud, list(cloud.events))


def own(data: bytes) -> Key:
    return own_key(ACME, Digest.of(data))


def change(cloud: Cloud, key: Key, **changes: object) -> None:
    table = Registry(cloud).table
    table.put_item(key, {**(table.get(key) or {}), **changes})


def drop(*keys: Key) -> Callable[[Cloud], None]:
    return lambda cloud: Registry(cloud).table.batch_write(deletes=list(keys))


def summary_of(body: bytes) -> Key:
    return f"artifact#{SHIPS}", Digest.of(body)


def used(cloud: Cloud) -> int:
    return int(cloud.rows("usage#acme")["usage#acme", "usage"]["bytes"])


SHARD = shard_key(SHIPS, ARTIFACTS, Digest.of(SECOND))
# What was done to what is kept, and the differences that are found: kind, what, counted, there.
Told = tuple[Kind, str, int, int]
DAMAGE: dict[str, tuple[Callable[[Cloud], None], list[Told]]] = {
    "a summary is gone": (
        drop(summary_of(IMAGE)), [(Kind.MANIFEST, Digest.of(IMAGE), 0, len(IMAGE)), (Kind.TOTAL, "", 0, -len(IMAGE))],
    ),
    "a blob is not counted": (
        drop(own(LAYER)), [(Kind.BLOB, Digest.of(LAYER), 0, len(LAYER)), (Kind.TOTAL, "", 0, -len(LAYER))],
    ),
    "a blob is counted by another size": (
        lambda cloud: change(cloud, own(LAYER), bytes=len(LAYER) + 5),
        [(Kind.BLOB, Digest.of(LAYER), len(LAYER) + 5, len(LAYER)), (Kind.TOTAL, "", 0, 5)],
    ),
    "a blob is counted that nobody needs": (
        lambda cloud: change(cloud, own_key(ACME, ASTRAY), bytes=7),
        [(Kind.BLOB, ASTRAY, 7, 0), (Kind.TOTAL, "", 0, 7)],
    ),
    "a project is charged too much": (
        lambda cloud: change(cloud, usage_key(ACME), bytes=used(cloud) + 1000), [(Kind.TOTAL, "", 1000, 0)],
    ),
    "what a project is charged is gone": (drop(usage_key(ACME)), [(Kind.TOTAL, "", 0, 0)]),
    "a repository shows another number of artifacts": (
        lambda cloud: change(cloud, (f"reposum#{ACME}", SHIPS), artifacts=9), [(Kind.REPOSITORY, "", 9, 2)],
    ),
    "a repository that is gone shows artifacts": (
        lambda cloud: change(cloud, (f"reposum#{ACME}", "acme/gone"), created=1, updated=1, tags=0, artifacts=3),
        [(Kind.REPOSITORY, "", 3, 0)],
    ),
    "a part of the number of artifacts is wrong": (
        lambda cloud: change(cloud, SHARD, n=5), [(Kind.REPOSITORY, "", 2, 6), (Kind.SHARD, SHARD[1], 5, 1)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_a_difference_is_found_by_its_numbers_and_gone_once_it_is_repaired(cloud: Cloud, name: str) -> None:
    prepare(cloud)
    right, before = derived(cloud), used(cloud)
    damage, expected = DAMAGE[name]
    damage(cloud)
    damaged = cloud.rows()
    found = compare(cloud)
    assert cloud.rows() == damaged, "nobody asked for a repair"

    def told(one: Difference) -> Told:
        # A total by what it differs from the one that was right: in what is charged, and in what counts.
        if one.kind is Kind.TOTAL and one.counted:
            return one.kind, one.what, one.counted - before, one.there - before
        return one.kind, one.what, one.counted, one.there - before if one.kind is Kind.TOTAL else one.there

    assert sorted(map(told, found)) == sorted(expected)
    for _ in range(3):  # one repair may show another difference, as of a total
        compare(cloud, repair=True)
    assert compare(cloud) == []
    assert derived(cloud) == right
    check_derived(cloud)


def test_lost_events_are_found_and_what_they_changed_is_counted(cloud: Cloud) -> None:
    """An image that is new, an index that is gone, a tag of a child, and a layer that only a deleted image needed."""
    prepare(cloud)
    registry, layer = Registry(cloud), blob("a layer of its own")
    registry.upload(layer)
    registry.push(image_of(layer, config=CONFIG), tags=["new"])
    registry.delete(Digest.of(IMAGE_INDEX))
    registry.push(IMAGE, tags=["child"])
    registry.delete(Digest.of(SECOND))
    found = compare(cloud)
    kinds = Counter(one.kind for one in found)
    assert kinds[Kind.MANIFEST] == 3 and kinds[Kind.BLOB] == 2 and kinds[Kind.ARTIFACT] == 1
    assert all(str(one).startswith(f"{one.kind} acme") for one in found)
    compare(cloud, repair=True)
    assert compare(cloud) == []
    check_derived(cloud)


def test_a_repository_that_was_deleted_counts_until_its_summaries_are_gone(cloud: Cloud) -> None:
    """The events of its deletion were lost: neither the catalog nor the summary of the repository names it."""
    prepare(cloud)
    drop(("catalog", SHIPS), (f"repo#{SHIPS}", "meta"), (f"reposum#{ACME}", SHIPS))(cloud)
    keys = [key for key in cloud.rows(f"repo#{SHIPS}") if key[1].startswith(("manifest#", "tag"))]
    drop(*keys)(cloud)
    Registry(cloud).table.put_item((f"deleted#{ACME}", SHIPS), {"at": 1})
    assert {one.kind for one in compare(cloud)} >= {Kind.MANIFEST, Kind.BLOB}
    for _ in range(2):
        compare(cloud, repair=True)
    assert compare(cloud) == []
    assert used(cloud) == 0


def test_what_no_version_of_the_indexer_understands_is_no_difference(cloud: Cloud) -> None:
    prepare(cloud)
    change(cloud, (f"repo#{SHIPS}", f"manifest#{Digest.of(REFERRER)}"), data=b"not a manifest")
    drop(summary_of(REFERRER))(cloud)
    change(cloud, usage_key(ACME), bytes=used(cloud) - len(REFERRER))
    assert compare(cloud) == []


def test_what_the_indexer_cannot_derive_stays_and_holds_nothing_up(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(cloud)
    drop(summary_of(IMAGE), own(OTHER))(cloud)
    audit = audit_of(cloud)
    found = [one for page in pages(audit) for one in page.differences]

    def surprised(*_: object) -> None:
        raise TypeError("a manifest of a kind that nobody thought of")

    monkeypatch.setattr(audit._indexer, "settle_manifest", surprised)
    assert audit.repair(found) == len(found) - 1
    assert [(one.kind, one.what) for one in compare(cloud)] == [(Kind.MANIFEST, Digest.of(IMAGE))]


def test_a_project_that_changes_while_it_is_added_up_is_left_for_the_next_time(cloud: Cloud) -> None:
    prepare(cloud)
    change(cloud, usage_key(ACME), bytes=used(cloud) + 1000)
    audit, place, changing, times = audit_of(cloud), dict[str, object](), 0, 0
    while True:
        page = audit.page(place)
        assert page.differences == ()
        changing += page.changing
        if page.place is None:
            break
        place = dict(page.place)
        if place.get("part") == "sum-owned":
            times += 1
            settle_usage_anew(cloud)
    assert (changing, times > 3) == (1, True)
    assert [one.kind for one in compare(cloud)] == [Kind.TOTAL]


def settle_usage_anew(cloud: Cloud) -> None:
    """What a push and a deletion leave behind: the same bytes in another version."""
    change(cloud, usage_key(ACME), v=os.urandom(4).hex())


def test_what_an_audit_costs(cloud: Cloud) -> None:
    """Of a project with one repository, which has four manifests and three blobs."""
    prepare(cloud)
    counting, most, audit = Faulty(), 0, audit_of(cloud)
    with cloud.intercepted(counting):
        before = 0
        for page in pages(audit):
            assert page.differences == ()
            most, before = max(most, len(counting.calls) - before), len(counting.calls)
    assert Counter(counting.calls) == COSTS
    assert most <= 1 + 3 * 4 + 2  # of the page of blobs, one of which is in two repositories


COSTS = {
    "dynamodb.Query": (
        2 + 2 * 2 * 3  # the project and the repository, and that there is no other: to compare, and to add up
        + 2 * 2 + 2 + 2 + 2  # shards before and after; manifests, summaries, links, and that there are no others
        + 4 + 1  # tags of those without a subject, and what needs the one without a tag; the repository's counts
        + 2 + 3 + 4  # what counts, where it is, and what needs it: one blob is in two repositories
        + 2 + 2  # the same to add up
    ) - 2,
    "dynamodb.GetItem": 2 + 4 + 2,  # of the repository; links of blobs; what the project is charged, before and after
    "dynamodb.BatchGetItem": 1 + 1 + 1 + 1 + 3,  # what needs a child; summaries, manifests, blobs; what needs a blob
}  # fmt: skip


Request = Callable[[Registry], object]
RACES: dict[str, tuple[Request, ...]] = {
    "push an image": (
        lambda registry: registry.upload(b"another layer"),
        lambda registry: registry.push(image_of(b"another layer", config=CONFIG), tags=["new"]),
    ),
    "delete an image": (lambda registry: registry.delete(Digest.of(SECOND)),),
    "delete an index and push it again": (
        lambda registry: registry.delete(Digest.of(IMAGE_INDEX)),
        lambda registry: registry.push(IMAGE_INDEX, tags=["again"]),
    ),
    "tag a child, delete its index": (
        lambda registry: registry.push(IMAGE, tags=["child"]),
        lambda registry: registry.delete(Digest.of(IMAGE_INDEX)),
    ),
}


def damage_all(cloud: Cloud) -> None:
    drop(own(OTHER))(cloud)
    change(cloud, usage_key(ACME), bytes=used(cloud) - len(OTHER))
    drop(summary_of(REFERRER))(cloud)
    change(cloud, usage_key(ACME), bytes=used(cloud) - len(REFERRER))
    change(cloud, usage_key(ACME), bytes=used(cloud) + 1000)
    change(cloud, SHARD, n=4)


@pytest.mark.parametrize("name", RACES)
def test_a_repair_beside_requests_and_the_indexer_loses_no_change(cloud: Cloud, name: str) -> None:
    prepare(cloud)
    damage_all(cloud)
    before, early = cloud.freeze(), len(cloud.events)

    def requests() -> None:
        for request in RACES[name]:
            with contextlib.suppress(RegistryError, Throttled):
                request(Registry(cloud))
        settle(cloud, cloud.events[early:])

    for plan, choose in plans(120, 2, SCHEDULES):
        cloud.thaw(before)
        run = interleave(cloud, [lambda: compare(cloud, repair=True), requests], choose)
        settle(cloud, cloud.events[early:])
        trace = "\n".join([f"{name}: {plan}", *run.trace])
        for outcome in run.outcomes:
            assert not isinstance(outcome, Exception) or isinstance(outcome, Throttled), f"{outcome!r}\n{trace}"
        # What is still wrong is a sum that was left alone: by all that it was wrong by, or not at all.
        left = compare(cloud)
        assert {one.kind for one in left} <= {Kind.TOTAL, Kind.SHARD, Kind.REPOSITORY}, f"{left}\n{trace}"
        totals = [one.counted - one.there for one in left if one.kind is Kind.TOTAL]
        assert totals in ([], [1000]), trace
        for _ in range(2):
            compare(cloud, repair=True)
        try:
            assert compare(cloud) == []
            check_derived(cloud)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{trace}") from error


def test_two_repairs_at_once_correct_a_sum_once(cloud: Cloud) -> None:
    prepare(cloud)
    right = derived(cloud)
    damage_all(cloud)
    before = cloud.freeze()
    for plan, choose in plans(160, 2, SCHEDULES):
        cloud.thaw(before)
        run = interleave(cloud, [lambda: compare(cloud, repair=True)] * 2, choose)
        assert not any(isinstance(outcome, Exception) for outcome in run.outcomes), (plan, run.outcomes)
        for _ in range(2):
            compare(cloud, repair=True)
        assert compare(cloud) == [], plan
        assert derived(cloud) == right, plan


@pytest.mark.parametrize("fault", [Fault.DIES_BEFORE, Fault.DIES_AFTER, Fault.UNANSWERED, Fault.REPEATED])
def test_a_repair_that_dies_at_any_call_is_done_by_the_next(cloud: Cloud, fault: Fault) -> None:
    prepare(cloud)
    right = derived(cloud)
    damage_all(cloud)
    before, whole = cloud.freeze(), Faulty()
    with cloud.intercepted(whole):
        compare(cloud, repair=True)
    for place in range(0, len(whole.calls), 3):
        cloud.thaw(before)
        with contextlib.suppress(Crash, BotoCoreError), cloud.intercepted(Faulty(fault, place)):
            compare(cloud, repair=True)
        for _ in range(2):
            compare(cloud, repair=True)
        assert compare(cloud) == [], f"{fault} at call {place}, {whole.calls[place]}"
        assert derived(cloud) == right, f"{fault} at call {place}, {whole.calls[place]}"
