"""Runs what `console/journeys` has, in the machine's Chromium, against a running registry."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping

from console.build import build
from console.npm import HERE, command, install
from tests.e2e.cloud import Cloud

_PATIENCE = 900  # seconds


def run(cloud: Cloud, *files: str, environment: Mapping[str, str] | None = None) -> None:
    """Run the files, or every journey. Raises AssertionError with what they printed."""
    chromium = shutil.which("chromium")
    assert chromium is not None, "Chromium is not installed; .ci/run installs it."
    build()
    install(with_tests=True)
    ended = subprocess.run(
        command("vitest/vitest.mjs", "run", "--config", "journeys/vitest.config.ts", *files),
        cwd=HERE,
        env={
            **os.environ,
            **(environment or {}),
            "CHROMIUM": chromium,
            "CONSOLE_REGISTRY": cloud.url,
            "CONSOLE_ADMIN": cloud.admin,
            "CONSOLE_PASSWORD": cloud.admin_password,
            "NO_COLOR": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-8_000:]
