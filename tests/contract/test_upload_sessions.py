"""What every store of upload sessions does."""

from __future__ import annotations

import threading
from dataclasses import asdict, replace

import pytest

from roadstead.aws.content.dynamodb_uploads import _PARTS_PER_ITEM
from roadstead.aws.table import TRANSACTION
from roadstead.conflicts import Conflict
from roadstead.content.objects import MAX_PARTS
from roadstead.content.uploads.hashing import RunningHash
from roadstead.content.uploads.sessions import Chunk, Part, UploadSession, UploadState
from roadstead.digest import Digest
from roadstead.names import RepositoryName
from tests.contract.conftest import Index

ID = "ab" * 16
SHIPS = RepositoryName("ships/galleon")
NEW = UploadSession(ID, SHIPS, 4_000_000_000)
FULL = UploadSession(
    id=ID,
    repository=SHIPS,
    expires=4_000_000_000,
    state=UploadState.CLOSING,
    offset=6 * 1024**2 + 64 * 1024,
    hashes={"sha256": RunningHash("sha256").state(), "sha512": RunningHash("sha512").state()},
    tail=bytes(range(256)) * 256,
    chunks=tuple(Chunk(f"blobs/uploads/{ID}/{number}", 65 * 1024) for number in range(80)),
    multipart_id="multipart",
    parts=1,
    digest=Digest.of(b"x", "sha512"),
    key="blobs/uploads/x/parts",
    busy_until=1_800_000_120,
)


def part(number: int) -> Part:
    return Part(number, f'"{"e" * 32}"', f"{number:044}", 8 * 1024**2)


def test_a_session_that_was_never_saved_is_not_found(index: Index) -> None:
    assert index.sessions.find(ID) is None
    assert index.sessions.find_parts(NEW) == ()


@pytest.mark.parametrize("session", [NEW, FULL], ids=["new", "full"])
def test_a_saved_session_is_found_as_it_was(index: Index, session: UploadSession) -> None:
    saved = index.sessions.save(session)
    assert saved == replace(session, version=1)
    assert index.sessions.find(ID) == saved


@pytest.mark.parametrize("state", list(UploadState))
def test_every_state_is_kept(index: Index, state: UploadState) -> None:
    index.sessions.save(replace(NEW, state=state))
    found = index.sessions.find(ID)
    assert found is not None and found.state is state


def test_fields_that_a_session_dropped_are_removed(index: Index) -> None:
    saved = index.sessions.save(FULL)
    index.sessions.save(replace(NEW, version=saved.version))
    assert index.sessions.find(ID) == replace(NEW, version=2)


def test_only_one_of_two_saves_of_a_version_succeeds(index: Index) -> None:
    first = index.sessions.save(NEW)
    with pytest.raises(Conflict):
        index.sessions.save(NEW)
    second = index.sessions.save(replace(first, offset=1))
    with pytest.raises(Conflict):
        index.sessions.save(replace(first, offset=2, parts=1), [part(1)])
    assert index.sessions.find(ID) == second
    assert index.sessions.find_parts(replace(second, parts=1)) == ()


def test_saving_a_version_that_does_not_exist_is_a_conflict(index: Index) -> None:
    with pytest.raises(Conflict):
        index.sessions.save(replace(NEW, version=3))
    assert index.sessions.find(ID) is None


def test_parts_are_saved_with_their_session_and_read_in_order(index: Index) -> None:
    saved = index.sessions.save(replace(NEW, parts=2), [part(1), part(2)])
    saved = index.sessions.save(replace(saved, parts=3), [part(3)])
    saved = index.sessions.save(saved)
    saved = index.sessions.save(replace(saved, parts=12), [part(number) for number in range(4, 13)])
    assert index.sessions.find_parts(saved) == tuple(part(number) for number in range(1, 13))
    assert index.sessions.find_parts(replace(saved, id="cd" * 16)) == ()


def test_more_parts_than_a_transaction_has_actions_are_saved_at_once(index: Index) -> None:
    parts = tuple(part(number) for number in range(1, 2_502))
    saved = index.sessions.save(replace(FULL, parts=2_501), parts)
    assert index.sessions.find_parts(saved) == parts


def test_all_the_parts_that_s3_allows_fit_into_a_transaction() -> None:
    """Ten items and the session: below 100 actions and 4 MB; an item below 400 KB, at less than 150 bytes a part."""
    assert MAX_PARTS / _PARTS_PER_ITEM + 2 < TRANSACTION
    largest = replace(part(MAX_PARTS), size=5 * 1024**3)
    assert sum(len(name) + len(str(value)) for name, value in asdict(largest).items()) + 10 < 150
    assert _PARTS_PER_ITEM * 150 < 400_000
    assert MAX_PARTS * 150 + 100_000 < 4_000_000


@pytest.mark.parametrize("count", [1, 300])
def test_the_loser_of_a_save_leaves_no_part(index: Index, count: int) -> None:
    start = index.sessions.save(replace(NEW, key="blobs/uploads/x/parts-1", parts=0))
    saved = index.sessions.save(replace(start, parts=1), [part(1)])
    late = [replace(part(number), checksum="of other bytes") for number in range(1, count + 1)]
    with pytest.raises(Conflict):
        index.sessions.save(replace(start, parts=count), late)
    assert index.sessions.find_parts(replace(saved, parts=count)) == (part(1),)


def test_parts_of_another_object_are_not_found(index: Index) -> None:
    saved = index.sessions.save(replace(NEW, key="blobs/uploads/x/parts-1", parts=2), [part(1), part(2)])
    assert index.sessions.find_parts(replace(saved, key="blobs/uploads/x/parts-2")) == ()


def test_the_first_save_alone_leaves_a_candidate(index: Index) -> None:
    saved = index.sessions.save(NEW)
    index.sessions.save(saved)
    assert index.candidates() == ["upload"]


def test_only_one_of_concurrent_saves_succeeds(index: Index) -> None:
    start = index.sessions.save(NEW)
    won: list[int] = []

    def write(number: int) -> None:
        try:
            index.sessions.save(replace(start, offset=number, parts=1), [replace(part(1), size=number)])
        except Conflict:
            return
        won.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = index.sessions.find(ID)
    assert found is not None
    assert [found.offset] == won == [one.size for one in index.sessions.find_parts(found)]
