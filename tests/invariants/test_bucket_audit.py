"""The audit of the bucket: nothing that requests leave is strange to it, and what is strange is found and goes."""

from __future__ import annotations

import random
import time

import pytest

from roadstead.aws.lifecycle.dynamodb_backlog import DynamoBacklog
from roadstead.aws.lifecycle.dynamodb_explanations import DynamoExplanations
from roadstead.aws.lifecycle.s3_walk import S3Walk
from roadstead.catalog.extraction import derived_key
from roadstead.digest import Digest
from roadstead.lifecycle.bucket_audit import MIN_AGE, Audit, BucketAudit
from tests.invariants.cloud import BUCKET, Cloud
from tests.invariants.operations import IMAGE, LAYER, OPERATIONS, Operation, Work, with_image
from tests.invariants.registry import SHIPS, Registry

LATER = 10**10  # seconds: everything is old by then


def audit_of(cloud: Cloud) -> BucketAudit:
    registry = Registry(cloud)
    walk, explanations = S3Walk(cloud.s3, BUCKET), DynamoExplanations(registry.table)
    return BucketAudit(walk, explanations, registry.objects, DynamoBacklog(registry.table))


def run(cloud: Cloud) -> Audit:
    return audit_of(cloud).run(now=LATER)


@pytest.mark.parametrize("operation", random.Random(7).sample(OPERATIONS, 12), ids=lambda one: one.name)
def test_what_an_operation_leaves_is_explained(cloud: Cloud, operation: Operation) -> None:
    registry, work = Registry(cloud), Work()
    operation.prepare(registry, work)
    operation.run(registry, work)
    found = run(cloud)
    sent_whole = [one for one in found.unexplained if one.key.rpartition("/")[0] in _unnoted(cloud)]
    assert [one for one in found.unexplained if one not in sent_whole] == []
    assert found.missing == ()


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
    young = audit_of(cloud).run(now=now)
    assert (young.unexplained, young.young) == ((), 5)
    audit = audit_of(cloud)
    found = audit.run(now=now + MIN_AGE + 60)
    assert sorted(one.key for one in found.unexplained) == sorted(strange)
    assert found.objects == len(cloud.objects())
    left = audit.repair(found, now=now)
    assert sorted(one.key for one in left) == ["blobs/uploads/nobody/x", "elsewhere"]
    assert strange[2] not in cloud.objects()
    candidates = {item["key"]: item["kind"] for item in cloud.rows("gc#").values() if "key" in item}
    assert (candidates[strange[0]], candidates[strange[1]]) == ("manifest", "object")
    assert sorted(one.key for one in audit.run(now=now + MIN_AGE + 60).unexplained) == [*sorted(strange[3:])]


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
    assert run(cloud).missing == ()
