"""Counts of a repository, kept in the transactions that make or remove what they count.

    count#<repository>   tags#<shard>, artifacts#<shard>    n (how many), v (changes with every change of n)

A shard is chosen by the hash of a tag or digest, so its count can be compared with what is there. Whatever changes a
count does so beside the condition that the tag or manifest is new, or still there; a retry cannot make it drift. Two
pushes at the same time meet in a shard once in 64 times, and one of them is retried.
"""

from __future__ import annotations

import secrets
import zlib
from collections import Counter
from collections.abc import Iterable

from roadstead.aws.table import Key, Write, update

SHARDS = 64
TAGS, ARTIFACTS = "tags", "artifacts"


def counts_pk(repository: str) -> str:
    return f"count#{repository}"


def shard_key(repository: str, kind: str, name: str) -> Key:
    """Return the key of the shard in which `name`, a tag or digest, is counted."""
    return counts_pk(repository), f"{kind}#{zlib.crc32(name.encode()) % SHARDS:02d}"


def count_writes(repository: str, kind: str, names: Iterable[str], by: int) -> list[Write]:
    """Return the writes that count each of `names` up or down (`by` 1 or -1): one for each shard."""
    changes = Counter(shard_key(repository, kind, name) for name in names)
    return [
        update(key, "SET v = :v ADD n :n", values={":v": secrets.token_hex(4), ":n": times * by})
        for key, times in changes.items()
    ]
