"""Facts about the current request, for the log lines about it.

Each request has its own, in a context variable: the relay serves many at once in threads. Outside of a request (mostly
in tests) they are discarded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class Observation:
    """`route` names the endpoint (`manifests.get`), never the path; `counts` are metrics of some requests only."""

    request_id: str = ""
    trace_id: str = ""
    route: str = ""
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, metric: str, amount: int = 1) -> None:
        self.counts[metric] = self.counts.get(metric, 0) + amount


_current: ContextVar[Observation | None] = ContextVar("observation", default=None)


def current() -> Observation:
    return _current.get() or Observation()


@contextmanager
def observed(request_id: str, trace_id: str = "") -> Iterator[Observation]:
    """Provide an observation to the code inside."""
    made = Observation(request_id, trace_id)
    token = _current.set(made)
    try:
        yield made
    finally:
        _current.reset(token)
