"""A relay process that dies is replaced, a few times in a row."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from local import ports, relay
from local.failures import Failure
from local.processes.probe import answers
from local.relay import RelayProcess

# What the component asks of a relay: the port from its environment, and a health check.
HEALTHY = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(os.environ["RELAY_PORT"])), Handler).serve_forever()
"""


def scenario(tmp_path: Path, body: Callable[[RelayProcess, list[int]], Awaitable[None]]) -> None:
    """Run `body` with a relay that has started, and the process ids that its restarts reported."""

    async def run() -> None:
        told: list[int] = []
        environment: Mapping[str, str] = {}
        command = (sys.executable, "-c", HEALTHY)
        one = RelayProcess(ports.free_port(), lambda: environment, tmp_path / "relay.log", command=command, pause=0.001)
        one.changed = lambda: told.append(one.pid or 0)
        await one.start()
        try:
            async with asyncio.timeout(300):
                await body(one, told)
        finally:
            await one.stop()

    asyncio.run(run())


async def kill_and_wait(one: RelayProcess, told: list[int]) -> None:
    """Kill the process, and return when another one was reported."""
    before = len(told)
    assert one.pid is not None
    os.kill(one.pid, signal.SIGKILL)
    while len(told) == before:
        await asyncio.sleep(0.005)


def test_a_killed_relay_is_replaced_on_the_same_port(tmp_path: Path) -> None:
    async def body(one: RelayProcess, told: list[int]) -> None:
        first = one.pid
        watching = asyncio.create_task(one.watch())
        await kill_and_wait(one, told)
        assert told == [one.pid] != [first]
        assert await asyncio.to_thread(answers, f"{one.url}/health")
        watching.cancel()

    scenario(tmp_path, body)


def test_a_relay_that_keeps_dying_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "RESTARTS", 2)

    async def body(one: RelayProcess, told: list[int]) -> None:
        watching = asyncio.create_task(one.watch())
        for _ in range(2):
            await kill_and_wait(one, told)
        assert one.pid is not None
        os.kill(one.pid, signal.SIGKILL)
        with pytest.raises(Failure, match="died 3 times in a row"):
            await watching
        assert len(told) == 2

    scenario(tmp_path, body)


def test_deaths_far_apart_are_not_counted_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "RESTARTS", 1)
    monkeypatch.setattr(relay, "STEADY", 0.0)

    async def body(one: RelayProcess, told: list[int]) -> None:
        watching = asyncio.create_task(one.watch())
        for _ in range(3):
            await kill_and_wait(one, told)
        assert len(told) == 3
        watching.cancel()

    scenario(tmp_path, body)


def test_stopping_during_a_restart_leaves_no_process(tmp_path: Path) -> None:
    async def body(one: RelayProcess, told: list[int]) -> None:
        watching = asyncio.create_task(one.watch())
        first = one.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        while one.pid == first:
            await asyncio.sleep(0.001)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        second = one.pid
        assert second is not None
        await one.stop()
        with pytest.raises(ProcessLookupError):
            os.kill(second, 0)

    scenario(tmp_path, body)
