"""What every store of usage and standings does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from roadstead.aws.catalog.dynamodb_derived import DynamoDerivedIndex
from roadstead.aws.catalog.dynamodb_repositories import DynamoRepositories
from roadstead.aws.content.dynamodb_usage import DynamoProjectUsage
from roadstead.aws.table import Table
from roadstead.catalog.derived import KeptRepository
from roadstead.catalog.pages import Counts
from roadstead.catalog.summaries import Summary
from roadstead.conflicts import Conflict
from roadstead.content.governing import Governing
from roadstead.content.manifest_document import OCI_MANIFEST
from roadstead.content.manifest_index import Commit, ManifestEntry
from roadstead.digest import Digest
from roadstead.lifecycle.policy.quotas import Level, ProjectUsage, Reservation, Standing
from roadstead.names import ProjectName, RepositoryName
from roadstead.trail.entries import Actor, Event, Operation
from tests.contract.conftest import Index
from tests.memory.usage import MemoryProjectUsage

SHIPS, BOATS = ProjectName("ships"), ProjectName("boats")
ONE, TWO = Digest.of(b"1"), Digest.of(b"2")
EVENT = Event("e" * 32, 1, Operation.WARN_QUOTA, Actor("indexer"), "ships/a", project=SHIPS)


@pytest.fixture
def usage(index: Index) -> ProjectUsage:
    if index.memory is not None:
        return MemoryProjectUsage(index.memory)
    return DynamoProjectUsage(Table(index.client, index.table_name, sleep=lambda _: None))


def test_a_standing_is_kept_with_its_event(index: Index, usage: ProjectUsage) -> None:
    assert usage.find_standing(SHIPS) == (Governing(), Standing())
    usage.put_standing(SHIPS, Standing(Level.WARNED, 1000, 900), EVENT)
    kept = Standing(Level.WARNED, 1000, 900, version=1)
    assert usage.find_standing(SHIPS) == (Governing(), kept)
    assert usage.find_standing(BOATS) == (Governing(), Standing())
    assert [operation for operation, _ in index.events()] == ["warn-quota"]
    usage.put_standing(SHIPS, replace(kept, level=Level.FREE), None)
    assert usage.find_standing(SHIPS)[1] == Standing(Level.FREE, 1000, 900, version=2)
    assert len(index.events()) == 1


def test_a_deleted_project_leaves_no_standing_to_a_new_one_of_its_name(index: Index, usage: ProjectUsage) -> None:
    usage.put_standing(SHIPS, Standing(Level.EXCEEDED, 1000, 1000), EVENT)
    repositories = index.memory or DynamoRepositories(Table(index.client, index.table_name))
    repositories.forget_project(SHIPS)
    repositories.forget_project(SHIPS)
    assert usage.find_standing(SHIPS)[1] == Standing()
    usage.put_standing(SHIPS, Standing(Level.WARNED, 1000, 900), EVENT)


def test_of_two_that_say_something_one_looks_again(index: Index, usage: ProjectUsage) -> None:
    usage.put_standing(SHIPS, Standing(Level.WARNED, 1000, 900), EVENT)
    for version in (0, 2):
        with pytest.raises(Conflict):
            usage.put_standing(SHIPS, Standing(Level.EXCEEDED, 1000, 1000, version), EVENT)
    assert usage.find_standing(SHIPS)[1].level is Level.WARNED
    assert len(index.events()) == 1


def reservation(generation: str, size: int = 10, expires: int = 1000) -> Reservation:
    return Reservation(RepositoryName("ships/a"), ONE, generation, size, (), expires)


def test_reservations_add_up_until_they_lapse_or_are_dropped(usage: ProjectUsage) -> None:
    assert usage.reserved_bytes(SHIPS, now=900) == 0
    usage.reserve(reservation("g1"))
    usage.reserve(reservation("g1"))
    usage.reserve(reservation("g2", 5, 2000))
    assert usage.reserved_bytes(SHIPS, now=1000) == 15
    assert usage.reserved_bytes(SHIPS, now=1001) == 5
    assert usage.reserved_bytes(BOATS, now=900) == 0
    usage.unreserve(SHIPS, "g2")
    usage.unreserve(SHIPS, "absent")
    assert usage.reserved_bytes(SHIPS, now=1000) == 10
    usage.release_counted(SHIPS, now=1001)
    assert usage.reserved_bytes(SHIPS, now=900) == 0


def commit_of(index: Index, generation: str) -> Commit:
    name = RepositoryName("ships/a")
    found = index.manifests.read_snapshot(name, ONE, (), blobs=(), manifests=())
    entry = ManifestEntry(ONE, OCI_MANIFEST, 1, generation, "key", b"1")
    event = replace(EVENT, operation=Operation.PUSH, repository=name, digest=ONE)
    return Commit(name, entry, (), found, None, event, reserved=True)


def test_a_commit_makes_its_reservation_last(index: Index, usage: ProjectUsage) -> None:
    with pytest.raises(Conflict):
        index.manifests.commit(commit_of(index, "g1"))  # it has lapsed, and was dropped
    usage.reserve(reservation("g1"))
    index.manifests.commit(commit_of(index, "g1"))
    assert usage.reserved_bytes(SHIPS, now=10**9) == 10
    usage.release_counted(SHIPS, now=10**9)
    assert usage.reserved_bytes(SHIPS, now=10**9) == 10  # it is not counted yet


def test_a_reservation_is_dropped_once_all_of_it_is_counted(index: Index, usage: ProjectUsage) -> None:
    if index.memory is not None:
        pytest.skip("nobody derives in memory")
    derived = DynamoDerivedIndex(Table(index.client, index.table_name, sleep=lambda _: None))
    usage.reserve(replace(reservation("g1"), blobs=(TWO,)))
    index.manifests.commit(commit_of(index, "g1"))
    summary = Summary(digest=ONE, generation="g1", key="key", media_type=OCI_MANIFEST, manifest_size=1, size=1)
    derived.put_summary(RepositoryName("ships/a"), summary, replaces=None)
    usage.release_counted(SHIPS, now=1)
    assert usage.reserved_bytes(SHIPS, now=1) == 10
    derived.change_usage(SHIPS, own={TWO: 9}, disown={})
    usage.release_counted(SHIPS, now=1)
    assert usage.reserved_bytes(SHIPS, now=1) == 0


def test_usage_is_what_was_derived(index: Index, usage: ProjectUsage) -> None:
    if index.memory is not None:
        pytest.skip("nobody derives in memory")
    derived = DynamoDerivedIndex(Table(index.client, index.table_name, sleep=lambda _: None))
    derived.change_usage(SHIPS, own={ONE: 5}, disown={})
    for name, artifacts in (("ships/a", 2), ("ships/b/c", 3), ("shipsandmore/a", 9)):
        derived.put_repository(RepositoryName(name), KeptRepository(1, 1, Counts(0, artifacts)))
    assert usage.find_owned(SHIPS, [ONE, TWO]) == {ONE: 5}
    assert usage.find_owned(BOATS, [ONE]) == {}
    assert usage.find_standing(SHIPS)[0] == Governing("", 5)
    assert usage.count_artifacts(SHIPS) == 5
    assert usage.count_repositories(SHIPS) == 0  # none was committed to
