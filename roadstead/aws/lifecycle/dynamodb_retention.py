"""`RetentionPolicies`, `RetentionView` and `Schedules` on the index table.

retention#<project>  policy        document, version
schedule#<name>      schedule      kind, scope, cron, parameters, next
schedules            <ms>#<name>   when a schedule is due
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from typing import Any

from roadstead.aws.catalog.dynamodb_pages import DynamoPages
from roadstead.aws.catalog.dynamodb_pulls import DynamoPullCounts
from roadstead.aws.content.index_items import BY_PUSH, event_write, manifest_item_key, repository_pk
from roadstead.aws.table import Item, Key, Table, Write, delete, put
from roadstead.catalog.pages import Details
from roadstead.content.manifest_document import INDEX_TYPES, parse_manifest
from roadstead.digest import Digest
from roadstead.documents import compact
from roadstead.errors import RegistryError
from roadstead.lifecycle.executions.schedules import Schedule
from roadstead.lifecycle.retention.rules import Policy
from roadstead.lifecycle.retention.verdicts import Candidate
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.trail.entries import Event

_SCHEDULES = "schedules"


class DynamoRetention:
    def __init__(self, table: Table) -> None:
        self._table = table

    def find_policy(self, project: ProjectName) -> Policy | None:
        item = self._table.get(_policy_key(project))
        return Policy.from_json(item["document"]) if item is not None else None

    def put_policy(self, project: ProjectName, policy: Policy, *, replaces: Policy | None, event: Event) -> None:
        condition, values = "attribute_not_exists(pk)", {}
        if replaces is not None:
            condition, values = "document = :old", {":old": replaces.as_json()}
        write = put(_policy_key(project), {"document": policy.as_json()}, condition, values)
        self._table.transact([write, event_write(event)])

    def remove_policy(self, project: ProjectName, *, event: Event) -> None:
        self._table.transact([delete(_policy_key(project), "attribute_exists(pk)"), event_write(event)])


class DynamoRetentionView:
    """Costs of the candidates: their items in the index by-push, the repository's pulls, and indexes' summaries."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._pages = DynamoPages(table)
        self._pulls = DynamoPullCounts(table)

    def repositories(self, project: ProjectName, *, after: str, limit: int) -> Sequence[RepositoryName]:
        items = self._table.query("catalog", prefix=f"{project}/", after=after or None, limit=limit, attributes=("at",))
        return [RepositoryName(item["sk"]) for item in items]

    def all_repositories(self, *, after: str, limit: int) -> Sequence[RepositoryName]:
        items = self._table.query("catalog", after=after or None, limit=limit, attributes=("at",))
        return [RepositoryName(item["sk"]) for item in items]

    def candidates(self, repository: RepositoryName) -> Sequence[Candidate]:
        pk = repository_pk(repository)
        tags: dict[str, dict[Tag, int]] = {}
        for item in self._table.query(pk, prefix="t#", order=BY_PUSH):
            tags.setdefault(item["digest"], {})[Tag(item["sk"].removeprefix("tag#"))] = item["at"]
        manifests = {
            Digest(item["sk"].removeprefix("manifest#")): item
            for item in self._table.query(pk, prefix="m#", order=BY_PUSH)
        }
        pulls = {digest: one.last for digest, one in self._pulls.find(repository).items()}
        indexes = [digest for digest, item in manifests.items() if item["type"] in INDEX_TYPES]
        for digest, details in self._pages.details(repository, indexes).items() if pulls and indexes else ():
            pulls[digest] = max(pulls.get(one, 0) for one in (digest, *_children(details)))
        return [
            Candidate(digest, item["type"], item["at"], tags.get(digest, {}), pulls.get(digest, 0))
            for digest, item in manifests.items()
        ]

    def last_pull(self, repository: RepositoryName, one: Candidate) -> int:
        digests = [one.digest]
        if one.media_type in INDEX_TYPES:
            digests += self._all_children(repository, one.digest)
        found = self._table.batch_get((f"pulls#{repository}", digest) for digest in digests)
        return max((int(item["last"]) for item in found.values()), default=0)

    def _all_children(self, repository: RepositoryName, index: Digest) -> list[Digest]:
        """Those of its manifest; of one that is not kept in the table the first, which its summary names."""
        item = self._table.get(manifest_item_key(repository, index))
        if item is None:
            return []
        if "data" not in item:
            return _children(self._pages.details(repository, [index])[index])
        with contextlib.suppress(RegistryError):  # an older version took it, and this one would not
            return [Digest(child.digest) for child in parse_manifest(item["data"], item["type"]).children]
        return []


def _children(details: Details) -> list[Digest]:
    return [Digest(child.digest) for child in details.summary.children] if details.summary is not None else []


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


def _policy_key(project: str) -> Key:
    return f"retention#{project}", "policy"


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
