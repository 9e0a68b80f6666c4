"""`BlobRecords` and `UploadMarks` on the index table."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from roadstead.aws.content.index_items import blob_pk, upload_key
from roadstead.aws.table import Item, Key, Table, TransactionFailed, Write, delete, put, update
from roadstead.conflicts import Conflict
from roadstead.content.uploads.sessions import UploadState
from roadstead.digest import Digest
from roadstead.lifecycle.collector.stored import BlobRecord, UploadMark
from roadstead.names import RepositoryName

_TOGETHER = 25  # records in one transaction: few enough not to be in the way of adoptions


class DynamoBlobRecords:
    """`blob#<digest>`: the record under `meta`, and under `repo#<name>` who has a link."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, digests: Collection[Digest]) -> Mapping[Digest, BlobRecord]:
        found = self._table.batch_get([_key(digest) for digest in digests], ("key", "size", "version", "state"))
        return {digest: _record(digest, found[_key(digest)]) for digest in digests if _key(digest) in found}

    def is_linked(self, digest: Digest) -> bool:
        return any(True for _ in self._table.query(blob_pk(digest), prefix="repo#", limit=1))

    def condemn(self, records: Sequence[BlobRecord]) -> Sequence[BlobRecord]:
        return self._write(records, [_condemn(record) for record in records])

    def forget(self, records: Sequence[BlobRecord]) -> None:
        self._write(records, [_forget(record) for record in records])

    def _write(self, records: Sequence[BlobRecord], writes: Sequence[Write]) -> list[BlobRecord]:
        """The records whose condition held. The others of a transaction are written by the next one."""
        done: list[BlobRecord] = []
        pending = list(zip(records, writes, strict=True))
        while pending:
            batch, rest = pending[:_TOGETHER], pending[_TOGETHER:]
            try:
                self._table.transact([write for _, write in batch])
            except TransactionFailed as failure:
                batch = [one for place, one in enumerate(batch) if place not in failure.failed]
                pending = batch + rest
            else:
                done += [record for record, _ in batch]
                pending = rest
        return done


def _key(digest: Digest) -> Key:
    return (blob_pk(digest), "meta")


def _record(digest: Digest, item: Item) -> BlobRecord:
    return BlobRecord(digest, item["key"], item["size"], item["version"], item["state"] == "condemned")


def _condemn(record: BlobRecord) -> Write:
    values = {":condemned": "condemned", ":version": record.version, ":new": secrets.token_hex(8)}
    return update(
        _key(record.digest),
        "SET #state = :condemned, version = :new",
        "version = :version",
        values,
        {"#state": "state"},
    )


def _forget(record: BlobRecord) -> Write:
    values = {":condemned": "condemned", ":key": record.key}
    names = {"#state": "state", "#key": "key"}
    return delete(_key(record.digest), "#state = :condemned AND #key = :key", values, names)


class DynamoUploadMarks:
    """`upload#<id>`: the session, or what is left of it."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, upload_ids: Collection[str]) -> Mapping[str, UploadMark]:
        keys = [upload_key(upload_id) for upload_id in upload_ids]
        found = self._table.batch_get(keys, ("state", "repository", "digest", "expires"))
        return {
            upload_id: _mark(upload_id, found[key])
            for upload_id in upload_ids
            if (key := upload_key(upload_id)) in found
        }

    def cancel(self, upload_id: str, repository: RepositoryName, digest: Digest | None = None) -> bool:
        states = {":open": UploadState.OPEN, ":closing": UploadState.CLOSING, ":finished": UploadState.FINISHED}
        item = {"state": UploadState.CANCELLED, "repository": repository, **({"digest": digest} if digest else {})}
        condition = "attribute_not_exists(pk) OR #state IN (:open, :closing, :finished)"
        try:
            self._table.write(put(upload_key(upload_id), item, condition, states, {"#state": "state"}))
        except Conflict:
            return False
        return True

    def expire(self, marks: Sequence[UploadMark], at: int) -> None:
        # Nothing changes the mark of an upload that is over, so it can be written without a condition.
        self._table.batch_write(puts=[(upload_key(mark.id), _mark_item(mark, at)) for mark in marks])


def _mark(upload_id: str, item: Item) -> UploadMark:
    return UploadMark(
        upload_id,
        UploadState(item["state"]),
        RepositoryName(item["repository"]),
        Digest(item["digest"]) if "digest" in item else None,
        item.get("expires", 0),
    )


def _mark_item(mark: UploadMark, expires: int) -> dict[str, Any]:
    item = {"state": mark.state, "repository": mark.repository, "expires": expires}
    return item if mark.digest is None else {**item, "digest": mark.digest}
