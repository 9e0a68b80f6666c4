"""Places for bodies: how many uploads the relay stores at once, and who gets the next place.

A body that finds no place waits unread, so that its client waits too instead of failing. One upload has one body at a
time, and one user has at most a share of the places, so that neither a URL nor a user can hold them all.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

PATIENCE_SECONDS = 60.0  # CloudFront gives up on an origin after 120
WAITING = 256  # bodies that may wait at once; each holds a connection and a thread


class NoPlace(Exception):
    """No place became free in time; the message says why, for a person."""


@dataclass(frozen=True, slots=True, eq=False)
class _Body:
    upload: str
    user: str


class Places:
    """`total` places, of which one user holds at most `share`. Used by many threads."""

    def __init__(
        self,
        total: int,
        *,
        share: int,
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total = total
        self._share = share
        self._patience = patience
        self._clock = clock
        self._changed = threading.Condition()
        self._storing: list[_Body] = []
        self._waiting: list[_Body] = []

    @property
    def total(self) -> int:
        return self._total

    @property
    def wanted(self) -> int:
        """How many places are held or waited for: what scaling goes by."""
        return len(self._storing) + len(self._waiting)

    @contextmanager
    def place(self, upload: str, user: str) -> Iterator[None]:
        """Hold a place; wait for it up to `patience` seconds. Raises NoPlace."""
        body = _Body(upload, user)
        self._take(body)
        try:
            yield
        finally:
            with self._changed:
                self._storing.remove(body)
                self._changed.notify_all()

    def _take(self, body: _Body) -> None:
        with self._changed:
            if len(self._waiting) >= WAITING:
                raise NoPlace("too many uploads wait for the relay; try again in a moment")
            self._waiting.append(body)
            try:
                deadline = self._clock() + self._patience
                while self._next() is not body:
                    left = deadline - self._clock()
                    if left <= 0:
                        raise NoPlace(self._reason(body))
                    self._changed.wait(left)
                self._storing.append(body)
            finally:
                self._waiting.remove(body)
                self._changed.notify_all()

    def _next(self) -> _Body | None:
        """The body that gets a place now: of the user who holds the fewest, the one that came first."""
        if len(self._storing) >= self._total:
            return None
        uploads = {body.upload for body in self._storing}
        held = Counter(body.user for body in self._storing)
        eligible = [body for body in self._waiting if body.upload not in uploads and held[body.user] < self._share]
        return min(eligible, key=lambda body: held[body.user], default=None)

    def _reason(self, body: _Body) -> str:
        if any(body.upload == other.upload for other in self._storing):
            return "another request is still sending to this upload; wait for its end, or start the upload again"
        if sum(body.user == other.user for other in self._storing) >= self._share:
            return f"you are sending {self._share} layers at once, which is your share of the relay; try again"
        return "the relay takes no more uploads at the moment; try again"
