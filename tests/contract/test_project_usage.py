"""What every store of usage and standings does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from roadstead.aws.dynamodb_derived import DynamoDerivedIndex
from roadstead.aws.dynamodb_usage import DynamoProjectUsage
from roadstead.aws.table import Table
from roadstead.catalog.derived import KeptRepository
from roadstead.catalog.pages import Counts
from roadstead.conflicts import Conflict
from roadstead.content.governing import Governing
from roadstead.digest import Digest
from roadstead.lifecycle.quotas import Level, ProjectUsage, Standing
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


def test_of_two_that_say_something_one_looks_again(index: Index, usage: ProjectUsage) -> None:
    usage.put_standing(SHIPS, Standing(Level.WARNED, 1000, 900), EVENT)
    for version in (0, 2):
        with pytest.raises(Conflict):
            usage.put_standing(SHIPS, Standing(Level.EXCEEDED, 1000, 1000, version), EVENT)
    assert usage.find_standing(SHIPS)[1].level is Level.WARNED
    assert len(index.events()) == 1


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
