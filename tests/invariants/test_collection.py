"""The collector beside pushes: it takes nothing that is needed, and leaves nothing that is not."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from botocore.exceptions import BotoCoreError

from roadstead.content.objects import is_whole_key
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from tests.invariants.cloud import Cloud
from tests.invariants.collector import FENCE, GRACE, collect, collector, tell
from tests.invariants.faults import Crash, Fault, Faulty
from tests.invariants.invariants import check
from tests.invariants.operations import (
    CONFIG,
    DOCUMENTS,
    IMAGE,
    LARGE,
    LAYER,
    MANY_PARTS,
    OTHER,
    TWO_CHUNKS,
    serves,
    stands,
    streamed_blob,
    with_image,
    with_second,
)
from tests.invariants.registry import ALICE, BOATS, SHIPS, Registry, image
from tests.invariants.schedules import Chooser, interleave, plans, switching

# How many orders of each phase and client; a nightly run can try more.
SCHEDULES = int(os.environ.get("INVARIANT_SCHEDULES", "90")) // 3
PHASES = {"mark": FENCE + 1, "sweep": GRACE + 1, "delete": 0}  # the three runs, and the pause after each
Client = Callable[[Registry], object]


def looks_first(registry: Registry) -> None:
    """As docker does: HEAD, and send what is missing."""
    for data in (CONFIG, LAYER):
        try:
            registry.blobs.get(SHIPS, Digest.of(data), ALICE, promise=True)
        except RegistryError:
            registry.upload(data)
    registry.push(IMAGE, "latest")


def mounts(registry: Registry) -> None:
    for data in (CONFIG, LAYER):
        if registry.blobs.mount(BOATS, SHIPS, Digest.of(data), ALICE) is None:
            registry.upload(data)
    registry.push(IMAGE, "latest")


def uploads(registry: Registry) -> None:
    for data in (CONFIG, LAYER):
        registry.upload(data)
    registry.push(IMAGE, "latest")


def sends_to_the_edge(registry: Registry) -> None:
    for data in (CONFIG, LAYER):
        registry.send_whole(registry.begin(), data)
    registry.push(IMAGE, "latest")


def _abandoned(cloud: Cloud) -> tuple[object, ...]:
    """Blobs in two repositories that no manifest needs, older than the grace period."""
    registry = Registry(cloud)
    for repository in (SHIPS, BOATS):
        for data in (CONFIG, LAYER):
            registry.upload(data, repository)
    with_image(registry, "old")
    registry.delete(Digest.of(IMAGE))
    tell(cloud)
    cloud.clock.advance(GRACE + 1)
    return cloud.freeze()


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(
    "client", [looks_first, mounts, uploads, sends_to_the_edge], ids=lambda client: client.__name__
)
def test_a_push_beside_the_collector_succeeds_and_stays(cloud: Cloud, client: Client, phase: str) -> None:
    before = _abandoned(cloud)
    steps = max(len(_collect_beside(cloud, before, client, phase, switching(first, ()))) for first in (0, 1))
    for name, choose in plans(steps, 2, SCHEDULES):
        trace: tuple[str, ...] = ()
        try:
            trace = _collect_beside(cloud, before, client, phase, choose)
            assert stands(Registry(cloud), IMAGE, "latest")
            assert serves(Registry(cloud), LAYER)
            check(cloud, DOCUMENTS)
            collect(cloud)
            assert stands(Registry(cloud), IMAGE, "latest")
            check(cloud, DOCUMENTS)
        except Exception as error:
            raise AssertionError("\n".join([f"{client.__name__} beside {phase}: {name}: {error!r}", *trace])) from error


def _collect_beside(
    cloud: Cloud, before: tuple[object, ...], client: Client, phase: str, choose: Chooser
) -> tuple[str, ...]:
    """The three runs, with the client beside one of them."""
    cloud.thaw(before)
    trace: tuple[str, ...] = ()
    for each, pause in PHASES.items():
        collecting = collector(cloud)
        if each == phase:
            run = interleave(cloud, (collecting.run, lambda: client(Registry(cloud))), choose)
            for outcome in run.outcomes:
                if isinstance(outcome, BaseException):
                    raise AssertionError("\n".join(["it ended badly", *run.trace])) from outcome
            trace = run.trace
        else:
            collecting.run()
        cloud.clock.advance(pause)
    return trace


@pytest.mark.parametrize("phase", PHASES)
def test_a_push_slower_than_the_fence_is_refused(cloud: Cloud, phase: str) -> None:
    cloud.thaw(_abandoned(cloud))
    for data in (CONFIG, LAYER):
        Registry(cloud).blobs.get(SHIPS, Digest.of(data), ALICE, promise=True)
    for each, pause in PHASES.items():
        collector(cloud).run()
        cloud.clock.advance(pause)
        if each == phase:
            break
    if phase == "mark":
        Registry(cloud).push(IMAGE)
    else:
        with pytest.raises(RegistryError) as refusal:
            Registry(cloud).push(IMAGE)
        assert len(refusal.value.entries) == 2
    check(cloud, DOCUMENTS)


def test_the_collector_leaves_no_unused_object(cloud: Cloud) -> None:
    registry = Registry(cloud)
    with_image(registry, "latest")
    with_second(registry, "second")
    registry.upload(LAYER, BOATS)
    for _ in range(2):
        registry.send_whole(registry.begin(BOATS), LAYER)
    registry.delete_blob(Digest.of(LAYER), BOATS)
    registry.delete(Digest.of(IMAGE))
    collect(cloud, times=3)
    assert stands(registry, registry.manifests.get(SHIPS, Digest.of(_second()))[1], "second")
    assert sorted(cloud.objects().values()) == sorted([CONFIG, OTHER, _second()])
    check(cloud, DOCUMENTS)


def _second() -> bytes:
    return DOCUMENTS[1]


@pytest.mark.parametrize("fault", list(Fault))
def test_a_collector_that_fails_at_any_call_can_run_again(cloud: Cloud, fault: Fault) -> None:
    before = _abandoned(cloud)
    whole = Faulty()
    with cloud.intercepted(whole):
        collect(cloud, times=2)
    assert not cloud.objects()
    for place in range(len(whole.calls)):
        cloud.thaw(before)
        try:
            with cloud.intercepted(Faulty(fault, place)):
                collect(cloud, times=2)
        except (Crash, BotoCoreError):
            pass
        check(cloud, DOCUMENTS)
        collect(cloud, times=2)
        check(cloud, DOCUMENTS)
        left = [key for key in cloud.rows() if key[0].startswith("blob#") or "#blob#" in key[1]]
        assert not left and not cloud.objects(), f"{fault} call {place}, {whole.calls[place]}"


def test_the_collector_takes_what_nobody_asked_for_and_what_was_left_behind(cloud: Cloud) -> None:
    registry = Registry(cloud)
    registry.send_whole(registry.begin(), OTHER)
    streamed_blob(registry, MANY_PARTS)  # nobody asks for it
    streamed_blob(registry, LARGE)
    registry.blobs.get(SHIPS, Digest.of(LARGE), ALICE)
    registry.delete_blob(Digest.of(LARGE))
    abandoned = registry.begin()
    registry.uploads.append(abandoned, (MANY_PARTS[: 30 * 1024],), actor=ALICE, start=0)
    cancelled = registry.begin()
    registry.uploads.append(cancelled, (TWO_CHUNKS,), actor=ALICE, start=0)
    registry.uploads.cancel(cancelled)
    assert cloud.objects()
    collect(cloud, times=2)
    check(cloud, DOCUMENTS)
    assert not cloud.objects()
    assert not cloud.rows("gc#") or set(cloud.rows("gc#")) == {("gc#collector", "state")}
    uploads = cloud.rows("upload#")
    assert all("expires" in item for item in uploads.values()), "a mark would be kept for ever"


@pytest.mark.parametrize("fault", [Fault.DIES_BEFORE, Fault.DIES_AFTER, Fault.UNANSWERED])
def test_a_finished_upload_that_nobody_asks_for_goes_with_its_marker(cloud: Cloud, fault: Fault) -> None:
    """S3's event of the marker got lost: the session alone leads to it."""
    streamed_blob(Registry(cloud), MANY_PARTS)
    assert sorted(map(is_whole_key, cloud.objects())) == [False, True]
    cloud.clock.advance(GRACE + 1)
    before, whole = cloud.freeze(), Faulty()
    with cloud.intercepted(whole):
        collector(cloud).run()
    assert not cloud.objects()
    for place in range(len(whole.calls)):
        cloud.thaw(before)
        with contextlib.suppress(Crash, BotoCoreError), cloud.intercepted(Faulty(fault, place)):
            collector(cloud).run()
        collector(cloud).run()
        assert not cloud.objects(), f"{fault} call {place}, {whole.calls[place]}"
        assert all("expires" in item for item in cloud.rows("upload#").values()), "a mark would be kept for ever"


def test_a_finished_upload_that_nobody_asks_for_goes_although_its_token_is_for_a_week(cloud: Cloud) -> None:
    """It is as an object that was sent whole. One that goes on is left alone as long as its token can close it."""
    registry = Registry(cloud)
    week = replace(registry.begin(), expires=int(cloud.clock()) + 7 * 86_400)
    registry.relay.close(week, Digest.of(MANY_PARTS), (MANY_PARTS,), actor=ALICE)
    going_on = replace(registry.begin(), expires=int(cloud.clock()) + 7 * 86_400)
    registry.relay.append(going_on, (TWO_CHUNKS,), actor=ALICE, start=0)
    collect(cloud)
    assert not [key for key in cloud.objects() if week.upload_id in key]
    assert [key for key in cloud.objects() if going_on.upload_id in key]
    registry.relay.close(going_on, Digest.of(TWO_CHUNKS), (), actor=ALICE)
    assert serves(registry, TWO_CHUNKS)
    check(cloud, DOCUMENTS)


def test_two_candidates_of_one_upload_in_a_run_are_both_done(cloud: Cloud) -> None:
    """A surplus object has a candidate by its adoption, which deletes it, and another one by S3's event."""
    registry = Registry(cloud)
    with_image(registry, "latest")
    registry.send_whole(registry.begin(BOATS), LAYER)
    tell(cloud)
    assert serves(registry, LAYER, BOATS)
    cloud.clock.advance(GRACE + 1)
    report = collector(cloud).run()
    assert report.complete
    assert not [item for item in cloud.rows("gc#").values() if item.get("kind") == "object"]
    assert sorted(cloud.objects().values()) == sorted([LAYER, CONFIG, IMAGE])


def test_the_collector_keeps_a_streamed_blob_and_takes_its_marker(cloud: Cloud) -> None:
    registry = Registry(cloud)
    streamed_blob(registry, MANY_PARTS)
    registry.blobs.get(SHIPS, Digest.of(MANY_PARTS), ALICE)
    document = image(MANY_PARTS)
    registry.upload(CONFIG)
    registry.push(document, "latest")
    collect(cloud, times=2)
    check(cloud, (*DOCUMENTS, document))
    assert serves(registry, MANY_PARTS)
    assert sorted(cloud.objects().values()) == sorted([CONFIG, MANY_PARTS, document])


def test_a_dry_run_writes_nothing_and_says_what_would_go(cloud: Cloud) -> None:
    cloud.thaw(_abandoned(cloud))
    before = cloud.rows()
    report = collector(cloud).run(dry=True)
    assert (report.links_marked, report.manifests_deleted) == (4, 1)
    assert cloud.rows() == before
    assert len(cloud.objects()) == 3


def test_a_run_without_time_leaves_everything_to_the_next(cloud: Cloud) -> None:
    cloud.thaw(_abandoned(cloud))
    before = cloud.rows()
    report = collector(cloud).run(remaining=lambda: 10.0)
    assert not report.complete
    assert cloud.rows() == before


def test_freeing_a_blob_takes_at_most_six_calls(cloud: Cloud) -> None:
    registry = Registry(cloud)
    for number in range(100):
        registry.upload(str(number).encode())
    tell(cloud)
    counted = Faulty()
    for pause in (GRACE + 1, FENCE + 1, GRACE + 1):
        cloud.clock.advance(pause)
        with cloud.intercepted(counted):
            collector(cloud).run()
    assert not cloud.objects()
    assert len(counted.calls) <= 6 * 100, Counter(counted.calls)


def test_a_commit_that_fails_beside_a_run_leaves_no_link_behind(cloud: Cloud) -> None:
    """The run takes the link for needed, by the note of a commit that then dies before it has written its bytes."""
    registry = Registry(cloud)
    for data in (CONFIG, LAYER):
        registry.upload(data)
    cloud.clock.advance(GRACE + 1)
    dies = Faulty(Fault.DIES_BEFORE, 3)  # snapshot, uses, and then the object
    with cloud.intercepted(dies), contextlib.suppress(Crash):
        registry.push(IMAGE, "latest")
    assert any(sk.startswith("use#") for _, sk in cloud.rows()) and not stands(registry, IMAGE)
    collector(cloud).run()
    collect(cloud, times=3)
    assert not cloud.objects()
    assert not [sk for _, sk in cloud.rows() if sk.startswith("use#")]
