"""Runners: what is due is taken once, its steps follow each other, and what was cut short is resumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from roadstead.lifecycle.executions.executions import LEASE_MS, Execution, Running, Status, Step, Work, WorkFailed
from roadstead.lifecycle.executions.runner import Runner
from roadstead.lifecycle.executions.starter import Starter, new_id
from roadstead.trail.entries import Actor, Operation
from roadstead.trail.events import EventMaker
from tests.memory.executions import MemoryExecutions

ADA = Actor("ada")


class Counting:
    """Counts to three, a step each. `before` happens in the middle of every step."""

    def __init__(self, before: Callable[[Execution], None] = lambda _: None) -> None:
        self.before = before
        self.steps: list[int] = []

    def step(self, execution: Execution) -> Step:
        number = int(execution.state.get("number", 0)) + 1
        self.steps.append(number)
        self.before(execution)
        return Step({"number": number}, {"counted": number}, done=number == 3)


class Office:
    def __init__(self, work: Work) -> None:
        self.now = 1_800_000_000.0
        self.store = MemoryExecutions()
        self.events = EventMaker(lambda: self.now)
        self.woken: list[int] = []
        self.starter = Starter(self.store, self.events, self.woken.append)
        self.runner = Runner(self.store, {"count": work}, self.events)

    def start(self, kind: str = "count") -> Execution:
        return self.starter.start(kind, "ships", {}, actor=ADA, exclusive="count ships")

    def run_due(self, remaining: float = 900.0) -> int:
        return self.runner.run_due(lambda: remaining)

    def found(self, one: Execution) -> Execution:
        found = self.store.find(one.id)
        assert found is not None
        return found


def test_an_execution_runs_to_its_end() -> None:
    work = Counting()
    office = Office(work)
    one = office.start()
    assert office.woken == [one.id]
    assert office.run_due() == 1
    found = office.found(one)
    assert (found.status, found.progress, work.steps) == (Status.SUCCESS, {"counted": 3}, [1, 2, 3])
    assert found.started == found.ended == int(office.now * 1000)
    assert office.run_due() == 0
    assert [event.operation for event in office.store.events] == [Operation.START_EXECUTION]


def test_a_second_one_of_the_same_name_is_refused_while_the_first_is_under_way() -> None:
    office = Office(Counting())
    one = office.start()
    with pytest.raises(Running) as refused:
        office.start()
    assert refused.value.id == one.id
    office.run_due()
    office.start()


class Killed(BaseException):
    """The process is gone."""


def test_one_whose_process_died_is_resumed_when_its_lease_is_over() -> None:
    def die(execution: Execution) -> None:
        if work.steps == [1, 2]:
            raise Killed

    work = Counting(die)
    office = Office(work)
    one = office.start()
    with pytest.raises(Killed):
        office.run_due()
    assert office.run_due() == 0
    office.now += LEASE_MS / 1000
    assert office.run_due() == 1
    assert (office.found(one).status, work.steps) == (Status.SUCCESS, [1, 2, 2, 3])


def test_a_runner_whose_lease_was_taken_stops_and_keeps_nothing() -> None:
    def be_slow(execution: Execution) -> None:
        if work.steps == [1]:
            office.now += LEASE_MS / 1000
            office.run_due()

    work = Counting(be_slow)
    office = Office(work)
    one = office.start()
    office.run_due()
    assert work.steps == [1, 1, 2, 3]
    assert (office.found(one).status, office.found(one).progress) == (Status.SUCCESS, {"counted": 3})


def test_one_that_is_asked_to_stop_ends_after_the_step_that_is_under_way() -> None:
    work = Counting(lambda execution: office.starter.stop(execution, actor=ADA))
    office = Office(work)
    one = office.start()
    office.run_due()
    assert (office.found(one).status, work.steps) == (Status.STOPPED, [1])
    assert [event.operation for event in office.store.events] == [Operation.START_EXECUTION, Operation.STOP_EXECUTION]


def test_without_time_the_next_runner_goes_on_at_once() -> None:
    work = Counting()
    office = Office(work)
    left = iter([900.0, 900.0, 900.0, 10.0, 10.0])
    one = office.start()
    office.runner.run_due(lambda: next(left))
    assert (office.found(one).status, work.steps) == (Status.RUNNING, [1, 2])
    assert office.run_due() == 1
    assert work.steps == [1, 2, 3]


def test_a_failure_is_tried_again_later_and_given_up_after_five_in_a_row() -> None:
    def fail(execution: Execution) -> None:
        raise OSError("the network is down")

    work = Counting(fail)
    office = Office(work)
    one = office.start()
    for _ in range(4):
        office.run_due()
        assert office.found(one).status is Status.RUNNING
        assert office.run_due() == 0
        office.now += 300
    office.run_due()
    found = office.found(one)
    assert (found.status, found.failures, work.steps) == (Status.ERROR, 4, [1] * 5)
    assert "5 times" in found.message
    assert "OSError" in found.message


def test_a_step_that_succeeds_forgives_the_failures_before_it() -> None:
    def fail_at_first(execution: Execution) -> None:
        if execution.failures == 0:
            raise OSError("for once")

    office = Office(Counting(fail_at_first))
    one = office.start()
    for _ in range(6):
        office.run_due()
        office.now += 300
    assert office.found(one).status is Status.SUCCESS


def test_work_that_cannot_be_done_ends_with_its_reason() -> None:
    def refuse(execution: Execution) -> None:
        raise WorkFailed("the project was removed")

    office = Office(Counting(refuse))
    one = office.start()
    office.run_due()
    assert (office.found(one).status, office.found(one).message) == (Status.ERROR, "the project was removed")


def test_work_of_a_kind_that_nobody_knows_ends_with_an_error() -> None:
    office = Office(Counting())
    one = office.start("juggle")
    office.run_due()
    assert office.found(one).status is Status.ERROR
    assert "juggle" in office.found(one).message


def test_ids_are_in_the_order_of_time_and_fit_a_number_of_javascript() -> None:
    ids = [new_id(at) for at in range(1_800_000_000_000, 1_800_000_000_100)]
    assert ids == sorted(ids)
    assert new_id(4_102_444_800_000) < 2**53  # in the year 2100


def test_a_taken_id_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(Counting())
    numbers = iter([1, 1, 2])
    monkeypatch.setattr("roadstead.lifecycle.executions.starter.secrets.randbelow", lambda _: next(numbers))
    first = office.starter.start("count", "ships", {}, actor=ADA)
    second = office.starter.start("count", "ships", {}, actor=ADA)
    assert (first.id & 2047, second.id & 2047) == (1, 2)
    assert replace(first, id=0) == replace(second, id=0)
