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


@pytest.fixture
def repositories(index: Index) -> Repositories:
    if index.memory is not None:
        return index.memory
    return DynamoRepositories(Table(index.client, index.table_name, sleep=lambda _: None))


def event(operation: Operation = Operation.PUSH, digest: str = "", at: int = NOON) -> Event:
    return EventMaker(lambda: at).make(operation, Actor("ada"), SHIPS, digest=digest)


def seen(index: Index, digest: Digest) -> CommitSnapshot:
    return index.manifests.read_snapshot(SHIPS, digest, (Tag("latest"),), blobs=(), manifests=())


def push(index: Index, digest: Digest, *, at: int = NOON, found: CommitSnapshot | None = None) -> None:
    found = found or seen(index, digest)
    entry = ManifestEntry(digest, OCI_MANIFEST, 2, "1", f"manifests/{digest}", b"{}")
    commit = Commit(SHIPS, entry, (Tag("latest"),), found, None, event(digest=digest, at=at))
    index.manifests.commit(commit)


def begin(repositories: Repositories, at: int = NOON * 1000) -> None:
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
    assert mark is not None and (mark.at, mark.unit and mark.unit.expires) == (NOON * 1000, NOON * 1000 + 1_000)
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
    assert list(repositories.list_manifests(SHIPS, after=None, limit=1)) == [(ONE, NOON * 1000)]
    assert list(repositories.list_manifests(SHIPS, after=ONE, limit=9)) == [(TWO, (NOON + 1) * 1000)]


def test_a_push_after_the_deletion_began_revives_the_repository(index: Index, repositories: Repositories) -> None:
    push(index, ONE)
    begin(repositories)
    push(index, TWO, at=NOON + 1)
    assert listed(index) and index.manifests.repository_exists(SHIPS)
    assert repositories.is_emptying(PROJECT)  # what was there before goes all the same
    repositories.settle_deletion(SHIPS, at=NOON * 1000)  # changes nothing
    assert listed(index)


def test_what_an_earlier_commit_put_there_revives_the_repository_when_it_is_settled(
    index: Index, repositories: Repositories
) -> None:
    push(index, ONE)
    before = seen(index, TWO)
    begin(repositories)
    push(index, TWO, at=NOON + 1, found=before)
    assert not listed(index)
    repositories.settle_deletion(SHIPS, at=NOON * 1000)
    assert listed(index) and index.manifests.repository_exists(SHIPS)


def test_a_settled_repository_without_manifests_is_gone_and_can_be_made_anew(
    index: Index, repositories: Repositories
) -> None:
    push(index, ONE)
    begin(repositories)
    entry = index.manifests.mark_manifest(SHIPS, ONE, "mark")
    assert entry is not None
    gone = event(Operation.DELETE_MANIFEST, ONE)
    index.manifests.delete_manifest(
        SHIPS, entry, mark="mark", event=gone, tags=(Tag("latest"),), untag=event(Operation.UNTAG, ONE)
    )
    repositories.end_deletion(SHIPS, at=NOON)  # another deletion's
    assert repositories.is_emptying(PROJECT)
    repositories.end_deletion(SHIPS, at=NOON * 1000)
    assert not repositories.is_emptying(PROJECT)
    repositories.settle_deletion(SHIPS, at=NOON)  # another deletion's
    assert repositories.find_deletion(SHIPS) == DeletionMark(NOON * 1000)
    for _ in range(2):
        repositories.settle_deletion(SHIPS, at=NOON * 1000)
        assert repositories.find_deletion(SHIPS) is None
    assert list(repositories.list_deleted(PROJECT)) == []
    push(index, ONE)
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
