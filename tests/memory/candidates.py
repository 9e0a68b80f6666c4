"""`Candidates` in memory, for tests."""

from __future__ import annotations


class MemoryCandidates:
    """`objects` maps (key, time in ms) to the upload's id."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, int], str] = {}

    def note_object(self, key: str, upload_id: str, *, at: int) -> None:
        self.objects[(key, at)] = upload_id
