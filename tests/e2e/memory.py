"""How much the memory of the registry's processes grows."""

from __future__ import annotations

from bench.memory import forget_peaks, peaks
from tests.e2e.cloud import Cloud

EDGE, RELAY = "gateway, edge", "relay"  # as bench.memory calls them


class Growth:
    """The most, in MiB, that gateway with edge, and relay, have grown since this was created. The relay must run."""

    def __init__(self, cloud: Cloud) -> None:
        self._roots = [cloud.pids()["stack"]]
        forget_peaks(self._roots)
        self._before = peaks(self._roots)

    def so_far(self) -> dict[str, float]:
        now = peaks(self._roots)
        return {part: now[part] - self._before[part] for part in (EDGE, RELAY)}
