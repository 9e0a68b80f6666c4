"""Webhooks on the identity table, and their last deliveries on the index table.

    table     pk                           sk            what
    identity  project#<name>               webhook#<id>  url, events, patterns, format, enabled, created; no secret
    index     webhook#<project>/<id>       last          the last test or given-up delivery (TTL)

The delivering function may read only the projects' partitions of the identity table, and write nothing there.
"""

from __future__ import annotations

from roadstead.aws.dynamodb_identity import DynamoIdentities
from roadstead.aws.index_items import repository_pk
from roadstead.aws.table import Item, Key, Table, TransactionFailed, check, delete, put, update
from roadstead.conflicts import Conflict
from roadstead.identity.directory import Project, UnknownProject
from roadstead.names import ProjectName
from roadstead.notifications.stores import EventType, LastDelivery, PayloadFormat, UnknownWebhook, Webhook

RECORD_DAYS = 30
_PREFIX = "webhook#"


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

    def create_webhook(self, webhook: Webhook) -> None:
        item = {
            "url": webhook.url,
            "events": sorted(webhook.events),
            "created": webhook.created,
            "created_by": webhook.created_by,
            "name": webhook.name,
            "payload": str(webhook.payload),
            "repositories": webhook.repositories,
            "tags": webhook.tags,
            "enabled": webhook.enabled,
        }
        try:
            self._table.transact(
                [
                    check((f"project#{webhook.project}", "meta"), "attribute_exists(pk)"),
                    put(_key(webhook.project, webhook.id), item, "attribute_not_exists(pk)"),
                ]
            )
        except TransactionFailed as error:
            if 0 in error.failed:
                raise UnknownProject(webhook.project) from error
            raise

    def set_webhook_enabled(self, project: ProjectName, webhook: str, enabled: bool) -> None:
        write = update(_key(project, webhook), "SET enabled = :enabled", "attribute_exists(pk)", {":enabled": enabled})
        try:
            self._table.write(write)
        except Conflict as error:
            raise UnknownWebhook(webhook) from error

    def remove_webhook(self, project: ProjectName, webhook: str) -> None:
        try:
            self._table.write(delete(_key(project, webhook), "attribute_exists(pk)"))
        except Conflict as error:
            raise UnknownWebhook(webhook) from error


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
            "expires": last.at + RECORD_DAYS * 86_400,
        }
        self._table.put_item(_record_key(project, webhook), item)

    def find_delivery(self, project: ProjectName, webhook: str) -> LastDelivery | None:
        item = self._table.get(_record_key(project, webhook))
        return LastDelivery(item["delivery"], item["at"], item["delivered"], item["detail"]) if item else None


def _key(project: ProjectName, webhook: str) -> Key:
    return f"project#{project}", f"{_PREFIX}{webhook}"


def _record_key(project: ProjectName, webhook: str) -> Key:
    return f"webhook#{project}/{webhook}", "last"


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
    )
