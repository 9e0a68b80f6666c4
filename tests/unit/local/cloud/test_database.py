"""The database: writes in groups, what is left of a torn log, and a disk that takes no more."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from local.cloud import database
from local.cloud.database import Database, OtherVersion
from local.cloud.errors import AwsError, Unavailable
from local.cloud.faults import Faults


def insert(*tokens: str) -> Callable[[sqlite3.Connection], None]:
    def work(connection: sqlite3.Connection) -> None:
        for token in tokens:
            connection.execute("INSERT INTO tokens VALUES (?, x'00', 0)", (token,))

    return work


def tokens(path: Path) -> set[str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return {token for (token,) in connection.execute("SELECT token FROM tokens")}


def run(path: Path, use: Callable[[Database], object], faults: Faults | None = None) -> None:
    async def main() -> None:
        opened = Database(path, faults)
        try:
            result = use(opened)
            if asyncio.iscoroutine(result):
                await result
        finally:
            opened.close()

    asyncio.run(main())


def test_what_is_written_is_read_at_once_and_after_it_was_closed(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"

    async def use(opened: Database) -> None:
        await opened.write(insert("a"))
        assert opened.reader.execute("SELECT count(*) FROM tokens").fetchone() == (1,)

    run(path, use)
    assert tokens(path) == {"a"}
    assert [file.name for file in tmp_path.iterdir()] == ["cloud.db"]


def test_a_write_that_raises_undoes_its_own_changes_and_nobody_elses(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"

    def refused(connection: sqlite3.Connection) -> None:
        insert("b")(connection)
        raise AwsError("No", "no")

    async def use(opened: Database) -> None:
        results = await asyncio.gather(
            opened.write(insert("a")), opened.write(refused), opened.write(insert("c")), return_exceptions=True
        )
        assert [type(result) for result in results] == [type(None), AwsError, type(None)]

    run(path, use)
    assert tokens(path) == {"a", "c"}


def test_a_log_that_was_cut_anywhere_holds_whole_writes_in_their_order(tmp_path: Path) -> None:
    """A power cut in the middle of a write: the last record is torn, which is no error, and it never half happened."""
    path, log = tmp_path / "cloud.db", tmp_path / "cloud.db-wal"
    copies = tmp_path / "copies"

    async def use(opened: Database) -> None:
        for number in range(20):
            await opened.write(insert(f"{number:02d}a", f"{number:02d}b"))
        lots = random.Random(1)
        size = log.stat().st_size
        for place, cut in enumerate([0, 1, size - 1, size, *(lots.randrange(size) for _ in range(40))]):
            copy = copies / str(place)
            copy.mkdir(parents=True)
            shutil.copy(path, copy)
            (copy / log.name).write_bytes(log.read_bytes()[:cut])

    run(path, use)
    seen = set()
    for copy in copies.iterdir():
        found: list[set[str]] = []
        run(copy / path.name, lambda opened, found=found: found.append(_of(opened)))  # type: ignore[misc]
        whole = {f"{number:02d}{part}" for number in range(len(found[0]) // 2) for part in "ab"}
        assert found[0] == whole
        seen.add(len(whole))
    assert {0, 40} <= seen


def _of(opened: Database) -> set[str]:
    with contextlib.suppress(sqlite3.OperationalError):  # cut before the schema was there
        return {token for (token,) in opened.reader.execute("SELECT token FROM tokens")}
    return set()


@pytest.mark.parametrize("step", ["transaction-begun", "transaction-written"])
def test_a_full_disk_is_told_and_what_was_there_stays(tmp_path: Path, step: str) -> None:
    path = tmp_path / "cloud.db"
    run(path, lambda opened: opened.write(insert("a")))

    async def use(opened: Database) -> None:
        with pytest.raises(Unavailable, match="No space left on device"):
            await opened.write(insert("b"))
        assert opened.reader.execute("SELECT token FROM tokens").fetchall() == [("a",)]
        assert not opened.failed

    run(path, use, Faults({"full": {step: 1}}))
    run(path, lambda opened: opened.write(insert("c")))
    assert tokens(path) == {"a", "c"}


def test_the_log_is_cut_while_writes_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, log = tmp_path / "cloud.db", tmp_path / "cloud.db-wal"
    monkeypatch.setattr(database, "CHECKPOINT", 100_000)
    monkeypatch.setattr(database, "LONGEST_LOG", 1_000_000)

    async def use(opened: Database) -> None:
        most = 0
        for number in range(2_000):
            await opened.write(insert(f"{number:04d}" + "x" * 2_000))
            most = max(most, log.stat().st_size)
        assert most < 3_000_000

    run(path, use)
    assert len(tokens(path)) == 2_000


def test_everybody_is_told_after_the_commit_that_something_changed(tmp_path: Path) -> None:
    told: list[int] = []

    async def use(opened: Database) -> None:
        opened.on_commit(lambda: told.append(1))
        await opened.write(insert("a"))
        assert told == [1]

    run(tmp_path / "cloud.db", use)


def test_another_versions_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(OtherVersion, match="of version 99"):
        run(path, lambda _: None)
