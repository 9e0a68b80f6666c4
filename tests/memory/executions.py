"""`Executions` in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

from roadstead.conflicts import Conflict
from roadstead.lifecycle.executions.executions import Execution, Executions, LogPart, Running, Task
from roadstead.trail.entries import Event


class MemoryExecutions:
    """`events` are those of starts, stops and ends, in their order."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._executions: dict[int, Execution] = {}
        self._tasks: dict[tuple[int, int], Task] = {}
        self._logs: dict[tuple[int, int, int], str] = {}
        self.events: list[Event] = []

    def create(self, execution: Execution, *, event: Event | None = None) -> None:
        with self._lock:
            for one in self._executions.values():
                if execution.exclusive and one.exclusive == execution.exclusive and not one.status.is_over:
                    raise Running(one.id)
            if execution.id in self._executions:
                raise Conflict(execution.id)
            self._executions[execution.id] = replace(execution, version=1)
            self._tell(event)

    def find(self, execution_id: int) -> Execution | None:
        return self._executions.get(execution_id)

    def list_newest(self, kind: str, scope: str, *, before: int | None = None, limit: int = 100) -> Sequence[Execution]:
        found = [one for one in self._executions.values() if (one.kind, one.scope) == (kind, scope)]
        found = [one for one in found if before is None or one.id < before]
        return sorted(found, key=lambda one: -one.id)[:limit]

    def count(self, kind: str, scope: str) -> int:
        return sum((one.kind, one.scope) == (kind, scope) for one in self._executions.values())

    def save(
        self,
        was: Execution,
        now: Execution,
        *,
        tasks: Sequence[Task] = (),
        logs: Sequence[LogPart] = (),
        event: Event | None = None,
    ) -> Execution:
        with self._lock:
            self._tasks |= {(now.id, task.number): task for task in tasks}
            self._logs |= {(now.id, part.task, part.number): part.text for part in logs}
            found = self._executions.get(now.id)
            if found is None or found.version != was.version:
                raise Conflict(now.id)
            saved = replace(now, version=was.version + 1, stopping=found.stopping)
            self._executions[now.id] = saved
            self._tell(event)
            return saved

    def ask_to_stop(self, execution_id: int, *, event: Event) -> None:
        with self._lock:
            found = self._executions.get(execution_id)
            if found is None or found.status.is_over:
                raise Conflict(execution_id)
            self._executions[execution_id] = replace(found, stopping=True)
            self._tell(event)

    def due(self, now: int, *, limit: int = 25) -> Sequence[int]:
        waiting = [one for one in self._executions.values() if not one.status.is_over and one.due <= now]
        return [one.id for one in sorted(waiting, key=lambda one: (one.due, one.id))[:limit]]

    def tasks(self, execution_id: int, *, after: int = 0, limit: int = 100) -> Sequence[Task]:
        own = [task for (id_, number), task in self._tasks.items() if id_ == execution_id and number > after]
        return sorted(own, key=lambda task: task.number)[:limit]

    def find_task(self, execution_id: int, number: int) -> Task | None:
        return self._tasks.get((execution_id, number))

    def log_parts(self, execution_id: int, task: int, *, after: int = -1) -> Iterator[LogPart]:
        for (id_, own, number), text in sorted(self._logs.items()):
            if (id_, own) == (execution_id, task) and number > after:
                yield LogPart(task, number, text)

    def _tell(self, event: Event | None) -> None:
        if event is not None:
            self.events.append(event)


def log_of(executions: Executions, execution_id: int, task: int) -> str:
    """The whole log of a task."""
    return "".join(part.text for part in executions.log_parts(execution_id, task))
