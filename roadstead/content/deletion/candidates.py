"""Candidates: what the collector is to examine, in time order, once the grace period is over.

Mutations of the index write theirs in their own transactions; this is for events outside of the index.
"""

from __future__ import annotations

from typing import Protocol


class Candidates(Protocol):
    def note_object(self, key: str, upload_id: str, *, at: int) -> None:
        """Record that an object which was sent whole has arrived, at `at` (ms). Idempotent for each arrival."""
        ...
