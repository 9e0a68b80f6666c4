"""What every store of the collector does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from roadstead.aws.content.index_items import DAY_MS
from roadstead.aws.lifecycle.dynamodb_backlog import LATE_DAYS, DynamoBacklog
from roadstead.aws.lifecycle.dynamodb_stored import DynamoBlobRecords, DynamoUploadMarks
from roadstead.aws.table import Table
from roadstead.conflicts import UploadConsumed
from roadstead.content.blob_index import StoredObject
from roadstead.content.uploads.sessions import UploadSession, UploadState
from roadstead.digest import Digest
from roadstead.lifecycle.collector.backlog import Backlog, Kind, MarkedLink
from roadstead.lifecycle.collector.stored import BlobRecords, UploadMark, UploadMarks
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor, Event, Operation
from roadstead.trail.events import EventMaker
from tests.contract.conftest import Index
from tests.memory.lifecycle import MemoryBacklog, MemoryBlobRecords, MemoryUploadMarks

SHIPS, CARGO = RepositoryName("ships/galleon"), RepositoryName("cargo/tea")
DIGEST, OTHER = Digest.of(b"forty barrels"), Digest.of(b"other")
TODAY = 30_000  # a day since the epoch
NOW = TODAY * DAY_MS + 1_000


@pytest.fixture
def backlog(index: Index) -> Backlog:
    return MemoryBacklog() if index.memory else DynamoBacklog(_table(index), first_day=TODAY - 2)


@pytest.fixture
def records(index: Index) -> BlobRecords:
    return MemoryBlobRecords(index.memory) if index.memory else DynamoBlobRecords(_table(index))


@pytest.fixture
def uploads(index: Index) -> UploadMarks:
    return MemoryUploadMarks(index.memory) if index.memory else DynamoUploadMarks(_table(index))


def _table(index: Index) -> Table:
    return Table(index.client, index.table_name)


def event(operation: Operation = Operation.UPLOAD) -> Event:
    return EventMaker().make(operation, Actor("ada"), SHIPS, digest=DIGEST)


def link(index: Index, upload: str = "a" * 32, *, repository: RepositoryName = SHIPS, digest: Digest = DIGEST) -> None:
    stored = StoredObject(f"blobs/{upload}", 13)
    index.blobs.link_object(repository, digest, stored, upload_id=upload, mark_expires=None, event=event())


def unlink(index: Index) -> None:
    index.blobs.mark_link(SHIPS, DIGEST, "mark")
    index.blobs.unlink(SHIPS, DIGEST, mark="mark", event=event(Operation.DELETE_BLOB))


def test_candidates_come_once_they_are_older_until_they_are_done(backlog: Backlog) -> None:
    assert list(backlog.candidates(NOW)) == []
    for at in (NOW, NOW - DAY_MS, NOW - 1):
        backlog.renew(Kind.LINK, {"repository": SHIPS, "digest": DIGEST}, at)
    due = [one for page in backlog.candidates(NOW) for one in page]
    assert [(one.kind, one.at, one.fields) for one in due] == [
        (Kind.LINK, at, {"repository": SHIPS, "digest": DIGEST}) for at in (NOW - DAY_MS, NOW - 1)
    ]
    backlog.done(due[:1])
    backlog.done(due[:1])
    assert {one.at for page in backlog.candidates(NOW + 1) for one in page} == {NOW - 1, NOW}


def test_many_candidates_come_in_pages(backlog: Backlog) -> None:
    for number in range(120):
        backlog.renew(Kind.OBJECT, {"key": str(number), "upload": "u"}, NOW - 1 - number)
    pages = list(backlog.candidates(NOW))
    assert max(len(page) for page in pages) <= 100
    assert {one.fields["key"] for page in pages for one in page} == {str(number) for number in range(120)}


def test_marked_links_come_once_they_are_older_until_they_are_done(backlog: Backlog) -> None:
    early, late = (MarkedLink(SHIPS, DIGEST, f"mark-{at}", 13, at) for at in (NOW - 1, NOW))
    backlog.keep([early, late])
    (due,) = [one for page in backlog.marked(NOW) for one in page]
    assert replace(due, place=("", "")) == early
    assert list(backlog.candidates(NOW)) == []
    backlog.done([due])
    assert [one.mark for page in backlog.marked(NOW + 1) for one in page] == [late.mark]


def test_a_checkpoint_skips_days_that_are_empty_and_old(index: Index) -> None:
    if index.memory:
        return
    backlog = DynamoBacklog(_table(index), first_day=TODAY - LATE_DAYS - 40)
    old = NOW - (LATE_DAYS + 20) * DAY_MS
    backlog.renew(Kind.UPLOAD, {"upload": "u"}, old)
    (page,) = backlog.candidates(NOW)
    backlog.checkpoint()
    assert list(backlog.candidates(NOW)) == [page]
    backlog.done(page)
    assert list(backlog.candidates(NOW)) == []
    backlog.checkpoint()
    # Of the last days candidates may come late.
    for at in (old, NOW - (LATE_DAYS - 1) * DAY_MS):
        backlog.renew(Kind.UPLOAD, {"upload": "late"}, at)
    assert [[one.at for one in page] for page in backlog.candidates(NOW)] == [[NOW - (LATE_DAYS - 1) * DAY_MS]]


def test_a_blob_has_a_record_and_links(index: Index, records: BlobRecords) -> None:
    assert records.find([DIGEST]) == {}
    assert not records.is_linked(DIGEST)
    link(index)
    record = records.find([DIGEST, OTHER])[DIGEST]
    assert (record.key, record.size, record.condemned) == (f"blobs/{'a' * 32}", 13, False)
    assert records.is_linked(DIGEST)
    unlink(index)
    assert not records.is_linked(DIGEST)
    assert DIGEST in records.find([DIGEST])


def test_what_was_linked_meanwhile_is_not_condemned(index: Index, records: BlobRecords) -> None:
    link(index)
    link(index, "c" * 32, digest=OTHER)
    before = records.find([DIGEST, OTHER])
    link(index, "b" * 32, repository=CARGO)
    assert [one.digest for one in records.condemn([before[DIGEST], before[OTHER]])] == [OTHER]
    assert [records.find([digest])[digest].condemned for digest in (DIGEST, OTHER)] == [False, True]
    records.forget(list(before.values()))
    assert set(records.find([DIGEST, OTHER])) == {DIGEST}


def test_a_new_object_replaces_a_condemned_one_and_stays(index: Index, records: BlobRecords) -> None:
    link(index)
    unlink(index)
    (condemned,) = records.condemn(list(records.find([DIGEST]).values()))
    assert index.blobs.mount(SHIPS, CARGO, DIGEST, event=event(Operation.MOUNT)) is None
    link(index, "b" * 32)
    records.forget([condemned])
    record = records.find([DIGEST])[DIGEST]
    assert (record.key, record.condemned) == (f"blobs/{'b' * 32}", False)


def test_an_upload_that_is_cancelled_becomes_no_blob(index: Index, uploads: UploadMarks) -> None:
    assert uploads.find(["a" * 32]) == {}
    assert uploads.cancel("a" * 32, SHIPS) is True
    assert uploads.cancel("a" * 32, SHIPS) is False
    with pytest.raises(UploadConsumed):
        link(index)
    assert uploads.find(["a" * 32]) == {"a" * 32: UploadMark("a" * 32, UploadState.CANCELLED, SHIPS, None, 0)}


@pytest.mark.parametrize("state", [UploadState.OPEN, UploadState.CLOSING, UploadState.FINISHED])
def test_an_upload_under_way_is_found_and_cancelled(index: Index, uploads: UploadMarks, state: UploadState) -> None:
    index.sessions.save(UploadSession("a" * 32, SHIPS, 4_000_000_000, state=state, digest=DIGEST))
    assert uploads.find(["a" * 32])["a" * 32] == UploadMark("a" * 32, state, SHIPS, DIGEST, 4_000_000_000)
    assert uploads.cancel("a" * 32, SHIPS, DIGEST) is True
    assert uploads.find(["a" * 32]) == {"a" * 32: UploadMark("a" * 32, UploadState.CANCELLED, SHIPS, DIGEST, 0)}


def test_an_upload_that_became_a_blob_is_not_cancelled_and_its_mark_expires(index: Index, uploads: UploadMarks) -> None:
    link(index)
    assert uploads.cancel("a" * 32, SHIPS) is False
    (mark,) = uploads.find(["a" * 32]).values()
    assert (mark.state, mark.digest, mark.expires, mark.is_over) == (UploadState.CONSUMED, DIGEST, 0, True)
    uploads.expire([mark], 4_000_000_000)
    assert uploads.find(["a" * 32]) == {"a" * 32: replace(mark, expires=4_000_000_000)}
    found = index.sessions.find("a" * 32)
    assert found is not None and found.ended_as(DIGEST)
