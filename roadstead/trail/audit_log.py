"""The audit log: an append-only log of lines, one per audit entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

# The limits of PutLogEvents (CloudWatch Logs API reference).
MAX_BATCH_LINES = 10_000
MAX_BATCH_BYTES = 1_048_576  # UTF-8 bytes of the lines, plus OVERHEAD for each
OVERHEAD = 26
MAX_SPAN = 24 * 3_600 * 1_000  # milliseconds between the first and the last line of a batch
MAX_LINE_BYTES = 256 * 1024 - OVERHEAD  # 1 MiB since 2025, but not in every partition; entries stay below a tenth


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line. `id` is its entry's; `at` is in milliseconds since the epoch."""

    id: str
    at: int
    text: str

    @property
    def size(self) -> int:
        return len(self.text.encode()) + OVERHEAD


@dataclass(frozen=True, slots=True)
class Appended:
    """The lines that were not written: `unsent` can be retried; `rejected` are too old or too long to be accepted."""

    unsent: tuple[LogLine, ...] = ()
    rejected: tuple[LogLine, ...] = ()


class AuditLog(Protocol):
    """Where audit entries are kept."""

    def append(self, lines: Sequence[LogLine]) -> Appended:
        """Append lines, in any order; return those that were not written.

        A line may be stored twice: a retry after a lost response repeats it.
        """
        ...


def batches(lines: Sequence[LogLine]) -> Iterator[list[LogLine]]:
    """Split lines, ordered by time, into batches within PutLogEvents' limits. No line may exceed MAX_LINE_BYTES."""
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
