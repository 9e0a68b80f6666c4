"""What was deleted comes back whole until its time is over, and not afterwards; the collector keeps and frees it."""

from __future__ import annotations

import contextlib
import json

import pytest
from botocore.exceptions import BotoCoreError

from roadstead.content.deletion.repositories import RepositoryDeletion
from roadstead.content.deletion.trash import DEFAULT_GRACE, UnitKind
from roadstead.content.manifest_document import OCI_INDEX, OCI_MANIFEST
from roadstead.digest import Digest
from roadstead.lifecycle.executions.executions import LEASE_MS, Status
from roadstead.names import Tag
from tests.invariants.cloud import Cloud
from tests.invariants.collector import FENCE, GRACE, collect, collector, tell
from tests.invariants.faults import Crash, Fault, Faulty
from tests.invariants.invariants import check
from tests.invariants.operations import CONFIG, DOCUMENTS, IMAGE, LAYER, serves, stands, with_image
from tests.invariants.registry import ALICE, SHIPS, Registry, image
from tests.invariants.schedules import interleave, plans
from tests.invariants.trash import PROJECT, Bin
from tests.manifests import of

DAY = 86_400


def _days(cloud: Cloud, days: int) -> None:
    """Days with a collector that runs often."""
    for _ in range(days * 4):
        cloud.clock.advance(DAY / 4)
        collector(cloud).run()


def _deleted(cloud: Cloud) -> Bin:
    with_image(Registry(cloud), "latest")
    trash = Bin(cloud)
    trash.delete(Digest.of(IMAGE))
    return trash


def test_a_manifest_comes_back_with_its_tags_on_the_sixth_day(cloud: Cloud) -> None:
    trash = _deleted(cloud)
    assert not stands(trash.registry, IMAGE)
    tell(cloud)
    _days(cloud, 6)
    (unit,) = trash.units()
    assert (unit.kind, unit.tags, unit.by) == (UnitKind.MANIFEST, (Tag("latest"),), "bob")
    done = trash.restore(unit)
    assert (done.status, done.progress) == (Status.SUCCESS, {"manifests": 1}), done.message
    assert stands(trash.registry, IMAGE, "latest")
    assert serves(trash.registry, LAYER)
    assert trash.units() == []
    check(cloud, DOCUMENTS)
    _days(cloud, 9)
    assert stands(trash.registry, IMAGE, "latest")
    assert serves(trash.registry, LAYER)
    check(cloud, DOCUMENTS)
    assert sorted(cloud.objects().values()) == sorted([CONFIG, LAYER, IMAGE])


def test_what_nobody_restored_is_freed_when_its_time_is_over(cloud: Cloud) -> None:
    trash = _deleted(cloud)
    tell(cloud)
    _days(cloud, 6)
    assert len(cloud.objects()) == 3
    _days(cloud, 4)
    assert trash.units() == []
    assert not cloud.objects()
    left = [sk for pk, sk in cloud.rows("repo#") if sk.startswith(("use#", "trashed#", "blob#"))]
    assert left == []
    check(cloud, DOCUMENTS)


def test_without_a_grace_period_nothing_is_kept(cloud: Cloud) -> None:
    with_image(Registry(cloud), "latest")
    trash = Bin(cloud)
    trash.trash.set_grace(PROJECT, 0, actor=ALICE)
    trash.delete(Digest.of(IMAGE))
    assert trash.units() == []
    collect(cloud)
    assert not cloud.objects()


def test_a_grace_period_is_fixed_when_something_is_deleted(cloud: Cloud) -> None:
    trash = _deleted(cloud)
    trash.trash.set_grace(PROJECT, 0, actor=ALICE)
    _days(cloud, 6)
    (unit,) = trash.units()
    assert trash.restore(unit).status is Status.SUCCESS
    trash.delete(Digest.of(IMAGE))
    trash.trash.set_grace(PROJECT, DEFAULT_GRACE, actor=ALICE)
    assert trash.units() == []
    _days(cloud, 4)
    assert not cloud.objects()


def test_a_client_may_delete_a_blob_of_the_trash_and_restoring_names_it(cloud: Cloud) -> None:
    trash = _deleted(cloud)
    trash.registry.delete_blob(Digest.of(LAYER))
    (unit,) = trash.units()
    done = trash.restore(unit)
    assert done.status is Status.ERROR
    assert Digest.of(LAYER) in done.message
    assert not stands(trash.registry, IMAGE)
    check(cloud, DOCUMENTS)


def test_a_tag_that_moved_on_is_not_moved_back_unless_another_name_is_told(cloud: Cloud) -> None:
    trash = _deleted(cloud)
    other = image(LAYER, config=CONFIG, padding=9)
    trash.registry.push(other, "latest")
    (unit,) = trash.units()
    done = trash.restore(unit)
    assert done.status is Status.ERROR
    assert "latest points to something else" in done.message
    assert not stands(trash.registry, IMAGE)
    assert trash.restore(unit, {"latest": "old"}).status is Status.SUCCESS
    assert stands(trash.registry, IMAGE, "old")
    assert stands(trash.registry, other, "latest")
    check(cloud, (*DOCUMENTS, other))


def test_a_deleted_tag_comes_back_to_its_manifest_or_says_that_it_is_gone(cloud: Cloud) -> None:
    registry = Registry(cloud)
    with_image(registry, "latest", "stable")
    trash = Bin(cloud)
    trash.delete(Tag("stable"))
    (unit,) = trash.units()
    assert unit.kind is UnitKind.TAG
    trash.delete(Digest.of(IMAGE))
    done = trash.restore(unit)
    assert done.status is Status.ERROR
    assert "restore it first" in done.message
    whole = trash.units()[0]
    assert trash.restore(whole).status is Status.SUCCESS
    assert trash.restore(unit).status is Status.SUCCESS
    assert stands(registry, IMAGE, "latest")
    assert stands(registry, IMAGE, "stable")


def _with_index(cloud: Cloud) -> tuple[Bin, bytes, bytes]:
    """An index of one image, with a referrer, deleted as a whole."""
    registry = Registry(cloud)
    with_image(registry)
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [of(IMAGE, OCI_MANIFEST)]}).encode()
    registry.push(index, "multi")
    signature = image(LAYER, config=CONFIG, subject=index)
    registry.push(signature)
    trash = Bin(cloud)
    trash.delete_artifact(Tag("multi"))
    return trash, index, signature


def test_an_artifact_comes_back_with_its_children_and_accessories(cloud: Cloud) -> None:
    trash, index, signature = _with_index(cloud)
    registry = trash.registry
    assert not any(stands(registry, body) for body in (IMAGE, index, signature))
    (unit,) = trash.units()
    assert unit.kind is UnitKind.ARTIFACT
    _days(cloud, 6)
    done = trash.restore(unit)
    assert (done.status, done.progress) == (Status.SUCCESS, {"manifests": 3}), done.message
    assert stands(registry, index, "multi")
    assert all(stands(registry, body) for body in (IMAGE, signature))
    assert trash.units() == []
    check(cloud, (*DOCUMENTS, index, signature))


def index_of(*bodies: bytes, media_type: str = OCI_MANIFEST) -> bytes:
    children = [of(body, media_type) for body in bodies]
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children}).encode()


def test_a_repository_comes_back_whole_with_one_restoration(cloud: Cloud) -> None:
    """An index in an index in an index, a referrer of the outer one, and more tags than a commit or a page takes."""
    registry = Registry(cloud)
    with_image(registry, "latest")
    inner = index_of(IMAGE)
    middle = index_of(inner, media_type=OCI_INDEX)
    outer = index_of(middle, inner, media_type=OCI_INDEX)
    for body, tag in ((inner, "inner"), (middle, "middle"), (outer, "outer")):
        registry.push(body, tag)
    signature = image(LAYER, config=CONFIG, subject=outer)
    registry.push(signature)
    many = [f"v{number:03d}" for number in range(130)]
    for tag in many:
        registry.push(IMAGE, tag)
    everything = (IMAGE, inner, middle, outer, signature)
    trash = Bin(cloud)
    swept = trash.delete_repository()
    assert (swept.deleted, swept.kept, swept.complete) == (5, 0, True)
    assert not any(stands(registry, body) for body in everything)
    (unit,) = trash.units()
    assert unit.kind is UnitKind.REPOSITORY
    _days(cloud, 6)
    done = trash.restore(unit)
    assert (done.status, done.progress) == (Status.SUCCESS, {"manifests": 5}), done.message
    assert all(stands(registry, body) for body in everything)
    assert stands(registry, outer, "outer") and stands(registry, middle, "middle")
    assert all(stands(registry, IMAGE, tag) for tag in ("latest", *many))
    assert [one.digest for one in registry.index.list_referrers(SHIPS, Digest.of(outer), after="")] == [
        Digest.of(signature)
    ]
    assert SHIPS in registry.index.list_repositories(after="", limit=9)
    assert trash.units() == []
    again = trash.delete_repository()  # nothing that was restored looks like a push under way
    assert (again.deleted, again.kept) == (5, 0)
    assert trash.restore(trash.units()[0]).status is Status.SUCCESS
    _days(cloud, 9)
    assert all(stands(registry, body) for body in everything)
    check(cloud, (*DOCUMENTS, *everything))


@pytest.mark.parametrize("fault", [Fault.DIES_BEFORE, Fault.DIES_AFTER, Fault.UNANSWERED])
def test_a_repositorys_deletion_that_fails_at_any_call_forgets_no_tag(cloud: Cloud, fault: Fault) -> None:
    registry = Registry(cloud)
    with_image(registry)
    many = [f"v{number:03d}" for number in range(70)]  # more than two transactions remove
    for tag in many:
        registry.push(IMAGE, tag)
    before, whole = cloud.freeze(), Faulty()
    with cloud.intercepted(whole):
        Bin(cloud).delete_repository()
    for place in range(len(whole.calls)):
        cloud.thaw(before)
        with contextlib.suppress(Crash, BotoCoreError), cloud.intercepted(Faulty(fault, place)):
            Bin(cloud).delete_repository()
        trash = Bin(cloud)
        mark = trash.repositories.find_deletion(SHIPS)
        if mark is not None:
            trash.delete_repository()
        elif stands(trash.registry, IMAGE):
            continue  # it has not begun
        (unit,) = trash.units()
        assert trash.restore(unit).status is Status.SUCCESS, f"{fault} at {whole.calls[place]}"
        assert trash.registry.index.list_tags(SHIPS, after="", limit=200) == tuple(map(Tag, many)), whole.calls[place]
        check(cloud, DOCUMENTS)


def test_restoring_a_repository_in_which_a_tag_has_moved_on_or_a_blob_is_gone_restores_nothing(cloud: Cloud) -> None:
    registry = Registry(cloud)
    with_image(registry, "latest")
    outer = index_of(index_of(IMAGE), media_type=OCI_INDEX)
    registry.push(index_of(IMAGE))
    registry.push(outer, "outer")
    trash = Bin(cloud)
    trash.delete_repository()
    (unit,) = trash.units()
    other = image(CONFIG, config=CONFIG)
    registry.push(other, "outer")
    done = trash.restore(unit)
    assert done.status is Status.ERROR and "outer points to something else" in done.message
    assert not any(stands(registry, body) for body in (IMAGE, index_of(IMAGE), outer))
    registry.delete_blob(Digest.of(LAYER))  # which only the trash needs
    done = trash.restore(unit, {"outer": "restored"})
    assert done.status is Status.ERROR and Digest.of(LAYER) in done.message
    assert not any(stands(registry, body) for body in (IMAGE, index_of(IMAGE), outer))
    registry.upload(LAYER)
    assert trash.restore(unit, {"outer": "restored"}).status is Status.SUCCESS
    assert stands(registry, outer, "restored") and stands(registry, other, "outer")
    assert stands(registry, IMAGE, "latest")
    check(cloud, (*DOCUMENTS, index_of(IMAGE), outer, other))


def test_a_repository_that_is_still_being_deleted_is_restored_afterwards(cloud: Cloud) -> None:
    registry = Registry(cloud)
    with_image(registry, "latest")
    trash = Bin(cloud)
    deletion = RepositoryDeletion(trash.repositories, trash.manifests, registry.index, registry.events)
    mark = deletion.begin(SHIPS, ALICE)
    (unit,) = trash.units()
    done = trash.restore(unit)
    assert done.status is Status.ERROR and "is still being deleted" in done.message
    deletion.sweep(SHIPS, mark, ALICE, go_on=lambda: True)
    assert trash.restore(unit).status is Status.SUCCESS
    assert stands(registry, IMAGE, "latest")


def test_emptying_frees_at_once_and_only_what_was_there_when_it_was_asked_for(cloud: Cloud) -> None:
    trash = _deleted(cloud)
    execution = trash.start("empty-trash", None)
    with_image(trash.registry, "later")
    trash.delete(Digest.of(IMAGE))
    trash.run_due()
    assert trash.executions.find(execution.id).progress == {"units": 1}  # type: ignore[union-attr]
    (unit,) = trash.units()
    assert unit.tags == (Tag("later"),)
    assert trash.empty(unit).status is Status.SUCCESS
    assert trash.units() == []
    tell(cloud)
    for pause in (GRACE + 1, FENCE + 1, GRACE + 1):
        cloud.clock.advance(pause)
        collector(cloud).run()
    assert not cloud.objects()
    told = [event for event in cloud.events if event["operation"] == "empty-trash"]
    assert len(told) == 2


@pytest.mark.parametrize("fault", list(Fault))
def test_a_restoration_that_fails_at_any_call_is_resumed_and_ends_whole(cloud: Cloud, fault: Fault) -> None:
    trash, index, signature = _with_index(cloud)
    (unit,) = trash.units()
    trash.start("restore", unit)
    before, whole = cloud.freeze(), Faulty()
    with cloud.intercepted(whole):
        Bin(cloud).run_due()
    # Every third call: the first ones of each push race with nothing new.
    for place in range(0, len(whole.calls), 3):
        cloud.thaw(before)
        try:
            with cloud.intercepted(Faulty(fault, place)):
                Bin(cloud).run_due()
        except (Crash, BotoCoreError):
            pass
        for _ in range(2):
            cloud.clock.advance(LEASE_MS / 1000 + 301)
            Bin(cloud).run_due()
        assert stands(Registry(cloud), index, "multi"), f"{fault} at {whole.calls[place]}"
        assert all(stands(Registry(cloud), body) for body in (IMAGE, signature))
        assert Bin(cloud).units() == []
        check(cloud, (*DOCUMENTS, index, signature))


def test_restoring_beside_the_collector_at_the_end_gives_all_or_says_what_is_gone(cloud: Cloud) -> None:
    trash = _deleted(cloud)
    tell(cloud)
    _days(cloud, 6)
    (unit,) = trash.units()
    trash.start("restore", unit)
    cloud.clock.advance(DAY - 60)
    before = cloud.freeze()
    for pause in (0, 59):
        for _, choose in plans(30, 2, 24):
            cloud.thaw(before)
            cloud.clock.advance(pause)
            run = interleave(cloud, (collector(cloud).run, lambda: Bin(cloud).run_due()), choose)
            assert not [one for one in run.outcomes if isinstance(one, BaseException)], run.trace
            for wait in (FENCE + 1, GRACE + 1, FENCE + 1, GRACE + 1):
                cloud.clock.advance(wait)
                collector(cloud).run()
            registry = Registry(cloud)
            assert stands(registry, IMAGE, "latest") == serves(registry, LAYER), run.trace
            check(cloud, DOCUMENTS)


def test_a_deletion_that_dies_leaves_the_manifest_or_a_unit_of_it(cloud: Cloud) -> None:
    with_image(Registry(cloud), "latest")
    before, whole = cloud.freeze(), Faulty()
    with cloud.intercepted(whole):
        Bin(cloud).delete(Digest.of(IMAGE))
    for place in range(len(whole.calls)):
        cloud.thaw(before)
        try:
            with cloud.intercepted(Faulty(Fault.DIES_AFTER, place)):
                Bin(cloud).delete(Digest.of(IMAGE))
        except Crash:
            pass
        registry = Registry(cloud)
        assert stands(registry, IMAGE, "latest") != bool(Bin(cloud).units())
        check(cloud, DOCUMENTS)


def test_two_generations_of_a_digest_are_two_units_that_both_come_back(cloud: Cloud) -> None:
    trash = _deleted(cloud)
    with_image(trash.registry, "again")
    trash.delete(Digest.of(IMAGE))
    first, second = sorted(trash.units(), key=lambda unit: unit.at)
    assert trash.restore(first).status is Status.SUCCESS
    assert trash.restore(second).status is Status.SUCCESS
    assert stands(trash.registry, IMAGE, "latest")
    assert stands(trash.registry, IMAGE, "again")
    assert trash.registry.index.find_tags_of(SHIPS, Digest.of(IMAGE)) == ("again", "latest")
    check(cloud, DOCUMENTS)
