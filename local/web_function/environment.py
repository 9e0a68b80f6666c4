"""An execution environment: the process that index.js starts, and what it may use."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from edge.node import node
from local import ports
from local.processes import children
from local.web_function.terms import Terms

ROOT = Path(__file__).parents[2]
ENTRY = ROOT / "functions" / "relay" / "web_function" / "index.js"
_ADDRESS = "127.0.0.1"
_SETTLE = 0.5  # seconds
_PAGE = os.sysconf("SC_PAGE_SIZE")


class StartFailed(Exception):
    """The server did not listen in time, or ended before it did."""


class Environment:
    """`active` requests are in it; `idle_since` is when the last one ended, by time.monotonic."""

    def __init__(self, variables: Mapping[str, str], log: Path, terms: Terms) -> None:
        self.port = ports.free_port()
        self.active = 0
        self.idle_since = time.monotonic()
        self._variables = variables
        self._log = log
        self._terms = terms
        self._process: asyncio.subprocess.Process | None = None
        self.started = asyncio.create_task(self._start())

    @property
    def url(self) -> str:
        return f"http://{_ADDRESS}:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether it takes requests, or will once it has started."""
        return self._process is None or self._process.returncode is None

    @property
    def server(self) -> int | None:
        """The process id of the server itself, None before it has started and after it has ended."""
        pids = self._pids()
        return pids[-1] if len(pids) > 1 else None

    @property
    def memory(self) -> int:
        """Bytes that its processes hold at the moment."""
        return sum(_resident(pid) for pid in self._pids())

    def release(self) -> None:
        """End a request."""
        self.active -= 1
        self.idle_since = time.monotonic()

    def idle_for(self, seconds: float) -> bool:
        """Whether it has had no request for that long. One that still starts is not idle."""
        return self.started.done() and not self.active and time.monotonic() - self.idle_since >= seconds

    async def settle(self) -> None:
        """Wait a moment for an end that broke a connection, so that no other request goes there."""
        if self._process is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._process.wait()), _SETTLE)

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL a second later, as Lambda ends an environment."""
        self.started.cancel()
        await asyncio.gather(self.started, return_exceptions=True)
        if self._process is not None:
            children.terminate(self._process)
            await children.end(self._process, self._terms.stop)

    async def abort(self) -> None:
        if self._process is not None:
            await children.kill(self._process)

    async def _start(self) -> None:
        """Raises StartFailed."""
        with self._log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                node(),
                str(ENTRY),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={
                    **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
                    **self._variables,
                    "AWS_LAMBDA_HTTP_ENDPOINT": f"{_ADDRESS}:{self.port}",
                    "RELAY_PYTHON": sys.executable,
                    "RELAY_SOURCE": str(ROOT),
                    "RELAY_UPLOADS": str(self._terms.uploads),
                },
                cwd="/",
                start_new_session=True,  # Ctrl-C in the terminal is for `local up` to pass on
            )
        self._limit(self._process.pid)
        deadline = time.monotonic() + self._terms.start
        while not await self._listens():
            if self._process.returncode is not None:
                raise StartFailed(f"the server ended with exit code {self._process.returncode}; see {self._log}")
            if time.monotonic() > deadline:
                await self.abort()
                raise StartFailed(f"the server did not listen within {self._terms.start:.0f} s; see {self._log}")
            await asyncio.sleep(0.02)
        self.idle_since = time.monotonic()

    def _limit(self, pid: int) -> None:
        """Processes that this one starts inherit its limits. It may have ended already."""
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (self._terms.descriptors, self._terms.descriptors))
            os.sched_setaffinity(pid, sorted(os.sched_getaffinity(0))[: self._terms.processors])

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(_ADDRESS, self.port)
        except OSError:
            return False
        writer.close()
        return True

    def _pids(self) -> list[int]:
        """Node's, and that of the server which it started."""
        if self._process is None or self._process.returncode is not None:
            return []
        pid = self._process.pid
        try:
            started = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            return []
        return [pid, *map(int, started)]


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0
