"""Two things measured in turn, A B A B, and what their pairs say."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

Sample = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one thing done once, in seconds. `cpu` is of this process alone."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Samples of a thing and of what it is held against; those at the same place were taken one after the other."""

    ours: tuple[float, ...]
    base: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.ours or len(self.ours) != len(self.base):
            raise ValueError("a comparison needs as many samples of the one as of the other, and at least one")

    @property
    def median_ours(self) -> float:
        return median(self.ours)

    @property
    def median_base(self) -> float:
        return median(self.base)

    @property
    def ratios(self) -> tuple[float, ...]:
        """Of each pair. Zero over zero is no ratio, and raises ZeroDivisionError."""
        return tuple(ours / base for ours, base in zip(self.ours, self.base, strict=True))

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios: a pause of the machine spoils one pair, not the result."""
        return median(self.ratios)

    def __str__(self) -> str:
        return f"{self.ratio:.2f} ({min(self.ratios):.2f}-{max(self.ratios):.2f})"


def interleaved(ours: Sample, base: Sample, pairs: int) -> Comparison:
    """`pairs` samples of each, in turn."""
    taken = [(ours(), base()) for _ in range(pairs)]
    return Comparison(tuple(first for first, _ in taken), tuple(second for _, second in taken))


def cost(run: Callable[[], object]) -> Cost:
    """What one call of `run` takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)
