"""The benchmarks run from end to end, as `python -m bench` runs them, with as few samples as will do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import main

ROOT = Path(__file__).resolve().parents[3]
WIDTH = 120


def test_the_tables_that_need_no_client_come_out_whole() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "calls", "handlers", "events", "imports", "--quick"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for title in ("Calls to AWS", "Handlers over a bare get_item", "Events in the webhook", "Cold import"):
        assert title in done.stdout
    for row in ("PUT manifest, 10 layers", "GET token, password known", "mutations, from the stream"):
        assert row in done.stdout
    assert "registry: import and prepare()" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= WIDTH


def test_a_section_that_does_not_exist_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["calls", "cals"])
    assert stopped.value.code == 2
    assert "there is no section cals; there are calls, handlers" in capsys.readouterr().err
