"""Executions that are killed between any two calls, or run twice at once: each ends once, with all of its steps."""

from __future__ import annotations

import pytest
from botocore.exceptions import BotoCoreError

from roadstead.aws.lifecycle.dynamodb_executions import DynamoExecutions
from roadstead.conflicts import Conflict
from roadstead.lifecycle.executions.executions import LEASE_MS, Execution, LogPart, Running, Status, Step, Task
from roadstead.lifecycle.executions.runner import Runner
from roadstead.lifecycle.executions.starter import Starter
from roadstead.trail.entries import Operation
from roadstead.trail.events import EventMaker
from tests.invariants.cloud import Cloud
from tests.invariants.faults import Crash, Fault, Faulty
from tests.invariants.registry import ALICE, Registry
from tests.invariants.schedules import interleave, plans
from tests.memory.executions import log_of

KIND = "count"


class Counting:
    """Three steps, which write nothing of their own; the last one leaves an event."""

    def __init__(self, cloud: Cloud) -> None:
        self._events = EventMaker(cloud.clock)

    def step(self, execution: Execution) -> Step:
        number = int(execution.state.get("number", 0)) + 1
        task = Task(number, "part", Status.SUCCESS, execution.created, execution.created)
        event = self._events.make(Operation.COLLECT, execution.actor, "")
        log = LogPart(number, 0, f"{number}\n")
        return Step({"number": number}, {"n": number}, number == 3, tasks=[task], logs=[log], event=event)


def _start(cloud: Cloud) -> None:
    events = EventMaker(cloud.clock)
    Starter(DynamoExecutions(Registry(cloud).table), events).start(KIND, "ships", {}, actor=ALICE, exclusive="one")


def _run(cloud: Cloud) -> None:
    store = DynamoExecutions(Registry(cloud).table)
    Runner(store, {KIND: Counting(cloud)}, EventMaker(cloud.clock)).run_due(lambda: 900.0)


def _check(cloud: Cloud) -> None:
    """There is one execution, it is over, and it left one event of its start and one of its end."""
    store = DynamoExecutions(Registry(cloud).table)
    (one,) = store.list_newest(KIND, "ships")
    assert (one.status, one.progress) == (Status.SUCCESS, {"n": 3})
    assert [task.number for task in store.tasks(one.id)] == [1, 2, 3]
    assert [log_of(store, one.id, number) for number in (1, 2, 3)] == ["1\n", "2\n", "3\n"]
    assert [event["operation"] for event in cloud.events] == ["start-execution", "collect"]
    assert not [key for key in cloud.rows() if key[0] in ("due", "executions#only")]


@pytest.mark.parametrize("fault", list(Fault))
def test_an_execution_that_fails_at_any_call_is_resumed_and_ends_once(cloud: Cloud, fault: Fault) -> None:
    whole = Faulty()
    with cloud.intercepted(whole):
        _start(cloud)
        _run(cloud)
    _check(cloud)
    for place in range(len(whole.calls)):
        cloud.thaw()
        try:
            with cloud.intercepted(Faulty(fault, place)):
                _start(cloud)
                _run(cloud)
        except (Crash, BotoCoreError):
            pass
        if not cloud.rows("execution#"):
            _start(cloud)
        for _ in range(2):
            cloud.clock.advance(LEASE_MS / 1000 + 301)
            _run(cloud)
        _check(cloud)


def test_two_runners_at_once_end_an_execution_once(cloud: Cloud) -> None:
    _start(cloud)
    before = cloud.freeze()
    for _, choose in plans(12, 2, 60):
        cloud.thaw(before)
        run = interleave(cloud, (lambda: _run(cloud), lambda: _run(cloud)), choose)
        assert not [outcome for outcome in run.outcomes if isinstance(outcome, BaseException)], run.trace
        _check(cloud)


def test_of_two_that_start_at_once_one_is_refused(cloud: Cloud) -> None:
    for _, choose in plans(4, 2, 20):
        cloud.thaw()
        run = interleave(cloud, (lambda: _start(cloud), lambda: _start(cloud)), choose)
        refused = [outcome for outcome in run.outcomes if isinstance(outcome, (Running, Conflict))]
        assert len(refused) == 1, run.outcomes
        _run(cloud)
        _check(cloud)
