"""What every store of retention rules and schedules does, and every view of what there is to keep."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from roadstead.aws.catalog.dynamodb_pages import summary_key
from roadstead.aws.catalog.dynamodb_pulls import DynamoPullCounts
from roadstead.aws.lifecycle.dynamodb_retention import DynamoRetention, DynamoRetentionView
from roadstead.aws.lifecycle.dynamodb_schedules import DynamoSchedules
from roadstead.aws.table import Table
from roadstead.catalog.summaries import Child, Summary
from roadstead.conflicts import Conflict
from roadstead.content.manifest_document import OCI_INDEX
from roadstead.content.manifest_index import ManifestEntry
from roadstead.digest import Digest
from roadstead.lifecycle.executions.schedules import Schedule
from roadstead.lifecycle.retention.rules import Policy, Rule, Template
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.trail.entries import Operation
from roadstead.trail.pull_counts import Artifact, Pulls
from tests.contract.conftest import Index
from tests.contract.test_manifest_index import CARGO, LATEST, SHIPS, STABLE, commit, entry, event, refer
from tests.manifests import index_of
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
        self.table: Table | None = None
        if index.memory is not None:
            self.pulls = MemoryPullCounts()
            self.policies = self.schedules = self.view = MemoryRetention(index.memory, self.pulls)
            return
        self.table = table = Table(index.client, index.table_name, sleep=lambda _: None)
        self.policies, self.schedules = DynamoRetention(table), DynamoSchedules(table)
        self.view, self.pulls = DynamoRetentionView(table), DynamoPullCounts(table)

    def summarise(self, parent: ManifestEntry, children: list[Digest]) -> bool:
        """Write what the indexer writes of an index, which names twelve children; False where no store needs it."""
        if self.table is None:
            return False
        shown = tuple(Child(one, "linux/arm64", 10) for one in children[:12])
        count = len(children)
        summary = Summary(parent.digest, "g1", parent.key, OCI_INDEX, parent.size, 0, children=shown, child_count=count)
        self.table.put_item(summary_key(SHIPS, parent.digest), {"document": summary.to_json()})
        return True


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


def test_the_rules_of_many_projects_are_found_at_once(stores: Stores) -> None:
    told, boats = event(Operation.CHANGE_RETENTION), ProjectName("boats")
    ruled = Policy(1, (Rule(1, Template.ALWAYS),))
    stores.policies.put_policy(PROJECT, ruled, replaces=None, event=told)
    stores.policies.put_policy(boats, Policy(2), replaces=None, event=told)
    assert stores.policies.find_policies([PROJECT, boats, ProjectName("none")]) == {PROJECT: ruled, boats: Policy(2)}
    assert stores.policies.find_policies([]) == {}


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
    assert stores.view.last_pull(SHIPS, tagged) == NOW
    assert stores.view.last_pull(SHIPS, found[entry("untagged").digest]) == 0


@pytest.mark.parametrize("number", [1, 20])  # the summary of an index names twelve of its children
def test_a_pull_of_any_child_is_one_of_its_index(index: Index, stores: Stores, number: int) -> None:
    bodies = [f"child {one}".encode() for one in range(number)]
    data = index_of(*bodies)
    parent = ManifestEntry(Digest.of(data), OCI_INDEX, len(data), "g1", "manifests/index", data)
    commit(index, parent, LATEST)
    stores.summarise(parent, [Digest.of(body) for body in bodies])
    (before,) = stores.view.candidates(SHIPS)
    assert (before.pulled, stores.view.last_pull(SHIPS, before)) == (0, 0)
    stores.pulls.add("b1", {Artifact(SHIPS, Digest.of(bodies[-1])): Pulls(1, NOW)}, {})
    assert stores.view.last_pull(SHIPS, before) == NOW
    (pulled,) = stores.view.candidates(SHIPS)  # or retention would take it for pulled meanwhile, time and again
    assert pulled.pulled == NOW
    stores.pulls.add("b2", {Artifact(SHIPS, Digest.of(bodies[0])): Pulls(1, NOW + 1)}, {})
    (after,) = stores.view.candidates(SHIPS)
    assert (after.pulled, stores.view.last_pull(SHIPS, after)) == (NOW + 1, NOW + 1)


def test_a_pull_of_an_index_that_is_too_large_for_the_table_is_that_of_the_children_its_summary_names(
    index: Index, stores: Stores
) -> None:
    child = Digest.of(b"child")
    parent = ManifestEntry(Digest.of(b"index"), OCI_INDEX, 99_000, "g1", "manifests/index")
    commit(index, parent, LATEST)
    if not stores.summarise(parent, [child]):
        return  # the store in memory keeps every manifest whole
    stores.pulls.add("b1", {Artifact(SHIPS, child): Pulls(1, NOW)}, {})
    (found,) = stores.view.candidates(SHIPS)
    assert (found.pulled, stores.view.last_pull(SHIPS, found)) == (NOW, NOW)


def test_repositories_of_a_project_come_in_pages(index: Index, stores: Stores) -> None:
    names = [RepositoryName(f"ships/{letter}") for letter in "abc"]
    for name in (*names, CARGO, RepositoryName("ships-2/a")):
        commit(index, entry(), LATEST, repository=name)
    assert list(stores.view.repositories(PROJECT, after="", limit=2)) == names[:2]
    assert list(stores.view.repositories(PROJECT, after=names[1], limit=2)) == names[2:]
