"""The relay in a process of its own, as its container runs it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from local.failures import ExitCode, Failure
from local.http_probe import answers

START = 30.0  # seconds that it may take to start
DRAIN = 10  # seconds that uploads under way may take when it is stopped
_ADDRESS = "127.0.0.1"
_OUTER = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")  # what the process needs of this one's environment


class RelayProcess:
    """The component. `environment` is asked at the start for the relay's settings, when AWS is there to be named."""

    name = "the relay"

    def __init__(self, port: int, environment: Callable[[], Mapping[str, str]], log: Path) -> None:
        self.url = f"http://{_ADDRESS}:{port}"
        self._port = port
        self._environment = environment
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        with self._log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "local.relay_process",
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                env={
                    **{
                        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ
                    },
                    **self._environment(),
                    "RELAY_HOST": _ADDRESS,
                    "RELAY_PORT": str(self._port),
                    "RELAY_DRAIN_SECONDS": str(DRAIN),
                },
                cwd=Path(__file__).parent.parent,
                start_new_session=True,  # Ctrl-C in the terminal is ours to pass on
            )
        deadline = time.monotonic() + START
        while not await asyncio.to_thread(answers, f"{self.url}/health"):
            if self._process.returncode is not None or time.monotonic() > deadline:
                await self.stop()
                raise Failure(ExitCode.COMPONENT_FAILED, f"The relay did not start; see {self._log}.")
            await asyncio.sleep(0.05)

    async def watch(self) -> None:
        if self._process is None:
            raise RuntimeError("the relay was not started")
        await self._process.wait()
        raise Failure(ExitCode.COMPONENT_FAILED, f"The relay died; see {self._log}.")

    async def stop(self) -> None:
        """SIGTERM, as a container is stopped; killed when that takes too long."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), timeout=DRAIN + 5)
        except TimeoutError:
            process.kill()
            await process.wait()
