"""What a store raises when a condition of a write did not hold."""


class Conflict(Exception):
    """Somebody else wrote between a read and the write that stood on it. Read again and retry."""


class UploadConsumed(Exception):
    """The upload was already turned into a blob, or cancelled; it is never taken a second time."""


class Throttled(Exception):
    """AWS asked for fewer requests, and its own client's retries were used up."""
