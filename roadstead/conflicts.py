"""What a store raises when a condition of a write did not hold, or when AWS throttles."""

from __future__ import annotations

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
    """Somebody else wrote between a read and the write that stood on it. Read again and retry."""


class UploadConsumed(Exception):
    """The upload was already turned into a blob, or cancelled; it is never taken a second time."""


class Throttled(Exception):
    """AWS asked for fewer requests, and its own client's retries were used up."""


def is_throttling(error: BaseException) -> bool:
    """Return whether `error` says that AWS asked for fewer requests. Such a request gets 429 with Retry-After.

    Recognises botocore's ClientError by its `response`, so that callers need no botocore.
    """
    if isinstance(error, Throttled):
        return True
    response = getattr(error, "response", None)
    return isinstance(response, dict) and response.get("Error", {}).get("Code") in _THROTTLING
