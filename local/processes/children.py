"""Ending child processes of asyncio without losing their exit codes.

The methods `kill`, `terminate` and `send_signal` of asyncio's Process call `Popen.poll` first, which reaps a child that
has just died. asyncio waits for the child elsewhere, no longer finds it, and reports 255 instead of the exit code. So
signals are sent here, and nowhere else in `local/`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal


def terminate(process: asyncio.subprocess.Process) -> None:
    """Send SIGTERM, unless the process has ended."""
    _send(process, signal.SIGTERM)


async def kill(process: asyncio.subprocess.Process) -> int:
    """Send SIGKILL, unless the process has ended; return its exit code once it has."""
    _send(process, signal.SIGKILL)
    return await process.wait()


async def end(process: asyncio.subprocess.Process, patience: float) -> int:
    """Wait `patience` seconds for a process that was asked to stop, then kill it; return its exit code."""
    try:
        return await asyncio.wait_for(process.wait(), timeout=patience)
    except TimeoutError:
        return await kill(process)


def _send(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):  # it was reaped, and the event loop has yet to hear of it
            os.kill(process.pid, number)
