"""The audit of the bucket: nothing that requests leave is strange to it, and what is strange is found and goes."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass, field, replace

import pytest

from roadstead.aws.lifecycle.dynamodb_backlog import DynamoBacklog
from roadstead.aws.lifecycle.dynamodb_explanations import DynamoExplanations
from roadstead.aws.lifecycle.s3_walk import S3Walk
from roadstead.catalog.extraction import derived_key
from roadstead.digest import Digest
from roadstead.lifecycle.bucket_audit.comparison import MIN_AGE, BucketAudit, Served, Stored
from roadstead.lifecycle.bucket_audit.execution import KIND, SETTLED, BucketAuditWork
from roadstead.lifecycle.executions.executions import Execution, LogPart, Trigger
from roadstead.trail.entries import Actor
from tests.invariants.cloud import BUCKET, Cloud
from tests.invariants.collector import GRACE, collector, tell
from tests.invariants.operations import IMAGE, LAYER, OPERATIONS, Operation, Work, with_image
from tests.invariants.registry import ALICE, SHIPS, Registry
from tests.invariants.test_usage_audit import audit_of as usage_audit_of
from tests.invariants.test_usage_audit import projects as projects  # a fixture
from tests.invariants.trash import Bin

LATER = 10**10  # seconds: everything is old by then


@dataclass(slots=True)
class Audit:
    """What an audit of everything came to."""

    objects: int = 0
    young: int = 0
    unexplained: list[Stored] = field(default_factory=list)
    missing: list[Served] = field(default_factory=list)


def audit_of(cloud: Cloud) -> BucketAudit:
    registry = Registry(cloud)
    walk, explanations = S3Walk(cloud.s3, BUCKET), DynamoExplanations(registry.table)
    return BucketAudit(walk, explanations, registry.objects, DynamoBacklog(registry.table))


def run(cloud: Cloud, *, now: int = LATER) -> Audit:
    """`now` in seconds."""
    audit, found, after = audit_of(cloud), Audit(), ""
    while (page := audit.page(after)) is not None:
        after = page.last
        found.objects += page.objects
        strange = audit.unexplained(page.strange, now=int(cloud.clock() * 1000))
        found.unexplained += [one for one in strange if one.at < now - MIN_AGE]
        found.young += sum(one.at >= now - MIN_AGE for one in strange)
    last = ""
    while names := audit.repositories(last):
        last = names[-1]
        for name in names:
            place = ""
            while served := audit.served(name, place):
                place = served[-1].place[1]
                found.missing += audit.missing(served)
    return found


@pytest.mark.parametrize("operation", random.Random(7).sample(OPERATIONS, 12), ids=lambda one: one.name)
def test_what_an_operation_leaves_is_explained(cloud: Cloud, operation: Operation) -> None:
    registry, work = Registry(cloud), Work()
    operation.prepare(registry, work)
    operation.run(registry, work)
    found = run(cloud)
    sent_whole = [one for one in found.unexplained if one.key.rpartition("/")[0] in _unnoted(cloud)]
    assert [one for one in found.unexplained if one not in sent_whole] == []
    assert found.missing == []


def _unnoted(cloud: Cloud) -> set[str]:
    """Where the edge puts objects: in AWS an event of S3 leaves a candidate for each, and here nobody does."""
    return {key.rpartition("/")[0] for key in cloud.objects() if key.startswith("blobs/sha256/")}


def test_an_object_that_nothing_names_is_found_once_it_is_old_and_goes_to_the_collector(cloud: Cloud) -> None:
    registry = Registry(cloud)
    with_image(registry, "latest")
    digest = Digest.of(IMAGE)
    strange = [
        f"manifests/{SHIPS}/sha256/{digest.hex}/{'0' * 32}",
        f"blobs/sha256/{Digest.of(LAYER).hex}/{'0' * 32}/{'1' * 32}",
        derived_key(SHIPS, digest, "0" * 32, "readme"),
        "blobs/uploads/nobody/x",
        "elsewhere",
    ]
    for key in strange:
        registry.objects.put(key, b"strange", metadata={})
    now = int(time.time())  # what S3 stamps objects with; other tests have moved the cloud's clock ahead
    young = run(cloud, now=now)
    assert (young.unexplained, young.young) == ([], 5)
    audit = audit_of(cloud)
    found = run(cloud, now=now + MIN_AGE + 60)
    assert sorted(one.key for one in found.unexplained) == sorted(strange)
    assert found.objects == len(cloud.objects())
    left = audit.repair(found.unexplained, now=int(cloud.clock() * 1000))
    assert sorted(one.key for one in left) == ["blobs/uploads/nobody/x", "elsewhere"]
    assert strange[2] not in cloud.objects()
    candidates = {item["key"]: item["kind"] for item in cloud.rows("gc#").values() if "key" in item}
    assert (candidates[strange[0]], candidates[strange[1]]) == ("manifest", "object")
    # What waits for the collector is explained.
    assert sorted(one.key for one in run(cloud, now=now + MIN_AGE + 60).unexplained) == [*sorted(strange[3:])]


def test_an_object_that_the_index_names_and_that_is_gone_is_missing(cloud: Cloud) -> None:
    registry = Registry(cloud)
    with_image(registry, "latest")
    entry = registry.index.find_manifest(SHIPS, Digest.of(IMAGE))
    assert entry is not None
    registry.objects.delete([entry.key])
    found = run(cloud)
    assert [(one.key, one.place) for one in found.missing] == [
        (entry.key, (f"repo#{SHIPS}", f"manifest#{Digest.of(IMAGE)}"))
    ]
    registry.delete(Digest.of(IMAGE))
    assert run(cloud).missing == []


def test_what_waits_for_the_collector_is_explained_until_it_goes(cloud: Cloud) -> None:
    """A deleted manifest and its blobs; an upload that nobody asked for; what the trash keeps."""
    registry = Registry(cloud)
    with_image(registry, "latest")
    registry.send_whole(registry.begin(), b"nobody asks for this")
    tell(cloud)
    Bin(cloud).trash.set_grace(SHIPS.project, 0, actor=ALICE)
    registry.delete(Digest.of(IMAGE))
    assert run(cloud).unexplained == []
    for _ in range(6):
        cloud.clock.advance(GRACE)
        collector(cloud).run()
        assert run(cloud).unexplained == []
    assert not cloud.objects()


def test_an_object_that_a_link_names_is_explained_although_its_record_names_another(cloud: Cloud) -> None:
    """It is damage, but the collector must not be led there."""
    registry = Registry(cloud)
    digest = registry.send_whole(registry.begin(), LAYER)
    registry.blobs.get(SHIPS, digest, ALICE)
    link = registry.links.find_link(SHIPS, digest)
    assert link is not None
    record = registry.table.get((f"blob#{digest}", "meta"))
    assert record is not None
    registry.table.batch_write(
        puts=[((f"blob#{digest}", "meta"), {**record, "key": "blobs/elsewhere"})],
        deletes=[(f"upload#{link.key.rpartition('/')[2]}", "meta")],
    )
    assert run(cloud).unexplained == []


@pytest.mark.parametrize("repair", [False, True])
def test_an_execution_looks_step_by_step_at_everything_once_and_repairs_only_when_told(
    cloud: Cloud, repair: bool
) -> None:
    registry = Registry(cloud)
    with_image(registry, "latest")
    entry = registry.index.find_manifest(SHIPS, Digest.of(IMAGE))
    assert entry is not None
    registry.objects.delete([entry.key])
    strange = f"manifests/{SHIPS}/sha256/{Digest.of(IMAGE).hex}/{'0' * 32}"
    for key in (strange, "elsewhere"):
        registry.objects.put(key, b"strange", metadata={})
    cloud.clock.advance(MIN_AGE + 60)
    cloud.clock.advance(max(0, time.time() + MIN_AGE + 60 - cloud.clock()))
    expected = len(cloud.objects())
    before = set(cloud.rows("gc#"))
    clock = iter(range(0, 10**6, 20))  # a step takes two looks
    pauses: list[float] = []
    work = BucketAuditWork(
        audit_of(cloud), usage_audit_of(cloud), registry.events, clock=lambda: float(next(clock)), sleep=pauses.append
    )
    execution = Execution(1, KIND, "", Trigger.MANUAL, Actor("ada"), {"repair": repair}, 0)
    logs: list[LogPart] = []
    steps = 0
    while True:
        steps, step = steps + 1, work.step(execution)
        logs += step.logs
        execution = replace(execution, state=json.loads(json.dumps(step.state)), progress=step.progress)
        if step.done:
            break
    assert steps > 2
    found = execution.progress
    assert (found["objects"], found["unexplained"], found["missing"]) == (expected, 2, 1)
    assert (found["unexplained_bytes"], found["young"], found["served"]) == (14, 0, 3)
    assert len({part.number for part in logs}) == len(logs)
    told = "".join(part.text for part in logs)
    assert f"unexplained  {strange}" in told and "unexplained  elsewhere" in told
    assert f"missing      {entry.key}, named by repo#{SHIPS} manifest#{Digest.of(IMAGE)}" in told
    assert found.get("left") == (1 if repair else None)
    # No indexer has counted the image: its manifest, its two blobs, and the artifact that the repository has.
    assert (found["projects"], found["changing"]) == (1, 0)
    assert found["miscounted"] == told.count("miscounted ") > 0 and set(pauses) == {SETTLED}
    assert f"miscounted   manifest {SHIPS} {Digest.of(IMAGE)}: 0 bytes counted, {len(IMAGE)} there" in told
    assert found.get("recounted") == (found["miscounted"] if repair else None)
    assert bool(cloud.rows("usage#")) == repair
    new = {item["key"] for place, item in cloud.rows("gc#").items() if place not in before}
    assert new == ({strange} if repair else set())
