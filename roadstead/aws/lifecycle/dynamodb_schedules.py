"""`Schedules` on the index table.

schedule#<name>      schedule      kind, scope, cron, parameters, next
schedules            <ms>#<name>   when a schedule is due
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from roadstead.aws.content.index_items import event_write
from roadstead.aws.table import Item, Key, Table, Write, delete, put
from roadstead.documents import compact
from roadstead.lifecycle.executions.schedules import Schedule
from roadstead.trail.entries import Event

_SCHEDULES = "schedules"


class DynamoSchedules:
    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, name: str) -> Schedule | None:
        item = self._table.get(_schedule_key(name))
        return _schedule(item) if item is not None else None

    def put(self, schedule: Schedule, *, event: Event | None = None) -> None:
        before = self.find(schedule.name)
        gone = [delete(_due_key(before))] if before is not None and before.next != schedule.next else []
        due = [put(_due_key(schedule), {"name": schedule.name})] if schedule.cron else []
        condition, values = _unchanged(before)
        own = put(_schedule_key(schedule.name), _item(schedule), condition, values, _NAMES if before else {})
        self._table.transact([own, *gone, *due, *_told(event)])

    def remove(self, name: str, *, event: Event | None = None) -> None:
        before = self.find(name)
        if before is None:
            return
        condition, values = _unchanged(before)
        own = delete(_schedule_key(name), condition, values, _NAMES)
        self._table.transact([own, delete(_due_key(before)), *_told(event)])

    def due(self, now: int, *, limit: int = 100) -> Sequence[Schedule]:
        items = list(self._table.query(_SCHEDULES, limit=limit))
        names = [item["name"] for item in items if int(item["sk"].partition("#")[0]) <= now]
        found = self._table.batch_get(map(_schedule_key, names))
        return [_schedule(found[key]) for name in names if (key := _schedule_key(name)) in found]

    def advance(self, schedule: Schedule, next: int) -> None:
        condition, values = _unchanged(schedule)
        later = Schedule(
            schedule.name, schedule.kind, schedule.scope, schedule.cron, schedule.parameters, next, schedule.exclusive
        )
        own = put(_schedule_key(schedule.name), _item(later), condition, values, _NAMES)
        self._table.transact([own, delete(_due_key(schedule)), put(_due_key(later), {"name": schedule.name})])


_NAMES = {"#next": "next"}


def _unchanged(before: Schedule | None) -> tuple[str, dict[str, Any]]:
    if before is None:
        return "attribute_not_exists(pk)", {}
    return "cron = :cron AND #next = :next", {":cron": before.cron, ":next": before.next}


def _told(event: Event | None) -> list[Write]:
    return [event_write(event)] if event is not None else []


def _schedule_key(name: str) -> Key:
    return f"schedule#{name}", "schedule"


def _due_key(schedule: Schedule) -> Key:
    return _SCHEDULES, f"{schedule.next:013d}#{schedule.name}"


def _item(one: Schedule) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "scope": one.scope,
        "cron": one.cron,
        "parameters": compact(one.parameters),
        "next": one.next,
        "exclusive": one.exclusive,
    }


def _schedule(item: Item) -> Schedule:
    return Schedule(
        item["pk"].removeprefix("schedule#"),
        item["kind"],
        item["scope"],
        item["cron"],
        json.loads(item["parameters"]),
        item["next"],
        item["exclusive"],
    )
