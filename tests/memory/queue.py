"""A queue in memory. It keeps what was sent and postponed; tests take messages out by themselves."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class MemoryQueue:
    bodies: list[str] = field(default_factory=list)
    postponed: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, bodies: Sequence[str]) -> None:
        with self._lock:
            self.bodies += bodies

    def postpone(self, receipt: str, seconds: int) -> None:
        with self._lock:
            self.postponed[receipt] = seconds
