"""What every store of repositories does when one is deleted, beside commits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from roadstead.aws.catalog.dynamodb_repositories import DynamoRepositories
from roadstead.aws.table import Table
from roadstead.conflicts import Conflict
from roadstead.content.deletion.trash import Unit, UnitKind, unit_id
from roadstead.content.manifest_document import OCI_MANIFEST
from roadstead.content.manifest_index import Commit, CommitSnapshot, ManifestEntry
from roadstead.content.repositories import DeletionMark, ProjectClosed, Repositories
from roadstead.digest import Digest
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.trail.entries import Actor, Event, Operation
from roadstead.trail.events import EventMaker
from tests.contract.conftest import Index

SHIPS, PROJECT = RepositoryName("ships/galleon"), ProjectName("ships")
ONE, TWO = sorted([Digest.of(b"one"), Digest.of(b"two")])
NOON = 1_800_000_000
ONE_O_CLOCK = NOON + 3_600


@pytest.fixture
def repositories(index: Index) -> Repositories:
    if index.memory is not None:
        return index.memory
    return DynamoRepositories(Table(index.client, index.table_name, sleep=lambda _: None))


def event(operation: Operation = Operation.PUSH, digest: str = "", at: int = NOON) -> Event:
    return EventMaker(lambda: at).make(operation, Actor("ada"), SHIPS, digest=digest)


def seen(index: Index, digest: Digest) -> CommitSnapshot:
    return index.manifests.read_snapshot(SHIPS, digest, (Tag("latest"),), blobs=(), manifests=())


def push(
    index: Index,
    digest: Digest,
    *,
    at: int = NOON,
    found: CommitSnapshot | None = None,
    tags: tuple[Tag, ...] = (Tag("latest"),),
) -> None:
    found = found or seen(index, digest)
    entry = found.manifest or ManifestEntry(digest, OCI_MANIFEST, 2, "1", f"manifests/{digest}", b"{}")
    index.manifests.commit(Commit(SHIPS, entry, tags, found, None, event(digest=digest, at=at)))


def begin(repositories: Repositories, at: int = ONE_O_CLOCK * 1000) -> None:
    unit = Unit(unit_id(at), UnitKind.REPOSITORY, SHIPS, at, at + 1_000, "ada")
    repositories.begin_deletion(SHIPS, DeletionMark(at, unit), event=event(Operation.DELETE_REPOSITORY))


def listed(index: Index) -> bool:
    return SHIPS in index.manifests.list_repositories(after="", limit=10)


def test_a_repository_leaves_all_lists_when_its_deletion_begins(index: Index, repositories: Repositories) -> None:
    with pytest.raises(Conflict):
        begin(repositories)  # there is none
    push(index, ONE)
    assert listed(index) and not repositories.is_emptying(PROJECT)
    begin(repositories)
    assert not listed(index)
    assert not index.manifests.repository_exists(SHIPS)
    mark = repositories.find_deletion(SHIPS)
    begun = ONE_O_CLOCK * 1000
    assert mark is not None and (mark.at, mark.unit and mark.unit.expires) == (begun, begun + 1_000)
    assert list(repositories.list_deleted(PROJECT)) == [SHIPS]
    assert repositories.is_emptying(PROJECT) and not repositories.is_emptying(ProjectName("shipsandmore"))
    with pytest.raises(Conflict):
        begin(repositories)
    assert "repository" in index.candidates()
    assert ("delete-repository", "") in index.events()


def test_no_repository_is_made_in_a_closed_project(index: Index, repositories: Repositories) -> None:
    push(index, ONE)
    repositories.close_project(PROJECT, at=NOON * 1000)
    push(index, TWO)  # into one that is there
    other = RepositoryName("ships/sloop")

    def make(at: int) -> None:
        found = index.manifests.read_snapshot(other, ONE, (), blobs=(), manifests=())
        entry = ManifestEntry(ONE, OCI_MANIFEST, 2, "1", f"manifests/{ONE}", b"{}")
        told = EventMaker(lambda: at).make(Operation.PUSH, Actor("ada"), other, digest=ONE)
        index.manifests.commit(Commit(other, entry, (), found, None, told))

    with pytest.raises(ProjectClosed):
        make(NOON + 3_600)
    assert other not in index.manifests.list_repositories(after="", limit=9)
    make(NOON + 3_601)  # it has lapsed
    repositories.open_project(PROJECT)
    repositories.forget_project(PROJECT)
    assert other in index.manifests.list_repositories(after="", limit=9)


def test_manifests_are_listed_page_by_page(index: Index, repositories: Repositories) -> None:
    push(index, TWO, at=NOON + 1)
    push(index, ONE)
    made = (NOON + 1) * 1000
    assert list(repositories.list_manifests(SHIPS, after=None, limit=1)) == [(ONE, made)]
    assert list(repositories.list_manifests(SHIPS, after=ONE, limit=9)) == [(TWO, made)]


def test_tags_are_listed_page_by_page(index: Index, repositories: Repositories) -> None:
    push(index, ONE, tags=(Tag("a"), Tag("b")))
    begin(repositories)
    push(index, TWO, at=ONE_O_CLOCK + 1, tags=(Tag("c"),))
    anew = (ONE_O_CLOCK + 1) * 1000
    assert list(repositories.list_pushed_tags(SHIPS, after="", limit=1)) == [("a", ONE, NOON * 1000)]
    assert list(repositories.list_pushed_tags(SHIPS, after="a", limit=9)) == [("b", ONE, NOON * 1000), ("c", TWO, anew)]


def test_a_push_after_the_deletion_began_revives_the_repository(index: Index, repositories: Repositories) -> None:
    push(index, ONE)
    begin(repositories)
    push(index, TWO, at=ONE_O_CLOCK + 1)
    assert listed(index) and index.manifests.repository_exists(SHIPS)
    assert repositories.is_emptying(PROJECT)  # what was there before goes all the same
    assert repositories.settle_deletion(SHIPS, at=ONE_O_CLOCK * 1000)  # changes nothing
    assert listed(index)


@pytest.mark.parametrize("body", [ONE, TWO], ids=["the same", "another"])
def test_a_commit_that_read_before_a_deletion_began_fails_behind_it(
    index: Index, repositories: Repositories, body: Digest
) -> None:
    push(index, ONE)
    before = seen(index, body)
    begin(repositories)
    with pytest.raises(Conflict):
        push(index, body, at=ONE_O_CLOCK + 1, found=before, tags=(Tag("late"),))
    assert not listed(index)
    push(index, TWO, at=ONE_O_CLOCK + 1, tags=())  # makes the repository anew
    with pytest.raises(Conflict):
        push(index, body, at=ONE_O_CLOCK + 2, found=before, tags=(Tag("late"),))
    assert index.manifests.find_tag(SHIPS, Tag("late")) is None
    push(index, body, at=ONE_O_CLOCK + 2, tags=(Tag("late"),))
    assert index.manifests.find_tag(SHIPS, Tag("late")) is not None


def test_a_commit_that_found_a_repository_deleted_fails_if_it_was_made_and_deleted_again(
    index: Index, repositories: Repositories
) -> None:
    push(index, ONE)
    begin(repositories)
    before = seen(index, TWO)
    push(index, ONE, at=ONE_O_CLOCK + 1)
    begin(repositories, at=(ONE_O_CLOCK + 2) * 1000)
    with pytest.raises(Conflict):
        push(index, TWO, at=ONE_O_CLOCK + 1, found=before)
    assert not listed(index)


def test_what_is_pushed_again_has_the_new_era_whatever_its_clock_says(index: Index, repositories: Repositories) -> None:
    push(index, ONE, tags=(Tag("kept"), Tag("old")))
    begin(repositories)
    found = index.manifests.read_snapshot(SHIPS, ONE, (Tag("kept"),), blobs=(), manifests=())
    assert not found.stands
    push(index, ONE, at=NOON + 1, found=found, tags=(Tag("kept"),))
    anew = ONE_O_CLOCK * 1000
    assert repositories.find_era(SHIPS) == anew
    assert list(repositories.list_manifests(SHIPS, after=None, limit=9)) == [(ONE, anew)]
    assert {one.tag: one.era for one in repositories.list_pushed_tags(SHIPS, after="", limit=9)} == {
        "kept": anew,
        "old": NOON * 1000,
    }
    assert index.manifests.find_tags_of(SHIPS, ONE, era=anew) == ("kept",)
    assert seen(index, ONE).stands
    removed = event(Operation.UNTAG, ONE)
    with pytest.raises(Conflict):
        index.manifests.remove_tags(SHIPS, ONE, [Tag("kept"), Tag("old")], event=removed, before=anew)
    index.manifests.remove_tags(SHIPS, ONE, [Tag("old")], event=removed, before=anew)
    assert index.manifests.find_tags_of(SHIPS, ONE) == ("kept",)


def test_an_era_never_goes_back(index: Index, repositories: Repositories) -> None:
    assert repositories.find_era(SHIPS) is None
    push(index, ONE)
    assert repositories.find_era(SHIPS) == NOON * 1000
    with pytest.raises(Conflict):
        begin(repositories, at=NOON * 1000)
    begin(repositories)
    assert repositories.find_era(SHIPS) is None
    push(index, ONE, at=ONE_O_CLOCK + 1)
    with pytest.raises(Conflict):
        begin(repositories)


def test_a_deletion_that_is_given_up_leaves_a_repository_that_can_be_pushed_to_and_deleted(
    index: Index, repositories: Repositories
) -> None:
    push(index, ONE)
    begin(repositories)
    for at in (NOON, ONE_O_CLOCK, ONE_O_CLOCK):
        repositories.give_up_deletion(SHIPS, at=at * 1000)
        assert listed(index) is (at == ONE_O_CLOCK)
        assert repositories.is_emptying(PROJECT) is (at == NOON)
    assert repositories.find_deletion(SHIPS) is None
    assert seen(index, ONE).stands
    push(index, TWO, at=ONE_O_CLOCK + 1)
    begin(repositories, at=(ONE_O_CLOCK + 2) * 1000)
    assert not listed(index) and not seen(index, ONE).stands
    push(index, TWO, at=ONE_O_CLOCK + 3, tags=())
    assert seen(index, TWO).stands and not seen(index, ONE).stands


def test_what_a_deletion_has_left_stands_again_if_it_is_given_up_after_the_repository_was_made_anew(
    index: Index, repositories: Repositories
) -> None:
    push(index, ONE)
    begin(repositories)
    push(index, TWO, at=ONE_O_CLOCK + 1, tags=())
    repositories.give_up_deletion(SHIPS, at=NOON * 1000)  # another one
    assert repositories.is_emptying(PROJECT) and not seen(index, ONE).stands
    repositories.give_up_deletion(SHIPS, at=ONE_O_CLOCK * 1000)
    assert not repositories.is_emptying(PROJECT) and listed(index)
    found = seen(index, ONE)
    assert found.stands and found.tags[Tag("latest")].era >= found.since


def test_a_settled_repository_without_manifests_is_gone_and_can_be_made_anew(
    index: Index, repositories: Repositories
) -> None:
    push(index, ONE)
    begin(repositories)
    assert not repositories.settle_deletion(SHIPS, at=ONE_O_CLOCK * 1000)  # there is something left
    entry = index.manifests.mark_manifest(SHIPS, ONE, "mark")
    assert entry is not None
    gone = event(Operation.DELETE_MANIFEST, ONE)
    index.manifests.delete_manifest(
        SHIPS, entry, mark="mark", event=gone, tags=(Tag("latest"),), untag=event(Operation.UNTAG, ONE)
    )
    repositories.end_deletion(SHIPS, at=NOON)  # another deletion's
    assert repositories.is_emptying(PROJECT)
    repositories.end_deletion(SHIPS, at=ONE_O_CLOCK * 1000)
    assert not repositories.is_emptying(PROJECT)
    assert repositories.settle_deletion(SHIPS, at=NOON)  # another deletion's
    assert repositories.find_deletion(SHIPS) == DeletionMark(ONE_O_CLOCK * 1000)
    for _ in range(2):
        assert repositories.settle_deletion(SHIPS, at=ONE_O_CLOCK * 1000)
        assert repositories.find_deletion(SHIPS) is None
    assert list(repositories.list_deleted(PROJECT)) == []
    tomorrow = ONE_O_CLOCK + 86_400
    push(index, ONE, at=tomorrow)
    push(index, TWO, at=tomorrow)  # whatever the shards remember
    assert listed(index)


def test_of_a_push_and_the_end_of_its_project_one_wins(index: Index, repositories: Repositories) -> None:
    """A project is closed, then looked at; a push that makes a repository either is seen, or is refused."""
    for number in range(10):
        project = ProjectName(f"race{number}")
        name = RepositoryName(f"{project}/sloop")

        def make(name: RepositoryName = name) -> bool:
            found = index.manifests.read_snapshot(name, ONE, (), blobs=(), manifests=())
            entry = ManifestEntry(ONE, OCI_MANIFEST, 2, "1", f"manifests/{ONE}", b"{}")
            told = EventMaker(lambda: NOON).make(Operation.PUSH, Actor("ada"), name, digest=ONE)
            try:
                index.manifests.commit(Commit(name, entry, (), found, None, told))
            except ProjectClosed:
                return False
            return True

        def end(project: ProjectName = project, name: RepositoryName = name) -> bool:
            repositories.close_project(project, at=NOON * 1000)
            return name not in index.manifests.list_repositories(after=f"{project}/", limit=1)

        with ThreadPoolExecutor(2) as pool:
            pushed, empty = pool.submit(make), pool.submit(end)
            assert pushed.result() != empty.result()
