"""Objects of blobs that no repository has any more.

The record is condemned on the condition that nobody linked to it since it was read, which was before the links were
asked for. Then the object goes, then the record, on the condition that it still names that object: an upload of the
same digest meanwhile has put its own key there.
"""

from __future__ import annotations

from collections.abc import Sequence

from roadstead.content.objects import is_whole_key, whole_key
from roadstead.digest import Digest
from roadstead.lifecycle.collector.backlog import Candidate
from roadstead.lifecycle.collector.stored import BlobRecord
from roadstead.lifecycle.collector.stores import Run

MARK_DAYS = 2  # a mark outlives its object by longer than any token that could write the object again


def delete_unlinked(run: Run, candidates: Sequence[Candidate]) -> None:
    """Delete the objects of those that have no link. One call for each blob, and a few for all of them."""
    stores = run.stores
    digests = {Digest(one.fields["digest"]) for one in candidates}
    records = stores.records.find(digests)
    linked = run.each(stores.records.is_linked, records)
    free = [record for record, has_link in zip(records.values(), linked, strict=True) if not has_link]
    if run.dry:
        _count(run, free)
        return
    fresh = [record for record in free if not record.condemned]
    gone = [*(record for record in free if record.condemned), *stores.records.condemn(fresh)]
    marks = stores.uploads.find({upload_of(record.key) for record in gone})
    markers = [whole_key(mark.repository, mark.digest, mark.id) for mark in marks.values() if mark.digest is not None]
    stores.objects.delete({*(record.key for record in gone), *markers})
    stores.records.forget(gone)
    stores.uploads.expire([mark for mark in marks.values() if mark.is_over], expiry(run))
    _count(run, gone)
    # What was linked while it was to be condemned may have lost that link by now: it is looked at again.
    lost = {record.digest for record in free} - {record.digest for record in gone}
    stores.backlog.done([one for one in candidates if one.fields["digest"] not in lost])


def _count(run: Run, gone: Sequence[BlobRecord]) -> None:
    run.report.blobs_deleted += len(gone)
    run.report.bytes_freed += sum(record.size for record in gone)


def upload_of(key: str) -> str:
    """Return the id of the upload that an object of a blob came by."""
    parts = key.split("/")
    return parts[-1] if is_whole_key(key) else parts[2]


def expiry(run: Run) -> int:
    """Return when a mark may go, in seconds since the epoch."""
    return run.stores.events.now_ms() // 1000 + MARK_DAYS * 86_400
