"""How executions begin, and how they are asked to end."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from roadstead.conflicts import Conflict
from roadstead.lifecycle.executions.executions import Execution, Executions, Trigger
from roadstead.trail.entries import Actor, Event, Operation
from roadstead.trail.events import EventMaker

_RANDOM_BITS = 11


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
