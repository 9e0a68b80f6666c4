"""The audit of bucket and usage as an execution: by a schedule, weekly unless somebody changes it, and by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roadstead.catalog.usage_audit import Difference, UsageAudit
from roadstead.lifecycle.bucket_audit.comparison import MIN_AGE, BucketAudit, Served, Stored
from roadstead.lifecycle.executions.cron import next_ms
from roadstead.lifecycle.executions.executions import Execution, LogPart, Status, Step, Task
from roadstead.lifecycle.executions.schedules import Schedule, Schedules
from roadstead.lifecycle.executions.starter import Starter
from roadstead.names import RepositoryName
from roadstead.printable import printable
from roadstead.trail.entries import Actor, Operation
from roadstead.trail.events import EventMaker

KIND = "audit-bucket"  # of executions, and the name of their schedule
WEEKLY = "0 0 4 * * 0"  # on Sunday at four, UTC
_SLICE = 30.0  # seconds of a step
_STRANGE_AT_ONCE = 500  # objects, of which a step asks what explains them
_MISCOUNTED_AT_ONCE = 100  # differences of usage in a step, which looks at each again
_TOLD = 400  # differences that a step's log names
SETTLED = 10.0  # seconds in which the indexer, unless it is late, has counted what was going on


@dataclass(frozen=True, slots=True)
class AuditSchedule:
    """`cron` is empty if it never runs; `next` is in ms, None then."""

    cron: str
    next: int | None


class BucketAudits:
    """Starts audits, and keeps their schedule."""

    def __init__(self, schedules: Schedules, starter: Starter, events: EventMaker) -> None:
        self._schedules = schedules
        self._starter = starter
        self._events = events

    def start(self, *, repair: bool, actor: Actor) -> Execution:
        """Start one now. Raises Running if one is under way."""
        return self._starter.start(KIND, "", {"repair": repair}, actor=actor, exclusive=KIND)

    def schedule(self) -> AuditSchedule:
        """Return the schedule: weekly where nobody has set one. One read."""
        found = self._schedules.find(KIND)
        if found is None:
            return AuditSchedule(WEEKLY, None)
        return AuditSchedule(found.cron, found.next if found.cron else None)

    def set_schedule(self, cron: str, *, actor: Actor) -> None:
        """Set when audits start, never with "". Raises ValueError, with a sentence for people; Conflict."""
        at = next_ms(cron, self._events.now_ms()) if cron else 0
        event = self._events.make(Operation.CHANGE_COLLECTION, actor, "", detail=f"kind={KIND} cron={cron or 'none'}")
        self._schedules.put(Schedule(KIND, KIND, "", cron, {"repair": False}, at, KIND), event=event)

    def ensure_schedule(self) -> None:
        """Have the default schedule where there is none. One read; one write in a new registry."""
        if self._schedules.find(KIND) is None:
            at = next_ms(WEEKLY, self._events.now_ms())
            self._schedules.put(Schedule(KIND, KIND, "", WEEKLY, {"repair": False}, at, KIND))


class BucketAuditWork:
    """Parameters: `repair`: hand what nothing explains to the collector, and count anew what counts wrongly. Without it
    nothing is written.

    Progress: `objects` and `bytes` of the bucket, and of what nothing explains `unexplained`, `unexplained_bytes`;
    `young` ones may belong to what is under way. `served` are links and manifests whose objects were asked for, of
    which `missing` are gone. `projects` are those whose usage was compared with what exists, `miscounted` the
    differences, and `changing` the counts that changed again and again. With `repair`, `left` are those objects that
    the collector cannot take, and `recounted` those differences that are gone.
    """

    def __init__(
        self,
        audit: BucketAudit,
        usage: UsageAudit,
        events: EventMaker,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._audit = audit
        self._usages = usage
        self._events = events
        self._clock = clock
        self._sleep = sleep

    def step(self, execution: Execution) -> Step:
        """Look for half a minute: at the bucket first, then at what repositories serve, then at usage."""
        counts = _Counts(execution.progress)
        state = dict(execution.state)
        looked = self._usage if "usage" in state else self._served if "repository" in state else self._objects
        lines = looked(state, counts, repair=execution.parameters.get("repair") is True)
        done = bool(state.pop("done", False))
        part, now = int(state.get("part", 0)), self._events.now_ms()
        status = Status.SUCCESS if done else Status.RUNNING
        task = Task(1, "bucket and usage", status, execution.started, now if done else 0, counts.all)
        logs = [LogPart(1, part, "".join(f"{line}\n" for line in lines))] if lines else []
        return Step({**state, "part": part + len(logs)}, counts.all, done, tasks=[task], logs=logs)

    def _objects(self, state: dict[str, Any], counts: _Counts, *, repair: bool) -> list[str]:
        end, strange = self._clock() + _SLICE, list[Stored]()
        while self._clock() < end and len(strange) < _STRANGE_AT_ONCE:
            page = self._audit.page(str(state.get("after", "")))
            if page is None:
                state["repository"] = ""
                break
            state["after"] = page.last
            counts.add("objects", page.objects)
            counts.add("bytes", page.size)
            strange += page.strange
        now = self._events.now_ms()
        found = self._audit.unexplained(strange, now=now)
        old = [one for one in found if one.at < now // 1000 - MIN_AGE]
        counts.add("young", len(found) - len(old))
        counts.add("unexplained", len(old))
        counts.add("unexplained_bytes", sum(one.size for one in old))
        if repair:
            counts.add("left", len(self._audit.repair(old, now=now)))
        return _told((f"unexplained  {printable(one.key)}" for one in old), len(old))

    def _served(self, state: dict[str, Any], counts: _Counts, *, repair: bool) -> list[str]:
        """Of one repository after the other; `place` is how far it came in the one that it is in."""
        end, missing = self._clock() + _SLICE, list[Served]()
        while self._clock() < end and len(missing) < _STRANGE_AT_ONCE:
            if not state.get("place"):
                following = self._audit.repositories(state["repository"])
                if not following:
                    state["usage"] = {}
                    break
                state["repository"] = str(following[0])
            served = self._audit.served(RepositoryName(state["repository"]), state.get("place", ""))
            state["place"] = served[-1].place[1] if served else ""
            counts.add("served", len(served))
            missing += self._audit.missing(served)
        counts.add("missing", len(missing))
        lines = (f"missing      {printable(one.key)}, named by {printable(' '.join(one.place))}" for one in missing)
        return _told(lines, len(missing))

    def _usage(self, state: dict[str, Any], counts: _Counts, *, repair: bool) -> list[str]:
        """Of one project after the other. What differs is looked at again once the indexer has had time for it."""
        end, differing = self._clock() + _SLICE, list[Difference]()
        while self._clock() < end and len(differing) < _MISCOUNTED_AT_ONCE:
            page = self._usages.page(state["usage"])
            counts.add("projects", page.projects)
            counts.add("changing", page.changing)
            differing += page.differences
            if page.place is None:
                state["done"] = True
                break
            state["usage"] = page.place
        if not differing:
            return []
        self._sleep(SETTLED)
        found = self._usages.again(differing)
        counts.add("miscounted", len(found))
        if repair:
            counts.add("recounted", self._usages.repair(found))
        return _told((f"miscounted   {one}" for one in found), len(found))


class _Counts:
    def __init__(self, before: Mapping[str, int]) -> None:
        of_bucket = ("objects", "bytes", "young", "unexplained", "unexplained_bytes", "served", "missing")
        names = (*of_bucket, "projects", "miscounted", "changing")
        self.all: dict[str, int] = {**dict.fromkeys(names, 0), **before}

    def add(self, name: str, count: int) -> None:
        self.all[name] = self.all.get(name, 0) + count


def _told(lines: Iterable[str], count: int) -> list[str]:
    shown: Sequence[str] = [line for line, _ in zip(lines, range(_TOLD), strict=False)]
    return [*shown, *([f"and {count - _TOLD} more"] if count > _TOLD else [])]
