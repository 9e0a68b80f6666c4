"""The collector on the intercepted cloud, and what leads it to objects that were sent whole."""

from __future__ import annotations

from roadstead.aws.catalog.dynamodb_repositories import DynamoRepositories
from roadstead.aws.lifecycle.dynamodb_backlog import DynamoBacklog
from roadstead.aws.lifecycle.dynamodb_candidates import DynamoCandidates
from roadstead.aws.lifecycle.dynamodb_stored import DynamoBlobRecords, DynamoUploadMarks
from roadstead.content.objects import is_whole_key
from roadstead.lifecycle.collector.run import MIN_FENCE, MIN_GRACE, Collector, Times
from roadstead.lifecycle.collector.stores import Stores
from tests.invariants.cloud import Cloud
from tests.invariants.registry import Registry

GRACE, FENCE = MIN_GRACE, MIN_FENCE  # seconds


def collector(cloud: Cloud) -> Collector:
    """A process that knows nothing but what is stored. Its checkpoint is where the oldest candidate is."""
    registry = Registry(cloud)
    days = [int(pk.split("#")[1]) for pk, _ in cloud.rows("gc#") if pk.split("#")[1].isdigit()]
    return Collector(
        Stores(
            backlog=DynamoBacklog(registry.table, first_day=min(days, default=int(cloud.clock() / 86_400))),
            records=DynamoBlobRecords(registry.table),
            uploads=DynamoUploadMarks(registry.table),
            links=registry.links,
            manifests=registry.index,
            repositories=DynamoRepositories(registry.table),
            objects=registry.objects,
            events=registry.events,
        ),
        Times(GRACE, FENCE),
    )


def tell(cloud: Cloud) -> None:
    """What the webhook function does with S3's events: every object that was sent whole becomes a candidate."""
    candidates, now = DynamoCandidates(Registry(cloud).table), int(cloud.clock() * 1000)
    for key in cloud.objects():
        if is_whole_key(key):
            candidates.note_object(key, key.rpartition("/")[2], at=now)


def collect(cloud: Cloud, times: int = 1) -> None:
    """Every `times`, the three runs that it takes to free a blob; what one set frees may lead the next to more."""
    for _ in range(times):
        tell(cloud)
        for pause in (GRACE + 1, FENCE + 1, GRACE + 1):
            cloud.clock.advance(pause)
            collector(cloud).run()
