"""Commands and daemons, each in its own namespaces, so that nothing outlives a test.

Every program runs under `unshare` with its own mount and PID namespace: when its first process ends, however it ends,
the kernel ends the rest of the tree and takes its mounts away. That first process is killed when the tests are.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ENTER = Path(__file__).parent / "sid" / "enter"
_ENCLOSE = ("setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child=KILL")
_START = 180.0  # seconds until a daemon must respond
COMMAND = 600.0  # seconds for a command, on a busy machine
LARGE_COMMAND = 900.0  # the same with large layers


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a command. `seconds` is wall time."""

    command: str
    code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def output(self) -> str:
        return self.stdout + self.stderr

    def succeeded(self) -> Outcome:
        """Return self. Raises AssertionError with the command's output unless its exit code is 0."""
        assert self.code == 0, f"{self}"
        return self

    def failed(self) -> Outcome:
        """Return self. Raises AssertionError unless the command failed by itself (not by a signal)."""
        assert self.code > 0, f"{self}"
        return self

    def __str__(self) -> str:
        return f"exit code {self.code} after {self.seconds:.1f} s from: {self.command}\n{self.output}"


@dataclass(frozen=True, slots=True)
class Machine:
    """Where clients run: this machine, or a directory that holds another Debian (`root`).

    `work` is the directory of the tests' files; it has the same path on both sides. A command may take `patience`
    seconds.
    """

    work: Path
    root: Path | None = None
    patience: float = COMMAND

    def require(self, program: str, package: str) -> None:
        """Require a program. Raises AssertionError that says what to install."""
        where = self.root or Path("/")
        remedy = f"delete {self.root} to create it again" if self.root else f"apt-get install {package}"
        assert (where / program.lstrip("/")).exists(), f"{program} of Debian's {package} is missing: {remedy}."

    def run(
        self,
        *command: str | Path,
        home: Path,
        environment: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Outcome:
        """Run a command to its end. `home`, a directory under `work`, is for its files.

        Raises AssertionError if it takes longer than `patience`.
        """
        argv = self._enclosed(home, command)
        started = time.monotonic()
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=_environment(home, environment),
            cwd=self.work,
            start_new_session=True,
        )
        try:
            stdout, stderr = process.communicate(stdin, self.patience)
        except subprocess.TimeoutExpired:
            _kill(process)
            stdout, stderr = process.communicate()
            raise AssertionError(f"no end after {self.patience:.0f} s: {_shown(command)}\n{stdout}{stderr}") from None
        except BaseException:
            _kill(process)
            process.communicate()
            raise
        return Outcome(_shown(command), process.returncode, stdout, stderr, time.monotonic() - started)

    @contextlib.contextmanager
    def daemon(
        self,
        *command: str | Path,
        home: Path,
        ready: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
    ) -> Iterator[None]:
        """Run a daemon; yield when `ready` holds. It is killed at the end, since its store is not needed any more."""
        log = home / "daemon.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self._enclosed(home, command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_environment(home, environment),
                cwd=self.work,
                start_new_session=True,
            )
        try:
            deadline = time.monotonic() + _START
            while not ready():
                assert process.poll() is None and time.monotonic() < deadline, (
                    f"{_shown(command)} did not start:\n{log.read_text(errors='replace')[-4000:]}"
                )
                time.sleep(0.05)
            yield
        finally:
            _kill(process)
            process.wait()

    def _enclosed(self, home: Path, command: Sequence[str | Path]) -> list[str]:
        words = [str(word) for word in command]
        return [*_ENCLOSE, "sh", str(ENTER), str(self.root or "/"), str(self.work), str(home), *words]


def signal_commands(argument: str, number: signal.Signals) -> None:
    """Send a signal to every command with an argument that ends in this one, which is unique to a test."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if any(word.endswith(argument.encode()) for word in words):
                os.kill(int(entry.name), number)


def _environment(home: Path, extra: Mapping[str, str] | None) -> dict[str, str]:
    """Return a plain environment, without the settings and credentials of whoever runs the tests."""
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "LANG": "C.UTF-8", "HOME": str(home), "TMPDIR": str(home), **(extra or {})}


def _kill(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Kill the process group; the PID namespace ends processes that left it."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _shown(command: Sequence[str | Path]) -> str:
    return shlex.join(str(word) for word in command)
