"""The registry under test: started for the session, or a running one that `ROADSTEAD_E2E_READY` points to."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

REPOSITORY = Path(__file__).resolve().parents[2]
_START, _STOP = 60.0, 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Cloud:
    """What `ready.json` of a running registry says."""

    ready: Mapping[str, Any]

    @property
    def url(self) -> str:
        return str(self.ready["registry"])

    @property
    def host(self) -> str:
        """host:port, as it stands before the name of an image."""
        return urlsplit(self.url).netloc

    @property
    def admin(self) -> str:
        return str(self.ready["admin"])

    @property
    def admin_password(self) -> str:
        return Path(self.ready["password_file"]).read_text().strip()

    def pids(self) -> dict[str, int]:
        """The process that holds gateway and edge ("stack"), and the relay's, as they are now."""
        ready = Path(self.ready["password_file"]).with_name("ready.json")
        return dict(json.loads(ready.read_text())["pids"])

    def relayed(self) -> int:
        """How many bodies the relay takes at the moment."""
        with urllib.request.urlopen(f"{self.ready['relay']}/health", timeout=10) as answer:
            return int(json.load(answer)["uploads"])

    def requests(self) -> list[str]:
        """The gateway's log, a line an answer: … METHOD PATH STATUS … ms."""
        log = Path(self.ready["password_file"]).with_name("logs") / "gateway.log"
        return log.read_text(errors="replace").splitlines()

    def uploads(self, repository: str, since: int) -> int:
        """How many blobs were uploaded to a repository, and not mounted, after the first `since` requests."""
        done = re.compile(rf"PUT /v2/{re.escape(repository)}/blobs/uploads/(\S+) 201")
        return len({found[1] for line in self.requests()[since:] if (found := done.search(line))})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Instance:
    """One `python -m local up`, in a process group of its own; told to stop when the tests die."""

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
        """Raises AssertionError with what it printed when it doesn't get ready."""
        deadline = time.monotonic() + _START
        ready = self._state / "ready.json"
        while not ready.exists():
            assert self._process.poll() is None, f"`local up` ended with {self._process.returncode}:\n{self.printed}"
            assert time.monotonic() < deadline, f"`local up` was not ready after {_START:.0f} s:\n{self.printed}"
            time.sleep(0.05)
        return Cloud(json.loads(ready.read_text()))

    def interrupt(self) -> int:
        """What Ctrl-C does in a terminal: SIGINT to the whole process group. The exit code."""
        os.killpg(self._process.pid, signal.SIGINT)
        return self._process.wait(_STOP)

    def kill(self) -> None:
        """End it, whatever state it is in."""
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
    """An instance that is ended with the context; `options` of `local up`, or of a `module` that takes the same."""
    started = Instance(state, port, *options, module=module)
    try:
        yield started
    finally:
        started.kill()


@contextlib.contextmanager
def running(work: Path) -> Iterator[Cloud]:
    """The registry for a session of tests."""
    given = os.environ.get("ROADSTEAD_E2E_READY")
    if given:
        yield Cloud(json.loads(Path(given).read_text()))
        return
    with instance(work / "state", free_port()) as started:
        yield started.wait_until_ready()
