"""What the embedded AWS costs by itself: reads by what they return, and against the emulator that it replaced."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.pairs import Comparison, Cost, compared, cost
from bench.rig import Rig
from bench.table import table
from roadstead.aws import clients
from roadstead.aws.table import Table, put
from tests import aws

MANY, FEW = "bench/many", "bench/few"
PAGE = 10
_WRITERS = 4


@dataclass(frozen=True, slots=True)
class Row:
    """Seconds of wall time: ours, and what it is held against."""

    name: str
    against: str
    wall: Comparison


def measure(rig: Rig, *, tags: int, pairs: int) -> Iterator[Row]:
    """Measure every row, with `tags` tags in the larger of two repositories."""
    index = Table(clients.client("dynamodb"), rig.resources.index_table)
    _make_repository(index, FEW, PAGE)
    _make_repository(index, MANY, tags)
    few, first = _page(rig, FEW, ""), _page(rig, MANY, "")
    last = _page(rig, MANY, f"&last=t{tags - PAGE - 1:06d}")
    yield _row(f"tags/list of {PAGE} of {tags:,} tags, the first page", f"of {PAGE} tags", first, few, pairs)
    yield _row(f"tags/list of {PAGE} of {tags:,} tags, the last page", f"of {PAGE} tags", last, few, pairs)
    keys = [(f"repo#{MANY}", f"tag#t{number:06d}") for number in range(0, tags, tags // 100)][:100]
    one = keys[0]
    yield _row(
        "BatchGetItem of 100 items", "100 x GetItem", lambda: index.batch_get(keys),
        lambda: [index.get(one) for _ in range(100)], pairs,
    )  # fmt: skip
    with _ministack() as theirs:
        theirs.write(put(one, {"at": 1}))
        yield _row(
            "GetItem", "ministack", _times(20, lambda: index.get(one)), _times(20, lambda: theirs.get(one)), pairs
        )
    with tempfile.TemporaryDirectory(prefix="roadstead-bench-") as directory:
        floor = _synced(Path(directory) / "floor")
        durable = _times(20, lambda: index.write(put(("bench", "put"), {"at": time.time_ns()})))
        yield _row("PutItem, on the disk", "an append of 4 KiB and fdatasync", durable, _times(20, floor), pairs)


def show(rows: list[Row]) -> str:
    return table(
        "The embedded AWS",
        "Wall time, client included, in turn. Median (least-most) of the pairs.",
        ["what", "ms", "over", "ratio"],
        [[one.name, f"{one.wall.median_ours * 1000:.2f}", one.against, str(one.wall)] for one in rows],
    )


def _row(name: str, against: str, ours: Callable[[], object], base: Callable[[], object], pairs: int) -> Row:
    ours(), base()  # opens connections

    def sample(run: Callable[[], object]) -> Callable[[], Cost]:
        return lambda: cost(run, of=1)

    return Row(name, against, compared(sample(ours), sample(base), pairs)[0])


def _times(count: int, run: Callable[[], object]) -> Callable[[], object]:
    return lambda: [run() for _ in range(count)]


def _make_repository(index: Table, name: str, tags: int) -> None:
    index.batch_write(puts=[((f"repo#{name}", "meta"), {"at": 1, "by": "bench"})])
    item = {"digest": f"sha256:{'0' * 64}", "type": "application/vnd.oci.image.manifest.v1+json", "size": 500, "at": 1}
    numbers = range(tags)

    def write(start: int) -> None:
        index.batch_write(
            puts=[((f"repo#{name}", f"tag#t{number:06d}"), item) for number in numbers[start : start + 1000]]
        )

    with ThreadPoolExecutor(_WRITERS) as pool:
        list(pool.map(write, range(0, tags, 1000)))


def _page(rig: Rig, repository: str, more: str) -> Callable[[], object]:
    headers = {"authorization": f"Bearer {rig.token(f'repository:{repository}:pull')}"}
    target = f"/v2/{repository}/tags/list?n={PAGE}{more}"
    return lambda: rig.invocation("registry", "GET", target, headers=headers)()


@contextlib.contextmanager
def _ministack() -> Iterator[Table]:
    with aws.ministack() as endpoint:
        dynamodb: Any = aws.client("dynamodb", endpoint)
        aws.make_tables(dynamodb, "index", "identity")
        yield Table(dynamodb, "index")


def _synced(file: Path) -> Callable[[], object]:
    """The least that a durable write costs on this disk."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def append() -> None:
        os.write(descriptor, bytes(4096))
        os.fdatasync(descriptor)

    return append
