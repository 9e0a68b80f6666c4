"""Making events: an id and a time for what is about to happen."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

from roadstead.trail.entries import Actor, Event, Operation

Clock = Callable[[], float]


class EventMaker:
    """Makes the events of one process; `clock` in seconds since the epoch."""

    def __init__(self, clock: Clock = time.time) -> None:
        self._clock = clock

    def now_ms(self) -> int:
        return int(self._clock() * 1000)

    def new_mark(self) -> str:
        """A mark for a link or manifest that is about to be removed; see `stores.blobs.Link`."""
        return f"{self.now_ms():013d}-{secrets.token_hex(8)}"

    def make(self, operation: Operation, actor: Actor, repository: str, **fields: Any) -> Event:
        """`fields` are those of `Event`. The id is random: it names this happening wherever it is told."""
        return Event(secrets.token_hex(16), self.now_ms(), operation, actor, repository, **fields)
