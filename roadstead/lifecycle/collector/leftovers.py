"""Objects that are no blob's: surplus ones, those that nobody asked for, and chunks of uploads that nobody closed.

An upload is ended before its objects are deleted, so that nobody makes a blob of them meanwhile. Uploads are read
before the records of blobs: what an upload became was written together with its end. A finished upload is a streamed
object and its marker; whichever of them, or the session, leads to the upload, both go. So the end keeps the digest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from roadstead.content.objects import is_whole_key, streamed_key, whole_key
from roadstead.content.uploads.finishing import streamed_object
from roadstead.content.uploads.sessions import UploadState
from roadstead.content.uploads.uploads import DAY
from roadstead.digest import Digest
from roadstead.lifecycle.collector.backlog import Candidate
from roadstead.lifecycle.collector.blobs import expiry, upload_of
from roadstead.lifecycle.collector.stored import BlobRecord, UploadMark
from roadstead.lifecycle.collector.stores import Run
from roadstead.names import RepositoryName


def delete_objects(run: Run, candidates: Sequence[Candidate]) -> None:
    """Delete the objects among `candidates` that no blob is served from. One HEAD for each, and a few calls for all.

    A marker and the streamed object that it names go together.
    """
    marks, records = _read(run, candidates, [one.fields["key"] for one in candidates])
    live = {record.key for record in records.values()}
    found = run.each(lambda one: _spent_object(run, one, marks.get(one.fields["upload"]), live), candidates)
    _delete(run, [one for one in found if one is not None])


@dataclass(frozen=True, slots=True)
class _Spent:
    """A candidate of which `keys` can go now, and then `mark`, its upload's."""

    candidate: Candidate
    keys: frozenset[str] = frozenset()
    mark: UploadMark | None = None
    size: int = 0


def _spent_object(run: Run, one: Candidate, mark: UploadMark | None, live: Collection[str]) -> _Spent | None:
    """None if it is to be looked at again."""
    key, upload_id = one.fields["key"], one.fields["upload"]
    if key in live:  # it has a candidate of its own once its last link is removed
        return _Spent(one)
    whole = is_whole_key(key)
    # A finished one waits for nothing but to be asked for, as an object that was sent whole does, which has no mark.
    finished = whole and mark is not None and mark.state is UploadState.FINISHED
    if mark is not None and not finished and not _is_abandoned(run, mark):
        return None
    info = run.stores.objects.find(key)
    if info is None:
        return _Spent(one, mark=mark if whole and mark is not None and mark.is_over else None)
    ended = mark
    if whole:
        repository = RepositoryName(info.metadata.get("repository", ""))
        ended = _end(run, mark or UploadMark(upload_id, UploadState.OPEN, repository, None, 0))
        if ended is None:
            return None
    try:
        streamed = streamed_object(upload_id, info.metadata)
    except ValueError:
        streamed = None
    keys = {key} if streamed is None or streamed in live else {key, streamed}
    return _Spent(one, frozenset(keys), ended if whole else None, info.size)


def delete_chunks(run: Run, candidates: Sequence[Candidate]) -> None:
    """Delete what uploads left beside the blob that they became. One LIST for each, and a few calls for all."""
    marks, records = _read(run, candidates, [])
    found = run.each(lambda one: _spent_chunks(run, one, marks.get(one.fields["upload"]), records), candidates)
    _delete(run, [one for one in found if one is not None])


def _spent_chunks(
    run: Run, one: Candidate, mark: UploadMark | None, records: Mapping[Digest, BlobRecord]
) -> _Spent | None:
    if mark is None:
        return _Spent(one)  # only its session could tell which of its objects a blob is served from
    if not _is_abandoned(run, mark) or (ended := _end(run, mark)) is None:
        return None
    live = records[mark.digest].key if mark.digest is not None and mark.digest in records else ""
    keys = set(run.stores.objects.list(streamed_key(mark.id, "")))
    if mark.digest is None:
        return _Spent(one, frozenset(keys), ended)
    found_by_adoption = whole_key(mark.repository, mark.digest, mark.id)
    keys.add(found_by_adoption)
    return _Spent(one, frozenset(keys - {live}), ended if live != found_by_adoption else None)


def _delete(run: Run, spent: Sequence[_Spent]) -> None:
    keys = {key for one in spent for key in one.keys}  # several candidates may lead to one
    run.report.leftovers_deleted += len(keys)
    run.report.bytes_freed += sum({one.keys: one.size for one in spent}.values())
    if run.dry:
        return
    run.stores.objects.delete(keys)
    run.stores.uploads.expire([one.mark for one in spent if one.mark is not None], expiry(run))
    run.stores.backlog.done([one.candidate for one in spent])


def _read(
    run: Run, candidates: Sequence[Candidate], keys: Sequence[str]
) -> tuple[Mapping[str, UploadMark], Mapping[Digest, BlobRecord]]:
    marks = run.stores.uploads.find({one.fields["upload"] for one in candidates} | {upload_of(key) for key in keys})
    digests = {mark.digest for mark in marks.values() if mark.digest is not None}
    return marks, run.stores.records.find(digests | {_digest(key) for key in keys if is_whole_key(key)})


def _is_abandoned(run: Run, mark: UploadMark) -> bool:
    """Whether the upload is over, or no token can close it any more (a session is kept a day longer than that)."""
    return mark.is_over or mark.expires - DAY <= run.stores.events.now_ms() // 1000


def _end(run: Run, mark: UploadMark) -> UploadMark | None:
    """End the upload if it is not over. None if somebody else ended it just now: what became of it was not read."""
    if mark.is_over:
        return mark
    if run.dry or run.stores.uploads.cancel(mark.id, mark.repository, mark.digest):
        return replace(mark, state=UploadState.CANCELLED)
    return None


def _digest(key: str) -> Digest:
    _, algorithm, encoded, *_ = key.split("/")
    return Digest.parse(f"{algorithm}:{encoded}")
