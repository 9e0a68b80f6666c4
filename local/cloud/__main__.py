"""The process of the embedded AWS: `python -m local.cloud DIRECTORY FD…`, with listening sockets as FDs.

The environment has the one key pair that it takes (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), the region (AWS_REGION)
and the base of its URLs (AWS_ENDPOINT_URL). It ends at SIGTERM, or when its standard input does, which is a pipe from
its parent. To standard output it writes a byte whenever there is something new for whoever delivers events.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
from pathlib import Path

from local.cloud.database import Database, OtherVersion
from local.cloud.faults import Faults
from local.cloud.housekeeping import Housekeeping
from local.cloud.http import Server
from local.cloud.s3.files import Files
from local.cloud.s3.service import S3
from local.cloud.service import Cloud
from local.cloud.signatures import Credentials
from local.cloud.sqs import Sqs

STOP = 5.0  # seconds for requests that are under way
OTHER_VERSION = 5  # exit codes
DISK_FAILED = 6

_log = logging.getLogger(__name__)


async def serve(directory: Path, listeners: list[socket.socket]) -> int:
    faults = Faults.from_environ(os.environ)
    credentials = Credentials(
        os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], os.environ["AWS_REGION"]
    )
    path = directory / "cloud.db"
    database = Database(path, faults)
    run = await database.write(
        lambda connection: connection.execute("INSERT INTO runs (started) VALUES (?)", (int(time.time()),)).lastrowid
    )
    files = Files(directory / "objects", int(run or 0), faults)
    sqs = Sqs(database, credentials.region, os.environ["AWS_ENDPOINT_URL"])
    cloud = Cloud(database, S3(database, files, sqs, credentials.region), sqs, credentials, faults)
    server = Server(cloud)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await loop.connect_read_pipe(lambda: _EndOfInput(stopping), sys.stdin)
    await server.start(listeners)
    tasks = [
        asyncio.create_task(Housekeeping(database, cloud.tables, files).run()),
        asyncio.create_task(_sweep(files, path)),
    ]
    database.on_commit(_hint)
    database.on_failure(lambda: loop.call_soon_threadsafe(stopping.set))
    await stopping.wait()
    for task in tasks:
        task.cancel()
    await server.stop(STOP)
    files.close()
    database.close()
    return DISK_FAILED if database.failed else 0


async def _sweep(files: Files, database: Path) -> None:
    if count := await files.sweep(database):
        _log.warning("%d files that no object has were deleted", count)


def _hint() -> None:
    """Nobody reads it, or has not read for long, or is gone: all the same."""
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), b".")


class _EndOfInput(asyncio.Protocol):
    def __init__(self, stopping: asyncio.Event) -> None:
        self._stopping = stopping

    def connection_lost(self, exc: Exception | None) -> None:
        self._stopping.set()


def main(arguments: list[str]) -> int:
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    listeners = [socket.socket(fileno=int(number)) for number in arguments[1:]]
    for listener in listeners:
        listener.setblocking(False)
    try:
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(serve(Path(arguments[0]), listeners))
    except OtherVersion as error:
        _log.error("%s", error)
        return OTHER_VERSION


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
