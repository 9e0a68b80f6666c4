"""The benchmarks run from end to end, by `python -m bench`, with few samples."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.sections.imports import CLIENTS
from infra.packaging.source import configured_functions
from tests.slapd import needs_slapd

ROOT = Path(__file__).resolve().parents[3]
WIDTH = 120


@needs_slapd
def test_sections_that_need_no_client_print_their_tables() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "calls", "handlers", "events", "management", "imports", "logins", "--quick"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for title in (
        "Calls to AWS",
        "Handlers over a bare get_item",
        "Events in the webhook",
        "Cold import",
        "Tokens by each way in",
    ):
        assert title in done.stdout
    for row in (
        "PUT manifest, 10 layers",
        "GET token, password known",
        "GET artifacts, behind a cursor",
        "POST copy of an image, 1 layer",
        "mutations, from the stream",
        "directory, asked",
    ):
        assert row in done.stdout
    assert "registry: import and prepare()" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= WIDTH


def test_the_start_of_each_function_is_held_against_the_clients_that_it_needs() -> None:
    """`--quick` starts one of them."""
    assert set(CLIENTS) == set(configured_functions())


def test_an_unknown_section_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["calls", "cals"])
    assert stopped.value.code == 2
    assert "unknown section cals; the sections are calls, handlers" in capsys.readouterr().err
