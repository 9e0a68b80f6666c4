"""Pushes of many clients at once: how many a second, what conflicts, and what would bind in AWS."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench.dynamodb_local import dynamodb_local
from bench.rig import PASSWORD, USER, Rig, installed, rig
from bench.table import table
from roadstead.aws.clients import client
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.table import Table
from roadstead.identity.accounts import Accounts
from roadstead.identity.sign_in.passwords import Argon2Hasher
from tests.aws import make_tables

CLIENTS = 8
PARTITION = 1_000  # write units a second of one partition ("Best practices for partition keys", DynamoDB)
ECR = 10  # PutImage a second, the default quota of Amazon ECR
_TIMEOUT = 900  # seconds: for a machine that hangs, not a slow one
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Row:
    """`units` are those of a push in its busiest partition; conflicts are canceled transactions."""

    store: str
    what: str
    pushes: int
    refused: int
    seconds: float
    conflicts: int
    calls: int
    partition: str
    units: float


def measure(*, pushes: int) -> list[Row]:
    """Let each client push `pushes` manifests, on both stores. Raises servers.Missing without Java."""
    with rig() as embedded, dynamodb_local() as url, _on(embedded, url) as local:
        return [
            _pushed(store, what, one, repositories, tag, pushes)
            for store, one in (("embedded", embedded), ("DynamoDB Local", local))
            for what, repositories, tag in (
                ("ten repositories", 10, ""),
                ("one repository", 1, ""),
                ("one repository, one tag", 1, "latest"),
            )
        ]


def show(rows: Sequence[Row]) -> str:
    lines = [
        [
            row.store,
            row.what,
            f"{row.pushes / row.seconds:.0f}",
            str(row.refused),
            f"{row.conflicts / row.pushes:.2f}",
            f"{row.calls / row.pushes:.1f}",
            f"{row.partition} {row.units:.1f}",
            f"{PARTITION / row.units:.0f}",
        ]
        for row in rows
    ]
    return table(
        "Pushes of many clients at once",
        f"{CLIENTS} processes, each with the registry function, put manifests of one layer whose blobs are there; a "
        "tag each, or all the same one. On this machine its CPUs bind. conflicts: transactions that were canceled "
        "and tried again, for each push. busiest: the partition key that takes most write units of a push. AWS: "
        f"pushes a second until that key takes the {PARTITION:,} units of a partition. Amazon ECR's quota is {ECR} "
        "PutImage a second.",
        ["DynamoDB", "into", "a second", "refused", "conflicts", "calls", "busiest, units", "AWS"],
        lines,
    )


@contextlib.contextmanager
def _on(embedded: Rig, url: str) -> Iterator[Rig]:
    """Yield a rig whose tables are those of DynamoDB at `url`; the rest is that of `embedded`."""
    environment = {**embedded.environment, "AWS_ENDPOINT_URL_DYNAMODB": url}
    other = replace(embedded, environment=environment, calls=[], watchers=[])
    with installed(other):
        dynamodb = client("dynamodb")
        make_tables(dynamodb, other.resources.index_table, other.resources.identity_table)
        Accounts(DynamoIdentities(Table(dynamodb, other.resources.identity_table)), Argon2Hasher()).create_user(
            USER, PASSWORD, admin=True
        )
        yield other


def _pushed(store: str, what: str, one: Rig, repositories: int, tag: str, pushes: int) -> Row:
    names = [f"{secrets.token_hex(4)}/app" for _ in range(repositories)]
    plan = {
        "resources": {**asdict(one.resources), "upload_keys": ""},
        "environment": one.environment,
        "repositories": names,
        "tag": tag,
        "pushes": pushes,
    }
    with installed(one):
        one.token(*(f"repository:{name}:pull,push" for name in names))  # creates the projects before many want to
    processes = [_start({**plan, "name": f"c{number}"}) for number in range(CLIENTS)]
    try:
        for process in processes:
            if _line(process) != "ready":
                raise RuntimeError("a client could not prepare its pushes")
        for process in processes:
            _tell(process, "go")
        seen = [json.loads(_line(process)) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate(timeout=_TIMEOUT)
    return _row(store, what, seen)


def _row(store: str, what: str, seen: Sequence[Mapping[str, Any]]) -> Row:
    units: Counter[str] = Counter()
    for one in seen:
        units.update(one["units"])
    done = sum(one["pushes"] for one in seen)
    ((busiest, most),) = units.most_common(1)
    return Row(
        store,
        what,
        done,
        sum(one["refused"] for one in seen),
        max(one["seconds"] for one in seen),
        sum(one["errors"].get("TransactionCanceledException", 0) for one in seen),
        sum(sum(one["calls"].values()) for one in seen),
        busiest.partition("#")[0],
        most / done,
    )


def _start(plan: Mapping[str, Any]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.pusher"],
        cwd=ROOT,
        env={"PATH": os.environ.get("PATH", "")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    _tell(process, json.dumps(plan))
    return process


def _tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()
