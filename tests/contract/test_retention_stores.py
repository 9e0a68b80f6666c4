"""What every store of retention rules and schedules does, and every view of what there is to keep."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from roadstead.aws.catalog.dynamodb_pulls import DynamoPullCounts
from roadstead.aws.lifecycle.dynamodb_retention import DynamoRetention, DynamoRetentionView, DynamoSchedules
from roadstead.aws.table import Table
from roadstead.conflicts import Conflict
from roadstead.digest import Digest
from roadstead.lifecycle.executions.schedules import Schedule
from roadstead.lifecycle.retention.rules import Policy, Rule, Template
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.trail.entries import Operation
from roadstead.trail.pull_counts import Artifact, Pulls
from tests.contract.conftest import Index
from tests.contract.test_manifest_index import CARGO, LATEST, SHIPS, STABLE, commit, entry, event, refer
from tests.memory.audit import MemoryPullCounts
from tests.memory.retention import MemoryRetention

NOW = 1_800_000_000_000
PROJECT = ProjectName("ships")


class Stores:
    def __init__(self, index: Index) -> None:
        self.policies: Any
        self.schedules: Any
        self.view: Any
        self.pulls: Any
        if index.memory is not None:
            self.pulls = MemoryPullCounts()
            self.policies = self.schedules = self.view = MemoryRetention(index.memory, self.pulls)
            return
        table = Table(index.client, index.table_name, sleep=lambda _: None)
        self.policies, self.schedules = DynamoRetention(table), DynamoSchedules(table)
        self.view, self.pulls = DynamoRetentionView(table), DynamoPullCounts(table)


@pytest.fixture
def stores(index: Index) -> Stores:
    return Stores(index)


def test_of_two_who_change_the_rules_one_is_refused(index: Index, stores: Stores) -> None:
    policies, told = stores.policies, event(Operation.CHANGE_RETENTION)
    first, second = Policy(1), Policy(1, (Rule(1, Template.ALWAYS),))
    assert policies.find_policy(PROJECT) is None
    policies.put_policy(PROJECT, first, replaces=None, event=told)
    with pytest.raises(Conflict):
        policies.put_policy(PROJECT, second, replaces=None, event=told)
    policies.put_policy(PROJECT, second, replaces=first, event=told)
    with pytest.raises(Conflict):
        policies.put_policy(PROJECT, first, replaces=first, event=told)
    assert policies.find_policy(PROJECT) == second
    policies.remove_policy(PROJECT, event=told)
    with pytest.raises(Conflict):
        policies.remove_policy(PROJECT, event=told)
    assert policies.find_policy(PROJECT) is None


def test_schedules_are_due_in_their_order_until_they_are_advanced(stores: Stores) -> None:
    schedules = stores.schedules
    late, early, other = (
        Schedule(name, "retention", name, "0 0 3 * * *", {"a": 1}, NOW + at, name)
        for name, at in (("late", 2), ("early", 1), ("other", 99))
    )
    for one in (late, early, other):
        schedules.put(one)
    assert list(schedules.due(NOW)) == []
    assert list(schedules.due(NOW + 2)) == [early, late]
    schedules.advance(early, NOW + 50)
    with pytest.raises(Conflict):
        schedules.advance(early, NOW + 60)
    assert list(schedules.due(NOW + 2)) == [late]
    changed = replace(late, cron="0 0 4 * * *", next=NOW + 3)
    schedules.put(changed)
    schedules.put(changed)
    with pytest.raises(Conflict):
        schedules.advance(late, NOW + 60)
    assert schedules.find("late") == changed
    assert list(schedules.due(NOW + 60)) == [changed, replace(early, next=NOW + 50)]
    schedules.remove("late")
    schedules.remove("late")
    assert schedules.find("late") is None
    assert [one.name for one in schedules.due(NOW + 60)] == ["early"]


def test_candidates_are_what_lists_show_with_their_tags_and_last_pulls(index: Index, stores: Stores) -> None:
    one = entry("one")
    commit(index, one, LATEST, STABLE, Tag(f"sha256-{'a' * 64}.sig"))
    commit(index, entry("untagged"))
    refer(index, "signature", one.digest)
    commit(index, entry("signed"), Tag(f"sha256-{'b' * 64}.sig"))
    stores.pulls.add("b1", {Artifact(SHIPS, one.digest): Pulls(1, NOW)}, {})
    found = {candidate.digest: candidate for candidate in stores.view.candidates(SHIPS)}
    assert found.keys() == {one.digest, entry("untagged").digest}
    tagged = found[one.digest]
    assert tagged.tags.keys() == {LATEST, STABLE}
    assert tagged.at == index.manifests.find_manifest(SHIPS, one.digest).at  # type: ignore[union-attr]
    assert {**index.manifests.find_tag_times(SHIPS, one.digest)}.items() >= dict(tagged.tags).items()
    assert (tagged.pulled, found[entry("untagged").digest].pulled) == (NOW, 0)
    assert stores.view.last_pull(SHIPS, [one.digest, Digest.of(b"absent")]) == NOW
    assert stores.view.last_pull(SHIPS, [Digest.of(b"absent")]) == 0


def test_repositories_of_a_project_come_in_pages(index: Index, stores: Stores) -> None:
    names = [RepositoryName(f"ships/{letter}") for letter in "abc"]
    for name in (*names, CARGO, RepositoryName("ships-2/a")):
        commit(index, entry(), LATEST, repository=name)
    assert list(stores.view.repositories(PROJECT, after="", limit=2)) == names[:2]
    assert list(stores.view.repositories(PROJECT, after=names[1], limit=2)) == names[2:]
