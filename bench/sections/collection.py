"""What it costs to free blobs: time and calls to AWS, beside distribution's collector, and in a larger repository.

The blobs are links that no manifest needs, with their objects and candidates, as deleted images leave them behind. The
collector's times are zero, so that the three runs that it takes to free a blob follow each other.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.rig import Rig
from bench.servers import DISTRIBUTION
from bench.table import table
from functions.collector.composition import build
from functions.collector.settings import Settings
from roadstead.aws import clients
from roadstead.aws.content.index_items import blob_pk, candidate, link_key, manifest_item_key, use_key
from roadstead.aws.table import Table
from roadstead.digest import Digest

_RUNS = 3  # mark, remove, delete
_WRITERS = 8
_CONFIGURATION = """version: 0.1
storage:
  filesystem:
    rootdirectory: {root}
http:
  addr: 127.0.0.1:0
"""


@dataclass(frozen=True, slots=True)
class Freed:
    """`seconds` for all blobs; `calls` is None for a registry that makes none."""

    name: str
    blobs: int
    standing: int
    seconds: float
    calls: int | None


def measure(rig: Rig, *, blobs: int) -> Iterator[Freed]:
    """Free `blobs` here and in distribution; then a tenth of them beside as many that stand, and beside ten times more.

    Raises AssertionError if something is left, or something that stands is gone.
    """
    yield _ours(rig, "Roadstead", blobs, 0)
    if shutil.which(DISTRIBUTION):
        yield _distribution(blobs, 0)
    few = max(1, blobs // 10)
    for standing in (few, 10 * few):
        yield _ours(rig, "Roadstead, the same changes", few, standing)
        if shutil.which(DISTRIBUTION):
            yield _distribution(few, standing)


def show(rows: list[Freed]) -> str:
    return table(
        "Freeing blobs",
        "All runs that it takes, on this machine: here against the embedded AWS, whose every write is on the disk; "
        "distribution against a directory, and it must not be pushed to meanwhile. `standing` are blobs that are kept.",
        ["what", "blobs", "standing", "seconds", "ms/blob", "calls/blob"],
        [
            [
                one.name,
                f"{one.blobs:,}",
                f"{one.standing:,}",
                f"{one.seconds:.1f}",
                f"{one.seconds / one.blobs * 1000:.2f}",
                f"{one.calls / one.blobs:.2f}" if one.calls is not None else "-",
            ]
            for one in rows
        ],
    )


def _ours(rig: Rig, name: str, blobs: int, standing: int) -> Freed:
    index = Table(clients.client("dynamodb"), rig.resources.index_table)
    s3, bucket = clients.client("s3"), rig.resources.bucket
    repository = f"bench/{blobs}-{standing}"
    free = [_made(f"{repository} {number}") for number in range(blobs)]
    kept = [_made(f"{repository} kept {number}") for number in range(standing)]
    _write(index, s3, bucket, repository, free, kept)
    times = {"COLLECT_TRIAL": "on", "COLLECT_GRACE": "0", "COLLECT_FENCE": "0"}
    collector = build(Settings.from_environ({**rig.environment, **times}), lambda _: None).collector

    def collect() -> None:
        for _ in range(_RUNS):
            collector.run()
            time.sleep(0.002)  # the next run is later than this one

    began = time.monotonic()
    calls = rig.calls_of(collect)
    seconds = time.monotonic() - began - _RUNS * 0.002
    keys = {entry for _, entry, _ in (*free, *kept)}
    left = {key for page in _pages(s3, bucket, "blobs/bench-") for key in page} & keys
    assert left == {key for _, key, _ in kept}, f"{len(left)} objects are left, and {standing} should be"
    return Freed(name, blobs, standing, seconds, len(calls))


def _made(name: str) -> tuple[Digest, str, bytes]:
    """A blob: its digest, the key of its object, its bytes."""
    data = name.encode()
    upload = hashlib.sha256(data).hexdigest()[:32]
    return Digest.of(data), f"blobs/bench-{upload[:2]}/{upload}/1", data


def _write(index: Table, s3: Any, bucket: str, repository: str, free: list[Any], kept: list[Any]) -> None:
    """Write links, records and objects; candidates for those that are free, and a manifest that needs the others."""
    now = int(time.time() * 1000)
    manifest, generation = Digest.of(repository.encode()), "g"
    puts: list[Any] = []
    for digest, key, data in (*free, *kept):
        puts.append((link_key(repository, digest), {"key": key, "size": len(data), "at": now}))
        record = {"key": key, "size": len(data), "state": "live", "version": "1"}
        puts.append(((blob_pk(digest), "meta"), record))
        puts.append(((blob_pk(digest), f"repo#{repository}"), {"at": now}))
    puts += [candidate(now - 1, "link", repository=repository, digest=digest) for digest, _, _ in free]
    puts += [(use_key(repository, digest, manifest, generation), {"at": now}) for digest, _, _ in kept]
    if kept:
        item = {"type": "t", "size": 1, "generation": generation, "key": "manifests/bench", "at": now, "by": "bench"}
        puts.append((manifest_item_key(repository, manifest), item))
    with ThreadPoolExecutor(_WRITERS) as pool:
        list(pool.map(lambda start: index.batch_write(puts=puts[start : start + 500]), range(0, len(puts), 500)))
        list(pool.map(lambda one: s3.put_object(Bucket=bucket, Key=one[1], Body=one[2]), (*free, *kept)))


def _pages(s3: Any, bucket: str, prefix: str) -> Iterator[list[str]]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield [entry["Key"] for entry in page.get("Contents", [])]


def _distribution(blobs: int, standing: int) -> Freed:
    """Lay out a repository as distribution does, and let its own command collect it."""
    with tempfile.TemporaryDirectory(prefix="roadstead-bench-") as directory:
        root = Path(directory) / "data"
        base = root / "docker" / "registry" / "v2"
        free = [_store(base, f"free {number}".encode()) for number in range(blobs)]
        kept = [_store(base, f"kept {number}".encode()) for number in range(standing)]
        config = _store(base, b"{}")
        body = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 2, "digest": config},
            "layers": [
                {"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": 9, "digest": digest}
                for digest in kept
            ],
        }
        manifest = _store(base, json.dumps(body).encode())
        own = base / "repositories" / "bench" / "image"
        algorithm, _, hexadecimal = manifest.partition(":")
        for place in (own / "_manifests" / "revisions", own / "_manifests" / "tags" / "latest" / "index"):
            _link(place / algorithm / hexadecimal / "link", manifest)
        _link(own / "_manifests" / "tags" / "latest" / "current" / "link", manifest)
        (own / "_layers").mkdir()  # by which it knows a repository
        configuration = Path(directory) / "config.yml"
        configuration.write_text(_CONFIGURATION.format(root=root))
        began = time.monotonic()
        subprocess.run(
            [DISTRIBUTION, "garbage-collect", str(configuration)], check=True, capture_output=True, timeout=600
        )
        seconds = time.monotonic() - began
        left = [digest for digest in free if _data(base, digest).exists()]
        assert not left, f"distribution left {len(left)}"
        assert all(_data(base, digest).exists() for digest in kept)
        return Freed("distribution", blobs, standing, seconds, None)


def _store(base: Path, data: bytes) -> str:
    digest = Digest.of(data)
    file = _data(base, digest)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return digest


def _data(base: Path, digest: str) -> Path:
    algorithm, _, hexadecimal = digest.partition(":")
    return base / "blobs" / algorithm / hexadecimal[:2] / hexadecimal / "data"


def _link(file: Path, digest: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(digest)
