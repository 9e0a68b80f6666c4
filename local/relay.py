"""The relay in its own process, as a task on Fargate runs it."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local.failures import ExitCode, Failure
from local.processes import children
from local.processes.probe import answers

START = 30.0  # seconds to wait for its start
DRAIN = 10  # seconds for uploads in progress when it stops
RESTARTS = 5  # in a row; after a process has run for `STEADY` seconds, counting starts again
STEADY = 60.0
PAUSE = 0.2  # seconds before the first restart, doubled for each that follows
_ADDRESS = "127.0.0.1"
_OUTER = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")  # the variables of this process that it needs

_logger = logging.getLogger(__name__)


class RelayProcess:
    """The component; a process that dies is replaced, as Fargate replaces a task.

    `environment` is called at each start for the relay's settings. `changed` is called after each restart.
    """

    name = "the relay"

    def __init__(
        self,
        port: int,
        environment: Callable[[], Mapping[str, str]],
        log: Path,
        *,
        command: Sequence[str] = (sys.executable, "-m", "functions.relay", "--until-stdin-ends"),
        pause: float = PAUSE,
    ) -> None:
        self.url = f"http://{_ADDRESS}:{port}"
        self.changed: Callable[[], None] = lambda: None
        self._port = port
        self._environment = environment
        self._log = log
        self._command = command
        self._pause = pause
        self._process: asyncio.subprocess.Process | None = None

    @property
    def servers(self) -> tuple[int, ...]:
        return () if self.pid is None else (self.pid,)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        with self._log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                env={
                    **{name: os.environ[name] for name in _OUTER if name in os.environ},
                    **self._environment(),
                    "RELAY_HOST": _ADDRESS,
                    "RELAY_PORT": str(self._port),
                    "RELAY_DRAIN_SECONDS": str(DRAIN),
                },
                cwd=Path(__file__).parent.parent,
                start_new_session=True,  # Ctrl-C in the terminal reaches only the parent, which passes it on
            )
        deadline = time.monotonic() + START
        while not await asyncio.to_thread(answers, f"{self.url}/health"):
            if self._process.returncode is not None or time.monotonic() > deadline:
                await self.stop()
                raise Failure(ExitCode.COMPONENT_FAILED, f"The relay did not start; see {self._log}.")
            await asyncio.sleep(0.05)

    async def watch(self) -> None:
        """Restart the process when it dies. Raises Failure after RESTARTS deaths in a row, or if a restart fails."""
        if self._process is None:
            raise RuntimeError("the relay was not started")
        deaths = 0
        while True:
            began = time.monotonic()
            code = await self._process.wait()
            deaths = 1 if time.monotonic() - began >= STEADY else deaths + 1
            if deaths > RESTARTS:
                raise Failure(ExitCode.COMPONENT_FAILED, f"The relay died {deaths} times in a row; see {self._log}.")
            _logger.warning("the relay died (exit code %d) and is started again", code)
            await asyncio.sleep(self._pause * 2 ** (deaths - 1))
            await self.start()
            self.changed()

    async def stop(self) -> None:
        """Send SIGTERM, as to a container; kill the process if it takes too long."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        children.terminate(process)
        await children.end(process, DRAIN + 5)
