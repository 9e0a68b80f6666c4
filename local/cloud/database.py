"""One SQLite database: items, index rows, change feeds, queues, and what objects there are.

Writes are made by one thread. Those that wait when it is free go into one transaction, each under a savepoint of its
own, and are answered when that is committed: with `synchronous=FULL` the log was synced to the disk by then, so what is
acknowledged outlives SIGKILL and a power cut, and many clients share the cost of one sync. Reads are made on the event
loop's own connection, which sees what is committed and never waits for the writer.

The write-ahead log is copied into the database by a third connection while writes go on. It starts from its beginning
when all of it was copied, so that reading it again after a crash is bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from local.cloud.errors import Unavailable
from local.cloud.faults import Faults

VERSION = 1
BATCH = 256  # writes in one transaction at most
CHECKPOINT = 4 * 1024 * 1024  # bytes of the log, or some more, after which it is copied
LONGEST_LOG = 64 * 1024 * 1024  # bytes; then the writer waits until it was copied
_PAUSE = 0.1  # seconds between two checkpoints

_SCHEMA = """
CREATE TABLE tables (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, definition TEXT NOT NULL);
CREATE TABLE items (
    id INTEGER PRIMARY KEY, tbl INTEGER NOT NULL, pk BLOB NOT NULL, sk BLOB NOT NULL,
    size INTEGER NOT NULL, expires INTEGER, item BLOB NOT NULL);
CREATE UNIQUE INDEX items_by_key ON items (tbl, pk, sk);
CREATE INDEX items_by_expiry ON items (expires) WHERE expires IS NOT NULL;
CREATE TABLE index_rows (
    tbl INTEGER NOT NULL, name TEXT NOT NULL, hash BLOB NOT NULL, range BLOB NOT NULL,
    pk BLOB NOT NULL, sk BLOB NOT NULL, size INTEGER NOT NULL, item BLOB NOT NULL,
    PRIMARY KEY (tbl, name, hash, range, pk, sk)) WITHOUT ROWID;
CREATE TABLE changes (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, tbl INTEGER NOT NULL, at INTEGER NOT NULL, record BLOB NOT NULL);
CREATE INDEX changes_by_table ON changes (tbl, sequence);
CREATE INDEX changes_by_age ON changes (at);
CREATE TABLE tokens (token TEXT PRIMARY KEY, request BLOB NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE buckets (name TEXT PRIMARY KEY, created INTEGER NOT NULL, notifications TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE objects (
    id INTEGER PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
    modified INTEGER NOT NULL, headers TEXT NOT NULL, checksums TEXT NOT NULL, segments TEXT NOT NULL);
CREATE UNIQUE INDEX objects_by_key ON objects (bucket, key);
CREATE TABLE uploads (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT NULL, created INTEGER NOT NULL,
    headers TEXT NOT NULL, algorithm TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE parts (
    upload TEXT NOT NULL, number INTEGER NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL,
    etag TEXT NOT NULL, checksum TEXT NOT NULL, modified INTEGER NOT NULL, PRIMARY KEY (upload, number)) WITHOUT ROWID;
CREATE TABLE keys (
    id TEXT PRIMARY KEY, created INTEGER NOT NULL, spec TEXT NOT NULL, private TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE aliases (name TEXT PRIMARY KEY, key TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE parameters (
    name TEXT PRIMARY KEY, type TEXT NOT NULL, value TEXT NOT NULL, version INTEGER NOT NULL,
    modified INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE queues (name TEXT PRIMARY KEY, attributes TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE messages (
    id INTEGER PRIMARY KEY, queue TEXT NOT NULL, message TEXT NOT NULL, body TEXT NOT NULL, sent INTEGER NOT NULL,
    visible INTEGER NOT NULL, received INTEGER NOT NULL DEFAULT 0, first INTEGER, receipt TEXT);
CREATE INDEX messages_by_visibility ON messages (queue, visible);
CREATE TABLE log_groups (name TEXT PRIMARY KEY, created INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE log_streams (
    id INTEGER PRIMARY KEY, grp TEXT NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL, UNIQUE (grp, name));
CREATE TABLE log_events (
    id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, at INTEGER NOT NULL, ingested INTEGER NOT NULL,
    message TEXT NOT NULL);
CREATE INDEX log_events_by_stream ON log_events (stream, id);
CREATE TABLE runs (number INTEGER PRIMARY KEY AUTOINCREMENT, started INTEGER NOT NULL);
CREATE TABLE trimmed (sequence INTEGER NOT NULL);
INSERT INTO trimmed VALUES (0);
"""

# After a sync that failed nobody knows what is on the disk, and another sync would not tell.
_LOST = frozenset({"SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC"})

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class OtherVersion(Exception):
    """The database was written by another version of this program."""


class Database:
    """Opened by `Database(path)`; `close` ends the threads and leaves one file."""

    def __init__(self, path: Path, faults: Faults | None = None) -> None:
        self._path = path
        self._faults = faults or Faults({})
        self._log = path.with_name(path.name + "-wal")
        self._writer = _connect(path)
        _prepare(self._writer)
        self.reader = _connect(path)
        self.reader.execute("PRAGMA query_only=ON")
        self._queue: queue.SimpleQueue[_Pending | None] = queue.SimpleQueue()
        self._checkpoint_due = threading.Event()
        self.failed = False
        self._tell: Callable[[], object] = lambda: None
        self._hint: Callable[[], object] = lambda: None
        self._closing = False
        self._threads = [
            threading.Thread(target=self._write, name="writer"),
            threading.Thread(target=self._checkpoint, name="checkpoint", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    async def write(self, work: Work[T]) -> T:
        """Run `work` in a transaction and return what it returns, once that is on the disk.

        What `work` raises undoes its own changes alone. Raises Unavailable when the transaction cannot be committed.
        """
        pending = _Pending(work, asyncio.get_running_loop())
        self._queue.put(pending)
        result: T = await pending.future
        return result

    def on_failure(self, tell: Callable[[], object]) -> None:
        """Have `tell` called, in another thread, when the disk did not keep what it had taken (`failed`)."""
        self._tell = tell

    def on_commit(self, hint: Callable[[], object]) -> None:
        """Have `hint` called, in another thread, after every commit and before anybody is answered."""
        self._hint = hint

    def close(self) -> None:
        self._closing = True
        self._queue.put(None)
        self._checkpoint_due.set()
        for thread in self._threads:
            thread.join()
        self.reader.close()
        with contextlib.suppress(sqlite3.Error):
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._writer.close()

    def _write(self) -> None:
        while (pending := self._queue.get()) is not None:
            batch = [pending]
            with contextlib.suppress(queue.Empty):
                while len(batch) < BATCH:
                    following = self._queue.get_nowait()
                    if following is None:
                        self._queue.put(None)
                        break
                    batch.append(following)
            self._commit(batch)

    def _commit(self, batch: list[_Pending]) -> None:
        connection = self._writer
        try:
            connection.execute("BEGIN IMMEDIATE")
            self._faults.at("transaction-begun")
            for one in batch:
                one.run(connection)
            self._faults.at("transaction-written")
            connection.execute("COMMIT")
            self._faults.at("transaction-committed")
            self._hint()
        except (sqlite3.Error, OSError) as error:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            for one in batch:
                one.error = Unavailable(str(error))
            if getattr(error, "sqlite_errorname", "") in _LOST:
                self.failed = True
                self._tell()
        for loop in {one.loop for one in batch}:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and with it whoever waited
                loop.call_soon_threadsafe(_answer, [one for one in batch if one.loop is loop])
        size = self._log.stat().st_size if self._log.exists() else 0
        if size > LONGEST_LOG:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        elif size > (self._faults.checkpoint or CHECKPOINT):
            self._checkpoint_due.set()

    def _checkpoint(self) -> None:
        connection = _connect(self._path)
        while True:
            self._checkpoint_due.wait()
            if self._closing:
                break
            self._checkpoint_due.clear()
            self._faults.at("checkpoint-begun")
            with contextlib.suppress(sqlite3.Error):
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            self._faults.at("checkpoint-ended")
            time.sleep(_PAUSE)  # the file is cut only when the log begins anew, so its size may tell it again at once
        connection.close()


class _Pending:
    """A write that waits for its turn, then for the commit."""

    __slots__ = ("error", "future", "loop", "result", "work")

    def __init__(self, work: Work[Any], loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self, connection: sqlite3.Connection) -> None:
        connection.execute("SAVEPOINT one")
        try:
            self.result = self.work(connection)
        except sqlite3.Error:
            raise  # the disk's fault: the whole transaction is given up
        except Exception as error:
            connection.execute("ROLLBACK TO one")
            self.error = error
        connection.execute("RELEASE one")


def _answer(batch: list[_Pending]) -> None:
    for one in batch:
        if one.future.done():
            continue
        if one.error is not None:
            one.future.set_exception(one.error)
        else:
            one.future.set_result(one.result)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30, cached_statements=512)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("PRAGMA cache_size=-16384")
    connection.execute(f"PRAGMA journal_size_limit={CHECKPOINT}")
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    """Make the schema in a new database. Raises OtherVersion."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version not in (0, VERSION):
        raise OtherVersion(f"the database is of version {version}, this program of {VERSION}")
    if version == 0:
        connection.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version={VERSION};COMMIT;")
