"""Policies beside requests: what an immutable rule keeps, and what a hard limit bounds, whatever races and dies."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from botocore.exceptions import BotoCoreError

from roadstead.aws.content.dynamodb_rules import DynamoProjectRules
from roadstead.aws.content.dynamodb_usage import DynamoProjectUsage
from roadstead.conflicts import Throttled
from roadstead.content.commit_rules import ImmutableTag, QuotaExceeded
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from roadstead.lifecycle.policy.changes import Policies
from roadstead.lifecycle.policy.immutability import ImmutableRule, Selector
from roadstead.lifecycle.policy.quota_watch import QuotaWatch
from tests.invariants.cloud import Cloud
from tests.invariants.faults import Crash, Fault, Faulty
from tests.invariants.invariants import check
from tests.invariants.operations import DOCUMENTS, IMAGE, SECOND, with_image, with_second
from tests.invariants.registry import ALICE, SHIPS, Registry, blob
from tests.invariants.schedules import Run, interleave, plans
from tests.invariants.test_indexing import settle
from tests.manifests import image_of

SCHEDULES = int(os.environ.get("INVARIANT_SCHEDULES", "90")) // 3
READ = "dynamodb.BatchGetItem"
PUSHERS = 50


def policies(cloud: Cloud) -> Policies:
    registry = Registry(cloud)
    return Policies(DynamoProjectRules(registry.table), registry.events)


def make_rule(cloud: Cloud) -> None:
    rule = ImmutableRule(0, (Selector("v*"),), (Selector("**"),))
    policies(cloud).add_immutable_rule(SHIPS.project, rule, ALICE)


def limit(cloud: Cloud, storage: int, *, hard: bool = False) -> None:
    policies(cloud).set_quota(SHIPS.project, lambda quota: replace(quota, storage=storage, hard=hard), ALICE)


def last(run: Run, place: int, call: str = "") -> int:
    """The place in the trace of an operation's last call, or of its last one of this name."""
    return max(at for at, line in enumerate(run.trace) if line.startswith(f"{place}: {call}"))


WRITERS: dict[str, Callable[[Registry], object]] = {
    "move the tag": lambda registry: registry.push(SECOND, tags=["v1"]),
    "delete the tag": lambda registry: registry.delete("v1"),
    "delete its image": lambda registry: registry.delete(Digest.of(IMAGE)),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_rule_binds_every_writer_that_reads_after_it(cloud: Cloud, name: str) -> None:
    registry = Registry(cloud)
    with_image(registry, "v1", "w1")
    with_second(registry, "w2")
    before = cloud.freeze()
    seen = set()
    for plan, choose in plans(12, 3, SCHEDULES):
        cloud.thaw(before)
        operations = [
            lambda: make_rule(cloud),
            lambda: WRITERS[name](Registry(cloud)),
            lambda: Registry(cloud).push(SECOND, tags=["v1", "w3"]),
        ]
        run = interleave(cloud, operations, choose)
        told = "\n".join([f"{name}: {plan}: {run.outcomes}", *run.trace])
        assert run.outcomes[0] is None, told
        for place in (1, 2):
            outcome = run.outcomes[place]
            assert isinstance(outcome, (Digest, RegistryError, type(None))), told
            is_bound = last(run, place, READ) > last(run, 0) if f"{place}: {READ}" in run.trace else None
            if isinstance(outcome, ImmutableTag):
                assert is_bound, told
            elif not isinstance(outcome, RegistryError) and is_bound:
                # It read after the rule and passed all the same: then the tag was not there, or no other image's.
                others = [run.outcomes[one] for one in (1, 2) if one != place]
                assert not isinstance(others[0], ImmutableTag), told
            seen.add(type(outcome))
        check(cloud, DOCUMENTS)
        # From now on it stays as it is.
        tags = {key: item for key, item in cloud.rows().items() if key[1] == "tag#v1"}
        for reference in ("v1", Digest.of(IMAGE), Digest.of(SECOND)):
            try:
                Registry(cloud).delete(reference)
            except RegistryError:
                continue
        assert {key: item for key, item in cloud.rows().items() if key[1] == "tag#v1"} == tags, told
    assert ImmutableTag in seen


IMAGES = [image_of(blob(f"layer {number}", 1000), config=b"{}") for number in range(PUSHERS)]
WHOLE = 1000 + len(IMAGES[0])


def upload(cloud: Cloud, number: int) -> None:
    registry = Registry(cloud)
    for data in (b"{}", blob(f"layer {number}", 1000)):
        registry.upload(data)


def held(cloud: Cloud) -> int:
    """Bytes that exist: manifests, and the blobs that one of them needs, each once."""
    rows = cloud.rows("repo#acme/")
    manifests = {key: item for key, item in rows.items() if key[1].startswith("manifest#")}
    blobs = {}
    for pk, sk in rows:
        if sk.startswith("use#"):
            _, needed, manifest, generation = sk.split("#")
            standing = manifests.get((pk, f"manifest#{manifest}"))
            if standing is not None and standing["generation"] == generation:
                blobs[needed] = rows[(pk, f"blob#{needed}")]["size"]
    return int(sum(item["size"] for item in manifests.values()) + sum(blobs.values()))


def pushing(cloud: Cloud, number: int) -> Callable[[], object]:
    return lambda: Registry(cloud).push(IMAGES[number], tags=[f"t{number}"])


def look(cloud: Cloud) -> None:
    """The indexer, with a batch of everything that happened."""
    settle(cloud, cloud.events)
    registry = Registry(cloud)
    QuotaWatch(DynamoProjectUsage(registry.table), registry.events).look(SHIPS)


def test_pushers_never_exceed_a_hard_limit_together(cloud: Cloud) -> None:
    for number in range(3):
        upload(cloud, number)
    limit(cloud, 2 * WHOLE + 100, hard=True)
    before = cloud.freeze()
    passed = set()
    for plan, choose in plans(40, 3, SCHEDULES):
        cloud.thaw(before)
        run = interleave(cloud, [pushing(cloud, number) for number in range(3)], choose)
        told = "\n".join([f"{plan}: {run.outcomes}", *run.trace])
        assert all(isinstance(one, (Digest, QuotaExceeded)) for one in run.outcomes), told
        assert held(cloud) <= 2 * WHOLE + 100, told
        passed.add(sum(isinstance(one, Digest) for one in run.outcomes))
        look(cloud)
        assert cloud.rows("reserved#") == {}, told
        assert cloud.rows("usage#")[("usage#acme", "usage")]["bytes"] == held(cloud), told
    assert max(passed) == 2


def test_a_hard_limit_holds_beside_an_indexer_that_counts(cloud: Cloud) -> None:
    for number in range(3):
        upload(cloud, number)
    limit(cloud, 2 * WHOLE + 100, hard=True)
    pushing(cloud, 0)()
    before = cloud.freeze()
    for plan, choose in plans(60, 3, SCHEDULES):
        cloud.thaw(before)
        run = interleave(cloud, [pushing(cloud, 1), pushing(cloud, 2), lambda: look(cloud)], choose)
        told = "\n".join([f"{plan}: {run.outcomes}", *run.trace])
        assert all(isinstance(one, (Digest, QuotaExceeded, Throttled)) or one is None for one in run.outcomes), told
        assert held(cloud) <= 2 * WHOLE + 100, told


@pytest.mark.parametrize("fault", [Fault.DIES_BEFORE, Fault.DIES_AFTER, Fault.UNANSWERED, Fault.REPEATED])
def test_a_hard_limit_holds_whatever_push_dies(cloud: Cloud, fault: Fault) -> None:
    for number in range(2):
        upload(cloud, number)
    limit(cloud, WHOLE + 100, hard=True)
    before, whole = cloud.freeze(), Faulty()
    with cloud.intercepted(whole):
        pushing(cloud, 0)()
    for place in range(len(whole.calls)):
        cloud.thaw(before)
        lost = contextlib.suppress(Crash, BotoCoreError, QuotaExceeded, Throttled)
        with lost, cloud.intercepted(Faulty(fault, place)):
            pushing(cloud, 0)()
        with contextlib.suppress(QuotaExceeded):
            pushing(cloud, 1)()
        assert held(cloud) <= WHOLE + 100, f"{fault} at {whole.calls[place]}"
        cloud.clock.advance(3_601)
        look(cloud)
        assert cloud.rows("reserved#") == {}, f"{fault} at {whole.calls[place]}"
        assert cloud.rows("usage#").get(("usage#acme", "usage"), {"bytes": 0})["bytes"] == held(cloud)


def test_fifty_pushers_with_the_stream_stopped_stay_within_a_hard_limit(cloud: Cloud) -> None:
    for number in range(PUSHERS):
        upload(cloud, number)
    limit(cloud, 10 * WHOLE + 100, hard=True)
    lots = random.Random(50)
    run = interleave(
        cloud, [pushing(cloud, number) for number in range(PUSHERS)], lambda _, able, last: lots.choice(able)
    )
    assert all(isinstance(one, (Digest, QuotaExceeded)) for one in run.outcomes), run.outcomes
    assert held(cloud) <= 10 * WHOLE + 100
    for number in range(PUSHERS):  # one after the other, they fill what is left
        try:
            pushing(cloud, number)()
        except QuotaExceeded:
            continue
    assert 9 * WHOLE < held(cloud) <= 10 * WHOLE + 100
    for number in range(PUSHERS):  # what is there already is pushed again at the limit
        if f"t{number}" in {key[1].removeprefix("tag#") for key in cloud.rows("repo#acme/")}:
            Registry(cloud).push(IMAGES[number], tags=["again"])
    look(cloud)
    assert cloud.rows("reserved#") == {}


def test_without_a_hard_limit_pushers_exceed_by_what_the_stream_has_not_told(cloud: Cloud) -> None:
    for number in range(PUSHERS):
        upload(cloud, number)
    limit(cloud, 10 * WHOLE + 100)
    for number in range(PUSHERS - 1):
        pushing(cloud, number)()
        if number % 7 == 6:  # the stream is seven pushes late
            held_before = held(cloud)
            look(cloud)
            if held_before > 10 * WHOLE + 100:
                break
    assert 10 * WHOLE + 100 < held(cloud) <= 10 * WHOLE + 100 + 7 * WHOLE
    with pytest.raises(QuotaExceeded):
        pushing(cloud, PUSHERS - 1)()
