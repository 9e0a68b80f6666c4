"""What the collector function does with each kind of event."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, cast

import pytest

from functions.collector import handler
from functions.collector.composition import Services
from roadstead.content.deletion.artifacts import Deletion
from roadstead.lifecycle.bucket_audit.execution import BucketAudits
from roadstead.lifecycle.collector.execution import Collections, CollectionWork
from roadstead.lifecycle.collector.report import Report
from roadstead.lifecycle.executions.executions import Execution, Status, Step, Work, WorkFailed
from roadstead.lifecycle.executions.runner import Runner
from roadstead.lifecycle.executions.schedules import Scheduler
from roadstead.lifecycle.executions.starter import Starter
from roadstead.trail.entries import Actor
from roadstead.trail.events import EventMaker
from tests.memory.executions import MemoryExecutions
from tests.memory.index import MemoryIndex
from tests.memory.retention import MemoryRetention


class Context:
    aws_request_id = "request-1"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 890_000


class FakeCollector:
    """Frees ten bytes a run; notes how it was run."""

    def __init__(self) -> None:
        self.runs: list[bool] = []
        self.left: list[float] = []

    def run(self, *, dry: bool = False, remaining: Callable[[], float] | None = None) -> Report:
        self.runs.append(dry)
        self.left.append(remaining() if remaining is not None else -1)
        return Report(dry, blobs_deleted=1, bytes_freed=10, complete=len(self.runs) > 1)


class FakeAudit:
    """Finds two objects that nothing explains, or ends with an error."""

    def step(self, execution: Execution) -> Step:
        if execution.parameters.get("fails"):
            raise WorkFailed("the bucket cannot be listed")
        return Step({}, {"objects": 9, "unexplained": 2, "missing": 0, "miscounted": 3}, done=True)


class Rig:
    def __init__(self) -> None:
        self.collector = FakeCollector()
        self.store, events = MemoryExecutions(), EventMaker()
        collector: Any = self.collector
        self.starter = Starter(self.store, events)
        view, deletion = MemoryRetention(MemoryIndex()), cast(Deletion, None)  # nothing is untagged
        works: dict[str, Work] = {
            "collect": CollectionWork(collector, view, deletion, events),
            "audit-bucket": FakeAudit(),
        }
        runner = Runner(self.store, works, events, handler.tell)
        scheduler, collections = Scheduler(view, self.starter, events), Collections(view, self.starter, events)
        self.late_since: int | None = None
        self.services = Services(
            collector,
            runner,
            scheduler,
            collections,
            BucketAudits(view, self.starter, events),
            lambda: self.late_since,
        )


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    rig = Rig()
    monkeypatch.setattr(handler, "services", lambda: rig.services)
    monkeypatch.setattr(handler, "_told", 0.0)
    return rig


def test_the_schedules_event_runs_the_collector_and_says_what_was_freed(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    report = handler.handle({}, Context())
    assert (report["bytes_freed"], report["dry_run"], report["complete"]) == (10, False, False)
    assert rig.collector.left == [890.0]
    line = json.loads(capsys.readouterr().out)
    assert (line["FreedBytes"], line["ObjectsDeleted"], line["request_id"]) == (10, 1, "request-1")
    assert line["report"] == report


def test_a_dry_run_counts_nothing_as_freed(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    assert handler.handle({"dry_run": True}, Context())["dry_run"] is True
    assert rig.collector.runs == [True]
    assert "FreedBytes" not in json.loads(capsys.readouterr().out)


def test_an_execution_is_run_by_its_id(rig: Rig) -> None:
    one = rig.starter.start("collect", "", {}, actor=Actor("ada"))
    assert handler.handle({"execution": one.id}, Context()) == {"id": one.id, "status": "Success"}
    assert handler.handle({"execution": one.id}, Context()) == {}
    assert rig.collector.runs == [False, False]  # a step each, until everything was looked at
    found = rig.store.find(one.id)
    assert found is not None
    assert (found.progress["bytes_freed"], found.progress["objects_deleted"]) == (20, 2)


def test_a_dry_execution_is_one_step(rig: Rig) -> None:
    one = rig.starter.start("collect", "", {"dry_run": True}, actor=Actor("ada"))
    handler.handle({"execution": one.id}, Context())
    assert rig.collector.runs == [True]


def test_an_audits_line_says_what_an_alarm_looks_at(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    for parameters, expected in (({}, (2, 0, 3, 0)), ({"fails": True}, (0, 0, 0, 1))):
        one = rig.starter.start("audit-bucket", "", parameters, actor=Actor("ada"))
        handler.handle({"execution": one.id}, Context())
        line = json.loads(capsys.readouterr().out)
        names = ("UnexplainedObjects", "MissingObjects", "MiscountedUsage", "FailedAudits")
        assert tuple(line[name] for name in names) == expected
        assert (line["function"], line["audit"]["execution"]) == ("collector", one.id)


def test_the_tick_has_audits_start_every_week(rig: Rig) -> None:
    handler.handle({"tick": True}, Context())
    schedule = rig.services.audits.schedule()
    assert schedule.cron == "0 0 4 * * 0" and schedule.next is not None
    rig.services.audits.set_schedule("", actor=Actor("ada"))
    handler.handle({"tick": True}, Context())
    assert rig.services.audits.schedule().next is None  # nobody sets it again


def test_the_tick_runs_whatever_is_due(rig: Rig) -> None:
    ids = [rig.starter.start("collect", "", {}, actor=Actor("ada")).id for _ in range(2)]
    assert handler.handle({"tick": True}, Context()) == {"started": 0, "executions": 2}
    assert handler.handle({"tick": True}, Context()) == {"started": 0, "executions": 0}
    assert all(found is not None and found.status is Status.SUCCESS for found in map(rig.store.find, ids))


def test_a_tick_says_whether_a_collection_is_late_but_not_every_two_seconds(
    rig: Rig, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> list[dict[str, Any]]:
        handler.handle({"tick": True}, Context())
        return [line for line in map(json.loads, capsys.readouterr().out.splitlines()) if "collection" in line]

    (line,) = told()
    assert line == {"function": "collector", "request_id": "request-1", "collection": "on time"}
    assert told() == []
    rig.late_since = 1_800_000_000_000
    monkeypatch.setattr(handler, "_told", time.time() - 300)
    (line,) = told()
    assert (line["collection"], line["late_since"]) == ("late", "2027-01-15T08:00:00.000Z")
