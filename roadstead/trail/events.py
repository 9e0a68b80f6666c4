"""Creates events, with an id and a time, before the mutation that writes them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

from roadstead.trail.entries import Actor, Event, Operation

Clock = Callable[[], float]


class EventMaker:
    """Creates a process's events. `clock` returns seconds since the epoch."""

    def __init__(self, clock: Clock = time.time) -> None:
        self._clock = clock

    def now_ms(self) -> int:
        return int(self._clock() * 1000)

    def new_mark(self) -> str:
        """Return a new mark, for a link or manifest that is about to be removed: the time and a random part."""
        return f"{self.now_ms():013d}-{secrets.token_hex(8)}"

    def make(self, operation: Operation, actor: Actor, repository: str, **fields: Any) -> Event:
        """Return an event with a random id and the current time. `fields` are further fields of `Event`."""
        return Event(secrets.token_hex(16), self.now_ms(), operation, actor, repository, **fields)
