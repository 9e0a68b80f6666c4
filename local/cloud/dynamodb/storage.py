"""Items in the database: one is read, one is written, with its index rows and its record in the change feed."""

from __future__ import annotations

import json
import sqlite3
import time
from typing import Any

from local.cloud.dynamodb import values
from local.cloud.dynamodb.tables import Table
from local.cloud.dynamodb.values import Item
from local.cloud.errors import validation

_GET = "SELECT item FROM items WHERE tbl=? AND pk=? AND sk=?"
_PUT = """INSERT INTO items (tbl, pk, sk, size, expires, item) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (tbl, pk, sk) DO UPDATE SET size=excluded.size, expires=excluded.expires, item=excluded.item"""
_DELETE = "DELETE FROM items WHERE tbl=? AND pk=? AND sk=?"
_INDEX_PUT = "INSERT OR REPLACE INTO index_rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_INDEX_DELETE = "DELETE FROM index_rows WHERE tbl=? AND name=? AND hash=? AND range=? AND pk=? AND sk=?"
_CHANGE = "INSERT INTO changes (tbl, at, record) VALUES (?, ?, ?)"


def read_stored(connection: sqlite3.Connection, table: Table, pk: bytes, sk: bytes) -> bytes | None:
    """The JSON of an item."""
    row = connection.execute(_GET, (table.id, pk, sk)).fetchone()
    return row[0] if row else None


def read(connection: sqlite3.Connection, table: Table, pk: bytes, sk: bytes) -> Item | None:
    found = read_stored(connection, table, pk, sk)
    return json.loads(found) if found is not None else None


def write(
    connection: sqlite3.Connection,
    table: Table,
    key: tuple[bytes, bytes],
    old: Item | None,
    new: Item | None,
    *,
    by_ttl: bool = False,
) -> bool:
    """Put `new`, or delete where it is None, in place of `old`; whether that changed anything. Raises AwsError."""
    if old == new:
        return False
    pk, sk = key
    if new is None:
        connection.execute(_DELETE, (table.id, pk, sk))
    else:
        size = values.size_of(new)
        if size > values.ITEM_LIMIT:
            raise validation("Item size has exceeded the maximum allowed size")
        connection.execute(_PUT, (table.id, pk, sk, size, _expiry(table, new), values.stored(new)))
    for index in table.indexes:
        before = index.row(table, old) if old is not None else None
        after = index.row(table, new) if new is not None else None
        if before is not None and before != after:
            connection.execute(_INDEX_DELETE, (table.id, index.name, *before, pk, sk))
        if after is not None and new is not None:
            projected = index.projection(table, new)
            row = (table.id, index.name, *after, pk, sk, values.size_of(projected), values.stored(projected))
            connection.execute(_INDEX_PUT, row)
    if table.stream:
        now = time.time()
        record = _record(table, key, old, new, now, by_ttl=by_ttl)
        connection.execute(_CHANGE, (table.id, int(now * 1000), values.stored(record)))
    return True


def _expiry(table: Table, item: Item) -> int | None:
    """When TTL deletes an item, in seconds since the epoch."""
    content = item.get(table.ttl, {}).get("N") if table.ttl else None
    try:
        return int(float(content)) if content is not None else None
    except (ValueError, OverflowError):
        return None


def _record(
    table: Table, key: tuple[bytes, bytes], old: Item | None, new: Item | None, now: float, *, by_ttl: bool
) -> dict[str, Any]:
    """A record of the stream without what its place in it says."""
    change: dict[str, Any] = {
        "ApproximateCreationDateTime": int(now),
        "Keys": table.key_item(*key),
        "StreamViewType": table.stream,
    }
    if new is not None and table.stream in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
        change["NewImage"] = new
    if old is not None and table.stream in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES"):
        change["OldImage"] = old
    change["SizeBytes"] = sum(values.size_of(change.get(part, {})) for part in ("Keys", "NewImage", "OldImage"))
    record: dict[str, Any] = {
        "eventName": "REMOVE" if new is None else "MODIFY" if old is not None else "INSERT",
        "dynamodb": change,
    }
    if by_ttl:
        record["userIdentity"] = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    return record
