"""Sign-ins that are over, and newcomers, in memory."""

from __future__ import annotations

import threading

from roadstead.identity.providers.sign_ins import Newcomer


class MemoryStates:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: set[str] = set()
        self.newcomers: dict[str, tuple[str, int]] = {}

    def use_state(self, state: str, *, expires: int) -> bool:
        with self._lock:
            new = state not in self._used
            self._used.add(state)
            return new

    def keep_newcomer(self, secret: str, newcomer: Newcomer) -> None:
        self.newcomers[secret] = newcomer.as_text(), newcomer.until

    def find_newcomer(self, secret: str) -> Newcomer | None:
        found = self.newcomers.get(secret)
        return Newcomer.of_text(*found) if found else None

    def remove_newcomer(self, secret: str) -> None:
        self.newcomers.pop(secret, None)
