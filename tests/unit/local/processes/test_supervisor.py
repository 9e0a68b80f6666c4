"""Components are started in order and stopped in reverse, whatever goes wrong."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from local.failures import ExitCode, Failure
from local.processes.supervisor import supervise


@dataclass
class Part:
    name: str
    log: list[str]
    fails_to_start: bool = False
    dies: asyncio.Event | None = None
    fails_to_stop: bool = False
    starting: asyncio.Event = field(default_factory=asyncio.Event)
    may_start: asyncio.Event | None = None

    async def start(self) -> None:
        self.starting.set()
        if self.may_start is not None:
            await self.may_start.wait()
        if self.fails_to_start:
            raise Failure(ExitCode.COMPONENT_FAILED, f"{self.name} did not start")
        self.log.append(f"start {self.name}")

    async def watch(self) -> None:
        await (self.dies or asyncio.Event()).wait()
        raise Failure(ExitCode.COMPONENT_FAILED, f"{self.name} died")

    async def stop(self) -> None:
        self.log.append(f"stop {self.name}")
        if self.fails_to_stop:
            raise Failure(ExitCode.DISK_FULL, f"{self.name} could not save")


def test_components_start_in_order_and_stop_in_reverse() -> None:
    async def run() -> list[str]:
        log: list[str] = []
        stopping, ready = asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(supervise([Part("a", log), Part("b", log)], stopping, ready))
        await ready.wait()
        assert log == ["start a", "start b"]
        stopping.set()
        await running
        return log

    assert asyncio.run(run()) == ["start a", "start b", "stop b", "stop a"]


def test_a_component_that_does_not_start_stops_those_before_it() -> None:
    async def run() -> list[str]:
        log: list[str] = []
        ready = asyncio.Event()
        with pytest.raises(Failure, match="b did not start"):
            await supervise(
                [Part("a", log), Part("b", log, fails_to_start=True), Part("c", log)], asyncio.Event(), ready
            )
        assert not ready.is_set()
        return log

    assert asyncio.run(run()) == ["start a", "stop a"]


def test_a_component_that_dies_stops_all() -> None:
    async def run() -> list[str]:
        log: list[str] = []
        death, ready = asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(supervise([Part("a", log, dies=death), Part("b", log)], asyncio.Event(), ready))
        await ready.wait()
        death.set()
        with pytest.raises(Failure, match="a died"):
            await running
        return log

    assert asyncio.run(run()) == ["start a", "start b", "stop b", "stop a"]


def test_a_component_that_cannot_save_is_a_failure_and_the_others_still_stop() -> None:
    async def run() -> list[str]:
        log: list[str] = []
        stopping, ready = asyncio.Event(), asyncio.Event()
        parts = [Part("a", log), Part("b", log, fails_to_stop=True)]
        running = asyncio.create_task(supervise(parts, stopping, ready))
        await ready.wait()
        stopping.set()
        with pytest.raises(Failure, match="could not save"):
            await running
        return log

    assert asyncio.run(run())[-2:] == ["stop b", "stop a"]


def test_stopping_during_a_start_lets_it_finish_and_starts_no_more() -> None:
    async def run() -> list[str]:
        log: list[str] = []
        stopping, ready = asyncio.Event(), asyncio.Event()
        slow = Part("a", log, may_start=asyncio.Event())
        running = asyncio.create_task(supervise([slow, Part("b", log)], stopping, ready))
        await slow.starting.wait()
        stopping.set()
        await asyncio.sleep(0.01)
        assert slow.may_start is not None
        slow.may_start.set()
        await running
        assert not ready.is_set()
        return log

    assert asyncio.run(run()) == ["start a", "stop a"]
