"""The embedded cloud is killed while people push, delete and change accounts; what was acknowledged is there after.

It dies at a random moment, or at one of the steps of its own writes (`local.cloud.faults.STEPS`). KILL_SECONDS in the
environment is for how long. What was under way when it died may have happened or not, but not by half.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import sqlite3
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from local.cloud.faults import STEPS
from roadstead.aws.attributes import decode
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.table import Table
from roadstead.conflicts import Throttled
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from roadstead.identity.accounts import Accounts
from tests import aws
from tests.embedded import Embedded, NotStartedError, start
from tests.invariants.cloud import BUCKET, IDENTITY, INDEX, Cloud, objects, rows
from tests.invariants.invariants import check_state
from tests.invariants.operations import serves, stands
from tests.invariants.registry import ALICE, SHIPS, Registry, blob, image

SECONDS = float(os.environ.get("KILL_SECONDS", "15"))
THREADS = 4
LONGEST_ROUND = 2.0  # seconds before a kill
PART = 5 * 1024 * 1024
SIZES = (40, 3_000, 20_000, 300_000)  # bytes of a layer: in the index, in a small file, in a larger one
_FAILURES = (BotoCoreError, ClientError, Throttled, RegistryError)


@dataclass
class Acknowledged:
    """What clients were told had happened."""

    tags: dict[str, bytes] = field(default_factory=dict)  # the manifest that a tag is of
    layers: list[bytes] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)  # tags
    uncertain: set[str] = field(default_factory=set)  # tags whose deletion was not answered
    users: list[str] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)  # the SHA-256 of multipart objects, by key
    kills: int = 0
    died_at: Counter[str] = field(default_factory=Counter)


class Hasher:
    """A password's hash that costs nothing."""

    def hash(self, password: str) -> str:
        return f"hash of {password}"


def test_acknowledged_writes_survive_every_kill(tmp_path: Path) -> None:
    lots = random.Random(os.environ.get("KILL_SEED"))
    known = Acknowledged()
    state = tmp_path / "state"
    with _serving(state) as running:
        dynamodb = running.client("dynamodb")
        aws.make_tables(dynamodb, INDEX, IDENTITY)
        for name in (INDEX, IDENTITY):
            view = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
            dynamodb.update_table(TableName=name, StreamSpecification=view)
        running.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": running.region}
        )
    until = time.monotonic() + SECONDS
    rounds = [*((step, lots.randint(2, 40)) for step in STEPS), *((step, 1) for step in STEPS if "transaction" in step)]
    while time.monotonic() < until or rounds:
        step, count = rounds.pop() if rounds else (lots.choice(("", "", *STEPS)), lots.randint(1, 40))
        _round(state, known, step, count, lots)
        with _serving(state) as running:
            _check(running, known, state)
    print(
        f"\n{known.kills} kills ({', '.join(f'{count} {step}' for step, count in sorted(known.died_at.items()))}); "
        f"{len(known.tags)} pushes, {len(known.deleted)} deletions, {len(known.users)} users and {len(known.parts)} "
        "multipart uploads acknowledged, 0 lost"
    )
    assert known.kills >= len(STEPS) and known.tags and known.deleted and known.users


def _round(state: Path, known: Acknowledged, step: str, count: int, lots: random.Random) -> None:
    """Work until it is dead: when it comes to the step for the `count`th time, or after a while."""
    faults: dict[str, Any] = {"kill": {step: count}} if step else {}
    if step.startswith("checkpoint"):
        faults = {"kill": {step: 1}, "checkpoint": 20_000}
    try:
        running = start(state, faults)
    except NotStartedError:
        # Its own first transactions come before it serves, so a kill at one of them is a start that dies.
        assert step.startswith("transaction")
        known.died_at[step] += 1
        known.kills += 1
        return
    ended = threading.Event()
    threads = [
        threading.Thread(target=_work, args=(running, known, random.Random(lots.random()), ended, number))
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    patience = LONGEST_ROUND if step else lots.uniform(0.05, LONGEST_ROUND)
    with contextlib.suppress(Exception):
        running.process.wait(patience)
    known.died_at[step if running.process.poll() is not None else "at any moment"] += 1
    running.kill()
    known.kills += 1
    ended.set()
    for thread in threads:
        thread.join()


def _work(running: Embedded, known: Acknowledged, lots: random.Random, ended: threading.Event, number: int) -> None:
    dynamodb, s3 = running.client("dynamodb", attempts=1), running.client("s3", attempts=1)
    registry = _registry(dynamodb, s3)
    accounts = Accounts(DynamoIdentities(Table(dynamodb, IDENTITY)), cast(Any, Hasher()))
    while not ended.is_set():
        name = f"{lots.getrandbits(64):016x}"
        try:
            if lots.random() < 0.15:
                accounts.create_user(f"u{name}", "correct horse battery staple")
                known.users.append(f"u{name}")
            if number == 0 and lots.random() < 0.1:
                _put_parts(s3, known, name, lots)
            _push(registry, known, name, lots)
            if lots.random() < 0.25:
                _delete(registry, known, f"t{name}")
        except _FAILURES:
            ended.wait(0.01)
        except OSError:
            ended.wait(0.01)


def _push(registry: Registry, known: Acknowledged, name: str, lots: random.Random) -> None:
    config, layer = b"{}", blob(name, lots.choice(SIZES))
    if lots.random() < 0.5:
        registry.upload(layer)
    else:
        registry.send_whole(registry.begin(), layer)
        registry.blobs.get(SHIPS, Digest.of(layer), ALICE, promise=True)
    known.layers.append(layer)
    registry.upload(config)
    document = image(layer, config=config, padding=lots.choice((0, 40 * 1024)))
    registry.push(document, f"t{name}")
    known.tags[f"t{name}"] = document


def _delete(registry: Registry, known: Acknowledged, tag: str) -> None:
    known.uncertain.add(tag)
    registry.delete(tag)
    known.uncertain.discard(tag)
    known.deleted.add(tag)


def _put_parts(s3: Any, known: Acknowledged, name: str, lots: random.Random) -> None:
    about = {"Bucket": BUCKET, "Key": f"other/{name}"}
    upload = s3.create_multipart_upload(**about, ChecksumAlgorithm="SHA256")["UploadId"]
    data = [lots.randbytes(size) for size in (PART, 1_000)]
    parts = []
    for number, piece in enumerate(data, 1):
        answer = s3.upload_part(**about, UploadId=upload, PartNumber=number, Body=piece, ChecksumAlgorithm="SHA256")
        parts.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": answer["ChecksumSHA256"]})
    s3.complete_multipart_upload(**about, UploadId=upload, MultipartUpload={"Parts": parts})
    known.parts[about["Key"]] = hashlib.sha256(b"".join(data)).hexdigest()


def _check(running: Embedded, known: Acknowledged, state: Path) -> None:
    """Raises AssertionError for whatever was lost, or half made."""
    dynamodb, s3 = running.client("dynamodb"), running.client("s3")
    registry = _registry(dynamodb, s3)
    items, bodies = rows(dynamodb), objects(s3)
    lost = [
        tag
        for tag, document in known.tags.items()
        if tag not in known.deleted | known.uncertain and not stands(registry, document, tag)
    ]
    lost += [f"{Digest.of(layer)}" for layer in known.layers if not serves(registry, layer)]
    lost += [key for key, digest in known.parts.items() if hashlib.sha256(bodies.get(key, b"")).hexdigest() != digest]
    identities = DynamoIdentities(Table(dynamodb, IDENTITY))
    lost += [user for user in known.users if Accounts(identities, cast(Any, Hasher())).find_user(user) is None]
    assert lost == [], f"lost after {known.kills} kills: {lost}"
    assert [tag for tag in known.deleted if stands(registry, known.tags[tag], tag)] == []
    kept = {key: body for key, body in bodies.items() if not key.startswith("other/")}
    assert check_state(items, kept) == []
    told = Counter(item["digest"] for (pk, _), item in items.items() if pk.startswith("event#"))
    assert all(told[Digest.of(document)] for document in known.tags.values())
    _check_stream(running, items)
    _check_files(state)


def _check_stream(running: Embedded, items: Any) -> None:
    """Every event is in the change feed of its table, once."""
    streams = running.client("dynamodbstreams")
    (stream,) = streams.list_streams(TableName=INDEX)["Streams"]
    (shard,) = streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=stream["StreamArn"], ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    told: Counter[str] = Counter()
    while True:
        answer = streams.get_records(ShardIterator=iterator)
        if not answer["Records"]:
            break
        iterator = answer["NextShardIterator"]
        for record in answer["Records"]:
            keys = record["dynamodb"]["Keys"]
            if record["eventName"] == "INSERT" and keys["pk"]["S"].startswith("event#"):
                told[decode(record["dynamodb"]["NewImage"])["id"]] += 1
    assert set(told.values()) <= {1}
    assert set(told) == {item["id"] for (pk, _), item in items.items() if pk.startswith("event#")}


def _check_files(state: Path) -> None:
    """What the sweep leaves is what the rows name."""
    with contextlib.closing(sqlite3.connect(f"file:{state / 'cloud.db'}?mode=ro", uri=True)) as connection:
        named = {name for (name,) in connection.execute("SELECT file FROM parts")}
        for (text,) in connection.execute("SELECT segments FROM objects"):
            named |= {file for file, _ in json.loads(text)}
    deadline = time.monotonic() + 120
    while True:
        present = {path.name for path in (state / "objects").rglob("*") if path.is_file()}
        if present == named:
            return
        assert named <= present, f"files are gone: {named - present}"
        assert time.monotonic() < deadline, f"files are left: {present - named}"
        time.sleep(0.05)


def _registry(dynamodb: Any, s3: Any) -> Registry:
    return Registry(cast(Cloud, _Clock()), dynamodb=dynamodb, s3=s3)


class _Clock:
    clock = staticmethod(time.time)


@contextlib.contextmanager
def _serving(state: Path) -> Any:
    running = start(state)
    try:
        yield running
    finally:
        assert running.stop() == 0


@pytest.fixture(autouse=True)
def _readable_failures(tmp_path: Path) -> Any:
    yield
    log = tmp_path / "state.log"
    if log.exists():
        print(log.read_text(errors="replace")[-4000:])
