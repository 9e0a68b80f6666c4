"""What a step of an audit says, whatever keys people made in the bucket, and when audits start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from roadstead.catalog import usage_audit
from roadstead.catalog.usage_audit import Difference, Kind, Place, UsageAudit
from roadstead.lifecycle.bucket_audit.comparison import MIN_AGE, BucketAudit, Page, Served, Stored
from roadstead.lifecycle.bucket_audit.execution import KIND, SETTLED, WEEKLY, BucketAudits, BucketAuditWork
from roadstead.lifecycle.executions.executions import MAX_LOG, Execution, Running, Trigger
from roadstead.lifecycle.executions.starter import Starter
from roadstead.names import ProjectName, RepositoryName
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

    def repair(self, unexplained: Sequence[Stored], *, now: int) -> tuple[Stored, ...]:
        return tuple(unexplained)


class Miscounted:
    """A project with more differences than a step takes; all but one are still there when they are looked at again."""

    def __init__(self) -> None:
        self.repaired: list[Difference] = []

    def page(self, place: Place) -> usage_audit.Page:
        start = place.get("start", 0)
        found = tuple(
            Difference(Kind.BLOB, ProjectName("ships"), None, f"sha256:{number:064d}", 1, 0)
            for number in range(start, start + 50)
        )
        return usage_audit.Page(
            {"start": start + 50} if start < 100 else None, found, projects=int(not place), changing=1
        )

    def again(self, differences: Sequence[Difference]) -> tuple[Difference, ...]:
        return tuple(one for one in differences if not one.what.endswith(":" + "0" * 64))

    def repair(self, differences: Sequence[Difference]) -> int:
        self.repaired += differences
        return len(differences) - 1


def work(
    keys: Sequence[str], usage: Miscounted | None = None, sleep: Callable[[float], None] = lambda _: None
) -> BucketAuditWork:
    strange: Any = Strange(keys)
    usages = cast(UsageAudit, usage or Miscounted())
    return BucketAuditWork(cast(BucketAudit, strange), usages, EventMaker(lambda: NOW), clock=lambda: 0.0, sleep=sleep)


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


@pytest.mark.parametrize("repair", [False, True])
def test_what_counts_wrongly_is_looked_at_again_after_a_pause_and_repaired_only_when_told(repair: bool) -> None:
    usage, pauses = Miscounted(), list[float]()
    one, doing, logs = replace(execution(), parameters={"repair": repair}), work([], usage, pauses.append), list[str]()
    steps = 0
    while True:
        steps, step = steps + 1, doing.step(one)
        logs += [part.text for part in step.logs]
        one = replace(one, state=step.state, progress=step.progress)
        if step.done:
            break
    assert steps == 4  # the bucket, what is served, 100 differences, and the last 50
    assert pauses == [SETTLED, SETTLED]
    assert (one.progress["projects"], one.progress["miscounted"], one.progress["changing"]) == (1, 149, 3)
    assert one.progress.get("recounted") == (147 if repair else None)
    assert len(usage.repaired) == (149 if repair else 0)
    told = "".join(logs).splitlines()
    assert f"miscounted   blob ships sha256:{1:064d}: 1 bytes counted, 0 there" in told
    assert sum(line.startswith("miscounted ") for line in told) == 149


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
