"""What every store of executions does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from roadstead.aws.lifecycle.dynamodb_executions import DynamoExecutions
from roadstead.aws.table import Table
from roadstead.conflicts import Conflict
from roadstead.lifecycle.executions.executions import (
    MAX_DOCUMENT,
    Execution,
    Executions,
    LogPart,
    Running,
    Status,
    Task,
    Trigger,
)
from roadstead.trail.entries import Actor, Event, Operation
from roadstead.trail.events import EventMaker
from tests.contract.conftest import Index
from tests.memory.executions import MemoryExecutions, log_of

NOW = 1_800_000_000_000
ADA = Actor("ada", source_ip="192.0.2.7")


@pytest.fixture
def store(index: Index) -> Executions:
    if index.memory is not None:
        return MemoryExecutions()
    return DynamoExecutions(Table(index.client, index.table_name, sleep=lambda _: None))


def new(number: int, *, kind: str = "retain", scope: str = "ships", exclusive: str = "", due: int = NOW) -> Execution:
    return Execution(number, kind, scope, Trigger.MANUAL, ADA, {"dry": True}, NOW, due=due, exclusive=exclusive)


def event(operation: Operation = Operation.START_EXECUTION) -> Event:
    return EventMaker().make(operation, ADA, "", project="ships")


def kept(store: Executions, number: int) -> Execution:
    found = store.find(number)
    assert found is not None
    return found


def test_an_execution_comes_back_as_it_was_created(store: Executions) -> None:
    assert store.find(7) is None
    store.create(new(7), event=event())
    assert store.find(7) == replace(new(7), version=1)
    with pytest.raises(Conflict):
        store.create(new(7))


def test_of_executions_with_one_exclusive_name_one_is_under_way(store: Executions) -> None:
    store.create(new(7, exclusive="retain ships"))
    with pytest.raises(Running) as refused:
        store.create(new(8, exclusive="retain ships"))
    assert refused.value.id == 7
    store.create(new(9, exclusive="retain boats"))
    was = kept(store, 7)
    store.save(was, replace(was, status=Status.SUCCESS, ended=NOW))
    store.create(new(10, exclusive="retain ships"))


def test_of_two_savers_one_is_refused(store: Executions) -> None:
    store.create(new(7))
    was = kept(store, 7)
    saved = store.save(was, replace(was, state={"after": "b"}, progress={"kept": 2}, due=NOW + 5))
    assert saved == kept(store, 7)
    with pytest.raises(Conflict):
        store.save(was, replace(was, state={"after": "c"}))
    assert kept(store, 7).state == {"after": "b"}


def test_what_is_due_comes_in_the_order_of_its_waiting_until_it_is_over(store: Executions) -> None:
    store.create(new(7, due=NOW + 2))
    store.create(new(8, due=NOW + 1))
    store.create(new(9, due=NOW + 9))
    assert list(store.due(NOW)) == []
    assert list(store.due(NOW + 2)) == [8, 7]
    was = kept(store, 8)
    store.save(was, replace(was, due=NOW + 8))
    assert list(store.due(NOW + 8)) == [7, 8]
    was = kept(store, 7)
    store.save(was, replace(was, status=Status.ERROR, ended=NOW, message="no"), event=event())
    assert list(store.due(NOW + 8)) == [8]
    assert list(store.due(NOW + 9, limit=1)) == [8]


def test_lists_are_newest_first_by_kind_and_scope(store: Executions) -> None:
    for number in (7, 8, 9):
        store.create(new(number))
    store.create(new(10, scope="boats"))
    store.create(new(11, kind="collect", scope=""))
    assert [one.id for one in store.list_newest("retain", "ships")] == [9, 8, 7]
    assert [one.id for one in store.list_newest("retain", "ships", before=9, limit=1)] == [8]
    assert [one.id for one in store.list_newest("collect", "")] == [11]
    assert store.count("retain", "ships") == 3


def test_one_that_is_not_over_can_be_asked_to_stop(store: Executions) -> None:
    store.create(new(7))
    store.ask_to_stop(7, event=event(Operation.STOP_EXECUTION))
    was = kept(store, 7)
    assert was.stopping
    saved = store.save(was, replace(was, status=Status.STOPPED, ended=NOW))
    with pytest.raises(Conflict):
        store.ask_to_stop(saved.id, event=event(Operation.STOP_EXECUTION))
    with pytest.raises(Conflict):
        store.ask_to_stop(8, event=event(Operation.STOP_EXECUTION))


def test_tasks_and_logs_are_replaced_by_what_is_written_again(store: Executions) -> None:
    store.create(new(7))
    was = kept(store, 7)
    tasks = [Task(number, f"ships/{number}", Status.RUNNING, NOW, 0) for number in (1, 2, 12)]
    was = store.save(was, replace(was, due=NOW + 1), tasks=tasks, logs=[LogPart(1, 0, "a\n"), LogPart(12, 0, "x\n")])
    done = replace(tasks[0], status=Status.SUCCESS, ended=NOW + 1, progress={"total": 3})
    store.save(was, replace(was, due=NOW + 2), tasks=[done], logs=[LogPart(1, 0, "b\n"), LogPart(1, 1, "c\n")])
    assert list(store.tasks(7)) == [done, *tasks[1:]]
    assert list(store.tasks(7, after=1, limit=1)) == [tasks[1]]
    assert (store.find_task(7, 1), store.find_task(7, 3)) == (done, None)
    assert (log_of(store, 7, 1), log_of(store, 7, 12), log_of(store, 7, 2)) == ("b\nc\n", "x\n", "")
    assert list(store.log_parts(7, 1, after=0)) == [LogPart(1, 1, "c\n")]
    assert list(store.log_parts(7, 1, after=1)) == []


def test_a_document_that_is_too_large_is_refused(store: Executions) -> None:
    if isinstance(store, MemoryExecutions):
        pytest.skip("memory takes any size")
    store.create(new(7))
    was = kept(store, 7)
    with pytest.raises(ValueError, match="checkpoint"):
        store.save(was, replace(was, state={"a": "x" * MAX_DOCUMENT}))
