"""What a rule refuses: every way that moves or removes a tag."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from roadstead.content.commit_rules import ImmutableTag
from roadstead.content.deletion.repositories import RepositoryDeletion
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.lifecycle.policy.changes import Policies
from roadstead.lifecycle.policy.immutability import ImmutableRule, Selector
from roadstead.names import ProjectName, Tag
from roadstead.trail.entries import Operation
from roadstead.trail.events import EventMaker
from tests.manifests import image_of
from tests.memory.index import MemoryIndex
from tests.memory.rules import MemoryProjectRules
from tests.unit.content.parts import ADA, CARGO, LATEST, SHIPS, Registry

V1, V2 = Tag("v1"), Tag("v2")
PROJECT = ProjectName("ships")
OLD, NEW = image_of(b"old"), image_of(b"new")


def rule(tags: str = "v*", *, disabled: bool = False) -> ImmutableRule:
    return ImmutableRule(0, (Selector(tags),), (Selector("**"),), disabled)


def policies(registry: Registry) -> Policies:
    return Policies(MemoryProjectRules(registry.index), EventMaker(registry.clock))


@pytest.fixture
def registry() -> Registry:
    """`old` has the tags latest and v1, and the blobs of `new` are there; tags v* are immutable."""
    registry = Registry()
    for repository in (SHIPS, CARGO):
        for data in (b"{}", b"old", b"new"):
            registry.upload(data, repository)
        registry.push(OLD, LATEST, repository=repository)
        registry.push(OLD, V1, repository=repository)
    policies(registry).add_immutable_rule(PROJECT, rule(), ADA)
    return registry


CHANGES: list[Callable[[Registry], object]] = [
    lambda registry: registry.push(NEW, V1),
    lambda registry: registry.push(NEW, Digest.of(NEW), LATEST, V1),
    lambda registry: (registry.push(NEW), registry.push(NEW, V1)),  # only the tag would move
    lambda registry: registry.manifests.delete(SHIPS, V1, ADA),
    lambda registry: registry.manifests.delete(SHIPS, Digest.of(OLD), ADA),
]


@pytest.mark.parametrize("change", CHANGES)
def test_an_immutable_tag_can_neither_move_nor_go(registry: Registry, change: Callable[[Registry], object]) -> None:
    with pytest.raises(ImmutableTag, match=r"ships/galleon:v1 is immutable: rule \d+ \(tags v\*, ") as refused:
        change(registry)
    assert refused.value.status == 403
    assert refused.value.entries[0].code is ErrorCode.DENIED
    assert registry.manifests.get(SHIPS, V1)[1] == OLD


def test_a_tag_that_became_immutable_cannot_be_set_anew_while_its_repository_is_being_deleted() -> None:
    registry = Registry()
    for data, body, tag in ((b"old", OLD, V1), (b"new", NEW, V2)):
        registry.upload(b"{}")
        registry.upload(data)
        registry.push(body, tag)
    registry.clock.now += 1
    RepositoryDeletion(registry.index, registry.manifests, registry.index, EventMaker(registry.clock)).begin(SHIPS, ADA)
    policies(registry).add_immutable_rule(PROJECT, rule(), ADA)
    with pytest.raises(ImmutableTag):
        registry.pushes.tag(SHIPS, Digest.of(NEW), V1, actor=ADA)
    assert not registry.index.repository_exists(SHIPS)
    registry.pushes.tag(SHIPS, Digest.of(NEW), Tag("v3"), actor=ADA)


def test_a_refused_push_sets_none_of_its_tags_and_leaves_no_uses(registry: Registry) -> None:
    with pytest.raises(ImmutableTag):
        registry.push(NEW, Digest.of(NEW), LATEST, V1)
    assert registry.manifests.head(SHIPS, LATEST).digest == Digest.of(OLD)
    with pytest.raises(RegistryError, match="has no manifest"):
        registry.manifests.get(SHIPS, Digest.of(NEW))
    assert registry.index.find_uses(SHIPS, Digest.of(b"new")) == ()


def test_a_refused_deletion_removes_none_of_two_hundred_tags(registry: Registry) -> None:
    names = [Tag(f"t{number:03}") for number in range(200)]
    for start in range(0, len(names), 25):
        registry.push(OLD, Digest.of(OLD), *names[start : start + 25])
    with pytest.raises(ImmutableTag):
        registry.manifests.delete(SHIPS, Digest.of(OLD), ADA)
    assert registry.index.find_tags_of(SHIPS, Digest.of(OLD)) == (LATEST, *names, V1)
    found = registry.index.find_manifest(SHIPS, Digest.of(OLD))
    assert found is not None
    assert found.marked is None


def test_what_changes_no_immutable_tag_passes(registry: Registry) -> None:
    registry.push(OLD, V1)  # the same digest
    registry.push(NEW, V2)  # a new tag
    registry.push(NEW, LATEST)
    registry.manifests.delete(SHIPS, LATEST, ADA)
    registry.push(NEW, V1, repository=CARGO)  # of another project


def test_a_disabled_or_deleted_rule_keeps_nothing(registry: Registry) -> None:
    kept = policies(registry)
    (one,) = kept.find(PROJECT).immutable
    kept.change_immutable_rule(PROJECT, ImmutableRule(one.id, one.tags, one.repositories, disabled=True), ADA)
    registry.push(NEW, V1)
    kept.change_immutable_rule(PROJECT, one, ADA)
    with pytest.raises(ImmutableTag):
        registry.push(OLD, V1)
    kept.remove_immutable_rule(PROJECT, one.id, ADA)
    registry.push(OLD, V1)


def test_a_rule_that_is_made_while_a_push_retries_binds_the_retry(registry: Registry) -> None:
    """The push began before the rule; a concurrent push made it begin again."""

    class Meeting(MemoryIndex):
        def commit(self, commit):  # type: ignore[no-untyped-def]
            del type(self).commit
            registry.push(OLD, V2)
            policies(registry).add_immutable_rule(PROJECT, rule("v2"), ADA)
            super().commit(commit)

    registry.push(NEW, LATEST)
    registry.index.__class__ = Meeting
    with pytest.raises(ImmutableTag, match="v2"):
        registry.push(NEW, V2)
    assert registry.manifests.get(SHIPS, V2)[1] == OLD


def test_each_change_of_a_policy_leaves_one_event(registry: Registry) -> None:
    kept = policies(registry)
    added = kept.add_immutable_rule(PROJECT, rule("w*"), ADA)
    kept.change_immutable_rule(PROJECT, ImmutableRule(added.id, added.tags, added.repositories, disabled=True), ADA)
    kept.remove_immutable_rule(PROJECT, added.id, ADA)
    events = [event for event in registry.index.events if event.project == "ships"][1:]
    assert [(event.operation, event.detail) for event in events] == [
        (Operation.CREATE_IMMUTABLE_RULE, f"rule {added.id} (tags w*, repositories **)"),
        (Operation.CHANGE_IMMUTABLE_RULE, f"rule {added.id} (tags w*, repositories **) disabled"),
        (Operation.REMOVE_IMMUTABLE_RULE, f"rule {added.id} (tags w*, repositories **) disabled"),
    ]


def test_what_shows_tags_can_ask_which_of_them_are_immutable(registry: Registry) -> None:
    is_immutable = policies(registry).immutable_tags(PROJECT)
    assert is_immutable(SHIPS, V1)
    assert not is_immutable(SHIPS, LATEST)
