"""The bytes of objects: a file for each PUT and each part, written once under a name that nothing else ever has.

A file is written, synced, and so is its directory, before any row names it; a name is never used again. So a crash
leaves whole objects and files that no row names, which `sweep` deletes; a rename would add nothing. A multipart object
is the list of its parts' files: completing one copies no byte.
"""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import secrets
import shutil
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.cloud.errors import Unavailable
from local.cloud.faults import Faults
from local.cloud.s3.checksums import new_hash

PIECE = 1024 * 1024  # bytes that are written, or read, at once
SYNC = 64 * 1024 * 1024  # bytes after which the disk is waited for, so that the last sync has little left
THREADS = 8

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Segment:
    """A file that is an object, or a part of one."""

    file: str
    size: int


def segments_text(segments: Iterable[Segment]) -> str:
    return json.dumps([[one.file, one.size] for one in segments], separators=(",", ":"))


def segments_from(text: str) -> tuple[Segment, ...]:
    return tuple(Segment(file, size) for file, size in json.loads(text))


class Files:
    """The directory of them. `run` is a number that no earlier process had."""

    def __init__(self, root: Path, run: int, faults: Faults | None = None) -> None:
        self._root = root
        self._run = f"{run:08x}"
        self._faults = faults or Faults({})
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="files")
        self._reading: Counter[str] = Counter()
        self._doomed: set[str] = set()
        for number in range(256):
            (root / f"{number:02x}").mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync_directory(root)

    def free(self) -> int:
        """Return how many bytes the disk has left."""
        return shutil.disk_usage(self._root).free

    def incoming(self, algorithms: Iterable[str]) -> Incoming:
        """A new file, and the hashes of these algorithms of what is written to it."""
        return Incoming(self, self._run + secrets.token_hex(12), algorithms)

    async def read(self, segments: Sequence[Segment], start: int, length: int) -> AsyncIterator[bytes]:
        """`length` bytes from `start` on. What is deleted meanwhile is read to its end."""
        names = [one.file for one in segments]
        self._reading.update(names)
        try:
            for segment in segments:
                if length <= 0:
                    break
                if start >= segment.size:
                    start -= segment.size
                    continue
                here = min(length, segment.size - start)
                async for piece in self._pieces(segment.file, start, here):
                    yield piece
                start, length = 0, length - here
        finally:
            self._reading.subtract(names)
            self._reading = +self._reading
            self._forget([name for name in names if name in self._doomed])

    def remove(self, names: Iterable[str]) -> None:
        """Delete files that no row names any more; those that are being read when that is over."""
        self._faults.at("object-removed")
        self._forget(list(names))

    async def sweep(self, database: Path) -> int:
        """Delete what no row of the database names, and earlier processes have left; how many files that were."""
        return int(await self.run(self._sweep, database))

    async def run(self, function: Any, *arguments: Any) -> Any:
        """Run something that waits for the disk. Raises Unavailable when the disk is full or broken."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
        except OSError as error:
            raise Unavailable(os.strerror(error.errno or errno.EIO)) from error

    def close(self) -> None:
        self._threads.shutdown()

    def path(self, name: str) -> Path:
        return self._root / name[-2:] / name

    def at(self, step: str) -> None:
        self._faults.at(step)

    async def _pieces(self, name: str, start: int, length: int) -> AsyncIterator[bytes]:
        descriptor = await self.run(os.open, self.path(name), os.O_RDONLY | os.O_CLOEXEC)
        try:
            while length:
                piece = await self.run(os.pread, descriptor, min(PIECE, length), start)
                if not piece:
                    raise Unavailable(f"a file of an object is shorter than it was: {name}")
                yield piece
                start, length = start + len(piece), length - len(piece)
        finally:
            os.close(descriptor)

    def _forget(self, names: Iterable[str]) -> None:
        for name in names:
            if self._reading[name] > 0:
                self._doomed.add(name)
            else:
                self._doomed.discard(name)
                self._threads.submit(self.path(name).unlink, missing_ok=True)

    def _sweep(self, database: Path) -> int:
        present = [
            name
            for directory in self._root.iterdir()
            for name in os.listdir(directory)  # noqa: PTH208 - names are wanted
            if name[:8] != self._run
        ]
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        try:
            named = {name for (name,) in connection.execute("SELECT file FROM parts")}
            for (text,) in connection.execute("SELECT segments FROM objects"):
                named.update(segment.file for segment in segments_from(text))
        finally:
            connection.close()
        orphans = [name for name in present if name not in named]
        for name in orphans:
            self.path(name).unlink(missing_ok=True)
        return len(orphans)


class Incoming:
    """A file that is being written. `finish` makes it durable, `discard` deletes it; one of them is called."""

    def __init__(self, files: Files, name: str, algorithms: Iterable[str]) -> None:
        self.name = name
        self.size = 0
        self._files = files
        self._hashes = {algorithm: new_hash(algorithm) for algorithm in algorithms}
        self._pending: list[bytes] = []
        self._waiting = 0
        self._unsynced = 0
        self._descriptor = -1

    async def write(self, piece: bytes) -> None:
        """Raises Unavailable."""
        self._pending.append(piece)
        self._waiting += len(piece)
        self.size += len(piece)
        if self._waiting >= PIECE:
            await self._files.run(self._flush)

    async def finish(self) -> dict[str, bytes]:
        """Returns once file and directory are on the disk: the digests by algorithm. Raises Unavailable."""
        await self._files.run(self._place)
        return {algorithm: one.digest() for algorithm, one in self._hashes.items()}

    async def discard(self) -> None:
        await self._files.run(self._abandon)

    def _flush(self) -> None:
        if self._descriptor < 0:
            self._files.at("object-begun")
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._descriptor = os.open(self._files.path(self.name), flags, 0o600)
        pending, self._pending, self._waiting = self._pending, [], 0
        for piece in pending:
            for one in self._hashes.values():
                one.update(piece)
            view = memoryview(piece)
            while view:
                view = view[os.write(self._descriptor, view) :]
            self._unsynced += len(piece)
        self._files.at("object-written")
        if self._unsynced >= SYNC:
            os.fdatasync(self._descriptor)
            self._unsynced = 0

    def _place(self) -> None:
        self._flush()
        os.fsync(self._descriptor)
        self._files.at("object-synced")
        os.close(self._descriptor)
        self._descriptor = -1
        _sync_directory(self._files.path(self.name).parent)
        self._files.at("object-placed")

    def _abandon(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._files.path(self.name).unlink(missing_ok=True)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
