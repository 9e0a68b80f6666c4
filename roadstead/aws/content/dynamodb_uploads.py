"""`UploadSessions` on the index table: `upload#<id>` holds the session (`meta`) and its parts.

Parts that are saved together share items: one body of many gigabytes has more parts than a transaction has actions,
and all of them must be in it. A part written before the transaction would be read as a part of whichever request wins
the session, and its ETag would vouch for the loser's bytes.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

from roadstead.aws.content.index_items import candidate_write, upload_key
from roadstead.aws.table import Table, Write, put
from roadstead.conflicts import Conflict
from roadstead.content.uploads.sessions import Chunk, Part, UploadSession, UploadState
from roadstead.digest import Digest
from roadstead.names import RepositoryName

_PARTS_PER_ITEM = 1_000  # about 130 bytes each, of the item's 400 KB; 10,000 fit into a transaction


class DynamoUploadSessions:
    """Items expire by TTL (`expires`), a day after the upload's token does at the earliest."""

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
            busy_until=item.get("busy", 0),
            version=item.get("version", 0),
        )

    def save(self, session: UploadSession, new_parts: Sequence[Part] = ()) -> UploadSession:
        saved = replace(session, version=session.version + 1)
        key = upload_key(session.id)
        item = {**_item(saved), "writer": secrets.token_hex(8)}
        if session.version == 0:
            write = put(key, item, "attribute_not_exists(pk)")
        else:
            # A consumed upload's item has no version, so it is never overwritten.
            write = put(key, item, "version = :version", {":version": session.version})
        batches = [new_parts[start : start + _PARTS_PER_ITEM] for start in range(0, len(new_parts), _PARTS_PER_ITEM)]
        writes = [write, *(_put_parts(session, batch) for batch in batches)]
        if session.version == 0:
            # The collector finds its chunks by this if the upload is never closed.
            writes.append(candidate_write(int(self._clock() * 1000), "upload", upload=session.id))
        if len(writes) > 1:
            self._table.transact(writes)
        else:
            self._write_alone(write)
        return saved

    def _write_alone(self, write: Write) -> None:
        """Write one item. Raises Conflict.

        Unlike a transaction, a single write has no token that makes a repeated request harmless. So the item names its
        writer, which shows whether an earlier try of this very write succeeded.
        """
        try:
            self._table.write(write)
        except Conflict:
            stored = self._table.get(write.key)
            if stored is None or stored.get("writer") != write.item["writer"]:
                raise

    def find_parts(self, session: UploadSession) -> tuple[Part, ...]:
        pk, _ = upload_key(session.id)
        return tuple(
            Part(part["number"], part["etag"], part["checksum"], part["size"])
            for item in self._table.query(pk, prefix=_parts_prefix(session))
            for part in item["parts"]
        )


def _parts_prefix(session: UploadSession) -> str:
    """Return the prefix of a session's parts. It names their object, so that parts of another attempt are not read."""
    attempt = (session.key or "").rpartition("-")[2]
    return f"parts#{attempt}#"


def _put_parts(session: UploadSession, parts: Sequence[Part]) -> Write:
    pk, _ = upload_key(session.id)
    key = (pk, f"{_parts_prefix(session)}{parts[0].number:05d}")
    return put(key, {"parts": [asdict(part) for part in parts], "expires": session.expires})


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
    if session.busy_until:
        item["busy"] = session.busy_until
    return item
