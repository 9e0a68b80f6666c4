"""Child processes end with their own exit codes, and `local/` signals them in one way only."""

from __future__ import annotations

import ast
import asyncio
import signal
import sys
from pathlib import Path

from local.processes import children

LOCAL = Path(__file__).parents[4] / "local"
REAPING = frozenset(("kill", "terminate", "send_signal"))


async def start(program: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )


def test_a_process_that_ends_in_time_keeps_its_exit_code() -> None:
    async def run() -> int:
        process = await start("import sys; sys.stdin.read(); sys.exit(7)")
        assert process.stdin is not None
        process.stdin.close()
        return await children.end(process, 20)

    assert asyncio.run(run()) == 7


def test_a_process_that_ignores_sigterm_is_killed_after_the_patience() -> None:
    async def run() -> int:
        process = await start("import signal; signal.signal(15, signal.SIG_IGN); print(flush=True); signal.pause()")
        assert process.stdout is not None
        await process.stdout.readline()
        children.terminate(process)
        return await children.end(process, 0.1)

    assert asyncio.run(run()) == -signal.SIGKILL


def test_signals_to_a_process_that_has_ended_do_nothing() -> None:
    async def run() -> int:
        process = await start("import sys; sys.exit(5)")
        await process.wait()
        children.terminate(process)
        return await children.kill(process)

    assert asyncio.run(run()) == 5


def test_only_children_signals_processes() -> None:
    """Process.kill, terminate and send_signal may reap the child before asyncio does."""
    found = [
        f"{file.relative_to(LOCAL)}:{call.lineno}"
        for file in sorted(LOCAL.rglob("*.py"))
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in REAPING
        if not (isinstance(call.func.value, ast.Name) and call.func.value.id in ("os", "children"))
    ]
    assert found == []
