"""A message queue: at-least-once delivery in no order; an undeleted message becomes visible again after its timeout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

MAX_DELAY = 43_200  # seconds: SQS's longest visibility timeout, twelve hours


class Sender(Protocol):
    """Sends to a queue."""

    def send(self, bodies: Sequence[str]) -> None:
        """Send messages, ten per request. Not atomic. Raises Throttled if some could not be sent."""
        ...


class Queue(Sender, Protocol):
    """Sends to a queue, and postpones messages that were received from it."""

    def postpone(self, receipt: str, seconds: int) -> None:
        """Hide the message that was received with `receipt` for `seconds`, at most MAX_DELAY.

        Does nothing if the message is deleted or already visible.
        """
        ...
