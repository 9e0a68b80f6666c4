"""The console's files, built in the background: a registry that serves never waits for them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path

from console.build import is_current

ROOT = Path(__file__).parents[1]
COMMAND = ("nice", sys.executable, "-m", "console.build")


class ConsoleBuild:
    """The component that builds the console when its source has changed. `url` is the registry's.

    A build that fails is reported, and the registry goes on serving without a console, or with the one from before.
    """

    name = "the console's build"

    def __init__(self, url: str) -> None:
        self._url = url
        self._building: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Do nothing: the build begins when everything serves."""

    async def watch(self) -> None:
        """Build, then wait for ever."""
        if not is_current():
            await self._build()
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """End a build that is under way; the next start begins it again."""
        if self._building is not None and self._building.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._building.pid, 15)
            await self._building.wait()

    async def _build(self) -> None:
        print("\nThe console is not built yet; that happens now, in the background.", flush=True)
        self._building = await asyncio.create_subprocess_exec(*COMMAND, cwd=ROOT, start_new_session=True)
        if await self._building.wait() == 0:
            print(f"The console is ready at {self._url}/ui", flush=True)
        else:
            print("The registry serves without it; `make console` tries again.", flush=True)
