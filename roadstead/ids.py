"""Integer ids, for clients that know things by number.

What is looked up by its id (a project, a user, a member …) gets the second of its creation as its id, counted from the
start of 2026. The store claims it in the transaction that creates the thing, and takes the next free one if it is
taken. The clock never repeats an id after a restore from a backup, as a counter would. Ids fit an int32 until 2094.

What is never looked up by its id (an artifact, a tag, a repository, a trail entry) gets a hash as its id: nothing is
claimed when an image is pushed. Such ids are below 2^53, which JavaScript's numbers hold exactly.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

EPOCH = 1_767_225_600  # 2026-01-01T00:00:00Z
HASH_BITS = 52


class IdKind(StrEnum):
    """Kinds of things whose ids are claimed. Each kind has ids of its own."""

    PROJECT = "project"
    USER = "user"
    GROUP = "group"
    ROBOT = "robot"
    MEMBER = "member"
    LABEL = "label"
    WEBHOOK = "webhook"
    RULE = "rule"


def clock_id(seconds: int) -> int:
    """Return the id for something created at `seconds` since the Unix epoch; 1 for a time before 2026."""
    return max(1, seconds - EPOCH)


def hashed_id(*parts: str) -> int:
    """Return the id of something that `parts` name: 1 to 2^52 - 1, the same every time."""
    data = "\0".join(parts).encode()
    return int.from_bytes(hashlib.sha256(data).digest()[:8], "big") >> (64 - HASH_BITS) or 1
