"""How executions are carried out: claimed, done step by step, tried again, and ended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from roadstead.conflicts import Conflict
from roadstead.errors import RegistryError
from roadstead.lifecycle.executions.executions import LEASE_MS, Execution, Executions, Status, Work, WorkFailed
from roadstead.trail.events import EventMaker

_FAILURES = 5  # one after the other, until an execution is given up
_PAUSE_MS = 60_000  # after the first failure; after the second twice as long, and so on
_TIME_FOR_A_STEP = 60.0  # seconds

_log = logging.getLogger(__name__)


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
