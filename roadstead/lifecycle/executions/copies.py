"""Copies of artifacts that take longer than a request, as executions."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence

from roadstead.conflicts import Conflict
from roadstead.content.copying import Copying, CopyRequest, Done
from roadstead.digest import Digest
from roadstead.lifecycle.executions.executions import Execution, Executions, LogPart, Status, Step, Task, WorkFailed
from roadstead.lifecycle.executions.starter import Starter
from roadstead.names import ProjectName, RepositoryName
from roadstead.trail.entries import Actor
from roadstead.trail.events import EventMaker

KIND = "copy"
_SLICE = 40.0  # seconds of a step
_LINES = 64  # of one part of a log; one has up to 25 tags of 128 characters
_PARTS = 1_000  # of one step's log: more than 10,000 manifests with their tags have
LONGEST_MS = 50 * 60 * 1000  # less than the time for which the name of a deleted project is kept


class CopyWork:
    """Parameters: `source`, `digest`, `target`, and `asked` (ms), as a CopyRequest has them."""

    def __init__(self, copying: Copying, events: EventMaker, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._copying = copying
        self._events = events
        self._clock = clock

    def step(self, execution: Execution) -> Step:
        """Copy for 40 seconds. Raises WorkFailed after 50 minutes, and what `Copying.copy` raises."""
        asked = request_of(execution)
        if self._events.now_ms() > execution.created + LONGEST_MS:
            raise WorkFailed("the copy takes too long for one execution: ask for it again, and it goes on from there")
        number, end = int(execution.state.get("steps", 0)) + 1, self._clock() + _SLICE
        done = Done(execution.state["done"]) if execution.state else None
        copied = self._copying.copy(asked, done=done, go_on=lambda: self._clock() < end)
        before = execution.progress
        progress = {
            "manifests": len(copied.done),
            "manifests_copied": before.get("manifests_copied", 0) + copied.manifests,
            "blobs_mounted": before.get("blobs_mounted", 0) + copied.blobs,
            "tags_set": before.get("tags_set", 0) + copied.tags,
            "tags_kept": before.get("tags_kept", 0) + len(copied.kept),
        }
        status = Status.SUCCESS if copied.complete else Status.RUNNING
        name = f"{asked.source}@{asked.digest} to {asked.target}"
        ended = self._events.now_ms() if copied.complete else 0
        task = Task(1, name, status, execution.started, ended, progress)
        state = {"steps": number, "done": copied.done.as_text()}
        return Step(state, progress, copied.complete, tasks=[task], logs=_log(number, copied.lines))


def _log(step: int, lines: Sequence[str]) -> list[LogPart]:
    """The parts of a step's log. A step that is repeated has the same numbers."""
    first = step * _PARTS
    return [
        LogPart(1, first + number, "".join(f"{line}\n" for line in lines[start : start + _LINES]))
        for number, start in enumerate(range(0, len(lines), _LINES))
    ]


def start(starter: Starter, asked: CopyRequest) -> Execution:
    """Start the execution of a copy. Raises Running if the same copy is under way."""
    parameters = {"source": asked.source, "digest": asked.digest, "target": asked.target, "asked": asked.asked}
    exclusive = f"{KIND}#{asked.target}#{asked.source}@{asked.digest}"
    return starter.start(KIND, asked.target.project, parameters, actor=asked.actor, exclusive=exclusive)


def request_of(execution: Execution) -> CopyRequest:
    given = execution.parameters
    return CopyRequest(
        RepositoryName(given["source"]),
        Digest(given["digest"]),
        RepositoryName(given["target"]),
        execution.actor,
        int(given["asked"]),
    )


class Copies:
    """The copies into a project that are under way."""

    def __init__(self, executions: Executions, starter: Starter, events: EventMaker) -> None:
        self._executions = executions
        self._starter = starter
        self._events = events

    def stop(self, project: ProjectName, actor: Actor) -> bool:
        """Ask for the end of those that are under way; return whether there is none.

        Costs two reads for each 100 that began within LONGEST_MS, and a write for each that is under way.
        """
        under_way, before = 0, None
        oldest = self._events.now_ms() - 2 * LONGEST_MS
        while page := self._executions.list_newest(KIND, project, before=before):
            for one in page:
                if not one.status.is_over:
                    under_way += 1
                    self._stop(one, actor)
            before = page[-1].id
            if page[-1].created < oldest:
                break
        return not under_way

    def _stop(self, execution: Execution, actor: Actor) -> None:
        if not execution.stopping:
            with contextlib.suppress(Conflict):  # it has ended since
                self._starter.stop(execution, actor=actor)
