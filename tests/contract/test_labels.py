"""What every store of labels does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from roadstead.aws.catalog.dynamodb_labels import DynamoLabels
from roadstead.aws.table import Table
from roadstead.catalog.labels import GLOBAL, Label, LabelStore, NameTaken
from roadstead.conflicts import Conflict
from roadstead.content.manifest_document import OCI_MANIFEST
from roadstead.content.manifest_index import Commit, ManifestEntry
from roadstead.digest import Digest
from roadstead.ids import clock_id
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor, Event, Operation
from roadstead.trail.events import EventMaker
from tests.contract.conftest import Index
from tests.memory.labels import MemoryLabels

NOON = 1_800_000_000
SHIPS, ONE, TWO = RepositoryName("ships/galleon"), Digest.of(b"one"), Digest.of(b"two")
MAKER = EventMaker(lambda: NOON)


@pytest.fixture
def labels(index: Index) -> LabelStore:
    if index.memory is not None:
        return MemoryLabels(index.memory)
    return DynamoLabels(Table(index.client, index.table_name, sleep=lambda _: None))


def told(operation: Operation = Operation.CREATE_LABEL) -> Event:
    return MAKER.make(operation, Actor("ada"), "")


def label(name: str, project_id: int = GLOBAL, **fields: Any) -> Label:
    return replace(Label(0, project_id, name, "what", "#fff", NOON, NOON), **fields)


def push(index: Index, digest: Digest) -> None:
    found = index.manifests.read_snapshot(SHIPS, digest, (), blobs=(), manifests=())
    entry = ManifestEntry(digest, OCI_MANIFEST, 2, "1", f"manifests/{digest}", b"{}")
    event = MAKER.make(Operation.PUSH, Actor("ada"), SHIPS, digest=digest)
    index.manifests.commit(Commit(SHIPS, entry, (), found, None, event))


def test_labels_are_found_by_id_and_listed_by_scope(index: Index, labels: LabelStore) -> None:
    first = labels.create_label(label("a"), event=told())
    second = labels.create_label(label("b"), event=told())
    other = labels.create_label(label("a", 7), event=told())
    assert (first.id, second.id, other.id) == tuple(clock_id(NOON) + number for number in range(3))
    assert labels.list_labels(GLOBAL) == (first, second)
    assert labels.list_labels(7) == (other,)
    assert labels.find_label(second.id) == second
    assert labels.find_label(1) is None
    assert index.events() == [("create-label", "")] * 3


def test_a_name_is_there_once_in_its_scope(labels: LabelStore) -> None:
    first = labels.create_label(label("a"), event=told())
    second = labels.create_label(label("b"), event=told())
    with pytest.raises(NameTaken):
        labels.create_label(label("a"), event=told())
    with pytest.raises(NameTaken):
        labels.update_label(replace(second, name="a"), replaces=second, event=told())
    labels.update_label(replace(first, name="c"), replaces=first, event=told())
    labels.create_label(label("a"), event=told())
    with pytest.raises(NameTaken):
        labels.create_label(label("c"), event=told())


def test_of_two_changes_of_a_label_one_reads_again(labels: LabelStore) -> None:
    first = labels.create_label(label("a"), event=told())
    changed = replace(first, description="new", updated=NOON + 1)
    labels.update_label(changed, replaces=first, event=told())
    with pytest.raises(Conflict):
        labels.update_label(replace(first, name="x"), replaces=first, event=told())
    with pytest.raises(Conflict):
        labels.delete_label(first, event=told())
    assert labels.find_label(first.id) == changed


def test_a_deleted_labels_name_is_free_and_its_id_is_not(labels: LabelStore) -> None:
    first = labels.create_label(label("a"), event=told())
    labels.delete_label(first, event=told(Operation.DELETE_LABEL))
    assert labels.find_label(first.id) is None
    assert labels.create_label(label("a"), event=told()).id != first.id


def test_labels_are_assigned_to_artifacts_that_are_there(index: Index, labels: LabelStore) -> None:
    push(index, ONE)
    event = told(Operation.LABEL)
    labels.assign(SHIPS, ONE, frozenset({5, 3}), replaces=frozenset(), event=event)
    assert labels.find_assigned(SHIPS, [ONE, TWO]) == {ONE: {3, 5}} == labels.list_assigned(SHIPS)
    for ids in (frozenset[int](), frozenset({3})):
        with pytest.raises(Conflict):
            labels.assign(SHIPS, ONE, frozenset({1}), replaces=ids, event=told(Operation.LABEL))
    with pytest.raises(Conflict):
        labels.assign(SHIPS, TWO, frozenset({1}), replaces=frozenset(), event=told(Operation.LABEL))
    labels.assign(SHIPS, ONE, frozenset(), replaces=frozenset({3, 5}), event=told(Operation.UNLABEL))
    assert labels.find_assigned(SHIPS, [ONE]) == {} == labels.list_assigned(SHIPS)
    assert sorted(operation for operation, _ in index.events()) == ["label", "push", "unlabel"]
