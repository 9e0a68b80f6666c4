"""Deleting a repository beside pushes to it, at every AWS call: what was pushed since is there and listed, and nothing
else is.

Which of the two came first is what the index says: the order in which their transactions took place.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from botocore.exceptions import BotoCoreError

from roadstead.aws.table import update
from roadstead.content.commit_rules import RuleRefused
from roadstead.content.copying import Copying, NothingUploaded
from roadstead.content.deletion.repositories import RepositoryDeletion
from roadstead.content.manifest_document import parse_manifest
from roadstead.content.manifests import Manifests, needed_by
from roadstead.content.push import Push
from roadstead.content.repositories import DeletionMark
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from roadstead.lifecycle.executions.executions import Status
from roadstead.names import Tag
from tests.invariants.cloud import Cloud
from tests.invariants.collector import FENCE, GRACE, collector
from tests.invariants.faults import Crash, Fault, Faulty
from tests.invariants.invariants import check
from tests.invariants.operations import CONFIG, DOCUMENTS, IMAGE, INDEX, LAYER, OTHER, REFERRER, SECOND, serves, stands
from tests.invariants.registry import ALICE, BOATS, BOB, SHIPS, Registry, image
from tests.invariants.schedules import Chooser, interleave, plans, switching
from tests.invariants.trash import Bin

# How many orders of each push; a nightly run can try more.
SCHEDULES = int(os.environ.get("INVARIANT_SCHEDULES", "90")) // 5
THIRD = image(CONFIG, LAYER)
ALL = (*DOCUMENTS, THIRD)


@dataclass(frozen=True, slots=True)
class Case:
    """A push of `body` under `tags`. `needs_more` than blobs: it may be told that those manifests are gone."""

    name: str
    run: Callable[[Registry], object]
    body: bytes
    tags: tuple[str, ...] = ()
    needs_more: bool = False


def pushing(name: str, body: bytes, *tags: str, needs_more: bool = False) -> Case:
    return Case(name, lambda registry: registry.push(body, tags=tags), body, tags, needs_more)


def _copies(registry: Registry) -> object:
    pushes = Push(
        manifests=registry.index,
        blobs=registry.links,
        objects=registry.objects,
        adoption=NothingUploaded(),
        events=registry.events,
        sleep=lambda _: None,
    )
    copying = Copying(
        manifests=registry.manifests,
        index=registry.index,
        blobs=registry.links,
        push=pushes,
        events=registry.events,
    )
    return copying.copy(copying.ask(BOATS, Tag("old"), SHIPS, ALICE))


CASES = (
    pushing("a new image", THIRD, "new"),
    pushing("a new image under an old tag", THIRD, "latest"),
    pushing("the same image by its digest", IMAGE),
    pushing("the same image under its tag", IMAGE, "latest"),
    pushing("the same image under another tag", IMAGE, "again"),
    pushing("another image's tag", SECOND, "latest"),
    pushing("a referrer", REFERRER),
    pushing("an index of what is there", INDEX, "multi", needs_more=True),
    Case(
        "a tag",
        lambda registry: registry.pushes.tag(SHIPS, Digest.of(IMAGE), Tag("named"), actor=ALICE),
        IMAGE,
        ("named",),
        needs_more=True,
    ),
    Case("a copy of the same image", _copies, IMAGE, ("old",)),
)
BY_NAME = {case.name: case for case in CASES}


class Deleter:
    """A process that deletes repositories, with the trash or without."""

    def __init__(self, cloud: Cloud, *, trash: bool) -> None:
        kept = Bin(cloud)
        self.repositories = kept.repositories
        manifests = kept.manifests if trash else kept.registry.manifests
        self.deletion = RepositoryDeletion(self.repositories, manifests, kept.registry.index, kept.registry.events)

    def delete(self) -> None:
        """Whole, as a request does that has the time."""
        self.sweep(self.deletion.begin(SHIPS, BOB))

    def sweep(self, mark: DeletionMark) -> None:
        self.deletion.sweep(SHIPS, mark, BOB, go_on=lambda: True)

    def resume(self) -> None:
        """Go on with what is under way, as an execution does."""
        mark = self.repositories.find_deletion(SHIPS)
        if mark is not None:
            self.sweep(mark)


def prepared(cloud: Cloud) -> tuple[object, ...]:
    registry = Registry(cloud)
    for repository in (SHIPS, BOATS):
        for data in (CONFIG, LAYER, OTHER):
            registry.upload(data, repository)
    registry.push(IMAGE, tags=("latest", "old"))
    registry.push(IMAGE, tags=("old",), to=BOATS)
    registry.push(SECOND, "second")
    registry.push(INDEX)  # so that children go behind it
    cloud.clock.advance(60)
    return cloud.freeze()


def is_deleted(cloud: Cloud) -> bool:
    return any(event["operation"] == "delete-repository" for event in cloud.events)


def pushes_since(cloud: Cloud) -> list[tuple[str, tuple[str, ...]]]:
    """The digests, with tags, that were committed to the repository behind its last deletion."""
    own = [event for event in cloud.events if event["repository"] == SHIPS]
    begun = max(place for place, event in enumerate(own) if event["operation"] == "delete-repository")
    return [(event["digest"], tuple(event["tags"])) for event in own[begun:] if event["operation"] in ("push", "tag")]


def check_left(cloud: Cloud) -> None:
    """Raises AssertionError unless exactly what was pushed since is there, listed, with what it needs."""
    pushed, rows = pushes_since(cloud), cloud.rows(f"repo#{SHIPS}")
    bodies = {str(Digest.of(body)): body for body in ALL}
    wanted, todo = set(), [digest for digest, _ in pushed]
    for digest in todo:
        wanted.add(digest)
        todo += [str(one) for one in needed_by(parse_manifest(bodies[digest], None)) if str(one) in bodies]
    tags = {tag: digest for digest, tags in pushed for tag in tags}
    left = {sk.removeprefix("manifest#") for _, sk in rows if sk.startswith("manifest#")}
    tagged = {sk.removeprefix("tag#"): item["digest"] for (_, sk), item in rows.items() if sk.startswith("tag#")}
    listed = SHIPS in Registry(cloud).index.list_repositories(after="", limit=9)
    assert {digest for digest, _ in pushed} <= left, "what was pushed is gone"
    assert left <= wanted, "what was deleted is left"
    assert tagged == tags
    assert listed is bool(pushed), f"listed: {listed}"
    check(cloud, ALL)


def days_later(cloud: Cloud) -> None:
    for pause in (GRACE + 1, FENCE + 1, GRACE + 1):
        cloud.clock.advance(pause)
        collector(cloud).run()


def committed(outcome: object, case: Case) -> bool:
    """Whether the push was answered 201; it may only be refused for want of manifests."""
    if isinstance(outcome, RegistryError) and case.needs_more and outcome.status in (400, 404):
        return False
    assert not isinstance(outcome, BaseException), repr(outcome)
    return True


@pytest.mark.parametrize("trash", [False, True], ids=["for good", "to the trash"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_push_beside_the_deletion_of_its_repository(cloud: Cloud, case: Case, trash: bool) -> None:
    before, samples = prepared(cloud), SCHEDULES if not trash else SCHEDULES // 2
    orders = set()

    def beside(choose: Chooser) -> tuple[str, ...]:
        cloud.thaw(before)
        late = []

        def push() -> object:
            Registry(cloud).index.repository_exists(BOATS)  # until it is its turn
            late.append(is_deleted(cloud))
            return case.run(Registry(cloud))

        run = interleave(cloud, (Deleter(cloud, trash=trash).delete, push), choose)
        deleted, pushed = run.outcomes
        assert deleted is None, repr(deleted)
        if committed(pushed, case) and late[0]:
            assert pushes_since(cloud), "it did nothing"
        Deleter(cloud, trash=trash).resume()
        check_left(cloud)
        orders.add(bool(pushes_since(cloud)))
        return run.trace

    steps = 0
    for first in (0, 1):
        steps = max(steps, len(beside(switching(first, ()))))
    for name, choose in plans(steps, 2, samples):
        try:
            beside(choose)
        except Exception as error:
            raise AssertionError(f"{case.name}: {name}: {error!r}") from error
    days_later(cloud)
    check_left(cloud)
    assert False in orders


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_commit_that_waits_while_a_deletion_goes_on_at_every_call(cloud: Cloud, case: Case) -> None:
    """The commit has read everything, and its transaction comes when the deletion has come so far."""
    before = prepared(cloud)
    alone = interleave(cloud, (lambda: case.run(Registry(cloud)),), switching(0, ()))
    commit = max((n for n, call in enumerate(alone.trace) if "TransactWrite" in call), default=len(alone.trace) - 1)
    step = 1
    while True:
        cloud.thaw(before)
        operations = (lambda: case.run(Registry(cloud)), Deleter(cloud, trash=True).delete)
        run = interleave(cloud, operations, switching(0, (commit, commit + step)))
        try:
            assert run.outcomes[1] is None, repr(run.outcomes[1])
            committed(run.outcomes[0], case)
            Deleter(cloud, trash=True).resume()
            check_left(cloud)
        except Exception as error:
            raise AssertionError("\n".join([f"{case.name}, {step} calls later: {error!r}", *run.trace])) from error
        if not any(one.startswith("0") for one in run.trace[commit + step :]):
            break
        if run.trace[commit + step - 1].startswith("0"):
            break  # the deletion was over before
        step += 1
    assert step > 5


@pytest.mark.parametrize("fault", [Fault.DIES_BEFORE, Fault.DIES_AFTER, Fault.UNANSWERED])
@pytest.mark.parametrize("trash", [False, True], ids=["for good", "to the trash"])
def test_a_deletion_that_fails_at_any_call_is_gone_on_with_behind_pushes(
    cloud: Cloud, fault: Fault, trash: bool
) -> None:
    before, whole = prepared(cloud), Faulty()
    with cloud.intercepted(whole):
        Deleter(cloud, trash=trash).delete()
    for place in range(len(whole.calls)):
        cloud.thaw(before)
        with contextlib.suppress(Crash, BotoCoreError), cloud.intercepted(Faulty(fault, place)):
            Deleter(cloud, trash=trash).delete()
        Registry(cloud).push(IMAGE, "latest")
        Registry(cloud).push(THIRD, "new")
        if not is_deleted(cloud):
            continue
        if place % 4:
            Deleter(cloud, trash=trash).resume()
        else:
            days_later(cloud)
        try:
            check_left(cloud)
        except AssertionError as error:
            raise AssertionError(f"{fault} at {place}: {whole.calls[place]}") from error


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_push_that_dies_at_any_call_and_comes_again_behind_the_deletion(cloud: Cloud, case: Case) -> None:
    before, whole = prepared(cloud), Faulty()
    with cloud.intercepted(whole):
        case.run(Registry(cloud))
    for fault in (Fault.DIES_BEFORE, Fault.DIES_AFTER):
        for place in range(len(whole.calls)):
            cloud.thaw(before)
            deletion = Deleter(cloud, trash=False)
            mark = None
            with contextlib.suppress(Crash), cloud.intercepted(Faulty(fault, place)):
                case.run(Registry(cloud))
            if place % 2:
                mark = deletion.deletion.begin(SHIPS, BOB)
            else:
                deletion.delete()
            with contextlib.suppress(*([RegistryError] if case.needs_more else [])):
                case.run(Registry(cloud))
            if mark is not None:
                deletion.sweep(mark)
            if pushes_since(cloud) or not case.needs_more:
                cloud.clock.advance(FENCE + 1)  # what the one that died had noted has lapsed
                deletion.resume()
                check_left(cloud)


def test_deletions_one_after_another_beside_pushes(cloud: Cloud) -> None:
    before = prepared(cloud)

    def again() -> None:
        for body, tag in ((IMAGE, "latest"), (THIRD, "new"), (IMAGE, "again")):
            Registry(cloud).push(body, tag)

    for name, choose in plans(60, 3, 2 * SCHEDULES):
        cloud.thaw(before)
        deleters = [Deleter(cloud, trash=trash) for trash in (False, True)]
        run = interleave(cloud, (deleters[0].delete, again, deleters[1].delete), choose)
        try:
            assert run.outcomes == (None, None, None), run.outcomes
            Deleter(cloud, trash=True).resume()
            check_left(cloud)
        except Exception as error:
            raise AssertionError("\n".join([f"{name}: {error!r}", *run.trace])) from error


def test_a_deletion_that_slept_for_days_takes_nothing_of_the_repository_that_was_made_since(cloud: Cloud) -> None:
    before = prepared(cloud)

    def meanwhile() -> None:
        Deleter(cloud, trash=False).resume()
        days_later(cloud)
        registry = Registry(cloud)
        for data in (CONFIG, LAYER, OTHER):
            registry.upload(data)
        for body, tag in ((IMAGE, "latest"), (SECOND, "second"), (INDEX, "multi")):
            registry.push(body, tag)

    alone = Faulty()
    with cloud.intercepted(alone):
        Deleter(cloud, trash=False).delete()
    for step in range(1, len(alone.calls), 2):
        cloud.thaw(before)
        run = interleave(cloud, (Deleter(cloud, trash=False).delete, meanwhile), switching(0, (step,)))
        assert run.outcomes == (None, None), run.outcomes
        check_left(cloud)


def test_what_a_deletion_took_comes_back_beside_what_was_pushed_since(cloud: Cloud) -> None:
    prepared(cloud)
    trash, deleter = Bin(cloud), Deleter(cloud, trash=True)
    mark = deleter.deletion.begin(SHIPS, BOB)
    trash.registry.push(IMAGE, "latest")
    trash.registry.push(THIRD, "second")
    deleter.sweep(mark)
    check_left(cloud)
    trash.registry.push(THIRD, "old")
    (unit,) = trash.units()
    done = trash.restore(unit)
    assert done.status is Status.ERROR and "old points to something else" in done.message
    assert trash.restore(unit, {"old": "restored"}).status is Status.SUCCESS
    for body, tag in ((IMAGE, "latest"), (IMAGE, "restored"), (THIRD, "old"), (THIRD, "second"), (SECOND, "")):
        assert stands(trash.registry, body, tag), tag
    assert stands(trash.registry, INDEX)
    days_later(cloud)
    assert all(serves(trash.registry, data) for data in (CONFIG, LAYER, OTHER))
    check(cloud, ALL)


def test_a_deletion_that_a_rule_stops_is_over_and_stops_no_collector(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(cloud)
    deleter = Deleter(cloud, trash=False)
    mark = deleter.deletion.begin(SHIPS, BOB)

    def refuse(*_: object, **__: object) -> None:
        raise RuleRefused("immutable")

    monkeypatch.setattr(Manifests, "_check_removal", refuse)
    cloud.clock.advance(GRACE + 1)
    collector(cloud).run()
    registry = Registry(cloud)
    assert registry.index.repository_exists(SHIPS) and SHIPS in registry.index.list_repositories(after="", limit=9)
    monkeypatch.undo()
    registry.push(THIRD, "new")
    deleter.sweep(mark)  # by an execution that goes on
    days_later(cloud)
    assert stands(registry, IMAGE, "latest") and stands(registry, THIRD, "new")
    check(cloud, ALL)
    deleter.delete()
    check_left(cloud)


def test_a_manifest_that_a_push_under_way_may_need_is_looked_at_again(cloud: Cloud) -> None:
    """The collector neither lists the repository for it, nor leaves it there."""
    registry = Registry(cloud)
    for data in (CONFIG, LAYER):
        registry.upload(data)
    registry.push(IMAGE, "latest")
    deleter = Deleter(cloud, trash=False)
    mark = deleter.deletion.begin(SHIPS, BOB)
    cloud.clock.advance(GRACE + 1)
    now = int(cloud.clock() * 1000)
    registry.index.write_uses(SHIPS, Digest.of(INDEX), "g", [Digest.of(IMAGE)], at=now, key="manifests/none")
    collector(cloud).run()
    assert stands(registry, IMAGE)
    assert SHIPS not in registry.index.list_repositories(after="", limit=9)
    assert deleter.repositories.find_deletion(SHIPS) == DeletionMark(mark.at)
    cloud.clock.advance(FENCE + 1)
    collector(cloud).run()
    assert not stands(registry, IMAGE)
    assert deleter.repositories.find_deletion(SHIPS) is None


@pytest.mark.parametrize("begun", [False, True], ids=["not begun", "begun by it"])
def test_what_an_earlier_version_stored_goes_by_the_time_of_its_push(cloud: Cloud, begun: bool) -> None:
    """It wrote no eras; a deletion that it began is gone on with."""
    prepared(cloud)
    deleter = Deleter(cloud, trash=True)
    mark = deleter.deletion.begin(SHIPS, BOB) if begun else None
    registry = Registry(cloud)
    if begun:
        registry.push(THIRD, "new")
    for key, item in cloud.rows().items():
        if "era" in item:
            registry.table.write(update(key, "REMOVE era"))
    registry.push(IMAGE, "latest")
    if mark is None:
        mark = deleter.deletion.begin(SHIPS, BOB)
        registry.push(SECOND, "second")
    deleter.sweep(mark)
    check_left(cloud)
    days_later(cloud)
    check_left(cloud)
