"""Webhooks on the identity table, and their last deliveries on the index table.

    table     pk                           sk            what
    identity  project#<name>               webhook#<id>  url, events, patterns, format, enabled, created, …; no secret
    index     webhook#last                 <project>/<id>  the last test or given-up delivery (TTL)
    index     webhook#<project>/<id>/sent  <time>#<id>   a delivery: how it stands, and what was sent (TTL)

The delivering function may read only the projects' partitions of the identity table, and write nothing there.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, fields
from typing import Any

from roadstead.aws.content.index_items import repository_pk
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.identity.identity_items import told
from roadstead.aws.table import Item, Key, Table, TransactionFailed, check, delete, put
from roadstead.conflicts import Conflict
from roadstead.identity.directory import Project
from roadstead.identity.stores import UnknownProject
from roadstead.names import ProjectName
from roadstead.notifications.stores import (
    Delivery,
    EventType,
    LastDelivery,
    Outcome,
    PayloadFormat,
    UnknownWebhook,
    Webhook,
)
from roadstead.trail.entries import Event

RECORD_DAYS = 30
_RECORD_SECONDS = RECORD_DAYS * 86_400
_DELIVERY = tuple(one.name for one in fields(Delivery))
_PREFIX = "webhook#"
_LAST = "webhook#last"


class DynamoWebhooks:
    """Webhooks, on the identity table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._identities = DynamoIdentities(table)

    def find_project(self, name: ProjectName) -> Project | None:
        return self._identities.find_project(name)

    def list_webhooks(self, project: ProjectName) -> tuple[Webhook, ...]:
        found = [_webhook(project, item) for item in self._table.query(f"project#{project}", prefix=_PREFIX)]
        return tuple(sorted(found, key=lambda webhook: (webhook.created, webhook.id)))

    def find_webhooks(self, keys: Collection[tuple[ProjectName, str]]) -> dict[tuple[ProjectName, str], Webhook]:
        wanted = {_key(project, webhook): (project, webhook) for project, webhook in keys}
        found = self._table.batch_get(wanted) if wanted else {}
        return {wanted[key]: _webhook(wanted[key][0], item) for key, item in found.items()}

    def create_webhook(self, webhook: Webhook, *, event: Event | None = None) -> None:
        try:
            self._table.transact(
                [
                    check((f"project#{webhook.project}", "meta"), "attribute_exists(pk)"),
                    put(_key(webhook.project, webhook.id), _item(webhook), "attribute_not_exists(pk)"),
                    *told(event),
                ]
            )
        except TransactionFailed as error:
            if 0 in error.failed:
                raise UnknownProject(webhook.project) from error
            raise

    def replace_webhook(self, webhook: Webhook, *, replaces: Webhook, event: Event | None = None) -> None:
        key = _key(webhook.project, webhook.id)
        write = put(key, _item(webhook), "attribute_exists(pk) AND secrets = :secrets", {":secrets": replaces.secrets})
        try:
            self._table.transact([write, *told(event)])
        except Conflict as error:
            if self._table.get(key) is None:
                raise UnknownWebhook(webhook.id) from error
            raise

    def remove_webhook(self, project: ProjectName, webhook: str, *, event: Event | None = None) -> None:
        try:
            self._table.transact([delete(_key(project, webhook), "attribute_exists(pk)"), *told(event)])
        except Conflict as error:
            raise UnknownWebhook(webhook) from error

    def tell(self, event: Event) -> None:
        self._table.transact(told(event))


class DynamoDeliveryRecords:
    """DeliveryRecords, on the index table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def repository_created(self, repository: str) -> int | None:

        item = self._table.get((repository_pk(repository), "meta"))
        return item["at"] // 1000 if item else None

    def record_delivery(self, project: ProjectName, webhook: str, last: LastDelivery) -> None:
        item = {
            "delivery": last.delivery,
            "at": last.at,
            "delivered": last.delivered,
            "detail": last.detail,
            "expires": last.at + _RECORD_SECONDS,
        }
        self._table.put_item(_record_key(project, webhook), item)

    def find_delivery(self, project: ProjectName, webhook: str) -> LastDelivery | None:
        item = self._table.get(_record_key(project, webhook))
        return _last(item) if item else None

    def failures(self, since: int) -> dict[tuple[ProjectName, str], LastDelivery]:
        found = {}
        for item in self._table.query(_LAST):
            project, _, webhook = item["sk"].partition("/")
            if not item["delivered"] and item["at"] >= since:
                found[ProjectName(project), webhook] = _last(item)
        return found

    def keep_delivery(self, project: ProjectName, webhook: str, delivery: Delivery) -> None:
        item = {**asdict(delivery), "outcome": str(delivery.outcome), "expires": delivery.at // 1000 + _RECORD_SECONDS}
        self._table.put_item((_sent_pk(project, webhook), f"{delivery.at:013d}#{delivery.id}"), item)

    def deliveries(self, project: ProjectName, webhook: str, *, limit: int, at: int | None = None) -> list[Delivery]:
        prefix = f"{at:013d}#" if at is not None else ""
        found = self._table.query(_sent_pk(project, webhook), prefix=prefix, limit=limit, backward=True)
        return [_delivery(item) for item in found]

    def count_deliveries(self, project: ProjectName, webhook: str) -> int:
        return self._table.count(_sent_pk(project, webhook)).items


def _sent_pk(project: ProjectName, webhook: str) -> str:
    return f"webhook#{project}/{webhook}/sent"


def _last(item: Item) -> LastDelivery:
    return LastDelivery(item["delivery"], item["at"], item["delivered"], item["detail"])


def _delivery(item: Item) -> Delivery:
    kept = {name: item[name] for name in _DELIVERY if name != "outcome"}
    return Delivery(outcome=Outcome(item["outcome"]), **kept)


def _item(webhook: Webhook) -> dict[str, Any]:
    kept = asdict(webhook)
    for name in ("project", "id"):
        del kept[name]
    return {**kept, "events": sorted(map(str, webhook.events)), "payload": str(webhook.payload)}


def _key(project: ProjectName, webhook: str) -> Key:
    return f"project#{project}", f"{_PREFIX}{webhook}"


def _record_key(project: ProjectName, webhook: str) -> Key:
    return _LAST, f"{project}/{webhook}"


def _webhook(project: ProjectName, item: Item) -> Webhook:
    return Webhook(
        project=project,
        id=item["sk"].removeprefix(_PREFIX),
        url=item["url"],
        events=frozenset(EventType(event) for event in item["events"]),
        created=item["created"],
        created_by=item["created_by"],
        name=item["name"],
        payload=PayloadFormat(item["payload"]),
        repositories=item["repositories"],
        tags=item["tags"],
        enabled=item["enabled"],
        description=item["description"],
        updated=item["updated"],
        authorized=item["authorized"],
        secrets=item["secrets"],
        skip_verify=item["skip_verify"],
    )
