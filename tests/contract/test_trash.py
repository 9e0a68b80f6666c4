"""What every store of the trash does, and how deletions fill it."""

from __future__ import annotations

import pytest

from roadstead.aws.lifecycle.dynamodb_trash import DynamoTrash
from roadstead.aws.table import Table
from roadstead.content.deletion.trash import DEFAULT_GRACE, MAX_TAGS_OF_UNIT, Trashed, Unit, UnitKind, unit_id
from roadstead.lifecycle.deletion.trash import TrashStore
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.trail.entries import Operation
from tests.contract.conftest import Index
from tests.contract.test_manifest_index import CARGO, LATEST, SHIPS, STABLE, commit, entry, event
from tests.memory.trash import MemoryTrash

NOW = 1_800_000_000_000
PROJECT = ProjectName("ships")


@pytest.fixture
def trash(index: Index) -> TrashStore:
    if index.memory is not None:
        return MemoryTrash(index.memory)
    return DynamoTrash(Table(index.client, index.table_name, sleep=lambda _: None))


def unit(kind: UnitKind, text: str = "one", *tags: Tag, at: int = NOW, repository: RepositoryName = SHIPS) -> Unit:
    one = entry(text)
    return Unit(unit_id(at), kind, repository, at, at + 1_000, "ada", one.digest, tags, one.media_type, one.size)


def delete(index: Index, text: str, whole: Unit, *tags: Tag) -> None:
    one = entry(text)
    index.manifests.mark_manifest(whole.repository, one.digest, "mark")
    index.manifests.delete_manifest(
        whole.repository, one, mark="mark", event=event(Operation.DELETE_MANIFEST), tags=tags,
        untag=event(Operation.UNTAG) if tags else None, unit=whole,
    )  # fmt: skip


def trashed(text: str, whole: Unit, *tags: Tag) -> Trashed:
    one = entry(text)
    return Trashed(SHIPS, one.digest, one.generation, one.key, one.media_type, whole.id, whole.expires, tags)


def test_the_grace_period_is_a_week_until_it_is_set(trash: TrashStore) -> None:
    assert trash.find_grace(PROJECT) == DEFAULT_GRACE
    trash.put_grace(PROJECT, 0, event=event())
    assert trash.find_grace(PROJECT) == 0
    assert trash.find_grace(ProjectName("cargo")) == DEFAULT_GRACE


def test_a_deleted_tag_is_a_unit_without_manifests(index: Index, trash: TrashStore) -> None:
    commit(index, entry(), LATEST)
    whole = unit(UnitKind.TAG, "one", LATEST)
    index.manifests.delete_tag(SHIPS, LATEST, entry().digest, event=event(Operation.UNTAG), unit=whole)
    assert list(trash.units(PROJECT)) == [whole]
    assert trash.find_unit(PROJECT, whole.id) == whole
    assert list(trash.manifests(whole)) == []
    assert trash.find_unit(ProjectName("cargo"), whole.id) is None
    assert trash.find_unit(PROJECT, "no-such") is None


def test_a_deleted_manifest_is_in_the_trash_with_its_tags(index: Index, trash: TrashStore) -> None:
    commit(index, entry(), LATEST, STABLE)
    whole = unit(UnitKind.MANIFEST, "one", LATEST, STABLE)
    index.manifests.remove_tags(SHIPS, entry().digest, [LATEST], event=event(Operation.UNTAG), unit=whole)
    assert list(trash.units(PROJECT)) == [whole]
    assert list(trash.manifests(whole)) == []
    delete(index, "one", whole, STABLE)
    assert list(trash.units(PROJECT)) == [whole]
    (found,) = trash.manifests(whole)
    assert found == trashed("one", whole, LATEST, STABLE)
    generation = (found.digest, found.generation)
    assert index.manifests.find_trashed(SHIPS, [generation, (found.digest, "other")]) == {generation: found}
    assert index.manifests.find_trashed(CARGO, [generation]) == {}


def test_what_goes_with_an_artifact_names_its_unit(index: Index, trash: TrashStore) -> None:
    commit(index, entry("root"), LATEST)
    commit(index, entry("child"))
    commit(index, entry("other"))
    whole, other = unit(UnitKind.ARTIFACT, "root", LATEST), unit(UnitKind.MANIFEST, "other", at=NOW + 1)
    delete(index, "root", whole, LATEST)
    delete(index, "child", whole)
    delete(index, "other", other)
    assert list(trash.units(PROJECT)) == [other, whole]
    assert {one.digest for one in trash.manifests(whole)} == {entry("root").digest, entry("child").digest}
    first, second = trash.manifests(whole)
    assert list(trash.manifests(whole, after=f"{first.digest}#{first.generation}")) == [second]


def test_a_repositorys_unit_is_written_by_itself(index: Index, trash: TrashStore) -> None:
    whole = Unit(unit_id(NOW), UnitKind.REPOSITORY, SHIPS, NOW, NOW + 9, "ada")
    trash.put_unit(whole)
    commit(index, entry(), LATEST)
    delete(index, "one", whole, LATEST)
    assert list(trash.units(PROJECT)) == [whole]
    assert list(trash.manifests(whole)) == [trashed("one", whole, LATEST)]


def test_units_come_newest_first_in_pages(trash: TrashStore) -> None:
    units = [Unit(unit_id(NOW + at), UnitKind.REPOSITORY, SHIPS, NOW + at, NOW + 9, "ada") for at in range(5)]
    for one in units:
        trash.put_unit(one)
    assert list(trash.units(PROJECT, limit=2)) == [units[4], units[3]]
    assert list(trash.units(PROJECT, before=units[3].id, limit=2)) == [units[2], units[1]]
    assert list(trash.units(PROJECT, before=f"{NOW:013d}-0")) == []
    with pytest.raises(ValueError, match="x"):
        trash.units(PROJECT, before="x")


def test_removing_a_unit_leaves_candidates_and_can_be_repeated(index: Index, trash: TrashStore) -> None:
    commit(index, entry(), LATEST)
    whole = unit(UnitKind.MANIFEST, "one", LATEST)
    delete(index, "one", whole, LATEST)
    before = index.candidates()
    manifests = list(trash.manifests(whole))
    trash.remove(whole, manifests, at=NOW, event=event(Operation.EMPTY_TRASH))
    trash.remove(whole, manifests, at=NOW)
    assert (list(trash.units(PROJECT)), list(trash.manifests(whole))) == ([], [])
    assert len(index.candidates()) == len(before) + 2
    assert "empty-trash" in [operation for operation, _ in index.events()]


def test_forgetting_a_manifest_forgets_its_unit_but_not_a_repositorys(index: Index, trash: TrashStore) -> None:
    for text in ("one", "two"):
        commit(index, entry(text))
    own = unit(UnitKind.MANIFEST)
    whole = Unit(unit_id(NOW), UnitKind.REPOSITORY, SHIPS, NOW, NOW + 9, "ada")
    trash.put_unit(whole)
    delete(index, "one", own)
    delete(index, "two", whole)
    for one in (*trash.manifests(own), *trash.manifests(whole)):
        index.manifests.forget_trashed(one)
        index.manifests.forget_trashed(one)
    assert list(trash.units(PROJECT)) == [whole]


def test_a_unit_holds_as_many_tags_as_it_may(trash: TrashStore) -> None:
    tags = tuple(Tag(f"{'v' * 120}{number}") for number in range(MAX_TAGS_OF_UNIT))
    whole = unit(UnitKind.MANIFEST, "one", *tags)
    trash.put_unit(whole)
    assert trash.find_unit(PROJECT, whole.id) == whole
