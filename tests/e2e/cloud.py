"""The registry under test: started for the session, or a running one, whose ready.json ROADSTEAD_E2E_READY names."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.ports import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
_START, _STOP = 300.0, 120.0  # seconds, on a busy machine


@dataclass(frozen=True, slots=True)
class Cloud:
    """The content of a running registry's `ready.json`."""

    ready: Mapping[str, Any]

    @property
    def url(self) -> str:
        return str(self.ready["registry"])

    @property
    def host(self) -> str:
        """host:port, as in the name of an image."""
        return urlsplit(self.url).netloc

    @property
    def admin(self) -> str:
        return str(self.ready["admin"])

    @property
    def admin_password(self) -> str:
        return Path(self.ready["password_file"]).read_text().strip()

    def pids(self) -> dict[str, int]:
        """Return the current processes of gateway and edge ("stack"), and of the relay."""
        ready = Path(self.ready["password_file"]).with_name("ready.json")
        return dict(json.loads(ready.read_text())["pids"])

    def relayed(self) -> int:
        """Return how many bodies the relay is receiving."""
        with urllib.request.urlopen(f"{self.ready['relay']}/health", timeout=60) as answer:
            return int(json.load(answer)["uploads"])

    def trail(self, *options: str) -> list[dict[str, Any]]:
        """Return what `make audit` prints."""
        state = Path(self.ready["password_file"]).parent
        printed = subprocess.run(
            [sys.executable, "-m", "local", "audit", "--state", str(state), *options],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        return [json.loads(line) for line in printed.stdout.splitlines()]

    def requests(self) -> list[str]:
        """Return the gateway's log, a line for each response: … METHOD PATH STATUS … ms."""
        log = Path(self.ready["password_file"]).with_name("logs") / "gateway.log"
        return log.read_text(errors="replace").splitlines()

    def uploads(self, repository: str, since: int) -> int:
        """Return how many blobs were uploaded to a repository, not mounted, after the first `since` requests."""
        done = re.compile(rf"PUT /v2/{re.escape(repository)}/blobs/uploads/(\S+) 201")
        return len({found[1] for line in self.requests()[since:] if (found := done.search(line))})


class Instance:
    """A `python -m local up` in its own process group; it stops when the tests die."""

    def __init__(self, state: Path, port: int, *options: str, module: str = "local") -> None:
        self._state = state
        self._log = state.with_name(state.name + ".out")
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [
                    "setpriv",
                    "--pdeathsig=TERM",
                    sys.executable,
                    "-m",
                    module,
                    "up",
                    "--port",
                    str(port),
                    "--state",
                    str(state),
                    *options,
                ],
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def printed(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_until_ready(self) -> Cloud:
        """Wait until it serves. Raises AssertionError with its output if it does not."""
        deadline = time.monotonic() + _START
        ready = self._state / "ready.json"
        while not ready.exists():
            assert self._process.poll() is None, f"`local up` ended with {self._process.returncode}:\n{self.printed}"
            assert time.monotonic() < deadline, f"`local up` was not ready after {_START:.0f} s:\n{self.printed}"
            time.sleep(0.05)
        return Cloud(json.loads(ready.read_text()))

    def interrupt(self) -> int:
        """Send SIGINT to the process group, as Ctrl-C does; return the exit code."""
        os.killpg(self._process.pid, signal.SIGINT)
        return self._process.wait(_STOP)

    def kill(self) -> None:
        """Stop it, whatever its state."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(_STOP)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@contextlib.contextmanager
def instance(state: Path, port: int, *options: str, module: str = "local") -> Iterator[Instance]:
    """Run an instance with `options` of `local up`, or of a `module` with the same options."""
    started = Instance(state, port, *options, module=module)
    try:
        yield started
    finally:
        started.kill()


@contextlib.contextmanager
def running(work: Path) -> Iterator[Cloud]:
    """Yield the registry for a session of tests."""
    given = os.environ.get("ROADSTEAD_E2E_READY")
    if given:
        yield Cloud(json.loads(Path(given).read_text()))
        return
    with instance(work / "state", free_port()) as started:
        yield started.wait_until_ready()
