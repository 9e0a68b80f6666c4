"""What AWS does by itself, some time later: TTL, streams of 24 hours, messages and uploads that were left lying."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import time
from functools import partial

from local.cloud.database import Database
from local.cloud.dynamodb import storage
from local.cloud.dynamodb.streams import KEPT as STREAM_KEPT
from local.cloud.dynamodb.tables import Tables
from local.cloud.errors import AwsError
from local.cloud.s3.files import Files
from local.cloud.s3.multipart import forget
from local.cloud.sqs import KEPT as MESSAGES_KEPT

PAUSE = 60.0  # seconds between two rounds
BATCH = 100  # rows in one write, so that nobody waits long
# Seconds after which TTL passes an item by, "Using DynamoDB Time to Live": such a number is hardly meant as a time.
TTL_IGNORES = 5 * 365 * 86_400
SETTLING = 3_600.0  # seconds that consumers of a stream have after a start before anything is trimmed
UPLOADS_KEPT = 8 * 86_400  # seconds, as the bucket's lifecycle rule has it where it is deployed
NEARLY_FULL = 1024**3  # bytes; S3's disk is never full, and what failed on ours would keep it full for days
KEPT_WHEN_FULL = 3_600  # seconds without a new part

_log = logging.getLogger(__name__)


class Housekeeping:
    def __init__(self, database: Database, tables: Tables, files: Files) -> None:
        self._database = database
        self._tables = tables
        self._files = files

    async def run(self) -> None:
        """Never returns."""
        started = time.monotonic()
        while True:
            await asyncio.sleep(PAUSE)
            try:
                while await self._database.write(self._expire) == BATCH:
                    await asyncio.sleep(0)
                await self._database.write(_forget_old)
                if time.monotonic() - started > SETTLING:
                    await self._database.write(_trim)
                kept = UPLOADS_KEPT if self._files.free() > NEARLY_FULL else KEPT_WHEN_FULL
                self._files.remove(await self._database.write(partial(abort_uploads, kept=kept)))
            except AwsError as error:
                _log.warning("tidying up failed: %s", error)

    def _expire(self, connection: sqlite3.Connection) -> int:
        """Delete items whose time is over; how many."""
        tables = {table.id: table for table in self._tables.all()}
        rows = expired(connection)
        for number, pk, sk, item in rows:
            storage.write(connection, tables[number], (pk, sk), json.loads(item), None, by_ttl=True)
        return len(rows)


def expired(connection: sqlite3.Connection) -> list[tuple[int, bytes, bytes, str]]:
    """Return a batch of items whose time is over: table, keys and content."""
    now = int(time.time())
    return connection.execute(
        "SELECT tbl, pk, sk, item FROM items WHERE expires>=? AND expires<? ORDER BY expires LIMIT ?",
        (now - TTL_IGNORES, now, BATCH),
    ).fetchall()


def _forget_old(connection: sqlite3.Connection) -> None:
    now = time.time()
    connection.execute("DELETE FROM messages WHERE sent<?", (int((now - MESSAGES_KEPT) * 1000),))
    connection.execute("DELETE FROM tokens WHERE at<?", (int(now) - 3600,))


def _trim(connection: sqlite3.Connection) -> None:
    oldest = int((time.time() - STREAM_KEPT) * 1000)
    (last,) = connection.execute("SELECT max(sequence) FROM changes WHERE at<?", (oldest,)).fetchone()
    if last is not None:
        connection.execute("DELETE FROM changes WHERE sequence<=?", (last,))
        connection.execute("UPDATE trimmed SET sequence=?", (last,))


def abort_uploads(connection: sqlite3.Connection, *, kept: int) -> list[str]:
    """Forget uploads that have got nothing for `kept` seconds; return the files of their parts."""
    oldest = int((time.time() - kept) * 1000)
    rows = connection.execute(
        "SELECT id FROM uploads WHERE created<:oldest"
        " AND NOT EXISTS (SELECT 1 FROM parts WHERE upload=id AND modified>=:oldest) LIMIT :batch",
        {"oldest": oldest, "batch": BATCH},
    ).fetchall()
    return [file for (identifier,) in rows for file in forget(connection, identifier)]
