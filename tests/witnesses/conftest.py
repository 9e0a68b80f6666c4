"""A registry on this machine, and the environment with Harbor's clients, whose dependencies contradict ours."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.ports import free_port

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / ".venv-witnesses" / "bin"
JOURNEYS = Path(__file__).parent / "journeys"
START = 300.0  # seconds until the registry must respond
PATIENCE = 1_800.0  # seconds for a journey


@dataclass(frozen=True, slots=True)
class Registry:
    url: str
    password: str  # of `admin`
    work: Path

    def run(self, *command: str | Path, environ: Mapping[str, str] | None = None) -> str:
        """Return what a program of the clients' environment writes. Raises AssertionError with it if it fails."""
        made = subprocess.run(
            command,
            cwd=self.work,
            env={
                "PATH": f"{CLIENTS}:{os.environ['PATH']}",
                "HOME": str(self.work),
                "ROADSTEAD_URL": self.url,
                "ROADSTEAD_USER": "admin",
                "ROADSTEAD_PASSWORD": self.password,
                "PYTHONWARNINGS": "ignore",
                "NO_COLOR": "1",
                "COLUMNS": "200",
                **(environ or {}),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert made.returncode == 0, f"{command}: exit code {made.returncode}\n{made.stdout[-8_000:]}"
        return made.stdout


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    if not CLIENTS.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{CLIENTS.parent} is absent: make it by `make {CLIENTS.parent.name}/witnesses.stamp`")
        pytest.skip(f"{CLIENTS.parent} is absent: `make test` installs Harbor's clients")
    state, work = tmp_path_factory.mktemp("state"), tmp_path_factory.mktemp("work")
    port = free_port()
    url, log = f"http://127.0.0.1:{port}", work / "registry.log"
    command = [sys.executable, "-m", "local", "up", "--port", str(port), "--state", str(state / "state")]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output, start_new_session=True)
    try:
        _wait(process, f"{url}/api/v2.0/health", log)
        yield Registry(url, (state / "state" / "admin-password").read_text().strip(), work)
    finally:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(120)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=30) as answer:
            if answer.status == 200:
                return
        time.sleep(0.5)
    raise RuntimeError(f"the registry did not start:\n{log.read_text()[-4_000:]}")
