"""Uploads that nobody completed go in the end, soon where the disk is nearly full; items when their time is over."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from functools import partial
from pathlib import Path

import pytest

from local.cloud.database import Database
from local.cloud.housekeeping import KEPT_WHEN_FULL, TTL_IGNORES, UPLOADS_KEPT, abort_uploads, expired

HOUR = 3_600
# Ages in seconds of uploads and of their parts, by id.
UPLOADS: dict[str, tuple[int, list[int]]] = {
    "new": (60, [30]),
    "failed": (2 * HOUR, [2 * HOUR, HOUR + 60]),
    "empty": (2 * HOUR, []),
    "slow": (20 * HOUR, [19 * HOUR, 60]),
    "ancient": (9 * 24 * HOUR, [9 * 24 * HOUR]),
}


def fill(connection: sqlite3.Connection) -> None:
    now = time.time()
    for upload, (age, parts) in UPLOADS.items():
        begun = int((now - age) * 1000)
        connection.execute("INSERT INTO uploads VALUES (?, 'b', x'00', ?, '{}', '')", (upload, begun))
        for number, part in enumerate(parts, 1):
            values = (upload, number, f"{upload}-{number}", int((now - part) * 1000))
            connection.execute("INSERT INTO parts VALUES (?, ?, ?, 1, 'e', '', ?)", values)


@pytest.mark.parametrize(
    ("kept", "gone", "files"),
    [
        (UPLOADS_KEPT, {"ancient"}, {"ancient-1"}),
        (KEPT_WHEN_FULL, {"failed", "empty", "ancient"}, {"failed-1", "failed-2", "ancient-1"}),
    ],
)
def test_an_upload_goes_once_it_has_got_nothing_for_a_time(
    kept: int, gone: set[str], files: set[str], tmp_path: Path
) -> None:
    async def main() -> list[str]:
        database = Database(tmp_path / "cloud.db")
        try:
            await database.write(fill)
            return await database.write(partial(abort_uploads, kept=kept))
        finally:
            database.close()

    assert set(asyncio.run(main())) == files
    with sqlite3.connect(tmp_path / "cloud.db") as connection:
        assert {upload for (upload,) in connection.execute("SELECT id FROM uploads")} == UPLOADS.keys() - gone
        assert {upload for (upload,) in connection.execute("SELECT upload FROM parts")} == UPLOADS.keys() - gone - {
            "empty"
        }


def test_ttl_takes_what_is_over_and_passes_by_what_was_over_years_ago(tmp_path: Path) -> None:
    """As DynamoDB, to which a number of more than five years ago is no time."""
    now = int(time.time())
    times = {"later": now + HOUR, "over": now - HOUR, "long over": now - TTL_IGNORES + HOUR, "no time": 38}

    def fill_items(connection: sqlite3.Connection) -> None:
        for name, at in times.items():
            values = (name.encode(), at)
            connection.execute(
                "INSERT INTO items (tbl, pk, sk, size, expires, item) VALUES (1, ?, x'00', 1, ?, '{}')", values
            )

    async def main() -> list[tuple[int, bytes, bytes, str]]:
        database = Database(tmp_path / "cloud.db")
        try:
            await database.write(fill_items)
            return await database.write(expired)
        finally:
            database.close()

    assert [pk for _, pk, _, _ in asyncio.run(main())] == [b"long over", b"over"]
