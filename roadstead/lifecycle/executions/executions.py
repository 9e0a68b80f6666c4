"""Executions: work that takes longer than a request may, done in steps and resumed wherever it was cut short.

A step does a part of the work and returns a checkpoint; the store keeps both on the condition that nobody else has
gone on meanwhile. While an execution runs, its runner holds a lease; when the lease is over (the process died, or its
time ran out) the next runner goes on from the last checkpoint. So a step may happen twice, and has to have its effect
once: it decides by what it reads itself, never by what an earlier step has read.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

from roadstead.conflicts import Conflict
from roadstead.errors import RegistryError
from roadstead.trail.entries import Actor, Event, Operation
from roadstead.trail.events import EventMaker

LEASE_MS = 120_000  # a step takes at most half of it
KEPT_DAYS = 90  # an execution that is over, with its tasks and their logs
MAX_DOCUMENT = 128 * 1024  # bytes of JSON: of the parameters, and of a checkpoint
MAX_LOG = 256 * 1024  # bytes of one part of a task's log
_FAILURES = 5  # one after the other, until an execution is given up
_PAUSE_MS = 60_000  # after the first failure; after the second twice as long, and so on
_TIME_FOR_A_STEP = 60.0  # seconds
_RANDOM_BITS = 11

_log = logging.getLogger(__name__)


class Status(StrEnum):
    """Harbor's words."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCESS = "Success"
    ERROR = "Error"
    STOPPED = "Stopped"

    @property
    def is_over(self) -> bool:
        return self not in (Status.PENDING, Status.RUNNING)


class Trigger(StrEnum):
    MANUAL = "MANUAL"
    SCHEDULE = "SCHEDULE"


@dataclass(frozen=True, slots=True)
class Execution:
    """`kind` says which work it is, `scope` what it is about: a project's name, or "" for the whole registry.

    Times are in milliseconds since the epoch, 0 for "not yet". `parameters` are fixed when it is started; `state` is
    the checkpoint, which only the work itself reads; `progress` are counts for people. While it is not over, `due` is
    when the next runner may take it: the end of the lease of the one that has it.
    """

    id: int
    kind: str
    scope: str
    trigger: Trigger
    actor: Actor
    parameters: Mapping[str, Any]
    created: int
    status: Status = Status.PENDING
    started: int = 0
    ended: int = 0
    state: Mapping[str, Any] = field(default_factory=dict)
    progress: Mapping[str, int] = field(default_factory=dict)
    message: str = ""  # why it failed, for people
    failures: int = 0  # of steps, one after the other
    due: int = 0
    exclusive: str = ""  # at most one execution with this name is not over
    stopping: bool = False  # somebody asked for its end
    version: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """A part of an execution that people see: a repository of a retention run, say. `number` counts from 1."""

    number: int
    name: str
    status: Status
    started: int
    ended: int
    progress: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogPart:
    """A part of a task's log: lines of text. A part that is written again replaces what it was."""

    task: int
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """What a step came to. `progress` are all counts so far; `tasks` those that have changed.

    `event` is written in the transaction that ends the execution, so it is there exactly once.
    """

    state: Mapping[str, Any]
    progress: Mapping[str, int] = field(default_factory=dict)
    done: bool = False
    tasks: Sequence[Task] = ()
    logs: Sequence[LogPart] = ()
    event: Event | None = None


class Work(Protocol):
    def step(self, execution: Execution) -> Step:
        """Do the next part, in at most a minute, from `execution.state` on (empty at the beginning).

        It may be repeated, or run beside itself. Raises WorkFailed if the work can never be done, Conflict or anything
        else if it shall be tried again.
        """
        ...


class WorkFailed(Exception):
    """The execution ends with an error. The message is a sentence for people."""


class Running(Exception):
    """An execution of the same exclusive name is not over; `id` is its id."""

    def __init__(self, id_: int) -> None:
        super().__init__(f"execution {id_} is not over")
        self.id = id_


class Executions(Protocol):
    """All reads are strongly consistent, except for lists, in which each execution is."""

    def create(self, execution: Execution, *, event: Event | None = None) -> None:
        """Keep a new execution, which is due at once. Raises Conflict if its id is taken, Running."""
        ...

    def find(self, execution_id: int) -> Execution | None:
        """Return an execution, or None. One read."""
        ...

    def list_newest(self, kind: str, scope: str, *, before: int | None = None, limit: int = 100) -> Sequence[Execution]:
        """Return up to `limit` executions with ids below `before`, newest first. Two reads."""
        ...

    def count(self, kind: str, scope: str) -> int:
        """Return how many there are. One read for each MB of them."""
        ...

    def save(
        self,
        was: Execution,
        now: Execution,
        *,
        tasks: Sequence[Task] = (),
        logs: Sequence[LogPart] = (),
        event: Event | None = None,
    ) -> Execution:
        """Replace `was` by `now`, and return that with its new version. Raises Conflict if it has changed since.

        Tasks and logs are written before, and not atomically. One that is over is removed after KEPT_DAYS.
        """
        ...

    def ask_to_stop(self, execution_id: int, *, event: Event) -> None:
        """Note that it shall end after the step that is under way. Raises Conflict if it is over."""
        ...

    def due(self, now: int, *, limit: int = 25) -> Sequence[int]:
        """Return the ids of executions that a runner may take at `now` (ms), those first that wait for longest."""
        ...

    def tasks(self, execution_id: int, *, after: int = 0, limit: int = 100) -> Sequence[Task]:
        """Return up to `limit` tasks with numbers above `after`, in their order."""
        ...

    def find_task(self, execution_id: int, number: int) -> Task | None: ...

    def log_parts(self, execution_id: int, task: int, *, after: int = -1) -> Iterator[LogPart]:
        """Yield the parts of a task's log with numbers above `after`, in their order; read as they are consumed."""
        ...


class Starter:
    """Starts executions, and asks for their end. `wake` asks a runner to come at once; the tick comes anyway."""

    def __init__(self, executions: Executions, events: EventMaker, wake: Callable[[int], None] | None = None) -> None:
        self._executions = executions
        self._events = events
        self._wake = wake

    def start(
        self,
        kind: str,
        scope: str,
        parameters: Mapping[str, Any],
        *,
        actor: Actor,
        trigger: Trigger = Trigger.MANUAL,
        exclusive: str = "",
        event: Event | None = None,
        id_: int | None = None,
    ) -> Execution:
        """Keep a new execution, with its event, and wake a runner.

        Raises Running if an exclusive one is under way, Conflict if a given `id_` is taken.
        """
        while True:
            at = self._events.now_ms()
            new = Execution(
                new_id(at) if id_ is None else id_,
                kind,
                scope,
                trigger,
                actor,
                dict(parameters),
                at,
                due=at,
                exclusive=exclusive,
            )
            try:
                self._executions.create(new, event=event or self._started(new))
                break
            except Conflict:  # the same id: one in two thousand of those that are started in the same millisecond
                if id_ is not None:
                    raise
        if self._wake is not None:
            self._wake(new.id)
        return new

    def stop(self, execution: Execution, *, actor: Actor) -> None:
        """Ask for its end. Raises Conflict if it is over."""
        event = self._event(Operation.STOP_EXECUTION, execution, actor)
        self._executions.ask_to_stop(execution.id, event=event)

    def _started(self, execution: Execution) -> Event | None:
        """None for a schedule: nobody asked for it, and what it does has events of its own."""
        if execution.trigger is Trigger.SCHEDULE:
            return None
        return self._event(Operation.START_EXECUTION, execution, execution.actor)

    def _event(self, operation: Operation, execution: Execution, actor: Actor) -> Event:
        detail = f"kind={execution.kind} id={execution.id} trigger={execution.trigger.lower()}"
        return self._events.make(operation, actor, "", project=execution.scope, detail=detail)


def new_id(at: int) -> int:
    """Return an id for something that begins at `at` (ms): below 2^53, later ones are larger."""
    return at << _RANDOM_BITS | secrets.randbelow(1 << _RANDOM_BITS)


class Runner:
    """Takes executions that are due, and does their steps. `works` are by the kind of execution; `ended` is told of
    each that ends, unless the process dies just then."""

    def __init__(
        self,
        executions: Executions,
        works: Mapping[str, Work],
        events: EventMaker,
        ended: Callable[[Execution], None] = lambda _: None,
    ) -> None:
        self._executions = executions
        self._works = works
        self._events = events
        self._ended = ended

    def run_due(self, remaining: Callable[[], float]) -> int:
        """Take whatever is due, one after the other; return how many were taken. `remaining` is in seconds."""
        taken = 0
        for execution_id in self._executions.due(self._events.now_ms()):
            if remaining() < _TIME_FOR_A_STEP:
                break
            taken += self.run(execution_id, remaining) is not None
        return taken

    def run(self, execution_id: int, remaining: Callable[[], float]) -> Execution | None:
        """Do its steps until it is over or the time is short; return what it came to, None if another has it."""
        execution = self._claim(execution_id)
        while execution is not None and not execution.status.is_over:
            if remaining() < _TIME_FOR_A_STEP:
                return self._save(execution, replace(execution, due=self._events.now_ms()))
            execution = self._advance(execution)
        return execution

    def _claim(self, execution_id: int) -> Execution | None:
        found, now = self._executions.find(execution_id), self._events.now_ms()
        if found is None or found.status.is_over or found.due > now:
            return None
        started = found.started or now
        return self._save(found, replace(found, status=Status.RUNNING, started=started, due=now + LEASE_MS))

    def _advance(self, execution: Execution) -> Execution | None:
        """Do one step, and keep what it came to. Returns None if another runner has taken the execution."""
        current = self._executions.find(execution.id)
        if current is None or current.version != execution.version:
            return None
        if current.stopping:
            return self._end(execution, Status.STOPPED)
        try:
            work = self._works.get(execution.kind)
            if work is None:
                raise WorkFailed(f"this version of the registry does not know how to do {execution.kind}")
            step = work.step(execution)
        except (WorkFailed, RegistryError) as error:
            return self._end(execution, Status.ERROR, str(error))
        except Exception as error:
            return self._fail(execution, error)
        now = self._events.now_ms()
        after = replace(execution, state=step.state, progress=step.progress, failures=0, due=now + LEASE_MS)
        if step.done:
            after = replace(after, status=Status.SUCCESS, ended=now)
        return self._save(execution, after, tasks=step.tasks, logs=step.logs, event=step.event if step.done else None)

    def _fail(self, execution: Execution, error: Exception) -> Execution | None:
        """Let it be tried again later, or give it up after some failures in a row."""
        failures = execution.failures + 1
        _log.warning("execution %s (%s): a step failed: %r", execution.id, execution.kind, error, exc_info=error)
        if failures >= _FAILURES:
            message = f"a step failed {failures} times, at last with {type(error).__name__}: see the collector's log"
            return self._end(execution, Status.ERROR, message)
        later = self._events.now_ms() + _PAUSE_MS * failures
        self._save(execution, replace(execution, failures=failures, due=later))
        return None

    def _end(self, execution: Execution, status: Status, message: str = "") -> Execution | None:
        return self._save(execution, replace(execution, status=status, message=message, ended=self._events.now_ms()))

    def _save(self, was: Execution, now: Execution, **more: Any) -> Execution | None:
        """Return None if another runner has taken the execution."""
        try:
            saved = self._executions.save(was, now, **more)
        except Conflict:
            return None
        if saved.status.is_over:
            self._ended(saved)
        return saved
