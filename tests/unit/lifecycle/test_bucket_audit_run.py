"""What a step of an audit says, whatever keys people made in the bucket, and when audits start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from roadstead.lifecycle.bucket_audit.comparison import MIN_AGE, BucketAudit, Page, Served, Stored
from roadstead.lifecycle.bucket_audit.execution import KIND, WEEKLY, BucketAudits, BucketAuditWork
from roadstead.lifecycle.executions.executions import MAX_LOG, Execution, Running, Trigger
from roadstead.lifecycle.executions.starter import Starter
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor
from roadstead.trail.events import EventMaker
from tests.memory.executions import MemoryExecutions
from tests.memory.index import MemoryIndex
from tests.memory.retention import MemoryRetention

NOW = 1_800_000_000
ADA = Actor("ada")


class Strange:
    """A bucket of which nothing is explained; nothing that is served is there."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._stored = [Stored(key, 1, NOW - MIN_AGE - 1) for key in keys]

    def page(self, after: str) -> Page | None:
        return Page("z", len(self._stored), len(self._stored), tuple(self._stored)) if not after else None

    def unexplained(self, strange: Sequence[Stored], *, now: int) -> tuple[Stored, ...]:
        return tuple(strange)

    def repositories(self, after: str) -> Sequence[RepositoryName]:
        return [RepositoryName("ships/a")] if not after else []

    def served(self, repository: RepositoryName, after: str) -> Sequence[Served]:
        return [Served("manifests/x", ("repo#ships/a", "manifest#x"))] if not after else []

    def missing(self, served: Sequence[Served]) -> tuple[Served, ...]:
        return tuple(served)


def work(keys: Sequence[str]) -> BucketAuditWork:
    strange: Any = Strange(keys)
    return BucketAuditWork(cast(BucketAudit, strange), EventMaker(lambda: NOW), clock=lambda: 0.0)


def execution() -> Execution:
    return Execution(1, KIND, "", Trigger.MANUAL, ADA, {}, 0)


def test_a_key_that_somebody_made_up_does_not_write_into_the_log() -> None:
    step = work(["a\nunexplained  forged", "b\u202etxt"]).step(execution())
    assert step.logs[0].text == "unexplained  a\\nunexplained  forged\nunexplained  b\\u202etxt\n"


def test_a_log_names_some_and_counts_the_rest() -> None:
    step = work([f"{number:03d}{'x' * 500}" for number in range(450)]).step(execution())
    lines = step.logs[0].text.splitlines()
    assert (len(lines), lines[-1]) == (401, "and 50 more")
    assert len(step.logs[0].text.encode()) <= MAX_LOG
    assert step.progress["unexplained"] == 450


def test_an_audit_starts_once_at_a_time_and_weekly_unless_somebody_says_otherwise() -> None:
    schedules, executions = MemoryRetention(MemoryIndex()), MemoryExecutions()
    events = EventMaker(lambda: NOW)
    audits = BucketAudits(schedules, Starter(executions, events), events)
    assert audits.schedule().cron == WEEKLY
    assert audits.start(repair=True, actor=ADA).parameters == {"repair": True}
    with pytest.raises(Running):
        audits.start(repair=False, actor=ADA)
    audits.ensure_schedule()
    following = audits.schedule().next
    assert following is not None and following > NOW * 1000
    with pytest.raises(ValueError):
        audits.set_schedule("every day", actor=ADA)
    audits.set_schedule("0 0 5 * * *", actor=ADA)
    audits.ensure_schedule()
    assert audits.schedule().cron == "0 0 5 * * *"
