"""The Makefile's targets pass on what they are given."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        # Not those of a `make` that runs the tests, which adds warnings to what is printed.
        env={name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")},
    )


@pytest.mark.parametrize("target", ["down", "reset"])
def test_a_state_directory_may_have_a_space_in_its_name(target: str, tmp_path: Path) -> None:
    absent = make(target, f"STATE={tmp_path}/no such")
    assert (absent.returncode, absent.stderr) == (0, "")
    assert f'--state "{tmp_path}/a b" ' in f"{make('-n', target, f'STATE={tmp_path}/a b').stdout.strip()} "


@pytest.mark.parametrize("target", ["up", "audit"])
def test_a_state_directory_with_a_space_is_one_argument(target: str) -> None:
    assert '--state "/srv/a b" ' in make("-n", target, "STATE=/srv/a b").stdout
