"""The log of the audit trail: lines that are added and never changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

# What PutLogEvents takes ("PutLogEvents", CloudWatch Logs API reference).
MAX_BATCH_LINES = 10_000
MAX_BATCH_BYTES = 1_048_576  # of UTF-8, and OVERHEAD for each line
OVERHEAD = 26
MAX_SPAN = 24 * 3_600 * 1_000  # milliseconds between the first and the last line of a batch
MAX_LINE_BYTES = 256 * 1024 - OVERHEAD  # four times as much since 2025, not in every partition; no entry has a tenth


@dataclass(frozen=True, slots=True)
class LogLine:
    """`at` in milliseconds since the epoch; `id` is that of the entry."""

    id: str
    at: int
    text: str

    @property
    def size(self) -> int:
        return len(self.text.encode()) + OVERHEAD


@dataclass(frozen=True, slots=True)
class Appended:
    """What was not written: `unsent` can be tried again, `rejected` will never be taken (too old, or too long)."""

    unsent: tuple[LogLine, ...] = ()
    rejected: tuple[LogLine, ...] = ()


class AuditLog(Protocol):
    def append(self, lines: Sequence[LogLine]) -> Appended:
        """Add lines, in any order. The log may hold a line twice: after an answer that was lost, it does."""
        ...


def batches(lines: Sequence[LogLine]) -> Iterator[list[LogLine]]:
    """Lines in the order of their times, in batches that PutLogEvents takes; each is at most MAX_LINE_BYTES long."""
    batch: list[LogLine] = []
    size = 0
    for line in sorted(lines, key=lambda line: line.at):
        full = len(batch) == MAX_BATCH_LINES or size + line.size > MAX_BATCH_BYTES
        if batch and (full or line.at - batch[0].at > MAX_SPAN):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += line.size
    if batch:
        yield batch
