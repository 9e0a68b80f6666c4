"""Executions: work that takes longer than a request may, done in steps and resumed wherever it was cut short.

A step does a part of the work and returns a checkpoint; the store keeps both on the condition that nobody else has
gone on meanwhile. While an execution runs, its runner holds a lease; when the lease is over (the process died, or its
time ran out) the next runner goes on from the last checkpoint. So a step may happen twice, and has to have its effect
once: it decides by what it reads itself, never by what an earlier step has read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from roadstead.trail.entries import Actor, Event

LEASE_MS = 120_000  # a step takes at most half of it
KEPT_DAYS = 90  # an execution that is over, with its tasks and their logs
MAX_DOCUMENT = 128 * 1024  # bytes of JSON: of the parameters, and of a checkpoint
MAX_LOG = 256 * 1024  # bytes of one part of a task's log


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
