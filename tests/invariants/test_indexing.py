"""The indexer beside requests: whatever order its events come in, and wherever it dies, what it derives is right.

Right is what a rebuild derives from scratch, and what is read from the raw items. FOUNDATION_WALK sets the number of
operations of the random walk.
"""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Callable, Iterable

import pytest
from botocore.exceptions import BotoCoreError

from roadstead.aws.catalog.dynamodb_derived import DynamoDerivedIndex
from roadstead.aws.catalog.dynamodb_walk import DynamoWalk
from roadstead.aws.content.index_items import event_from
from roadstead.aws.table import Item, Table
from roadstead.catalog.indexing import Indexer, targets_of
from roadstead.catalog.rebuild import Rebuild
from roadstead.conflicts import Throttled
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from tests.invariants.cloud import Cloud, Rows
from tests.invariants.collector import collect
from tests.invariants.faults import Crash, Fault, Faulty
from tests.invariants.invariants import check, check_state
from tests.invariants.operations import CONFIG, DOCUMENTS, IMAGE, LAYER, OTHER, REFERRER, SECOND
from tests.invariants.operations import INDEX as IMAGE_INDEX
from tests.invariants.registry import ALICE, BOATS, SHIPS, Registry, blob, image
from tests.invariants.schedules import interleave, plans
from tests.invariants.totals import check_totals
from tests.manifests import image_of, index_of

OPERATIONS = int(os.environ.get("FOUNDATION_WALK", "150"))
SCHEDULES = int(os.environ.get("INVARIANT_SCHEDULES", "90")) // 10
DERIVED = ("artifact#", "where#", "reposum#", "own#", "usage#", "count#")


def indexer_of(cloud: Cloud) -> Indexer:
    """As a fresh process makes it."""
    registry = Registry(cloud)
    return Indexer(
        derived=DynamoDerivedIndex(registry.table),
        manifests=registry.index,
        blobs=registry.links,
        objects=registry.objects,
    )


def settle(cloud: Cloud, events: Iterable[Item]) -> None:
    indexer = indexer_of(cloud)
    for item in events:
        event = event_from(item)
        for target in targets_of(event):
            indexer.settle(target, at=event.at)


def derived(cloud: Cloud) -> Rows:
    """What is derived; versions and the time of the last change, of which a rebuild knows less, are left out."""
    kept = {}
    for key, item in cloud.rows().items():
        if key[0].startswith(DERIVED):
            kept[key] = {name: value for name, value in item.items() if name not in ("v", "updated")}
            if item.get("n") == 0 or item.get("bytes") == 0:
                del kept[key]  # a count of nothing is as good as none
        if key[0].startswith("repo#") and key[1].startswith("manifest#"):
            kept[key] = {"listed": "pushed" in item}
    return kept


def check_derived(cloud: Cloud) -> None:
    """What grew equals what a rebuild makes of nothing, and the usage is the sum of what there is."""
    grown, before = derived(cloud), cloud.freeze()
    table = Table(cloud.dynamodb, "invariants-index", sleep=lambda _: None)
    for key in list(cloud.rows()):
        if key[0].startswith(DERIVED):
            table.batch_write(deletes=[key])
    assert Rebuild(indexer_of(cloud), DynamoWalk(table)).run().busy == ()
    rebuilt = derived(cloud)
    cloud.thaw(before)
    differing = {
        key: (grown.get(key), rebuilt.get(key)) for key in {*grown, *rebuilt} if grown.get(key) != rebuilt.get(key)
    }
    assert differing == {}
    rows = cloud.rows()
    own = {key: item for key, item in rows.items() if key[0].startswith("repo#")}
    manifests = [item["size"] for (_, sk), item in own.items() if sk.startswith("manifest#")]
    sizes = {}
    for pk, sk in own:
        if sk.startswith("use#"):
            _, needed, manifest, generation = sk.split("#")
            standing, link = own.get((pk, f"manifest#{manifest}")), own.get((pk, f"blob#{needed}"))
            if standing is not None and link is not None and standing["generation"] == generation:
                sizes[needed] = link["size"]
    used = rows.get(("usage#acme", "usage"), {}).get("bytes", 0)
    assert used == sum(sizes.values()) + sum(manifests)


def prepare(cloud: Cloud) -> None:
    """Two images, an index of them that is gone again, a referrer, and one that comes back."""
    registry = Registry(cloud)
    for data in (CONFIG, LAYER, OTHER):
        registry.upload(data)
    registry.upload(OTHER, BOATS)
    registry.push(IMAGE, tags=["a"])
    registry.push(SECOND)
    registry.push(IMAGE_INDEX, tags=["index"])
    registry.push(REFERRER)
    registry.delete("a")
    registry.delete(Digest.of(IMAGE_INDEX))
    registry.push(IMAGE_INDEX, tags=["again"])
    registry.delete_blob(Digest.of(OTHER), BOATS)


def test_events_in_any_order_and_twice_derive_the_same(cloud: Cloud) -> None:
    prepare(cloud)
    before, events = cloud.freeze(), list(cloud.events)
    settle(cloud, events)
    check_derived(cloud)
    grown = derived(cloud)
    for seed in range(5):
        cloud.thaw(before)
        shuffled = events + events[: seed * 3]
        random.Random(seed).shuffle(shuffled)
        settle(cloud, shuffled)
        assert derived(cloud) == grown


def test_a_rebuild_counts_what_is_being_deleted_until_it_is_gone(cloud: Cloud) -> None:
    prepare(cloud)
    settle(cloud, cloud.events)
    before = derived(cloud)["usage#acme", "usage"]
    table = Registry(cloud).table
    table.batch_write(
        puts=[((f"deleted#{SHIPS.project}", SHIPS), {"at": 1})],
        deletes=[("catalog", SHIPS), (f"reposum#{SHIPS.project}", SHIPS)],
    )
    meta = (f"repo#{SHIPS}", "meta")
    table.put_item(meta, {**(table.get(meta) or {}), "deleting": 1})
    Rebuild(indexer_of(cloud), DynamoWalk(table)).run()
    assert derived(cloud)["usage#acme", "usage"] == before


def test_a_blob_that_counts_by_another_size_than_it_has_is_counted_anew(cloud: Cloud) -> None:
    prepare(cloud)
    settle(cloud, cloud.events)
    right, table = derived(cloud), Registry(cloud).table
    counted = (f"own#{SHIPS.project}", Digest.of(LAYER))
    table.put_item(counted, {"bytes": len(LAYER) + 5})
    Rebuild(indexer_of(cloud), DynamoWalk(table)).run()
    assert derived(cloud) == right


def test_the_collector_takes_what_an_indexer_extracted_of_a_manifest_and_died(cloud: Cloud) -> None:
    registry = Registry(cloud)
    for data in (CONFIG, LAYER):
        registry.upload(data)
    registry.push(IMAGE, tags=["a"])
    pushed, before = list(cloud.events), cloud.freeze()
    whole = Faulty()
    with cloud.intercepted(whole):
        settle(cloud, pushed)
    orphans = 0
    for place in range(len(whole.calls)):
        cloud.thaw(before)
        with contextlib.suppress(Crash), cloud.intercepted(Faulty(Fault.DIES_AFTER, place)):
            settle(cloud, pushed)
        Registry(cloud).delete(Digest.of(IMAGE))
        settle(cloud, list(cloud.events))
        orphans += any(key.startswith("derived/") for key in cloud.objects())
        collect(cloud, times=2)
        assert not cloud.objects(), f"after call {place}, {whole.calls[place]}"
    assert orphans, "no death left anything behind that the indexer does not find again"


@pytest.mark.parametrize("fault", [Fault.DIES_BEFORE, Fault.DIES_AFTER, Fault.UNANSWERED, Fault.REPEATED])
def test_an_indexer_that_dies_at_any_call_goes_on_where_it_was(cloud: Cloud, fault: Fault) -> None:
    prepare(cloud)
    before, events = cloud.freeze(), list(cloud.events)
    whole = Faulty()
    with cloud.intercepted(whole):
        settle(cloud, events)
    grown = derived(cloud)
    for place in range(0, len(whole.calls), 3 if fault is Fault.DIES_AFTER else 7):
        cloud.thaw(before)
        with contextlib.suppress(Crash, BotoCoreError), cloud.intercepted(Faulty(fault, place)):
            settle(cloud, events)
        settle(cloud, events)  # the batch comes again
        assert derived(cloud) == grown, f"{fault} at call {place}, {whole.calls[place]}"


Request = Callable[[Registry], object]
RACES: dict[str, tuple[Request, ...]] = {
    "delete an index": (lambda registry: registry.delete(Digest.of(IMAGE_INDEX)),),
    "delete an index and push it again": (
        lambda registry: registry.delete(Digest.of(IMAGE_INDEX)),
        lambda registry: registry.push(IMAGE_INDEX, tags=["again"]),
    ),
    "tag a child, delete its index": (
        lambda registry: registry.push(IMAGE, tags=["child"]),
        lambda registry: registry.delete(Digest.of(IMAGE_INDEX)),
    ),
    "delete a child's last tag": (lambda registry: registry.delete("second"),),
    "delete a referrer": (lambda registry: registry.delete(Digest.of(REFERRER)),),
    "delete a blob and send it again": (
        lambda registry: registry.delete_blob(Digest.of(b"spare"), BOATS),
        lambda registry: registry.upload(b"spare", BOATS),
    ),
}


@pytest.mark.parametrize("name", RACES)
def test_two_indexers_beside_requests_end_right(cloud: Cloud, name: str) -> None:
    registry = Registry(cloud)
    for data in (CONFIG, LAYER, OTHER):
        registry.upload(data)
    registry.upload(b"spare", BOATS)
    registry.push(IMAGE)
    registry.push(SECOND, tags=["second"])
    registry.push(IMAGE_INDEX)
    registry.push(REFERRER)
    early = list(cloud.events)
    before = cloud.freeze()

    def requests() -> None:
        for request in RACES[name]:
            with contextlib.suppress(RegistryError, Throttled):
                request(Registry(cloud))

    for plan, choose in plans(60, 3, SCHEDULES):
        cloud.thaw(before)
        both = [lambda: settle(cloud, early), lambda: settle(cloud, reversed(early))]
        run = interleave(cloud, [*both, requests], choose)
        # An indexer that gives up is asked again by its stream.
        for outcome in run.outcomes:
            assert outcome is None or isinstance(outcome, Throttled), f"{plan}: {outcome!r}"
        settle(cloud, cloud.events[len(early) :])
        try:
            check(cloud, DOCUMENTS)
            check_derived(cloud)
        except AssertionError as error:
            raise AssertionError("\n".join([f"{name}: {plan}: {error}", *run.trace])) from error


def test_totals_counts_and_everything_derived_are_exact_after_a_random_walk_with_faults(cloud: Cloud) -> None:
    lots = random.Random(20261126)
    layers = [blob(f"walk {number}") for number in range(6)]
    images = [image_of(layer, config=CONFIG) for layer in layers]
    bodies = [*images, index_of(*images[:2]), index_of(*images[1:4]), image(layers[0], subject=images[0])]
    told = 0
    for number in range(OPERATIONS):
        registry = Registry(cloud)
        faulty = Faulty(lots.choice([None, None, *Fault]), lots.randrange(8))
        with contextlib.suppress(RegistryError, Throttled, Crash, BotoCoreError), cloud.intercepted(faulty):
            _step(registry, lots, layers, bodies)
        if number % 10 == 0:
            # A batch of the stream: late, in any order, parts of it twice, and the indexer may die.
            batch = cloud.events[max(0, told - 3) :]
            told = len(cloud.events)
            lots.shuffle(batch)
            dying = Faulty(lots.choice([None, Fault.DIES_BEFORE, Fault.DIES_AFTER]), lots.randrange(40))
            with contextlib.suppress(Crash), cloud.intercepted(dying):
                settle(cloud, batch)
            if dying.fault is not None:
                settle(cloud, batch)
        if number % 50 == 49:
            settle(cloud, cloud.events[max(0, told - 3) :])
            told = len(cloud.events)
            check_totals(cloud)
    settle(cloud, cloud.events[max(0, told - 3) :])
    assert check_state(cloud.rows(), cloud.objects()) == []
    check_derived(cloud)
    check_totals(cloud)
    before = cloud.rows("repo#")
    table = Table(cloud.dynamodb, "invariants-index", sleep=lambda _: None)
    table.batch_write(deletes=[key for key in cloud.rows() if key[0].startswith(DERIVED)])
    Rebuild(indexer_of(cloud), DynamoWalk(table)).run()
    assert cloud.rows("repo#") == before
    check_totals(cloud)


def _step(registry: Registry, lots: random.Random, layers: list[bytes], bodies: list[bytes]) -> None:
    repository, tags = lots.choice((SHIPS, BOATS)), [f"t{number}" for number in range(12)]
    kind = lots.choice(("upload", "upload", "push", "push", "push", "push", "untag", "delete", "delete-blob", "mount"))
    if kind == "upload":
        registry.upload(lots.choice([*layers, CONFIG]), repository)
    elif kind == "push":
        registry.push(lots.choice(bodies), tags=lots.sample(tags, lots.randrange(4)), to=repository)
    elif kind == "untag":
        registry.delete(lots.choice(tags), repository)
    elif kind == "delete":
        registry.delete(Digest.of(lots.choice(bodies)), repository)
    elif kind == "delete-blob":
        registry.delete_blob(Digest.of(lots.choice(layers)), repository)
    else:
        source, target = lots.sample([SHIPS, BOATS], 2)
        registry.blobs.mount(source, target, Digest.of(lots.choice(layers)), ALICE)
