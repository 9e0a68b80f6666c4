"""Counts of a repository, kept in the transactions that make or remove what they count.

    count#<repository>   tags#<shard>, artifacts#<shard>    n (how many), v (changes with every change of n)
                         artifacts#<shard>                  era (ms), once the repository was deleted

A shard is chosen by the hash of a tag or digest, so its count can be compared with what is there. Whatever changes a
count does so beside the condition that the tag or manifest is new, or still there; a retry cannot make it drift. Two
pushes at the same time meet in a shard once in 64 times, and one of them is retried.

The shards of artifacts also tell commits that a deletion of their repository has begun: it writes its era on all of
them, and each commit looks at the one of its manifest, which it writes in most cases anyway.
"""

from __future__ import annotations

import secrets
import zlib
from collections import Counter
from collections.abc import Iterable

from roadstead.aws.table import Key, Write, check, update

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


def artifact_write(repository: str, digest: str, *, counted: bool, era: int) -> Write:
    """Return the write of a commit to a repository that is there: on the condition that no later era has begun, it
    counts the manifest up if it is `counted`, and otherwise only looks."""
    key = shard_key(repository, ARTIFACTS, digest)
    same, values = "attribute_not_exists(era) OR era <= :era", {":era": era}
    if not counted:
        return check(key, same, values)
    return update(key, "SET v = :v ADD n :n", same, {**values, ":v": secrets.token_hex(4), ":n": 1})


def era_writes(repository: str, era: int) -> list[Write]:
    """Return the writes that begin an era: one for each shard of artifacts."""
    return [
        update(
            (counts_pk(repository), f"{ARTIFACTS}#{shard:02d}"),
            "SET era = :era, v = :v ADD n :n",
            values={":era": era, ":v": secrets.token_hex(4), ":n": 0},
        )
        for shard in range(SHARDS)
    ]
