"""Copies that are killed between any two calls, run twice at once, or race with others: they are whole in the end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from botocore.exceptions import BotoCoreError

from roadstead.aws.lifecycle.dynamodb_executions import DynamoExecutions
from roadstead.content.copying import Copying, NothingUploaded
from roadstead.content.push import Push
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from roadstead.lifecycle.executions.copies import KIND, CopyWork, start
from roadstead.lifecycle.executions.executions import LEASE_MS, Execution, Status
from roadstead.lifecycle.executions.runner import Runner
from roadstead.lifecycle.executions.starter import Starter
from roadstead.names import RepositoryName, Tag
from tests.invariants.cloud import Cloud
from tests.invariants.faults import Crash, Fault, Faulty
from tests.invariants.invariants import check
from tests.invariants.operations import (
    CONFIG,
    DOCUMENTS,
    IMAGE,
    INDEX,
    LAYER,
    REFERRER,
    SECOND,
    serves,
    stands,
    with_image,
    with_second,
)
from tests.invariants.registry import ALICE, BOATS, BOB, SHIPS, Registry
from tests.invariants.schedules import interleave, plans
from tests.memory.executions import log_of

SIGNATURE = Tag(f"sha256-{Digest.of(INDEX).hex}.sig")
ALL = (IMAGE, SECOND, INDEX, REFERRER)


class Process:
    """A process of the management or the collector function; it knows nothing but what is stored."""

    def __init__(self, cloud: Cloud, *, hurried: bool = False) -> None:
        """`hurried` has the time for about one manifest in each step."""
        self.registry = registry = Registry(cloud)
        push = Push(
            manifests=registry.index,
            blobs=registry.links,
            objects=registry.objects,
            adoption=NothingUploaded(),
            events=registry.events,
            sleep=lambda _: None,
        )
        self.copying = Copying(
            manifests=registry.manifests,
            index=registry.index,
            blobs=registry.links,
            push=push,
            events=registry.events,
        )
        self.executions = DynamoExecutions(registry.table)
        ticks: Iterator[int] = count(0, 9)
        clock: Callable[[], float] = (lambda: float(next(ticks))) if hurried else (lambda: 0.0)
        self._works = {KIND: CopyWork(self.copying, registry.events, clock=clock)}

    def ask(self, reference: str = "whole", target: RepositoryName = BOATS) -> Execution:
        asked = self.copying.ask(SHIPS, Tag(reference), target, BOB)
        return start(Starter(self.executions, self.registry.events), asked)

    def run(self) -> None:
        Runner(self.executions, self._works, self.registry.events).run_due(lambda: 900.0)


def _source(cloud: Cloud) -> None:
    """An index of two images, with a referrer of one of them and a signature by a tag of cosign's."""
    registry = Registry(cloud)
    with_image(registry, "one")
    with_second(registry)
    registry.push(INDEX, tags=["whole", "latest"])
    registry.push(REFERRER)
    registry.push(SECOND, tags=[SIGNATURE])


def _small_source(cloud: Cloud) -> None:
    """An image and a referrer of it."""
    registry = Registry(cloud)
    with_image(registry, "whole", "latest")
    registry.push(REFERRER)


def _found(cloud: Cloud) -> Execution:
    (found,) = DynamoExecutions(Registry(cloud).table).list_newest(KIND, BOATS.project)
    return found


def _check_copied(cloud: Cloud, bodies: tuple[bytes, ...] = ALL) -> None:
    registry, found = Registry(cloud), _found(cloud)
    assert found.status is Status.SUCCESS, found.message
    assert all(stands(registry, body, repository=BOATS) for body in bodies)
    whole = INDEX if INDEX in bodies else IMAGE
    for tag, body in (("whole", whole), ("latest", whole), *([(SIGNATURE, SECOND)] if SECOND in bodies else [])):
        assert stands(registry, body, tag, BOATS), tag
    assert registry.index.find_tag(BOATS, Tag("one")) is None  # a tag of a child is its own
    assert serves(registry, LAYER, BOATS) and serves(registry, CONFIG, BOATS)
    assert found.progress["manifests"] == len(bodies)
    check(cloud, DOCUMENTS)
    pushes = [event for event in cloud.events if event["operation"] == "push" and event["repository"] == BOATS]
    assert sorted(event["digest"] for event in pushes) == sorted(Digest.of(body) for body in bodies)


@pytest.mark.parametrize("hurried", [False, True], ids=["in one step", "in many steps"])
def test_an_artifact_is_copied_with_all_that_belongs_to_it(cloud: Cloud, hurried: bool) -> None:
    _source(cloud)
    Process(cloud).ask()
    for _ in range(2):
        Process(cloud, hurried=hurried).run()
    _check_copied(cloud)
    steps = DynamoExecutions(Registry(cloud).table).find(_found(cloud).id)
    assert steps is not None and (int(steps.state["steps"]) > 3) is hurried
    log = log_of(DynamoExecutions(Registry(cloud).table), steps.id, 1)
    assert {line.split()[0] for line in log.splitlines()} == {Digest.of(body) for body in ALL}


@pytest.mark.parametrize("fault", list(Fault))
def test_a_copy_that_fails_at_any_call_is_whole_in_the_end(cloud: Cloud, fault: Fault) -> None:
    _small_source(cloud)
    before = cloud.freeze()
    whole = Faulty()
    with cloud.intercepted(whole):
        Process(cloud).ask()
        Process(cloud, hurried=True).run()
    _check_copied(cloud, (IMAGE, REFERRER))
    for place in range(len(whole.calls)):
        cloud.thaw(before)
        try:
            with cloud.intercepted(Faulty(fault, place)):
                Process(cloud).ask()
                Process(cloud, hurried=True).run()
        except (Crash, BotoCoreError):
            pass
        if not cloud.rows("execution#"):
            Process(cloud).ask()
        for _ in range(2):
            cloud.clock.advance(LEASE_MS / 1000 + 301)
            Process(cloud, hurried=True).run()
        _check_copied(cloud, (IMAGE, REFERRER))


def test_two_runners_at_once_copy_once(cloud: Cloud) -> None:
    _source(cloud)
    Process(cloud).ask()
    before = cloud.freeze()
    for _, choose in plans(120, 2, 12):
        cloud.thaw(before)
        run = interleave(cloud, (lambda: Process(cloud).run(), lambda: Process(cloud, hurried=True).run()), choose)
        assert not [outcome for outcome in run.outcomes if isinstance(outcome, BaseException)], run.trace
        _check_copied(cloud)


def test_a_request_and_an_execution_may_copy_at_once(cloud: Cloud) -> None:
    _source(cloud)
    Process(cloud).ask()
    before = cloud.freeze()

    def at_once() -> bool:
        process = Process(cloud)
        return process.copying.copy(process.copying.ask(SHIPS, Tag("whole"), BOATS, BOB)).complete

    for _, choose in plans(120, 2, 12):
        cloud.thaw(before)
        run = interleave(cloud, (lambda: Process(cloud).run(), at_once), choose)
        assert run.outcomes[1] is True, run.outcomes
        _check_copied(cloud)


def test_a_tag_that_somebody_sets_meanwhile_stays(cloud: Cloud) -> None:
    _source(cloud)
    with_image(Registry(cloud), "latest", repository=BOATS)
    cloud.clock.advance(1)
    Process(cloud).ask()
    before = cloud.freeze()
    cloud.clock.advance(1)

    def push() -> None:
        Registry(cloud).push(IMAGE, tags=["latest", "whole"], to=BOATS)

    for _, choose in plans(120, 2, 12):
        cloud.thaw(before)
        cloud.clock.advance(1)
        run = interleave(cloud, (lambda: Process(cloud).run(), push), choose)
        assert not [outcome for outcome in run.outcomes if isinstance(outcome, BaseException)], run.trace
        registry = Registry(cloud)
        assert stands(registry, IMAGE, "latest", BOATS) and stands(registry, IMAGE, "whole", BOATS), run.trace
        assert stands(registry, INDEX, repository=BOATS)
        check(cloud, DOCUMENTS)


def test_a_child_that_is_deleted_in_the_target_meanwhile_is_copied_again_or_needed(cloud: Cloud) -> None:
    _source(cloud)
    Process(cloud).ask()
    before = cloud.freeze()

    def delete() -> None:
        with contextlib.suppress(RegistryError):  # it is not there yet, or the index needs it
            Registry(cloud).delete(Digest.of(SECOND), BOATS)

    for _, choose in plans(120, 2, 12):
        cloud.thaw(before)
        run = interleave(cloud, (lambda: Process(cloud, hurried=True).run(), delete), choose)
        assert not [outcome for outcome in run.outcomes if isinstance(outcome, BaseException)], run.trace
        cloud.clock.advance(LEASE_MS / 1000 + 301)
        Process(cloud).run()
        registry = Registry(cloud)
        assert _found(cloud).status is Status.SUCCESS or not stands(registry, INDEX, repository=BOATS)
        if stands(registry, INDEX, repository=BOATS):
            assert stands(registry, SECOND, repository=BOATS), run.trace
        check(cloud, DOCUMENTS)


def test_a_copy_ends_with_an_error_when_its_source_is_gone(cloud: Cloud) -> None:
    _source(cloud)
    Process(cloud).ask()
    Registry(cloud).delete(Digest.of(INDEX))
    Process(cloud).run()
    found = _found(cloud)
    assert found.status is Status.ERROR and Digest.of(INDEX) in found.message
    assert not cloud.rows(f"repo#{BOATS}")


def test_a_copy_gives_up_before_the_name_of_a_deleted_project_is_free(cloud: Cloud) -> None:
    _source(cloud)
    Process(cloud).ask()
    cloud.clock.advance(51 * 60)
    Process(cloud).run()
    assert _found(cloud).status is Status.ERROR
    assert not cloud.rows(f"repo#{BOATS}")


def test_blobs_of_a_copy_are_mounted_by_whom_it_is_for(cloud: Cloud) -> None:
    _source(cloud)
    Process(cloud).ask()
    Process(cloud).run()
    mounts = [event for event in cloud.events if event["operation"] == "mount"]
    assert {event["repository"] for event in mounts} == {BOATS}
    assert {event["actor"] for event in mounts} == {BOB.name} != {ALICE.name}
