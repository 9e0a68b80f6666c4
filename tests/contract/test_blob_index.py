"""What every index of blobs does."""

from __future__ import annotations

import threading

import pytest

from roadstead.conflicts import Conflict, UploadConsumed
from roadstead.content.blob_index import BlobLink, StoredObject, Use
from roadstead.content.uploads.sessions import UploadSession, UploadState
from roadstead.digest import Digest
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor, Event, Operation
from roadstead.trail.events import EventMaker
from tests.contract.conftest import Index

SHIPS, CARGO = RepositoryName("ships/galleon"), RepositoryName("cargo/tea")
BYTES = b"forty barrels"
DIGEST = Digest.of(BYTES)
SMALL = StoredObject("blobs/one", len(BYTES), BYTES)
LARGE = StoredObject("blobs/large", 1 << 40)
ADA = Actor("ada")


def event(operation: Operation = Operation.UPLOAD, digest: Digest = DIGEST) -> Event:
    return EventMaker().make(operation, ADA, SHIPS, digest=digest)


def link(
    index: Index,
    *,
    repository: RepositoryName = SHIPS,
    stored: StoredObject = SMALL,
    digest: Digest = DIGEST,
    upload: str = "a" * 32,
) -> BlobLink:
    return index.blobs.link_object(
        repository, digest, stored, upload_id=upload, mark_expires=4_000_000_000, event=event(digest=digest)
    )


def test_an_unknown_blob_has_no_link(index: Index) -> None:
    assert index.blobs.find_link(SHIPS, DIGEST) is None


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_linked_blob_is_found_in_its_repository_alone(index: Index, algorithm: str) -> None:
    digest = Digest.of(BYTES, algorithm)
    answer = link(index, digest=digest)
    assert answer == BlobLink(digest, len(BYTES), "blobs/one", BYTES)
    assert index.blobs.find_link(SHIPS, digest) == answer
    assert index.blobs.find_link(CARGO, digest) is None


def test_a_blob_larger_than_any_item_is_linked_without_its_bytes(index: Index) -> None:
    assert link(index, stored=LARGE) == BlobLink(DIGEST, 1 << 40, "blobs/large")
    assert index.blobs.find_link(SHIPS, DIGEST) == BlobLink(DIGEST, 1 << 40, "blobs/large")


def test_an_empty_blob_is_linked_with_empty_inline_bytes(index: Index) -> None:
    digest = Digest.of(b"")
    link(index, digest=digest, stored=StoredObject("blobs/empty", 0, b""))
    assert index.blobs.find_link(SHIPS, digest) == BlobLink(digest, 0, "blobs/empty", b"")


def test_linking_writes_an_event_and_a_candidate(index: Index) -> None:
    link(index)
    assert index.events() == [("upload", DIGEST)]
    assert index.candidates() == ["link"]


def test_a_second_upload_of_a_digest_links_the_first_object(index: Index) -> None:
    link(index)
    other = link(index, repository=CARGO, stored=StoredObject("blobs/two", len(BYTES), BYTES), upload="b" * 32)
    assert other.key == "blobs/one"
    again = link(index, stored=StoredObject("blobs/three", len(BYTES), BYTES), upload="c" * 32)
    assert again.key == "blobs/one"
    assert index.candidates() == ["link", "link", "object", "object"]


def test_linking_the_same_upload_again_returns_the_link_without_an_event(index: Index) -> None:
    assert link(index) == link(index)
    assert len(index.events()) == 1


def test_linking_the_same_upload_again_cancels_a_pending_removal(index: Index) -> None:
    link(index)
    index.blobs.mark_link(SHIPS, DIGEST, "mark")
    assert link(index).marked is None
    found = index.blobs.find_link(SHIPS, DIGEST)
    assert found is not None and found.marked is None


def test_a_consumed_upload_cannot_be_linked_to_another_digest(index: Index) -> None:
    link(index)
    other = Digest.of(b"other")
    with pytest.raises(UploadConsumed):
        link(index, digest=other, stored=StoredObject("blobs/other", 5, b"other"))
    assert index.blobs.find_link(SHIPS, other) is None


def test_consumed_and_cancelled_uploads_are_spent_and_others_are_not(index: Index) -> None:
    consumed, cancelled, begun, absent = ("a" * 32, "b" * 32, "c" * 32, "d" * 32)
    link(index, upload=consumed)
    for upload_id, state in ((cancelled, UploadState.CANCELLED), (begun, UploadState.OPEN)):
        index.sessions.save(UploadSession(upload_id, SHIPS, 4_000_000_000, state=state))
    assert index.blobs.find_spent_uploads({consumed, cancelled, begun, absent}) == {consumed, cancelled}
    assert index.blobs.find_spent_uploads(()) == frozenset()


def test_spent_uploads_are_found_beyond_one_batch(index: Index) -> None:
    link(index)
    others = [f"{number:032x}" for number in range(250)]
    assert index.blobs.find_spent_uploads([*others, "a" * 32]) == {"a" * 32}


def test_the_object_of_a_digest_is_that_of_its_first_upload_in_any_repository(index: Index) -> None:
    assert index.blobs.find_object_key(DIGEST) is None
    link(index)
    link(index, repository=CARGO, stored=StoredObject("blobs/two", len(BYTES), BYTES), upload="b" * 32)
    assert index.blobs.find_object_key(DIGEST) == "blobs/one"


def test_a_deleted_blob_does_not_return_by_the_upload_that_made_it(index: Index) -> None:
    link(index)
    index.blobs.mark_link(SHIPS, DIGEST, "mark")
    index.blobs.unlink(SHIPS, DIGEST, mark="mark", event=event(Operation.DELETE_BLOB))
    with pytest.raises(UploadConsumed):
        link(index)
    assert index.blobs.find_link(SHIPS, DIGEST) is None


def test_a_deleted_blob_returns_by_another_upload(index: Index) -> None:
    link(index)
    index.blobs.mark_link(SHIPS, DIGEST, "mark")
    index.blobs.unlink(SHIPS, DIGEST, mark="mark", event=event(Operation.DELETE_BLOB))
    assert link(index, upload="b" * 32) == index.blobs.find_link(SHIPS, DIGEST)


def test_a_cancelled_upload_is_never_linked(index: Index) -> None:
    index.sessions.save(UploadSession("a" * 32, SHIPS, 4_000_000_000, state=UploadState.CANCELLED))
    with pytest.raises(UploadConsumed):
        link(index)


@pytest.mark.parametrize("state", [UploadState.OPEN, UploadState.CLOSING])
def test_linking_consumes_a_session_that_was_written(index: Index, state: UploadState) -> None:
    session = index.sessions.save(UploadSession("a" * 32, SHIPS, 4_000_000_000, state=state, offset=3))
    link(index)
    found = index.sessions.find("a" * 32)
    assert found is not None
    assert (found.state, found.digest, found.repository) == (UploadState.CONSUMED, DIGEST, SHIPS)
    with pytest.raises(Conflict):
        index.sessions.save(session)
    with pytest.raises(Conflict):
        index.sessions.save(found)


def test_a_consumed_upload_without_expiry_is_kept(index: Index) -> None:
    index.blobs.link_object(SHIPS, DIGEST, SMALL, upload_id="a" * 32, mark_expires=None, event=event())
    found = index.sessions.find("a" * 32)
    assert found is not None and found.expires == 0


def consume(index: Index, upload: str) -> bool:
    return index.blobs.consume(SHIPS, DIGEST, upload_id=upload, key="blobs/surplus", at=1_800_000_000_000)


def test_a_consumed_upload_without_a_blob_is_never_linked(index: Index) -> None:
    assert consume(index, "a" * 32) is True
    assert consume(index, "a" * 32) is False
    with pytest.raises(UploadConsumed):
        link(index)
    assert index.events() == []
    assert index.candidates() == ["object"]


def test_an_upload_that_was_linked_cannot_be_consumed(index: Index) -> None:
    link(index)
    assert consume(index, "a" * 32) is False
    assert index.blobs.find_link(SHIPS, DIGEST) is not None


def test_a_cancelled_upload_cannot_be_consumed(index: Index) -> None:
    index.sessions.save(UploadSession("a" * 32, SHIPS, 4_000_000_000, state=UploadState.CANCELLED))
    assert consume(index, "a" * 32) is False


def test_mounting_needs_the_blob_in_the_source(index: Index) -> None:
    assert index.blobs.mount(SHIPS, CARGO, DIGEST, event=event(Operation.MOUNT)) is None
    assert index.events() == []


def test_a_mounted_blob_is_the_same_object_and_outlives_its_source(index: Index) -> None:
    link(index)
    mounted = index.blobs.mount(SHIPS, CARGO, DIGEST, event=event(Operation.MOUNT))
    assert mounted == BlobLink(DIGEST, len(BYTES), "blobs/one", BYTES)
    index.blobs.mark_link(SHIPS, DIGEST, "mark")
    index.blobs.unlink(SHIPS, DIGEST, mark="mark", event=event(Operation.DELETE_BLOB))
    assert index.blobs.find_link(CARGO, DIGEST) == mounted
    assert sorted(index.events()) == [("delete-blob", DIGEST), ("mount", DIGEST), ("upload", DIGEST)]
    assert index.candidates() == ["blob", "link", "link"]


def test_mounting_an_existing_blob_cancels_a_pending_removal(index: Index) -> None:
    link(index)
    index.blobs.mount(SHIPS, CARGO, DIGEST, event=event(Operation.MOUNT))
    index.blobs.mark_link(CARGO, DIGEST, "mark")
    index.blobs.mount(SHIPS, CARGO, DIGEST, event=event(Operation.MOUNT))
    found = index.blobs.find_link(CARGO, DIGEST)
    assert found is not None and found.marked is None


def test_mounting_from_itself_changes_nothing(index: Index) -> None:
    first = link(index)
    assert index.blobs.mount(SHIPS, SHIPS, DIGEST, event=event(Operation.MOUNT)) == first
    assert index.events() == [("upload", DIGEST)]


def test_a_link_can_be_marked_and_unmarked(index: Index) -> None:
    assert index.blobs.mark_link(SHIPS, DIGEST, "one") is None
    assert index.blobs.unmark_link(SHIPS, DIGEST) is False
    assert index.blobs.find_link(SHIPS, DIGEST) is None
    link(index)
    marked = index.blobs.mark_link(SHIPS, DIGEST, "one")
    assert marked is not None and marked.marked == "one"
    assert index.blobs.find_link(SHIPS, DIGEST) == marked
    assert index.blobs.unmark_link(SHIPS, DIGEST, "two") is False
    assert index.blobs.unmark_link(SHIPS, DIGEST, "one") is True
    assert index.blobs.unmark_link(SHIPS, DIGEST) is True
    found = index.blobs.find_link(SHIPS, DIGEST)
    assert found is not None and found.marked is None


def test_a_blob_is_unlinked_only_with_the_mark_that_was_set_last(index: Index) -> None:
    link(index)
    index.blobs.mark_link(SHIPS, DIGEST, "one")
    index.blobs.mark_link(SHIPS, DIGEST, "two")
    with pytest.raises(Conflict):
        index.blobs.unlink(SHIPS, DIGEST, mark="one", event=event(Operation.DELETE_BLOB))
    index.blobs.unmark_link(SHIPS, DIGEST)
    with pytest.raises(Conflict):
        index.blobs.unlink(SHIPS, DIGEST, mark="two", event=event(Operation.DELETE_BLOB))
    assert index.blobs.find_link(SHIPS, DIGEST) is not None
    assert index.events() == [("upload", DIGEST)]


def test_another_upload_of_a_marked_blob_keeps_it(index: Index) -> None:
    link(index)
    index.blobs.mark_link(SHIPS, DIGEST, "one")
    link(index, upload="b" * 32)
    with pytest.raises(Conflict):
        index.blobs.unlink(SHIPS, DIGEST, mark="one", event=event(Operation.DELETE_BLOB))


def test_find_uses_returns_100_at_a_time_in_order(index: Index) -> None:
    manifests = sorted(Digest.of(str(number).encode()) for number in range(103))
    for number, manifest in enumerate(manifests):
        index.manifests.write_uses(SHIPS, manifest, "g", [DIGEST], at=number, key="k")
    first = index.blobs.find_uses(SHIPS, DIGEST)
    rest = index.blobs.find_uses(SHIPS, DIGEST, after=first[-1])
    assert first + rest == tuple(Use(manifest, "g", number) for number, manifest in enumerate(manifests))
    assert len(first) == 100
    assert index.blobs.find_uses(SHIPS, DIGEST, after=rest[-1]) == ()
    assert index.blobs.find_uses(CARGO, DIGEST) == ()


def test_concurrent_uploads_of_a_digest_share_one_object(index: Index) -> None:
    links: list[BlobLink] = []

    def upload(number: int) -> None:
        repository = RepositoryName(f"ships/{number % 2}")
        stored = StoredObject(f"blobs/{number}", len(BYTES), BYTES)
        links.append(link(index, repository=repository, stored=stored, upload=f"{number:032x}"))

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.key for one in links}) == 1
    assert len(links) == 6
    for number in range(2):
        found = index.blobs.find_link(RepositoryName(f"ships/{number}"), DIGEST)
        assert found is not None and found.key == links[0].key


def test_consuming_an_upload_creates_no_blob(index: Index) -> None:
    assert index.blobs.consume(SHIPS, DIGEST, upload_id="a" * 32, key="blobs/one", at=1) is True
    assert index.candidates() == ["object"]
    with pytest.raises(UploadConsumed):
        link(index)
    assert index.blobs.find_link(SHIPS, DIGEST) is None
    assert index.events() == []


def test_an_upload_is_consumed_once(index: Index) -> None:
    link(index)
    assert index.blobs.consume(SHIPS, DIGEST, upload_id="a" * 32, key="blobs/one", at=1) is False
    assert index.blobs.consume(SHIPS, DIGEST, upload_id="b" * 32, key="blobs/two", at=1) is True
    assert index.blobs.consume(SHIPS, DIGEST, upload_id="b" * 32, key="blobs/two", at=1) is False
    assert index.candidates() == ["link", "object"]


def test_an_open_upload_can_be_consumed(index: Index) -> None:
    index.sessions.save(UploadSession("a" * 32, SHIPS, 4_000_000_000, tail=BYTES, offset=len(BYTES)))
    assert index.blobs.consume(SHIPS, DIGEST, upload_id="a" * 32, key="blobs/one", at=1) is True
    found = index.sessions.find("a" * 32)
    assert found is not None and found.state is UploadState.CONSUMED
