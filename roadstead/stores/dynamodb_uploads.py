"""`UploadSessions` on the index table: `upload#<id>` holds the session (`meta`) and its parts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from roadstead.digest import Digest
from roadstead.names import RepositoryName
from roadstead.stores.index_items import candidate_write, upload_key
from roadstead.stores.table import TRANSACTION, Key, Table, put
from roadstead.stores.uploads import Chunk, Part, UploadSession, UploadState

_PARTS_PER_TRANSACTION = TRANSACTION - 2  # beside the session and its candidate


class DynamoUploadSessions:
    """Items expire by TTL (`expires`), an hour after the upload's token does at the earliest."""

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock

    def find(self, upload_id: str) -> UploadSession | None:
        item = self._table.get(upload_key(upload_id))
        if item is None:
            return None
        return UploadSession(
            id=upload_id,
            repository=RepositoryName(item["repository"]),
            expires=item.get("expires", 0),
            state=UploadState(item["state"]),
            offset=item.get("offset", 0),
            hashes=item.get("hashes", {}),
            tail=item.get("tail", b""),
            chunks=tuple(Chunk(chunk["key"], chunk["size"]) for chunk in item.get("chunks", [])),
            multipart_id=item.get("multipart"),
            parts=item.get("parts", 0),
            digest=Digest(item["digest"]) if "digest" in item else None,
            key=item.get("key"),
            version=item.get("version", 0),
        )

    def save(self, session: UploadSession, new_parts: Sequence[Part] = ()) -> UploadSession:
        saved = replace(session, version=session.version + 1)
        key = upload_key(session.id)
        if session.version == 0:
            write = put(key, _item(saved), "attribute_not_exists(pk)")
        else:
            # A consumed mark has no version, so nothing is ever written over it.
            write = put(key, _item(saved), "version = :version", {":version": session.version})
        parts = [(_part_key(session, part.number), _part_item(part, session.expires)) for part in new_parts]
        # A part that is written and not counted is found by nobody, so only what completes the session must be
        # in its transaction; what does not fit in there goes before.
        early, last = parts[:-_PARTS_PER_TRANSACTION], parts[-_PARTS_PER_TRANSACTION:]
        if early:
            self._table.batch_write(puts=early)
        writes = [write, *(put(key, item) for key, item in last)]
        if session.version == 0:
            # What finds its chunks should nobody ever close it.
            writes.append(candidate_write(int(self._clock() * 1000), "upload", upload=session.id))
        if len(writes) > 1:
            self._table.transact(writes)
        else:
            self._table.write(write)
        return saved

    def find_parts(self, session: UploadSession) -> tuple[Part, ...]:
        pk, prefix = _part_key(session, None)
        return tuple(
            Part(number, item["etag"], item["checksum"], item["size"])
            for item in self._table.query(pk, prefix=prefix)
            if (number := int(item["sk"].removeprefix(prefix))) <= session.parts
        )


def _part_key(session: UploadSession, number: int | None) -> Key:
    """By object, so that what another attempt left is never taken for a part of this one."""
    pk, _ = upload_key(session.id)
    attempt = (session.key or "").rpartition("-")[2]
    return (pk, f"part#{attempt}#" + (f"{number:05d}" if number is not None else ""))


def _part_item(part: Part, expires: int) -> dict[str, Any]:
    return {"etag": part.etag, "checksum": part.checksum, "size": part.size, "expires": expires}


def _item(session: UploadSession) -> dict[str, Any]:
    item: dict[str, Any] = {
        "repository": session.repository,
        "expires": session.expires,
        "state": session.state,
        "offset": session.offset,
        "hashes": dict(session.hashes),
        "chunks": [{"key": chunk.key, "size": chunk.size} for chunk in session.chunks],
        "parts": session.parts,
        "version": session.version,
    }
    if session.tail:
        item["tail"] = session.tail
    if session.multipart_id is not None:
        item["multipart"] = session.multipart_id
    if session.digest is not None:
        item["digest"] = session.digest
    if session.key is not None:
        item["key"] = session.key
    return item
