"""Collections as executions: their schedule, and the untagged artifacts that they may take along."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from roadstead.content.deletion.artifacts import Deletion
from roadstead.content.manifest_document import OCI_MANIFEST
from roadstead.content.manifests import Manifests
from roadstead.digest import Digest
from roadstead.lifecycle.collector.execution import KIND, Collections, CollectionWork, Every, stored_until
from roadstead.lifecycle.collector.report import Report
from roadstead.lifecycle.executions.executions import Status
from roadstead.lifecycle.executions.runner import Runner
from roadstead.lifecycle.executions.schedules import Scheduler
from roadstead.lifecycle.executions.starter import Starter
from roadstead.lifecycle.retention.verdicts import DAY_MS
from roadstead.names import Tag
from roadstead.trail.entries import Actor, rfc3339
from roadstead.trail.events import EventMaker
from tests.manifests import dump, index, of
from tests.memory.executions import MemoryExecutions, log_of
from tests.memory.index import MemoryIndex
from tests.memory.objects import MemoryObjects
from tests.memory.retention import MemoryRetention
from tests.unit.content.parts import SHIPS, Clock, Registry

NOW = 1_800_000_000.0
DAY = 86_400


class FakeCollector:
    """Frees a blob in each run; the second has nothing more to do."""

    runs = 0

    def run(self, *, dry: bool = False, remaining: Callable[[], float] | None = None) -> Report:
        self.runs += 1
        return Report(dry, blobs_deleted=1, bytes_freed=10, complete=self.runs % 2 == 0)


class Yard:
    def __init__(self, recovery_days: int = 0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.index, objects = MemoryIndex(), MemoryObjects()
        self.clock = Clock(NOW)
        self.registry = Registry(index=self.index, objects=objects, clock=self.clock)
        self.events = EventMaker(self.clock)
        self.store, self.view = MemoryExecutions(), MemoryRetention(self.index)
        starter = Starter(self.store, self.events)
        self.collections = Collections(self.view, starter, self.events)
        self.scheduler = Scheduler(self.view, starter, self.events)
        collector: Any = FakeCollector()
        deletion = Deletion(
            Manifests(manifests=self.index, blobs=self.index, objects=objects, events=self.events), self.index, objects
        )
        work = CollectionWork(collector, self.view, deletion, self.events, recovery_days=recovery_days, clock=monotonic)
        self.runner = Runner(self.store, {KIND: work}, self.events)

    def run(self) -> Any:
        self.runner.run_due(lambda: 900.0)
        return self.store.list_newest(KIND, "")[0]


def test_a_collection_adds_up_its_steps_and_logs_each() -> None:
    yard = Yard()
    yard.collections.start(dry=False, delete_untagged=False, actor=Actor("ada"))
    done = yard.run()
    assert (done.status, done.progress["bytes_freed"], done.progress["objects_deleted"]) == (Status.SUCCESS, 20, 2)
    assert log_of(yard.store, done.id, 1).count("bytes_freed=10") == 2


def test_a_collection_says_until_when_what_it_deleted_is_stored() -> None:
    yard = Yard(recovery_days=35)
    yard.collections.start(dry=False, delete_untagged=False, actor=Actor("ada"))
    done = yard.run()
    assert done.progress["recovery_days"] == 35
    until = stored_until(done.ended, 35)
    assert until % DAY_MS == 0
    assert 35 * DAY_MS < until - done.ended <= 36 * DAY_MS
    assert log_of(yard.store, done.id, 1).count(f" stored_until={rfc3339(until)}\n") == 2
    yard.clock.now += 60
    yard.collections.start(dry=True, delete_untagged=False, actor=Actor("ada"))
    dry = yard.run()
    assert dry.id > done.id
    assert "recovery_days" not in dry.progress
    assert "stored_until" not in log_of(yard.store, dry.id, 1)


def test_s3_rounds_the_end_of_a_version_up_to_midnight() -> None:
    noon = int(datetime(2026, 11, 26, 12, tzinfo=UTC).timestamp() * 1000)
    assert rfc3339(stored_until(noon, 35)) == "2027-01-01T00:00:00.000Z"
    assert rfc3339(stored_until(noon, 1)) == "2026-11-28T00:00:00.000Z"


def test_the_collector_is_hourly_until_somebody_says_otherwise() -> None:
    yard = Yard()
    yard.collections.ensure_schedule()
    yard.collections.ensure_schedule()
    assert yard.scheduler.start_due() == 0
    yard.clock.now = NOW + 3_600
    assert yard.scheduler.start_due() == 1
    assert yard.scheduler.start_due() == 0
    assert yard.run().trigger == "SCHEDULE"
    assert yard.store.events == []  # nobody asked for it
    yard.collections.set_schedule(every=Every.NEVER, cron="", delete_untagged=False, actor=Actor("ada"))
    yard.collections.ensure_schedule()
    yard.clock.now = NOW + 9 * DAY
    assert yard.scheduler.start_due() == 0


def test_a_step_begins_no_deletion_after_half_a_minute_and_the_next_goes_on_behind_what_was_tried() -> None:
    seconds = count(0.0, 31.0)
    yard = Yard(monotonic=lambda: next(seconds))
    children = [yard.registry.push_image(b"%d" % number)[0] for number in range(40)]  # the last is tagged
    needed = yard.registry.push(dump(index([of(body, OCI_MANIFEST) for body in children[:1]])), Tag("whole"))
    yard.clock.now += 2 * DAY
    yard.collections.start(dry=False, delete_untagged=True, actor=Actor("ada"))
    done = yard.run()
    assert (done.status, done.progress["untagged"]) == (Status.SUCCESS, 38), done.message
    told = log_of(yard.store, done.id, 1).splitlines()
    counts = [int(line.rpartition(": ")[2]) for line in told if line.startswith("untagged")]
    assert counts == [15, 16, 7]
    kept = {Digest.of(children[0]), Digest.of(children[-1]), needed.digest}
    assert set(yard.index.repositories[SHIPS].manifests) == kept


def test_untagged_artifacts_older_than_a_day_go_to_the_trash_where_it_is_asked_for() -> None:
    yard = Yard()
    yard.index.grace = 7 * DAY
    _, old = yard.registry.push_image(b"old")
    body, tagged = yard.registry.push_image(b"tagged")
    yard.registry.push(body, Tag("v1"))
    yard.clock.now += 2 * DAY
    _, young = yard.registry.push_image(b"young")
    yard.registry.push_image(b"latest")
    for dry in (True, False):
        yard.collections.start(dry=dry, delete_untagged=True, actor=Actor("ada"))
        done = yard.run()
        assert (done.status, done.progress["untagged"]) == (Status.SUCCESS, 1), done.message
        found = [yard.index.find_manifest(SHIPS, one.digest) is not None for one in (old, tagged, young)]
        assert found == [dry, True, True]
    assert [unit.digest for unit in yard.index.units.values()] == [old.digest]
