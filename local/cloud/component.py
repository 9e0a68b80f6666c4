"""The component: the process of the embedded AWS, what the functions find in it, and hints of what happens in it."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.cloud.client import Client
from local.cloud.endpoint import Endpoint
from local.cloud.resources import Resources, ensure_resources
from local.failures import ExitCode, Failure
from local.processes import children
from local.processes.probe import answers
from local.state import StateDirectory

ROOT = Path(__file__).parents[2]
START = 30.0  # seconds that it may take to start
STOP = 30.0  # and to stop
READY = "/_ready"


class EmbeddedCloud:
    """Serves on `listeners`. `of_this_run` are secrets by parameter name that the functions shall find."""

    name = "the embedded AWS"

    def __init__(
        self,
        state: StateDirectory,
        endpoint: Endpoint,
        listeners: Sequence[socket.socket],
        of_this_run: Mapping[str, str],
    ) -> None:
        self.endpoint = endpoint
        self.client = Client(endpoint)
        self._state = state
        self._listeners = listeners
        self._of_this_run = of_this_run
        self._made: Resources | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._hints = -1

    @property
    def resources(self) -> Resources:
        """Raises RuntimeError before `start`."""
        if self._made is None:
            raise RuntimeError("the embedded AWS was not started")
        return self._made

    async def start(self) -> None:
        log = self._state.logs / "cloud.log"
        self._hints, theirs = os.pipe()
        os.set_blocking(self._hints, False)
        os.set_blocking(theirs, False)
        try:
            with log.open("ab") as output:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "local.cloud",
                    str(self._state.cloud),
                    *(str(listener.fileno()) for listener in self._listeners),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=theirs,
                    stderr=output,
                    env=self._environment(os.environ),
                    cwd=ROOT,
                    pass_fds=[listener.fileno() for listener in self._listeners],
                    start_new_session=True,  # Ctrl-C is ours to pass on, when the functions have stopped
                )
        finally:
            os.close(theirs)
            for listener in self._listeners:
                listener.close()  # so that a connection is refused once that process is gone
        try:
            await self._until_ready(log)
            self._made = await asyncio.to_thread(ensure_resources, self.client, self._of_this_run)
        except BaseException:
            await self._end(self._process)
            raise

    def has_changed(self) -> bool:
        """Whether anything was written since this was last asked. What a client knows to be written is told of."""
        try:
            return bool(os.read(self._hints, 65_536))
        except BlockingIOError:
            return False

    async def watch(self) -> None:
        code = await self._running().wait()
        raise Failure(
            ExitCode.COMPONENT_FAILED,
            f"The embedded AWS died (exit code {code}); see {self._state.logs / 'cloud.log'}. "
            "What was pushed is kept: start it again.",
        )

    async def stop(self) -> None:
        await self._end(self._running())
        os.close(self._hints)

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("the embedded AWS was not started")
        return self._process

    def _environment(self, outer: Mapping[str, str]) -> dict[str, str]:
        kept = {name: outer[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in outer}
        return {**kept, **self.endpoint.environment()}

    async def _until_ready(self, log: Path) -> None:
        process = self._running()
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            if process.returncode is not None:
                raise Failure(
                    ExitCode.COMPONENT_FAILED,
                    f"The embedded AWS did not start (exit code {process.returncode}); see {log}.",
                )
            if await asyncio.to_thread(answers, self.endpoint.url + READY):
                return
            await asyncio.sleep(0.02)
        raise Failure(ExitCode.COMPONENT_FAILED, f"The embedded AWS did not start within {START:.0f} s; see {log}.")

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        """Close its input, which stops it in order; kill it when that takes too long: nothing is lost by it."""
        if process.stdin is not None:
            process.stdin.close()
        await children.end(process, STOP)
