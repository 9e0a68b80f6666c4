"""The benchmarks that need skopeo and distribution run from end to end, with little data."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WIDTH = 120


def test_every_way_of_moving_an_image_is_measured() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "image", "data-plane", "from-zero", "--quick"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = ("login", "push, PUT straight to S3", "push, PATCH by the relay", "pull by skopeo", "relay", "next push")
    for row in rows:
        assert row in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= WIDTH
