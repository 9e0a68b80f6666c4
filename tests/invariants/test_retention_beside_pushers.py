"""A run of retention over a large repository while others push, tag and pull: what it deletes, and what it costs.

RETENTION_TAGS in the environment is how many tags there are: 400, or 20,000 (minutes on an idle machine).
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.write_units import writes
from roadstead.aws.catalog.dynamodb_pulls import DynamoPullCounts
from roadstead.aws.content.dynamodb_blobs import DynamoBlobIndex
from roadstead.aws.content.dynamodb_manifests import DynamoManifestIndex
from roadstead.aws.content.dynamodb_rules import DynamoProjectRules
from roadstead.aws.content.index_items import (
    catalog_key,
    manifest_item_key,
    meta_key,
    pushed_manifest,
    pushed_tag,
    repository_pk,
    tag_key,
)
from roadstead.aws.content.s3 import S3Objects
from roadstead.aws.lifecycle.dynamodb_executions import DynamoExecutions
from roadstead.aws.lifecycle.dynamodb_retention import DynamoRetention, DynamoRetentionView
from roadstead.aws.lifecycle.dynamodb_schedules import DynamoSchedules
from roadstead.aws.table import Table
from roadstead.content.copying import NothingUploaded
from roadstead.content.deletion.artifacts import Deletion
from roadstead.content.manifest_document import OCI_MANIFEST
from roadstead.content.manifests import Manifests
from roadstead.content.push import Push
from roadstead.digest import Digest
from roadstead.lifecycle.executions.executions import Status
from roadstead.lifecycle.executions.runner import Runner
from roadstead.lifecycle.executions.starter import Starter
from roadstead.lifecycle.policy.changes import Policies
from roadstead.lifecycle.retention.execution import KIND, RetentionWork
from roadstead.lifecycle.retention.policies import Retention
from roadstead.lifecycle.retention.rules import Policy, Rule, Selector, Template
from roadstead.lifecycle.retention.verdicts import DAY_MS, PULL_LAG_MS, Candidate
from roadstead.names import RepositoryName, Tag
from roadstead.trail.entries import Actor
from roadstead.trail.events import EventMaker
from roadstead.trail.pull_counts import Artifact, Pulls
from tests import aws
from tests.embedded import Embedded, embedded
from tests.manifests import image_of
from tests.memory.executions import log_of

TAGS = int(os.environ.get("RETENTION_TAGS", "400"))
PUSHERS = 10
FASTER = 15 if TAGS < 1_000 else 1  # by which the clock of a step runs, so that a small repository takes several, too
PAUSE = 1.5 if TAGS < 1_000 else 15.0  # seconds between two acts of a pusher, at most
SHIPS, ADA = RepositoryName("ships/galleon"), Actor("ada")
CONFIG, LAYER = b"{}", b"a layer"
ALL = (Selector("**"),)
DAYS = 30
RULES = Policy(
    1,
    tuple(
        Rule(number, template, DAYS, tags=ALL, repositories=ALL)
        for number, template in enumerate((Template.DAYS_SINCE_PUSH, Template.DAYS_SINCE_PULL), 1)
    ),
)
CALLS, WRITE_UNITS = 14, 22  # of a deletion: 13 and 21, as docs/retention.md has them, and what is tried again
ITEM = 400  # bytes of an item of the index by push, at most


def body_of(number: int) -> bytes:
    return image_of(LAYER, config=CONFIG, annotations={"n": str(number)})


def tag_of(number: int) -> Tag:
    return Tag(f"v{number:06d}")


class Parts:
    """The stores and services of one process, with clients of its own."""

    def __init__(self, cloud: Embedded) -> None:
        self.dynamodb, self.s3 = cloud.client("dynamodb", attempts=5), cloud.client("s3", attempts=5)
        self.table, self.events = Table(self.dynamodb, "index"), EventMaker()
        self.index, self.blobs = DynamoManifestIndex(self.table), DynamoBlobIndex(self.table)
        self.objects = S3Objects(self.s3, "bucket")
        parts: Any = {"manifests": self.index, "blobs": self.blobs, "objects": self.objects, "events": self.events}
        self.push, self.manifests = Push(adoption=NothingUploaded(), **parts), Manifests(**parts)


class Watched(DynamoRetentionView):
    """Notes when the last pull of an artifact was asked for. After each look `wanted` is told of two that would go."""

    def __init__(self, table: Table, wanted: Callable[[Candidate, Candidate], None]) -> None:
        super().__init__(table)
        self.looks = 0
        self.asked: dict[Digest, float] = {}
        self._wanted = wanted

    def candidates(self, repository: RepositoryName) -> Any:
        self.looks += 1
        found = super().candidates(repository)
        old = (one for one in found if not one.pulled and one.pushed < int((time.time() - DAYS * 86_400) * 1000))
        two = sorted(old, key=lambda one: one.pushed)[:2]
        if len(two) == 2:
            self._wanted(*two)
        return found

    def last_pull(self, repository: RepositoryName, one: Candidate) -> int:
        self.asked[one.digest] = time.monotonic()
        return super().last_pull(repository, one)


@dataclass
class Others:
    """What others did meanwhile. `pulled` is when an artifact's pull was known at last."""

    accepted: dict[Tag, Digest] = field(default_factory=dict)
    pulled: dict[Digest, float] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    refused: list[BaseException] = field(default_factory=list)


@contextmanager
def busy(cloud: Embedded) -> Iterator[Others]:
    others, over, parts = Others(), threading.Event(), Parts(cloud)
    pulls = DynamoPullCounts(parts.table)

    def push(lots: random.Random, name: str) -> str:
        old = lots.randrange(TAGS // 2, TAGS)  # the older half goes, however slow the machine is
        kind = lots.choice(("new", "again", "tagged"))
        body = body_of(old) if kind != "new" else image_of(LAYER, config=CONFIG, annotations={"n": name})
        tag = tag_of(old) if kind == "again" else Tag(name)
        pushed = parts.push.push(SHIPS, tag, body, content_type=OCI_MANIFEST, actor=ADA)
        others.accepted[tag] = pushed.digest
        return kind

    def pull(lots: random.Random, name: str) -> str:
        digest = Digest.of(body_of(lots.randrange(TAGS // 2, TAGS)))
        pulls.add(name, {Artifact(SHIPS, digest): Pulls(1, parts.events.now_ms())}, {})
        others.pulled.setdefault(digest, time.monotonic())
        return "pulled"

    def work(act: Callable[[random.Random, str], str], number: int) -> None:
        lots, count = random.Random(number), 0
        try:
            while not over.is_set():
                others.done[act(lots, f"{number}-{count}")] += 1
                count += 1
                over.wait(lots.uniform(0, PAUSE))
        except BaseException as error:
            others.refused.append(error)

    threads = [threading.Thread(target=work, args=(push, number)) for number in range(PUSHERS)]
    threads.append(threading.Thread(target=work, args=(pull, PUSHERS)))
    for thread in threads:
        thread.start()
    try:
        yield others
    finally:
        over.set()
        for thread in threads:
            thread.join()


def fill(parts: Parts) -> None:
    """Tags of 60 days ago. Of each hundred one was pulled within the stated lag, and one before it."""
    now, pk = parts.events.now_ms(), repository_pk(SHIPS)
    puts: list[Any] = [(meta_key(SHIPS), {"at": now, "by": "ada"}), (catalog_key(SHIPS), {"at": now})]
    for data in (CONFIG, LAYER):
        digest = Digest.of(data)
        puts.append(((pk, f"blob#{digest}"), {"size": len(data), "key": f"blobs/{digest}", "at": now}))
    for number in range(TAGS):
        body, tag, at = body_of(number), tag_of(number), now - 60 * DAY_MS + number
        digest = Digest.of(body)
        shown = {"type": OCI_MANIFEST, "size": len(body), "at": at, "by": "ada"}
        manifest = {"pushed": pushed_manifest(at, digest), "generation": "1", "key": f"manifests/{number}"}
        puts.append(((pk, f"tag#{tag}"), {"digest": digest, "pushed": pushed_tag(at, tag), **shown}))
        puts.append(((pk, f"tagged#{digest}#{tag}"), {"at": at}))
        puts.append(((pk, f"manifest#{digest}"), {**manifest, "data": body, **shown}))
        if number % 100 < 2:
            last = now - DAYS * DAY_MS - PULL_LAG_MS // 2 - (number % 100) * PULL_LAG_MS
            puts.append(((f"pulls#{SHIPS}", digest), {"count": 1, "last": last}))
    parts.table.batch_write(puts=puts)


def test_a_run_beside_pushers_deletes_only_what_nobody_wants_and_costs_what_is_stated(tmp_path: Path) -> None:
    with embedded(tmp_path / "cloud") as cloud:
        own = Parts(cloud)
        aws.make_tables(own.dynamodb, "index", "identity")
        own.s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": aws.REGION})
        fill(own)
        passer, wanted = Parts(cloud), Others()

        def want(first: Candidate, second: Candidate) -> None:
            """Somebody pulls the one and pushes the other again, between the look and their deletion."""
            pulled = {Artifact(SHIPS, first.digest): Pulls(1, passer.events.now_ms())}
            DynamoPullCounts(passer.table).add(f"look {first.digest}", pulled, {})
            (tag,) = second.tags
            found = passer.index.find_manifest(SHIPS, second.digest)
            assert found is not None and found.data is not None
            passer.push.push(SHIPS, tag, found.data, content_type=OCI_MANIFEST, actor=ADA)
            wanted.pulled[first.digest] = 0.0
            wanted.accepted[tag] = second.digest

        view, executions = Watched(own.table, want), DynamoExecutions(own.table)
        policies, starter = DynamoRetention(own.table), Starter(executions, own.events)
        immutable = Policies(DynamoProjectRules(own.table), own.events).immutable_tags
        work = RetentionWork(
            policies,
            view,
            Deletion(own.manifests, own.index, own.objects),
            immutable,
            own.events,
            clock=lambda: time.monotonic() * FASTER,
        )
        retention = Retention(policies, DynamoSchedules(own.table), view, starter, immutable, own.events)
        started = retention.start(SHIPS.project, RULES, dry=False, actor=ADA)
        calls = aws.record_calls(own.dynamodb, own.s3)
        requests: list[tuple[str, Any]] = []
        own.dynamodb.meta.events.register(
            "before-parameter-build", lambda params, model, **_: requests.append((model.name, dict(params)))
        )
        began = time.monotonic()
        with busy(cloud) as others:
            done = Runner(executions, {KIND: work}, own.events).run(started.id, lambda: 900.0)
        took, used, units = time.monotonic() - began, list(calls), sum(one.units for one in writes(requests))

        assert others.refused == []
        for digest in wanted.pulled:
            assert own.index.find_manifest(SHIPS, digest) is not None, "it was pulled after the look, and is gone"
        others.accepted |= wanted.accepted
        others.pulled |= wanted.pulled
        assert done is not None and done.status is Status.SUCCESS
        log = log_of(executions, done.id, 1)
        meanwhile = log.count("meanwhile")
        deleted = done.progress["deleted"]
        tried = deleted + meanwhile
        print(f"{deleted} of {TAGS} deleted and {meanwhile} left in {took:.0f} s, {view.looks} looks")
        print(f"others: {dict(others.done)}; {len(used) / tried:.1f} calls and {units / tried:.1f} units for each")
        print(Counter(used))

        pushed = [(tag_key(SHIPS, tag), manifest_item_key(SHIPS, one)) for tag, one in others.accepted.items()]
        there = own.table.batch_get(key for keys in pushed for key in keys)
        for tag, digest in others.accepted.items():
            found = there.get(tag_key(SHIPS, tag))
            assert found is not None and found["digest"] == digest, f"{tag} was pushed, and is gone"
            assert manifest_item_key(SHIPS, digest) in there, f"{tag} points to nothing"
        left = {candidate.digest for candidate in DynamoRetentionView(own.table).candidates(SHIPS)}
        needed = {*others.pulled, *others.accepted.values()}
        for number in range(TAGS):
            digest, stays = Digest.of(body_of(number)), number % 100 == 0
            if digest in left:
                assert stays or digest in needed, f"{number} should go"
                continue
            assert not stays, f"{number} was pulled within the lag"
            assert others.pulled.get(digest, view.asked[digest]) >= view.asked[digest], f"{number} was pulled before"
        assert min(others.done[kind] for kind in ("new", "again", "tagged", "pulled")) > 0
        assert deleted > TAGS // 3 and view.looks > 1

        look = 6 + 2 * (1 + (TAGS + others.done["new"] + others.done["tagged"]) * ITEM // 1_000_000)
        assert len(used) <= CALLS * tried + (look + 8) * (view.looks + 1)
        assert units <= WRITE_UNITS * tried + 20 * (view.looks + 1)
