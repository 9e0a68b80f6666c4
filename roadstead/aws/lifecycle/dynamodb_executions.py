"""`Executions` on the index table.

execution#<id>             execution          the execution, version by version
                           stop               somebody asked for its end
                           task#<number>      a task
                           log#<task>#<part>  a part of a task's log, compressed
executions#<kind>#<scope>  <id>               the list, in the order of their starts
executions#only            <name>             the execution that has an exclusive name
due                        <ms>#<id>          when a runner may take an execution that is not over
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from roadstead.aws.content.index_items import event_write
from roadstead.aws.table import Item, Key, Table, TransactionFailed, Write, check, delete, put
from roadstead.documents import compact
from roadstead.lifecycle.executions.executions import (
    KEPT_DAYS,
    MAX_DOCUMENT,
    MAX_LOG,
    Execution,
    LogPart,
    Running,
    Status,
    Task,
    Trigger,
)
from roadstead.trail.entries import Actor, ActorKind, Event

_DUE = "due"


class DynamoExecutions:
    def __init__(self, table: Table) -> None:
        self._table = table

    def create(self, execution: Execution, *, event: Event | None = None) -> None:
        only = (
            [put(_only_key(execution.exclusive), {"execution": execution.id}, "attribute_not_exists(pk)")]
            if execution.exclusive
            else []
        )
        writes = [
            put(_key(execution.id), _item(replace(execution, version=1)), "attribute_not_exists(pk)"),
            *only,
            put(_listed_key(execution), {"created": execution.created}),
            put(_due_key(execution), {"execution": execution.id}),
        ]
        try:
            self._table.transact([*writes, *_events(event)])
        except TransactionFailed as error:
            if execution.exclusive and error.failed == (1,):
                raise self._running(execution.exclusive) from error
            raise

    def _running(self, name: str) -> Exception:
        item = self._table.get(_only_key(name))
        return Running(int(item["execution"]) if item is not None else 0)

    def find(self, execution_id: int) -> Execution | None:
        found = self._table.batch_get([_key(execution_id), _stop_key(execution_id)])
        item = found.get(_key(execution_id))
        return _execution(item, stopping=_stop_key(execution_id) in found) if item is not None else None

    def list_newest(self, kind: str, scope: str, *, before: int | None = None, limit: int = 100) -> Sequence[Execution]:
        after = _padded(before) if before is not None else None
        rows = self._table.query(
            _list_pk(kind, scope), after=after, limit=limit, backward=True, attributes=("created",)
        )
        ids = [int(row["sk"]) for row in rows]
        found = self._table.batch_get([*map(_key, ids), *map(_stop_key, ids)])
        return [_execution(found[_key(one)], stopping=_stop_key(one) in found) for one in ids if _key(one) in found]

    def count(self, kind: str, scope: str) -> int:
        return self._table.count(_list_pk(kind, scope)).items

    def save(
        self,
        was: Execution,
        now: Execution,
        *,
        tasks: Sequence[Task] = (),
        logs: Sequence[LogPart] = (),
        event: Event | None = None,
    ) -> Execution:
        own = [_log_item(now.id, part) for part in logs] + [_task_item(now.id, task) for task in tasks]
        if own:
            self._table.batch_write(puts=own)
        new = replace(now, version=was.version + 1)
        item = _item(new)
        writes = [put(_key(new.id), item, "version = :was", {":was": was.version})]
        if new.status.is_over:
            expires = new.ended // 1000 + KEPT_DAYS * 86_400
            item["expires"] = expires
            writes.append(put(_listed_key(new), {"created": new.created, "expires": expires}))
            if new.exclusive:
                writes.append(delete(_only_key(new.exclusive)))
            writes.append(delete(_due_key(was)))
        elif _due_key(was) != _due_key(new):
            writes += [delete(_due_key(was)), put(_due_key(new), {"execution": new.id})]
        self._table.transact([*writes, *_events(event)])
        return new

    def ask_to_stop(self, execution_id: int, *, event: Event) -> None:
        going = {":pending": str(Status.PENDING), ":running": str(Status.RUNNING)}
        condition = check(_key(execution_id), "#s IN (:pending, :running)", going, {"#s": "status"})
        expires = event.at // 1000 + KEPT_DAYS * 86_400
        self._table.transact([condition, put(_stop_key(execution_id), {"expires": expires}), event_write(event)])

    def due(self, now: int, *, limit: int = 25) -> Sequence[int]:
        items = self._table.query(_DUE, limit=limit, attributes=("execution",))
        return [int(item["execution"]) for item in items if int(item["sk"].partition("#")[0]) <= now]

    def tasks(self, execution_id: int, *, after: int = 0, limit: int = 100) -> Sequence[Task]:
        pk, prefix = _key(execution_id)[0], "task#"
        return [_task(one) for one in self._table.query(pk, prefix=prefix, after=f"{prefix}{after:06d}", limit=limit)]

    def find_task(self, execution_id: int, number: int) -> Task | None:
        item = self._table.get(_task_key(execution_id, number))
        return _task(item) if item is not None else None

    def log_parts(self, execution_id: int, task: int, *, after: int = -1) -> Iterator[LogPart]:
        prefix = f"log#{task:06d}#"
        beyond = f"{prefix}{after:06d}" if after >= 0 else None
        for item in self._table.query(_key(execution_id)[0], prefix=prefix, after=beyond):
            yield LogPart(task, int(item["sk"].removeprefix(prefix)), zlib.decompress(item["text"]).decode())


def _key(execution_id: int) -> Key:
    return f"execution#{execution_id}", "execution"


def _stop_key(execution_id: int) -> Key:
    return f"execution#{execution_id}", "stop"


def _task_key(execution_id: int, number: int) -> Key:
    return f"execution#{execution_id}", f"task#{number:06d}"


def _only_key(name: str) -> Key:
    return "executions#only", name


def _list_pk(kind: str, scope: str) -> str:
    return f"executions#{kind}#{scope}"


def _padded(execution_id: int) -> str:
    return f"{execution_id:016d}"


def _listed_key(execution: Execution) -> Key:
    return _list_pk(execution.kind, execution.scope), _padded(execution.id)


def _due_key(execution: Execution) -> Key:
    return _DUE, f"{execution.due:013d}#{execution.id}"


def _events(event: Event | None) -> list[Write]:
    return [event_write(event)] if event is not None else []


def _document(what: str, value: Any) -> str:
    text = compact(value)
    if len(text.encode()) > MAX_DOCUMENT:
        raise ValueError(f"the {what} of an execution takes more than {MAX_DOCUMENT} bytes")
    return text


def _item(one: Execution) -> dict[str, Any]:
    actor = one.actor
    return {
        "kind": one.kind,
        "scope": one.scope,
        "trigger": str(one.trigger),
        "actor": actor.name,
        "actor_kind": str(actor.kind),
        "token_id": actor.token_id,
        "source_ip": actor.source_ip,
        "user_agent": actor.user_agent,
        "request_id": actor.request_id,
        "parameters": _document("parameters", one.parameters),
        "state": _document("checkpoint", one.state),
        "progress": compact(one.progress),
        "status": str(one.status),
        "created": one.created,
        "started": one.started,
        "ended": one.ended,
        "message": one.message,
        "failures": one.failures,
        "due": one.due,
        "exclusive": one.exclusive,
        "version": one.version,
    }


def _execution(item: Item, *, stopping: bool) -> Execution:
    actor = Actor(
        item["actor"],
        ActorKind(item["actor_kind"]),
        item["token_id"],
        item["source_ip"],
        item["user_agent"],
        item["request_id"],
    )
    return Execution(
        id=int(item["pk"].removeprefix("execution#")),
        kind=item["kind"],
        scope=item["scope"],
        trigger=Trigger(item["trigger"]),
        actor=actor,
        parameters=json.loads(item["parameters"]),
        created=item["created"],
        status=Status(item["status"]),
        started=item["started"],
        ended=item["ended"],
        state=json.loads(item["state"]),
        progress=json.loads(item["progress"]),
        message=item["message"],
        failures=item["failures"],
        due=item["due"],
        exclusive=item["exclusive"],
        stopping=stopping,
        version=item["version"],
    )


def _task_item(execution_id: int, task: Task) -> tuple[Key, dict[str, Any]]:
    item = {
        "name": task.name,
        "status": str(task.status),
        "started": task.started,
        "ended": task.ended,
        "progress": compact(task.progress),
        "expires": _later(task.started),
    }
    return _task_key(execution_id, task.number), item


def _task(item: Item) -> Task:
    return Task(
        int(item["sk"].removeprefix("task#")),
        item["name"],
        Status(item["status"]),
        item["started"],
        item["ended"],
        json.loads(item["progress"]),
    )


def _log_item(execution_id: int, part: LogPart) -> tuple[Key, dict[str, Any]]:
    text = part.text.encode()
    if len(text) > MAX_LOG:
        raise ValueError(f"a part of a log takes more than {MAX_LOG} bytes")
    key = f"execution#{execution_id}", f"log#{part.task:06d}#{part.number:06d}"
    return key, {"text": zlib.compress(text), "expires": _later(execution_id >> 11)}


def _later(at: int) -> int:
    """When a part of an execution that began at `at` (ms) may go: not before the execution itself, in practice."""
    return at // 1000 + (KEPT_DAYS + 30) * 86_400
