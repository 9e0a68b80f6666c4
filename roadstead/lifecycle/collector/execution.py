"""The collector as an execution: asked for by an administrator, or by its schedule, which is hourly unless somebody
changes it. Optionally untagged artifacts go to the trash first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Protocol

from roadstead.conflicts import Conflict
from roadstead.content.deletion.artifacts import Deletion
from roadstead.content.manifests import Changed, Look
from roadstead.errors import RegistryError
from roadstead.lifecycle.collector.report import Report
from roadstead.lifecycle.collector.run import TIME_FOR_A_PAGE, Collector
from roadstead.lifecycle.executions.cron import next_ms
from roadstead.lifecycle.executions.executions import Execution, LogPart, Status, Step, Task
from roadstead.lifecycle.executions.schedules import Schedule, Schedules
from roadstead.lifecycle.executions.starter import Starter
from roadstead.lifecycle.retention.verdicts import DAY_MS, YOUNG_MS, Candidate
from roadstead.names import RepositoryName
from roadstead.parallel import each
from roadstead.trail.entries import Actor, Operation, rfc3339
from roadstead.trail.events import EventMaker

KIND = "collect"  # of executions, and the name of their schedule
RECOVERY_DAYS = "recovery_days"  # a count of a run that deleted objects
_SLICE = 30.0  # seconds of a step
_REPOSITORIES_AT_ONCE = 20
_DELETED_AT_ONCE = 16  # artifacts between two looks at the clock
_COUNTS = [one.name for one in fields(Report) if one.name not in ("dry_run", "complete")]


class Every(StrEnum):
    """How often; Harbor's words."""

    HOURLY = "Hourly"
    DAILY = "Daily"
    WEEKLY = "Weekly"
    CUSTOM = "Custom"
    NEVER = "None"


_CRONS = {Every.HOURLY: "0 0 * * * *", Every.DAILY: "0 0 0 * * *", Every.WEEKLY: "0 0 0 * * 0", Every.NEVER: ""}


@dataclass(frozen=True, slots=True)
class CollectionSchedule:
    """`next` is in ms, None if it never runs; `changed` is false while nobody has set it."""

    every: Every
    cron: str
    delete_untagged: bool
    next: int | None
    changed: bool


class Collections:
    """Starts collections, and keeps their schedule."""

    def __init__(self, schedules: Schedules, starter: Starter, events: EventMaker) -> None:
        self._schedules = schedules
        self._starter = starter
        self._events = events

    def start(self, *, dry: bool, delete_untagged: bool, actor: Actor) -> Execution:
        """Start one now. Raises Running if one is under way."""
        return self._starter.start(KIND, "", _parameters(delete_untagged, dry=dry), actor=actor, exclusive=KIND)

    def schedule(self) -> CollectionSchedule:
        """Return the schedule: hourly where nobody has set one. One read."""
        found = self._schedules.find(KIND)
        if found is None:
            return CollectionSchedule(Every.HOURLY, _CRONS[Every.HOURLY], False, None, changed=False)
        parameters = found.parameters
        return CollectionSchedule(
            Every(parameters["every"]),
            found.cron,
            bool(parameters.get("delete_untagged")),
            found.next if found.cron else None,
            bool(parameters.get("changed")),
        )

    def set_schedule(self, every: Every, cron: str, *, delete_untagged: bool, actor: Actor) -> None:
        """Raises ValueError, with a sentence for people, if `cron` is none where `every` asks for it."""
        expression = _CRONS.get(every, cron)
        at = next_ms(expression, self._events.now_ms()) if expression else 0
        detail = f"every={every.lower()} cron={expression or 'none'} delete_untagged={str(delete_untagged).lower()}"
        event = self._events.make(Operation.CHANGE_COLLECTION, actor, "", detail=detail)
        parameters = {**_parameters(delete_untagged), "every": str(every), "changed": True}
        self._schedules.put(Schedule(KIND, KIND, "", expression, parameters, at, KIND), event=event)

    def ensure_schedule(self) -> None:
        """Have the default schedule where there is none. One read; one write in a new registry."""
        if self._schedules.find(KIND) is not None:
            return
        cron = _CRONS[Every.HOURLY]
        at = next_ms(cron, self._events.now_ms())
        parameters = {**_parameters(False), "every": str(Every.HOURLY)}
        self._schedules.put(Schedule(KIND, KIND, "", cron, parameters, at, KIND))


def stored_until(deleted: int, recovery_days: int) -> int:
    """Return when objects that were deleted at `deleted` are stored no more, and cost no more (both in ms).

    S3 counts the days from the deletion, and then rounds up to midnight UTC.
    Source: Amazon S3 User Guide, "Lifecycle configuration elements" (3 days from 15 January, 10:30: 19 January, 00:00).
    """
    return ((deleted + recovery_days * DAY_MS) // DAY_MS + 1) * DAY_MS


class UntaggedView(Protocol):
    def all_repositories(self, *, after: str, limit: int) -> Sequence[RepositoryName]:
        """Return up to `limit` repositories of all projects after `after`, in byte order."""
        ...

    def candidates(self, repository: RepositoryName) -> Sequence[Candidate]:
        """Return every artifact that lists show (roadstead.lifecycle.retention.stores.RetentionView)."""
        ...


class CollectionWork:
    """Parameters: `dry_run`: write nothing; `delete_untagged`: first delete artifacts without a tag, older than a day.

    A dry run of the collector is one step, since it would begin anew with each. `recovery_days` is for how long the
    bucket keeps a deleted object as a version, 0 if it keeps none.
    """

    def __init__(
        self,
        collector: Collector,
        view: UntaggedView,
        deletion: Deletion,
        events: EventMaker,
        *,
        recovery_days: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._collector = collector
        self._view = view
        self._deletion = deletion
        self._events = events
        self._recovery_days = recovery_days
        self._clock = clock

    def step(self, execution: Execution) -> Step:
        """Work for half a minute; counts of a step that was cut short are lost, not what it did."""
        if execution.parameters.get("delete_untagged") is True and not execution.state.get("tagged"):
            return self._delete_untagged(execution)
        dry = execution.parameters.get("dry_run") is True
        end = self._clock() + _SLICE + TIME_FOR_A_PAGE
        report = self._collector.run(dry=dry, remaining=lambda: end - self._clock())
        told = " ".join(f"{name}={count}" for name, count in report.as_json().items())
        progress = _sum(execution.progress, report)
        if self._recovery_days and report.objects_deleted and not dry:
            progress[RECOVERY_DAYS] = self._recovery_days
            told += f" stored_until={rfc3339(stored_until(self._events.now_ms(), self._recovery_days))}"
        return self._step(execution, execution.state, progress, told, report.complete or dry)

    def _delete_untagged(self, execution: Execution) -> Step:
        state, dry = dict(execution.state), execution.parameters.get("dry_run") is True
        page = self._view.all_repositories(after=state.get("after", ""), limit=_REPOSITORIES_AT_ONCE)
        if not page:
            return self._step(execution, {**state, "tagged": True}, execution.progress, "", done=False)
        end, count, last = self._clock() + _SLICE, 0, page[0]
        for repository in page:
            last, going = repository, self._untagged(repository, state.pop("place", None))
            tried, deleted = (len(going), len(going)) if dry else self._delete_some(execution, repository, going, end)
            count += deleted
            if tried < len(going):
                state["place"] = _place(going[tried - 1])
                break
            state["after"] = repository
            if self._clock() > end:
                break
        progress = {**execution.progress, "untagged": execution.progress.get("untagged", 0) + count}
        told = f"untagged artifacts {'found' if dry else 'deleted'} up to {last}: {count}"
        return self._step(execution, state, progress, told, done=False)

    def _untagged(self, repository: RepositoryName, place: list[Any] | None) -> list[Candidate]:
        """Those of a repository that come after `place`, which an earlier step has tried; the oldest first."""
        old = self._events.now_ms() - YOUNG_MS
        found = [one for one in self._view.candidates(repository) if not one.tags and one.at <= old]
        return sorted((one for one in found if place is None or _place(one) > place), key=_place)

    def _delete_some(
        self, execution: Execution, repository: RepositoryName, going: Sequence[Candidate], end: float
    ) -> tuple[int, int]:
        """Delete the first of them, and more until `end`; return how many were tried, and how many are gone."""
        tried = gone = 0
        while tried < len(going) and (not tried or self._clock() < end):
            some = going[tried : tried + _DELETED_AT_ONCE]
            gone += sum(each(lambda one: self._delete(execution, repository, one), some))
            tried += len(some)
        return tried, gone

    def _delete(self, execution: Execution, repository: RepositoryName, one: Candidate) -> bool:
        try:
            self._deletion.delete(repository, one.digest, execution.actor, look=Look(one.at, one.tags))
        except (Changed, Conflict, RegistryError):
            return False  # somebody wants it, or it has gone
        return True

    def _step(
        self, execution: Execution, state: Mapping[str, Any], progress: Mapping[str, int], told: str, done: bool
    ) -> Step:
        part, now = int(state.get("part", 0)), self._events.now_ms()
        status = Status.SUCCESS if done else Status.RUNNING
        task = Task(1, "the registry", status, execution.started, now if done else 0, progress)
        logs = [LogPart(1, part, told + "\n")] if told else []
        return Step({**state, "part": part + len(logs)}, progress, done, tasks=[task], logs=logs)


def _place(one: Candidate) -> list[Any]:
    """Where it comes in the order of deletion."""
    return [one.at, str(one.digest)]


def _parameters(delete_untagged: bool, *, dry: bool = False) -> dict[str, Any]:
    return {"delete_untagged": delete_untagged, "dry_run": dry}


def _sum(before: Mapping[str, int], report: Report) -> dict[str, int]:
    counts = {name: before.get(name, 0) + int(getattr(report, name)) for name in _COUNTS}
    freed = before.get("objects_deleted", 0) + report.objects_deleted
    return {**before, **counts, "objects_deleted": freed}
