"""Comparing two things that are measured in turn, A B A B."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Cost:
    """What one thing cost once, in seconds. `cpu` is that of this process only."""

    wall: float
    cpu: float


Sample = Callable[[], Cost]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Samples of a thing and of its base. Samples at the same place were taken one after the other."""

    ours: tuple[float, ...]
    base: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.ours or len(self.ours) != len(self.base):
            raise ValueError("a comparison needs the same number of samples of both, and at least one")

    @property
    def median_ours(self) -> float:
        return median(self.ours)

    @property
    def median_base(self) -> float:
        return median(self.base)

    @property
    def ratios(self) -> tuple[float, ...]:
        """The ratio of each pair. Raises ZeroDivisionError if a base is zero."""
        return tuple(ours / base for ours, base in zip(self.ours, self.base, strict=True))

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios: a pause of the machine spoils one pair, not the result."""
        return median(self.ratios)

    def __str__(self) -> str:
        return f"{_three(self.ratio)} ({_three(min(self.ratios))}-{_three(max(self.ratios))})"


def compared(ours: Sample, base: Sample, pairs: int) -> tuple[Comparison, Comparison]:
    """Take `pairs` samples of each, in turn; return the comparisons of wall time and of CPU."""
    taken = [(ours(), base()) for _ in range(pairs)]
    wall = Comparison(tuple(one.wall for one, _ in taken), tuple(one.wall for _, one in taken))
    cpu = Comparison(tuple(one.cpu for one, _ in taken), tuple(one.cpu for _, one in taken))
    return wall, cpu


def cost(run: Callable[[], object], *, of: int = 1) -> Cost:
    """Measure one call of `run`; return the cost of one of the `of` things that it does."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return Cost((time.perf_counter() - wall) / of, (time.process_time() - cpu) / of)


def _three(ratio: float) -> str:
    """Three digits, so that a column is as wide on a busy machine as on a quiet one."""
    return f"{ratio:.2f}" if ratio < 9.995 else f"{ratio:.1f}" if ratio < 99.95 else f"{ratio:.0f}"
