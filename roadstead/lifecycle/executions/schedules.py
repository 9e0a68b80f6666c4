"""Schedules: executions that start by themselves, at times that a cron expression says."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from roadstead.conflicts import Conflict
from roadstead.lifecycle.executions.cron import next_ms
from roadstead.lifecycle.executions.executions import Running, Trigger
from roadstead.lifecycle.executions.starter import Starter
from roadstead.trail.entries import Actor, ActorKind, Event
from roadstead.trail.events import EventMaker

SCHEDULER = Actor("scheduler", ActorKind.SYSTEM)


@dataclass(frozen=True, slots=True)
class Schedule:
    """`name` is unique. It starts an execution of `kind` about `scope`, next at `next` (ms); without a `cron` never."""

    name: str
    kind: str
    scope: str
    cron: str
    parameters: Mapping[str, Any]
    next: int
    exclusive: str = ""


class Schedules(Protocol):
    """All reads are strongly consistent."""

    def find(self, name: str) -> Schedule | None: ...

    def put(self, schedule: Schedule, *, event: Event | None = None) -> None:
        """Keep a schedule instead of the one of its name."""
        ...

    def remove(self, name: str, *, event: Event | None = None) -> None:
        """Remove a schedule, if there is one."""
        ...

    def due(self, now: int, *, limit: int = 100) -> Sequence[Schedule]:
        """Return schedules that are due at `now` (ms), those first that wait for longest."""
        ...

    def advance(self, schedule: Schedule, next: int) -> None:
        """Let it come due at `next`. Raises Conflict if it was changed or advanced since it was read."""
        ...


class Scheduler:
    """Starts what is due, once for each time, however many of them run and wherever they die."""

    def __init__(self, schedules: Schedules, starter: Starter, events: EventMaker) -> None:
        self._schedules = schedules
        self._starter = starter
        self._events = events

    def start_due(self) -> int:
        """Start an execution for each schedule that is due; return how many. What was missed is started once."""
        now, started = self._events.now_ms(), 0
        for one in self._schedules.due(now):
            started += self._start(one)
            try:
                self._schedules.advance(one, next_ms(one.cron, now))
            except Conflict:
                continue  # somebody changed it, or another tick was faster
        return started

    def _start(self, one: Schedule) -> bool:
        """The id comes of the time and the name, so a second start of the same time is refused by the store."""
        try:
            self._starter.start(
                one.kind,
                one.scope,
                one.parameters,
                actor=SCHEDULER,
                trigger=Trigger.SCHEDULE,
                exclusive=one.exclusive,
                id_=one.next << 11 | zlib.crc32(one.name.encode()) % 2048,
            )
        except (Conflict, Running):
            return False  # it was started already, or the one before is not over
        return True
