"""The state directory is created, locked, described and deleted; another directory is refused."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.__main__ import main
from local.failures import ExitCode, Failure
from local.state import VERSION, Ready, StateDirectory, write_atomically

READY = Ready(
    "http://r",
    "http://s",
    "admin",
    "/p",
    1,
    "http://s",
    "us-east-1",
    "i",
    "d",
    "b",
    "k",
    "u",
    "http://a",
    None,
    {},
    "/c",
)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDirectory]:
    directory = StateDirectory(tmp_path / "state")
    yield directory
    directory.release()


def code(raised: pytest.ExceptionInfo[Failure]) -> ExitCode:
    return raised.value.code


def test_a_new_directory_is_private_to_its_owner(state: StateDirectory) -> None:
    state.acquire()
    assert (state.path / "version").read_text() == VERSION + "\n"
    assert stat.S_IMODE(state.path.stat().st_mode) == 0o700
    assert state.cloud.is_dir()
    assert state.logs.is_dir()


def test_a_directory_of_ours_that_others_may_look_into_is_closed_to_them(state: StateDirectory) -> None:
    state.path.mkdir(mode=0o755)
    state.path.chmod(0o755)
    state.acquire()
    assert stat.S_IMODE(state.path.stat().st_mode) == 0o700


def test_a_directory_of_somebody_else_is_refused(state: StateDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    state.path.mkdir()
    monkeypatch.setattr("os.geteuid", lambda: 4_242)
    with pytest.raises(Failure, match=r"belongs to the user \d+, and this is user 4242") as raised:
        state.acquire()
    assert code(raised) is ExitCode.OTHER_STATE


def test_an_empty_directory_is_accepted_twice(state: StateDirectory) -> None:
    state.path.mkdir()
    state.acquire()
    state.release()
    state.acquire()


def test_a_foreign_directory_is_neither_used_nor_deleted(state: StateDirectory) -> None:
    state.path.mkdir()
    (state.path / "thesis.txt").write_text("years")
    for use in (state.acquire, state.delete):
        with pytest.raises(Failure, match=r"not a state directory|neither empty nor") as raised:
            use()
        assert code(raised) is ExitCode.OTHER_STATE
    assert (state.path / "thesis.txt").read_text() == "years"


def test_a_file_is_refused_as_state_directory(state: StateDirectory) -> None:
    state.path.write_text("")
    with pytest.raises(Failure) as raised:
        state.acquire()
    assert code(raised) is ExitCode.OTHER_STATE


def test_the_state_of_another_version_is_refused_and_can_be_deleted(state: StateDirectory) -> None:
    state.path.mkdir()
    (state.path / "version").write_text("roadstead-local 99\n")
    with pytest.raises(Failure, match="another version") as raised:
        state.acquire()
    assert code(raised) is ExitCode.OTHER_STATE
    state.delete()
    assert not state.path.exists()


def test_a_directory_in_use_is_neither_used_nor_deleted(state: StateDirectory) -> None:
    state.acquire()
    other = StateDirectory(state.path)
    assert other.in_use()
    for use in (other.acquire, other.delete):
        with pytest.raises(Failure, match="in use") as raised:
            use()
        assert code(raised) is ExitCode.STATE_IN_USE
    assert state.cloud.is_dir()


def test_a_full_disk_is_a_failure(state: StateDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1, 1, 0))
    with pytest.raises(Failure, match="full") as raised:
        state.acquire()
    assert code(raised) is ExitCode.DISK_FULL


def test_ready_json_is_complete_and_lasts_until_the_next_start(state: StateDirectory) -> None:
    state.acquire()
    assert state.read_ready() is None
    state.write_ready(READY)
    document = state.read_ready()
    assert document is not None
    assert {"registry", "s3", "admin", "password_file", "pid"} <= set(document)
    assert not list(state.path.glob("*.tmp"))
    state.release()
    state.acquire()  # as after a kill
    assert state.read_ready() is None


def test_a_foreign_ready_json_is_refused(state: StateDirectory) -> None:
    state.acquire()
    state.ready_file.write_text("[]")
    with pytest.raises(Failure):
        state.read_ready()


def test_a_written_file_is_private_to_its_owner(tmp_path: Path) -> None:
    write_atomically(tmp_path / "secret", "s")
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_down_and_reset_succeed_without_a_state_directory(tmp_path: Path) -> None:
    assert main(["down", "--state", str(tmp_path / "none")]) == 0
    assert main(["reset", "--state", str(tmp_path / "none")]) == 0


def test_down_does_not_signal_a_process_that_reuses_the_pid_of_a_killed_one(
    state: StateDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    state.acquire()
    state.ready_file.write_text(json.dumps({"pid": 1}))
    state.release()
    assert main(["down", "--state", str(state.path)]) == 0
    assert "No registry runs" in capsys.readouterr().out


def test_reset_of_a_foreign_directory_is_refused_with_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("years")
    assert main(["reset", "--state", str(tmp_path)]) == ExitCode.OTHER_STATE
    assert "nothing was deleted" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [tmp_path / "thesis.txt"]
