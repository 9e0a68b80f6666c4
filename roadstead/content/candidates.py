"""Candidates: what the collector shall look at, in time order, once the grace period is over.

Mutations of the index leave theirs in their own transactions; this is for what happens outside of it.
"""

from __future__ import annotations

from typing import Protocol


class Candidates(Protocol):
    def note_object(self, key: str, upload_id: str, *, at: int) -> None:
        """An object that was sent whole has arrived (`at` in ms). Idempotent: the same arrival is one candidate."""
        ...
