"""Which commits a quota refuses, and what is said of it when."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from roadstead.content.commit_rules import QuotaExceeded
from roadstead.content.deletion.repositories import RepositoryDeletion
from roadstead.digest import Digest
from roadstead.errors import ErrorCode
from roadstead.lifecycle.policy.changes import Policies
from roadstead.lifecycle.policy.commit_rules import ROOM_SECONDS, PolicyRules
from roadstead.lifecycle.policy.document import Policy
from roadstead.lifecycle.policy.quota_watch import INDEXER, QuotaWatch
from roadstead.lifecycle.policy.quotas import Level, Quota, Standing, amount
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.trail.entries import Operation
from roadstead.trail.events import EventMaker
from tests.manifests import image_of
from tests.memory.index import MemoryIndex
from tests.memory.rules import MemoryProjectRules
from tests.memory.usage import MemoryProjectUsage
from tests.unit.content.parts import ADA, CARGO, LATEST, SHIPS, Registry

PROJECT = ProjectName("ships")
LAYER = b"x" * 1000
IMAGE = image_of(LAYER)
WHOLE = len(IMAGE) + len(LAYER) + 2  # with its configuration, {}
WARN, EXCEED = Operation.WARN_QUOTA, Operation.EXCEED_QUOTA


@pytest.fixture
def registry() -> Registry:
    """The blobs of IMAGE are there, in two projects."""
    registry = Registry()
    for repository in (SHIPS, CARGO):
        for data in (b"{}", LAYER):
            registry.upload(data, repository)
    return registry


def limit(registry: Registry, **limits: Any) -> None:
    policies = Policies(MemoryProjectRules(registry.index), EventMaker(registry.clock))
    policies.set_quota(PROJECT, lambda quota: replace(quota, **limits), ADA)


def test_a_quota_for_a_start_is_set_once_and_only_where_there_is_no_policy() -> None:
    registry = Registry()
    policies = Policies(MemoryProjectRules(registry.index), EventMaker(registry.clock))
    policies.start_quota(PROJECT, 5_000, ADA)
    policies.start_quota(PROJECT, 6_000, ADA)
    assert policies.find(PROJECT).quota == Quota(storage=5_000)
    policies.set_quota(PROJECT, lambda quota: replace(quota, storage=-1), ADA)
    policies.start_quota(PROJECT, 6_000, ADA)  # it was made unlimited
    assert policies.find(PROJECT).quota == Quota()
    told = [(event.operation, event.detail) for event in registry.index.events]
    assert told == [(Operation.CHANGE_QUOTA, "storage=5000"), (Operation.CHANGE_QUOTA, "unlimited")]


def said(index: MemoryIndex) -> list[tuple[Operation, str]]:
    return [(event.operation, event.detail) for event in index.events if event.operation in (WARN, EXCEED)]


def test_a_push_that_fits_passes_and_one_byte_more_is_refused(registry: Registry) -> None:
    limit(registry, storage=5000 + WHOLE)
    registry.index.used["ships"] = 5001
    with pytest.raises(QuotaExceeded, match=r"ships has used 4.9 KiB of its quota of .* needs 1.4 KiB more") as refused:
        registry.push(IMAGE)
    assert (refused.value.status, refused.value.entries[0].code) == (403, ErrorCode.DENIED)
    assert refused.value.entries[0].detail == {
        "project": "ships",
        "used": 5001,
        "limit": 5000 + WHOLE,
        "needed": WHOLE,
    }
    registry.push(IMAGE, repository=CARGO)  # of another project
    registry.index.used["ships"] = 5000
    registry.push(IMAGE)


def test_what_counts_in_the_project_already_is_not_needed_again(registry: Registry) -> None:
    limit(registry, storage=5000 + len(IMAGE))
    registry.index.used["ships"] = 5000
    registry.index.owned["ships"] = {Digest.of(LAYER): 1000, Digest.of(b"{}"): 2}
    registry.push(IMAGE)


def test_a_commit_that_adds_no_bytes_passes_at_any_usage(registry: Registry) -> None:
    registry.push(IMAGE)
    limit(registry, storage=1, repositories=1, artifacts=1)
    registry.index.used["ships"] = 10**12
    registry.push(IMAGE, Tag("again"))
    registry.push(IMAGE, Digest.of(IMAGE), Tag("once"), Tag("more"))


def test_a_quota_below_what_is_used_removes_nothing(registry: Registry) -> None:
    registry.push(IMAGE)
    limit(registry, storage=1)
    assert registry.manifests.get(SHIPS, LATEST)[1] == IMAGE
    registry.manifests.delete(SHIPS, LATEST, ADA)


def test_an_upload_is_refused_once_the_limit_is_reached_and_that_is_said_once(registry: Registry) -> None:
    limit(registry, storage=5000)
    registry.index.used["ships"] = 4999
    push = registry.pushes
    push.check_upload(SHIPS, ADA)
    registry.index.used["ships"] = 5000
    for _ in range(2):
        with pytest.raises(
            QuotaExceeded, match=r"ships has used 4.9 KiB of its quota of 4.9 KiB, so nothing"
        ) as refused:
            push.check_upload(SHIPS, ADA)
    assert (refused.value.status, refused.value.entries[0].code) == (403, ErrorCode.DENIED)
    assert refused.value.entries[0].detail == {"project": "ships", "used": 5000, "limit": 5000}
    assert said(registry.index) == [(EXCEED, "4.9 KiB of 4.9 KiB used")]
    assert registry.index.events[-1].actor == ADA
    push.check_upload(CARGO, ADA)
    limit(registry, storage=-1)
    push.check_upload(SHIPS, ADA)


def test_room_is_remembered_for_a_minute_and_a_refusal_not_at_all(registry: Registry) -> None:
    now = [0.0]
    usage = MemoryProjectUsage(registry.index)
    rules = PolicyRules(usage, EventMaker(registry.clock), clock=lambda: now[0])
    limit(registry, storage=5000)
    rules.check_upload(SHIPS, ADA)
    registry.index.used["ships"] = 5000
    now[0] = ROOM_SECONDS - 1
    rules.check_upload(SHIPS, ADA)
    now[0] = ROOM_SECONDS
    with pytest.raises(QuotaExceeded):
        rules.check_upload(SHIPS, ADA)
    limit(registry, storage=5001)
    rules.check_upload(SHIPS, ADA)


def test_repositories_and_artifacts_have_limits_too(registry: Registry) -> None:
    limit(registry, repositories=1, artifacts=2)
    second, sloop = image_of(LAYER, annotations={"n": "2"}), RepositoryName("ships/sloop")
    for data in (b"{}", LAYER):
        registry.upload(data, sloop)
    registry.push(IMAGE)
    with pytest.raises(QuotaExceeded, match="ships has 1 repositories, and its quota is 1"):
        registry.push(IMAGE, repository=sloop)
    registry.push(second)
    third = image_of(LAYER, annotations={"n": "3"})
    with pytest.raises(QuotaExceeded, match="ships has 2 artifacts, and its quota is 2"):
        registry.push(third)
    cosign = Tag(f"{Digest.of(IMAGE).replace(':', '-')}.sig")
    registry.push(third, cosign)  # a signature is no artifact of its own
    limit(registry, repositories=-1, artifacts=-1)
    registry.push(IMAGE, repository=sloop)


def test_a_push_again_that_makes_a_repository_anew_counts_it(registry: Registry) -> None:
    limit(registry, repositories=1)
    registry.push(IMAGE)
    sloop, events = RepositoryName("ships/sloop"), EventMaker(registry.clock)
    for data in (b"{}", LAYER):
        registry.upload(data, sloop)
    deletion = RepositoryDeletion(registry.index, registry.manifests, registry.index, events)
    registry.clock.now += 1
    deletion.begin(SHIPS, ADA)
    registry.push(IMAGE, repository=sloop)
    with pytest.raises(QuotaExceeded, match="ships has 1 repositories, and its quota is 1"):
        registry.push(IMAGE)  # which is still there
    assert registry.index.list_repositories(after="", limit=9) == (sloop,)


def test_refusals_are_said_once_until_usage_has_fallen(registry: Registry) -> None:
    limit(registry, storage=1100)
    registry.index.used["ships"] = 600
    for _ in range(3):
        with pytest.raises(QuotaExceeded):
            registry.push(IMAGE)
    assert said(registry.index) == [(EXCEED, f"600 bytes of 1.1 KiB used; a push needs {amount(WHOLE)} more")]
    event = registry.index.events[-1]
    assert (event.repository, event.project, event.digest, event.tags, event.actor) == (
        SHIPS,
        "ships",
        Digest.of(IMAGE),
        (LATEST,),
        ADA,
    )
    watch = QuotaWatch(MemoryProjectUsage(registry.index), EventMaker(registry.clock))
    registry.index.used["ships"] = 700
    watch.look(SHIPS)  # another push passed: no news
    with pytest.raises(QuotaExceeded):
        registry.push(IMAGE)
    assert len(said(registry.index)) == 1
    registry.index.used["ships"] = 500
    watch.look(SHIPS)
    with pytest.raises(QuotaExceeded):
        registry.push(IMAGE)
    assert len(said(registry.index)) == 2


def test_each_crossing_is_said_once(registry: Registry) -> None:
    limit(registry, storage=1000)
    watch = QuotaWatch(MemoryProjectUsage(registry.index), EventMaker(registry.clock))
    for used in (100, 849, 850, 860, 999, 1000, 1500, 990, 860, 849, 850, 100):
        registry.index.used["ships"] = used
        watch.look(SHIPS)
        watch.look(SHIPS)
    assert said(registry.index) == [
        (WARN, "850 bytes of 1000 bytes used"),
        (EXCEED, "1000 bytes of 1000 bytes used"),
        (WARN, "850 bytes of 1000 bytes used"),
    ]
    assert {event.actor for event in registry.index.events if event.operation is WARN} == {INDEXER}


def test_another_limit_is_another_crossing() -> None:
    standing, told = Standing().after(1000, 900)
    assert (standing.level, told) == (Level.WARNED, WARN)
    standing, told = standing.after(800, 900)
    assert (standing.level, told) == (Level.EXCEEDED, EXCEED)
    standing, told = standing.after(1000, 900)
    assert (standing.level, told) == (Level.WARNED, WARN)
    standing, told = standing.after(-1, 900)
    assert (standing.level, told) == (Level.FREE, None)
    assert standing.after(-1, 10**9) == (standing, None)


def test_a_project_without_a_quota_leaves_no_standing() -> None:
    index = MemoryIndex()
    index.used["ships"] = 10**12
    QuotaWatch(MemoryProjectUsage(index), EventMaker()).look(SHIPS)
    assert index.standings == {}
    assert index.events == []


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (10 * 1024**3, "10.0 GiB"), (1024**5, "1.0 PiB")],
)
def test_amounts_are_written_for_people(size: int, text: str) -> None:
    assert amount(size) == text


def test_a_quota_comes_back_as_it_was_written() -> None:
    for quota in (Quota(), Quota(5), Quota(5, 6, 7), Quota(5, hard=True)):
        assert Policy.parse(Policy(quota=quota).document()).quota == quota


def test_under_a_hard_limit_what_is_committed_counts_before_the_indexer_has_counted_it(registry: Registry) -> None:
    limit(registry, storage=2 * WHOLE - 1, hard=True)
    registry.push(IMAGE)
    other = image_of(LAYER, annotations={"n": "2"})
    with pytest.raises(QuotaExceeded, match=r"has used 1\.4 KiB"):
        registry.push(other)
    assert len(registry.index.reserved) == 1
    watch = QuotaWatch(MemoryProjectUsage(registry.index), EventMaker(registry.clock))
    watch.look(SHIPS)
    assert len(registry.index.reserved) == 1  # the manifest stands, and nobody has counted it
    registry.manifests.delete(SHIPS, Digest.of(IMAGE), ADA)
    watch.look(SHIPS)
    assert registry.index.reserved == {}
    registry.push(other)


def test_a_push_that_fails_leaves_no_reservation_and_one_that_dies_an_hour_of_it(registry: Registry) -> None:
    class Dying(MemoryIndex):
        def commit(self, commit):  # type: ignore[no-untyped-def]
            raise RuntimeError("dead")

    limit(registry, storage=WHOLE, hard=True)
    registry.index.__class__ = Dying
    with pytest.raises(RuntimeError):
        registry.push(IMAGE)
    registry.index.__class__ = MemoryIndex
    usage = MemoryProjectUsage(registry.index)
    now = int(time.time())
    assert usage.reserved_bytes(PROJECT, now=now) == WHOLE
    with pytest.raises(QuotaExceeded):
        registry.push(IMAGE)
    assert len(registry.index.reserved) == 1
    assert usage.reserved_bytes(PROJECT, now=now + 3601) == 0
    usage.release_counted(PROJECT, now=now + 3601)
    registry.push(IMAGE)


def test_without_a_hard_limit_nothing_is_reserved(registry: Registry) -> None:
    limit(registry, storage=10 * WHOLE)
    registry.push(IMAGE)
    limit(registry, storage=-1, hard=True)
    registry.push(image_of(LAYER, annotations={"n": "2"}))
    assert registry.index.reserved == {}
