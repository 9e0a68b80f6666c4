"""The collector beside pushes: it takes nothing that is needed, and leaves nothing that is not."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from botocore.exceptions import BotoCoreError

from roadstead.digest import Digest
from roadstead.errors import RegistryError
from tests.invariants.cloud import Cloud
from tests.invariants.collector import FENCE, GRACE, Collector
from tests.invariants.faults import Crash, Fault, Faulty
from tests.invariants.invariants import check
from tests.invariants.operations import CONFIG, DOCUMENTS, IMAGE, LAYER, OTHER, serves, stands, with_image, with_second
from tests.invariants.registry import ALICE, BOATS, SHIPS, Registry
from tests.invariants.schedules import Chooser, interleave, plans, switching

# How many orders of each phase and client; a nightly run can try more.
SCHEDULES = int(os.environ.get("INVARIANT_SCHEDULES", "90")) // 3
PHASES = ("mark", "sweep", "drop_objects")
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
    cloud.clock.advance(GRACE + 1)
    return cloud.freeze()


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(
    "client", [looks_first, mounts, uploads, sends_to_the_edge], ids=lambda client: client.__name__
)
def test_a_push_beside_the_collector_succeeds_and_stands(cloud: Cloud, client: Client, phase: str) -> None:
    before = _abandoned(cloud)
    steps = max(len(_collect_beside(cloud, before, client, phase, switching(first, ()))) for first in (0, 1))
    for name, choose in plans(steps, 2, SCHEDULES):
        trace: tuple[str, ...] = ()
        try:
            trace = _collect_beside(cloud, before, client, phase, choose)
            assert stands(Registry(cloud), IMAGE, "latest")
            assert serves(Registry(cloud), LAYER)
            check(cloud, DOCUMENTS)
            _collect(cloud)
            assert stands(Registry(cloud), IMAGE, "latest")
            check(cloud, DOCUMENTS)
        except Exception as error:
            raise AssertionError("\n".join([f"{client.__name__} beside {phase}: {name}: {error!r}", *trace])) from error


def _collect_beside(
    cloud: Cloud, before: tuple[object, ...], client: Client, phase: str, choose: Chooser
) -> tuple[str, ...]:
    """A run of the collector with the client beside one of its phases, then an hour or a day for the rest."""
    cloud.thaw(before)
    collector = Collector(cloud, Registry(cloud))
    trace: tuple[str, ...] = ()
    for step in PHASES:
        if step == "drop_objects":
            cloud.clock.advance(GRACE)  # what the sweep unlinked is a candidate by now
        if step == phase:
            run = interleave(cloud, (getattr(collector, step), lambda: client(Registry(cloud))), choose)
            for outcome in run.outcomes:
                if isinstance(outcome, BaseException):
                    raise AssertionError("\n".join(["it ended badly", *run.trace])) from outcome
            trace = run.trace
        else:
            getattr(collector, step)()
        cloud.clock.advance(FENCE + 1)
    return trace


def _collect(cloud: Cloud, runs: int = 1) -> None:
    """Runs of the collector, a day apart; what one unlinks another drops."""
    for _ in range(runs):
        cloud.clock.advance(GRACE + 1)
        collector = Collector(cloud, Registry(cloud))
        for step in PHASES:
            getattr(collector, step)()
            cloud.clock.advance(FENCE + 1)


@pytest.mark.parametrize("phase", PHASES)
def test_a_push_that_looked_more_than_an_hour_ago_is_told_what_is_missing(cloud: Cloud, phase: str) -> None:
    cloud.thaw(_abandoned(cloud))
    collector = Collector(cloud, Registry(cloud))
    for data in (CONFIG, LAYER):
        Registry(cloud).blobs.get(SHIPS, Digest.of(data), ALICE, promise=True)
    for step in PHASES:
        getattr(collector, step)()
        cloud.clock.advance(FENCE + 1)
        if step == phase:
            break
    if phase == "mark":
        Registry(cloud).push(IMAGE)
    else:
        with pytest.raises(RegistryError) as refusal:
            Registry(cloud).push(IMAGE)
        assert len(refusal.value.entries) == 2
    check(cloud, DOCUMENTS)


def test_the_collector_leaves_no_object_that_nothing_stands_on(cloud: Cloud) -> None:
    registry = Registry(cloud)
    with_image(registry, "latest")
    with_second(registry, "second")
    registry.upload(LAYER, BOATS)
    for _ in range(2):
        registry.send_whole(registry.begin(BOATS), LAYER)
    registry.delete_blob(Digest.of(LAYER), BOATS)
    registry.delete(Digest.of(IMAGE))
    _collect(cloud, runs=3)
    assert stands(registry, registry.manifests.get(SHIPS, Digest.of(_second()))[1], "second")
    assert sorted(cloud.objects().values()) == sorted([CONFIG, OTHER, _second()])
    check(cloud, DOCUMENTS)


def _second() -> bytes:
    return DOCUMENTS[1]


@pytest.mark.parametrize("fault", [Fault.DIES_BEFORE, Fault.DIES_AFTER, Fault.UNANSWERED, Fault.REPEATED])
def test_a_collector_that_fails_at_any_call_can_be_run_again(cloud: Cloud, fault: Fault) -> None:
    before = _abandoned(cloud)
    whole = Faulty()
    with cloud.intercepted(whole):
        _collect(cloud, runs=2)
    assert not cloud.objects()
    for place in range(len(whole.calls)):
        cloud.thaw(before)
        try:
            with cloud.intercepted(Faulty(fault, place)):
                _collect(cloud, runs=2)
        except (Crash, BotoCoreError):
            pass
        check(cloud, DOCUMENTS)
        _collect(cloud, runs=2)
        check(cloud, DOCUMENTS)
        left = [key for key in cloud.rows() if key[0].startswith("blob#") or "#blob#" in key[1]]
        assert not left and not cloud.objects(), f"{fault} call {place}, {whole.calls[place]}"
