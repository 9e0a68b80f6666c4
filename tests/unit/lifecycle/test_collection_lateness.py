"""Whether a collection is late, by the schedule that an administrator has set."""

from __future__ import annotations

import pytest

from roadstead.lifecycle.collector.execution import KIND, Collections, Every
from roadstead.lifecycle.collector.lateness import late_since
from roadstead.lifecycle.executions.executions import Execution, Status, Step, WorkFailed
from roadstead.lifecycle.executions.runner import Runner
from roadstead.lifecycle.executions.schedules import Scheduler
from roadstead.lifecycle.executions.starter import Starter
from roadstead.trail.entries import Actor
from roadstead.trail.events import EventMaker
from tests.memory.executions import MemoryExecutions
from tests.memory.index import MemoryIndex
from tests.memory.retention import MemoryRetention
from tests.unit.content.parts import Clock

NOW, HOUR, DAY = 1_800_000_000.0, 3_600, 86_400  # NOW is a full hour, and eight o'clock on a Friday
ADA = Actor("ada")


class Yard:
    """A registry whose collections succeed, or fail while `broken`."""

    def __init__(self) -> None:
        self.clock, self.store, self.broken = Clock(NOW), MemoryExecutions(), False
        self.events, self.schedules = EventMaker(self.clock), MemoryRetention(MemoryIndex())
        self.starter = Starter(self.store, self.events)
        self.collections = Collections(self.schedules, self.starter, self.events)
        self.scheduler = Scheduler(self.schedules, self.starter, self.events)
        self.runner = Runner(self.store, {KIND: self}, self.events)
        self.collections.ensure_schedule()

    def step(self, _: Execution) -> Step:
        if self.broken:
            raise WorkFailed("S3 refuses")
        return Step({}, done=True)

    def tick(self) -> None:
        self.scheduler.start_due()
        self.runner.run_due(lambda: 900.0)

    def hours(self, number: int, *, ticks: bool = True) -> None:
        for _ in range(number):
            self.clock.now += HOUR
            if ticks:
                self.tick()

    @property
    def late_for(self) -> float | None:
        """In hours."""
        now = self.events.now_ms()
        since = late_since(self.schedules, self.store, now)
        return (now - since) / 1000 / HOUR if since is not None else None

    def every(self, every: Every, cron: str = "") -> None:
        self.collections.set_schedule(every, cron, delete_untagged=False, actor=ADA)


@pytest.fixture
def yard() -> Yard:
    return Yard()


def test_a_new_registry_is_not_late(yard: Yard) -> None:
    assert yard.late_for is None
    yard.hours(1)
    assert yard.late_for is None


def test_a_time_that_nobody_starts_at_is_late_from_then_on(yard: Yard) -> None:
    yard.hours(8, ticks=False)
    assert yard.late_for == 7


def test_collections_that_fail_are_late_since_the_newest_was_due(yard: Yard) -> None:
    yard.hours(1)
    yard.broken = True
    yard.hours(3)
    assert yard.late_for == 0  # each tick finds one that has failed: none says that all is well
    yard.broken = False
    yard.hours(1)
    assert yard.late_for is None


@pytest.mark.parametrize(("every", "cron"), [(Every.WEEKLY, ""), (Every.CUSTOM, "0 0 0 1 1 *")])
def test_between_the_times_of_a_rare_schedule_nothing_is_late(yard: Yard, every: Every, cron: str) -> None:
    yard.every(every, cron)
    yard.hours(36)
    assert yard.late_for is None


def test_a_weekly_collection_that_failed_is_late_until_one_succeeds(yard: Yard) -> None:
    yard.every(Every.WEEKLY)
    yard.broken = True
    yard.hours(50)  # Sunday at midnight is 40 hours away
    assert yard.late_for == 10
    yard.broken = False
    yard.collections.start(dry=True, delete_untagged=False, actor=ADA)
    yard.tick()
    assert yard.late_for == 10  # a dry run frees nothing
    yard.clock.now += 1
    yard.collections.start(dry=False, delete_untagged=False, actor=ADA)
    yard.tick()
    assert yard.late_for is None


def test_many_dry_runs_do_not_hide_what_came_before_them(yard: Yard) -> None:
    yard.every(Every.WEEKLY)
    yard.broken = True
    yard.hours(41)
    yard.broken = False
    for _ in range(10):
        yard.clock.now += 1
        yard.collections.start(dry=True, delete_untagged=False, actor=ADA)
        yard.tick()
    assert yard.late_for is not None


def test_one_that_somebody_stopped_is_not_late(yard: Yard) -> None:
    yard.every(Every.WEEKLY)
    started = yard.collections.start(dry=False, delete_untagged=False, actor=ADA)
    assert yard.late_for == 0
    yard.starter.stop(started, actor=ADA)
    yard.tick()
    found = yard.store.find(started.id)
    assert found is not None and found.status is Status.STOPPED
    assert yard.late_for is None


def test_a_schedule_that_is_switched_off_is_never_late(yard: Yard) -> None:
    yard.broken = True
    yard.hours(2)
    yard.every(Every.NEVER)
    yard.hours(99)
    assert yard.late_for is None
