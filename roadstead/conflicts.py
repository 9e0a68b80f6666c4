"""What a store raises when a write's condition does not hold or AWS throttles, and how often to try again."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

ATTEMPTS = 10  # each lost race means that another write succeeded

_THROTTLING = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "ThrottledException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "TooManyRequestsException",
        "LimitExceededException",
        "SlowDown",
        "503 SlowDown",
    }
)


class Conflict(Exception):
    """Another writer changed an item between a read and the write based on it. Read again and retry."""


class UploadConsumed(Exception):
    """The upload was already turned into a blob, or cancelled; it cannot be used a second time."""


class Throttled(Exception):
    """AWS asked for fewer requests, and the AWS client's own retries were used up."""


class TooManyWriters(Throttled):
    """Every attempt lost its race, so nothing was written. The response is that to Throttled: try again later."""


def retry_conflicts(attempt: Callable[[], T], contended: str, *, sleep: Callable[[float], None] | None = None) -> T:
    """Return what `attempt` returns, calling it again whenever it raises Conflict.

    `contended` names what is written, for the message. `sleep` pauses between attempts with full jitter, up to a
    second; without it the next attempt follows at once. Raises TooManyWriters after ATTEMPTS conflicts.
    """
    for number in range(ATTEMPTS):
        try:
            return attempt()
        except Conflict:
            if sleep is not None:
                sleep(random.uniform(0, min(1.0, 0.02 * 2**number)))  # noqa: S311 - jitter, not a secret
    raise TooManyWriters(f"too many writers of {contended}")


def is_throttling(error: BaseException) -> bool:
    """Return whether `error` says that AWS asked for fewer requests. Such a request gets 429 with Retry-After.

    Recognises botocore's ClientError by its `response`, so that callers need no botocore.
    """
    if isinstance(error, Throttled):
        return True
    response = getattr(error, "response", None)
    return isinstance(response, dict) and response.get("Error", {}).get("Code") in _THROTTLING
