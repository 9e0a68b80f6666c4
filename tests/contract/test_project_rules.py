"""What every store of project rules does, and that commits read them."""

from __future__ import annotations

import pytest

from roadstead.aws.catalog.dynamodb_derived import DynamoDerivedIndex
from roadstead.aws.content.dynamodb_rules import DynamoProjectRules
from roadstead.aws.table import Table
from roadstead.conflicts import Conflict
from roadstead.content.governing import MAX_RULES, Governing, ProjectRules, Rules, RulesTooLarge
from roadstead.digest import Digest
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.trail.entries import Actor, Event, Operation
from tests.contract.conftest import Index
from tests.memory.rules import MemoryProjectRules

SHIPS, BOATS = ProjectName("ships"), ProjectName("boats")


@pytest.fixture
def rules(index: Index) -> ProjectRules:
    if index.memory is not None:
        return MemoryProjectRules(index.memory)
    return DynamoProjectRules(Table(index.client, index.table_name, sleep=lambda _: None))


EVENT = Event("e" * 32, 1, Operation.CREATE_IMMUTABLE_RULE, Actor("ada"), "", project=SHIPS)


def governing(index: Index, repository: str) -> Governing:
    return index.manifests.read_snapshot(
        RepositoryName(repository), Digest.of(b"x"), (), blobs=(), manifests=()
    ).governing


def test_rules_come_back_as_they_were_put(rules: ProjectRules) -> None:
    assert rules.find_rules(SHIPS) is None
    assert rules.put_rules(SHIPS, '{"a": 1}', replaces=0, event=EVENT) == Rules('{"a": 1}', 1)
    assert rules.put_rules(SHIPS, "{}", replaces=1, event=EVENT) == Rules("{}", 2) == rules.find_rules(SHIPS)
    assert rules.find_rules(BOATS) is None


def test_of_two_writers_one_reads_again(rules: ProjectRules) -> None:
    rules.put_rules(SHIPS, "1", replaces=0, event=EVENT)
    for version in (0, 2):
        with pytest.raises(Conflict):
            rules.put_rules(SHIPS, "2", replaces=version, event=EVENT)
    assert rules.find_rules(SHIPS) == Rules("1", 1)


def test_what_governs_many_projects_is_read_at_once(index: Index, rules: ProjectRules) -> None:
    rules.put_rules(SHIPS, "r", replaces=0, event=EVENT)
    assert rules.read_governing([SHIPS, BOATS]) == {SHIPS: Governing("r"), BOATS: Governing()}
    assert rules.read_governing([]) == {}


def test_rules_are_bounded(rules: ProjectRules) -> None:
    with pytest.raises(RulesTooLarge, match="ships"):
        rules.put_rules(SHIPS, "x" * (MAX_RULES + 1), replaces=0, event=EVENT)


def test_a_commit_reads_the_rules_of_its_project(index: Index, rules: ProjectRules) -> None:
    rules.put_rules(SHIPS, "r", replaces=0, event=EVENT)
    assert governing(index, "ships/a/b") == Governing("r", 0)
    assert index.manifests.find_governed(RepositoryName("ships/a"), [Tag("v1")]) == ({}, Governing("r", 0))
    assert governing(index, "boats/a") == governing(index, "shipsandmore/a") == Governing()


def test_a_commit_reads_the_usage_of_its_project(index: Index) -> None:
    if index.memory is not None:
        pytest.skip("nobody counts in memory")
    derived = DynamoDerivedIndex(Table(index.client, index.table_name, sleep=lambda _: None))
    derived.change_usage(SHIPS, own={Digest.of(b"1"): 5, Digest.of(b"2"): 7}, disown={})
    assert governing(index, "ships/a").used == 12
