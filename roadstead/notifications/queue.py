"""A queue of messages that are worked on at least once, in no order, each visible again when its time is over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

MAX_DELAY = 43_200  # seconds: twelve hours, what SQS allows for a visibility timeout


class Sender(Protocol):
    """All that those need who put messages in."""

    def send(self, bodies: Sequence[str]) -> None:
        """Every one of them, ten to a request. Not atomic; raises Throttled when some could not be sent."""
        ...


class Queue(Sender, Protocol):
    def postpone(self, receipt: str, seconds: int) -> None:
        """The message that was received with `receipt` is seen again after so long (at most MAX_DELAY).

        No error when it is gone, or visible, already.
        """
        ...
