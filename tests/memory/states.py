"""Used states in memory."""

from __future__ import annotations

import threading


class MemoryStates:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: set[str] = set()

    def use_state(self, state: str, *, expires: int) -> bool:
        with self._lock:
            new = state not in self._used
            self._used.add(state)
            return new
