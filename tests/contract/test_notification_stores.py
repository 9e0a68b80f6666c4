"""What every store of webhooks, of their secrets and of their deliveries does."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from moto import mock_aws

from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.notifications.dynamodb_notifications import DynamoDeliveryRecords, DynamoWebhooks
from roadstead.aws.notifications.ssm_webhooks import SsmWebhookSecrets
from roadstead.aws.table import Table
from roadstead.conflicts import Conflict
from roadstead.identity.directory import Project
from roadstead.identity.stores import Projects, UnknownProject
from roadstead.ids import clock_id
from roadstead.names import ProjectName
from roadstead.notifications.stores import (
    Delivery,
    DeliveryRecords,
    EventType,
    LastDelivery,
    Outcome,
    PayloadFormat,
    UnknownWebhook,
    Webhook,
    Webhooks,
    WebhookSecrets,
    WebhookSecretStore,
)
from roadstead.trail.entries import Actor, Operation
from roadstead.trail.events import EventMaker
from tests import aws
from tests.memory.identity import MemoryIdentities
from tests.memory.notifications import MemoryNotifications

SHIPS, BOATS = ProjectName.parse("ships"), ProjectName.parse("boats-and_more.net")
NOON = 1_800_000_000
FIRST = Webhook(
    SHIPS,
    "0" * 16,
    "https://receiver.example.com/hook?a=b",
    frozenset({EventType.PUSH_ARTIFACT, EventType.DELETE_TAG}),
    NOON,
    "ada@example.com",
    name="Ünïcode",
    payload=PayloadFormat.CLOUD_EVENTS,
    repositories="cargo/{a,b}",
    tags="v*",
    enabled=False,
    description="tells the builders",
    updated=NOON + 5,
    authorized=True,
    skip_verify=True,
)
SENT = Delivery(
    "d1", NOON * 1000, NOON * 1000 + 5, 2, Outcome.RUNNING, "PUSH_ARTIFACT", "no answer", "application/json", "{}"
)
LAST = LastDelivery("d1", NOON, False, "the endpoint responded with 404")


@dataclass(frozen=True, slots=True)
class Stores:
    projects: Projects
    webhooks: Webhooks
    secrets: WebhookSecretStore
    records: DeliveryRecords
    make_repository: Any
    events: Callable[[], int]


def _aws(endpoint: str | None) -> Stores:
    dynamodb = aws.client("dynamodb", endpoint)
    index, identity = f"index-{uuid.uuid4().hex}", f"identity-{uuid.uuid4().hex}"
    aws.make_tables(dynamodb, index, identity)
    table = Table(dynamodb, index)
    return Stores(
        DynamoIdentities(Table(dynamodb, identity)),
        DynamoWebhooks(Table(dynamodb, identity)),
        SsmWebhookSecrets(aws.client("ssm", endpoint), f"/roadstead-{uuid.uuid4().hex}/webhooks/"),
        DynamoDeliveryRecords(table),
        lambda name, at: table.put_item((f"repo#{name}", "meta"), {"at": at * 1000 + 7, "by": "ada"}),
        lambda: sum(1 for pk, _ in Table(dynamodb, identity).scan_keys() if pk.startswith("event#")),
    )


@pytest.fixture(params=["memory", "moto", "ministack", "embedded"])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    if request.param == "memory":
        identities = MemoryIdentities()
        memory = MemoryNotifications(identities)
        yield Stores(identities, memory, memory, memory, memory.repositories.__setitem__, lambda: len(memory.events))
    elif request.param == "moto":
        with mock_aws():
            yield _aws(None)
    else:
        yield _aws(request.getfixturevalue(f"{request.param}_endpoint"))


@pytest.fixture
def ships(stores: Stores) -> Stores:
    """With two projects."""
    for name in (SHIPS, BOATS):
        stores.projects.create_project(Project(name, False, NOON, "ada"))
    return stores


def test_an_empty_store_has_nothing(stores: Stores) -> None:
    assert stores.webhooks.find_project(SHIPS) is None
    assert stores.webhooks.list_webhooks(SHIPS) == ()
    assert stores.secrets.find_secrets(SHIPS, FIRST.id, "a1") is None
    assert list(stores.secrets.references(SHIPS)) == []
    assert stores.records.find_delivery(SHIPS, FIRST.id) is None
    assert stores.records.repository_created("ships/a") is None


def test_a_webhook_comes_back_as_it_was_made(ships: Stores) -> None:
    ships.webhooks.create_webhook(FIRST)
    assert ships.webhooks.list_webhooks(SHIPS) == (FIRST,)
    assert ships.webhooks.list_webhooks(BOATS) == ()
    assert ships.webhooks.find_project(SHIPS) == Project(SHIPS, False, NOON, "ada", clock_id(NOON))


def test_webhooks_are_listed_from_the_oldest(ships: Stores) -> None:
    made = [replace(FIRST, id=f"{16 - number:016x}", created=NOON + number // 2) for number in range(8)]
    for webhook in reversed(made):
        ships.webhooks.create_webhook(webhook)
    assert ships.webhooks.list_webhooks(SHIPS) == tuple(sorted(made, key=lambda one: (one.created, one.id)))


def test_members_and_the_project_itself_are_no_webhooks(ships: Stores) -> None:
    ships.webhooks.create_webhook(FIRST)
    ships.projects.set_public(SHIPS, True)
    assert len(ships.webhooks.list_webhooks(SHIPS)) == 1


def test_a_webhook_needs_its_project(stores: Stores) -> None:
    with pytest.raises(UnknownProject):
        stores.webhooks.create_webhook(FIRST)
    assert stores.webhooks.list_webhooks(SHIPS) == ()


def test_a_webhook_replaces_no_other(ships: Stores) -> None:
    ships.webhooks.create_webhook(FIRST)
    with pytest.raises(Conflict):
        ships.webhooks.create_webhook(replace(FIRST, url="https://other.example.com/"))
    assert ships.webhooks.list_webhooks(SHIPS) == (FIRST,)


def test_a_webhook_is_enabled_and_disabled(ships: Stores) -> None:
    ships.webhooks.create_webhook(FIRST)
    ships.webhooks.replace_webhook(replace(FIRST, enabled=True), replaces=FIRST)
    assert ships.webhooks.list_webhooks(SHIPS) == (replace(FIRST, enabled=True),)
    ships.webhooks.replace_webhook(FIRST, replaces=FIRST)
    assert ships.webhooks.list_webhooks(SHIPS) == (FIRST,)


def test_a_webhook_is_removed_once(ships: Stores) -> None:
    ships.webhooks.create_webhook(FIRST)
    ships.webhooks.create_webhook(replace(FIRST, id="1" * 16))
    ships.webhooks.remove_webhook(SHIPS, FIRST.id)
    assert [webhook.id for webhook in ships.webhooks.list_webhooks(SHIPS)] == ["1" * 16]
    with pytest.raises(UnknownWebhook):
        ships.webhooks.remove_webhook(SHIPS, FIRST.id)


def test_what_is_not_there_is_not_made_by_a_change(ships: Stores) -> None:
    ships.webhooks.create_webhook(FIRST)
    for project, webhook in ((BOATS, FIRST.id), (SHIPS, "1" * 16), (SHIPS, "")):
        with pytest.raises(UnknownWebhook):
            ships.webhooks.replace_webhook(replace(FIRST, project=project, id=webhook), replaces=FIRST)
        with pytest.raises(UnknownWebhook):
            ships.webhooks.remove_webhook(project, webhook)
    assert ships.webhooks.list_webhooks(BOATS) == ()
    assert ships.webhooks.list_webhooks(SHIPS) == (FIRST,)


def test_secrets_are_kept_listed_and_removed(stores: Stores) -> None:
    one, two = WebhookSecrets("whsec_one"), WebhookSecrets("whsec_two", 'Bearer "x"\\y {{z}}')
    before = int(time.time())
    stores.secrets.put_secrets(SHIPS, FIRST.id, "a1", one)
    stores.secrets.put_secrets(SHIPS, FIRST.id, "b2", two)
    stores.secrets.put_secrets(BOATS, FIRST.id, "a1", two)
    assert stores.secrets.find_secrets(SHIPS, FIRST.id, "a1") == one
    assert stores.secrets.find_secrets(SHIPS, FIRST.id, "b2") == two
    assert stores.secrets.find_secrets(BOATS, FIRST.id, "a1") == two
    listed = stores.secrets.references(SHIPS)
    assert {(one.webhook, one.reference) for one in listed} == {(FIRST.id, "a1"), (FIRST.id, "b2")}
    assert all(before - 1 <= one.since <= time.time() + 1 for one in listed)
    stores.secrets.remove_secrets(SHIPS, FIRST.id, "a1")
    stores.secrets.remove_secrets(SHIPS, FIRST.id, "a1")
    assert stores.secrets.find_secrets(SHIPS, FIRST.id, "a1") is None
    assert [one.reference for one in stores.secrets.references(SHIPS)] == ["b2"]
    assert [one.reference for one in stores.secrets.references(BOATS)] == ["a1"]


def test_more_secrets_than_a_page_has_are_listed(stores: Stores) -> None:
    for number in range(23):
        stores.secrets.put_secrets(SHIPS, f"{number}", "a1", WebhookSecrets("whsec_one"))
    assert {one.webhook for one in stores.secrets.references(SHIPS)} == {f"{number}" for number in range(23)}


def test_a_change_gives_way_to_one_that_replaced_the_secrets_meanwhile(ships: Stores) -> None:
    ships.webhooks.create_webhook(replace(FIRST, secrets="a1"))
    ships.webhooks.replace_webhook(replace(FIRST, secrets="b2"), replaces=replace(FIRST, secrets="a1"))
    with pytest.raises(Conflict):
        ships.webhooks.replace_webhook(replace(FIRST, secrets="c3"), replaces=replace(FIRST, secrets="a1"))
    assert [one.secrets for one in ships.webhooks.list_webhooks(SHIPS)] == ["b2"]


def test_the_last_delivery_is_the_one_that_is_kept(stores: Stores) -> None:
    later = LastDelivery("d2", NOON + 1, True, "the endpoint responded with 200")
    for last in (LAST, later):
        stores.records.record_delivery(SHIPS, FIRST.id, last)
        assert stores.records.find_delivery(SHIPS, FIRST.id) == last
    assert stores.records.find_delivery(SHIPS, "1" * 16) is None
    assert stores.records.find_delivery(BOATS, FIRST.id) is None


def test_the_last_deliveries_that_failed_are_found_together(ships: Stores) -> None:
    gone = "2" * 16
    ships.webhooks.create_webhook(FIRST)
    failed = replace(LAST, delivered=False)
    ships.records.record_delivery(SHIPS, FIRST.id, failed)
    ships.records.record_delivery(SHIPS, gone, failed)
    ships.records.record_delivery(BOATS, FIRST.id, replace(failed, delivered=True))
    assert ships.records.failures(failed.at) == {(SHIPS, FIRST.id): failed, (SHIPS, gone): failed}
    assert ships.records.failures(failed.at + 1) == {}
    assert ships.webhooks.find_webhooks([(SHIPS, FIRST.id), (SHIPS, gone)]) == {(SHIPS, FIRST.id): FIRST}
    assert ships.webhooks.find_webhooks([]) == {}


def test_a_repository_knows_when_it_was_made(stores: Stores) -> None:
    stores.make_repository("ships/cargo/crane", NOON)
    assert stores.records.repository_created("ships/cargo/crane") == NOON
    assert stores.records.repository_created("ships/cargo") is None


def test_secrets_are_encrypted_and_records_expire() -> None:
    """What the memory store cannot tell: how AWS was asked to keep them."""
    with mock_aws():
        stores = _aws(None)
        stores.secrets.put_secrets(SHIPS, FIRST.id, "a1", WebhookSecrets("whsec_hidden", "Bearer hidden"))
        parameters = aws.client("ssm").describe_parameters()["Parameters"]
        assert [parameter["Type"] for parameter in parameters] == ["SecureString"]
        assert parameters[0]["Name"].endswith(f"/webhooks/ships/{FIRST.id}/a1")

        stores.records.record_delivery(SHIPS, FIRST.id, LAST)
        dynamodb = aws.client("dynamodb")
        items = [
            item
            for name in dynamodb.list_tables()["TableNames"]
            for item in dynamodb.scan(TableName=name)["Items"]
            if item["pk"]["S"].startswith("webhook#")
        ]
        assert [int(item["expires"]["N"]) for item in items] == [NOON + 30 * 86_400]


def test_deliveries_are_kept_as_they_stand_the_last_event_first(stores: Stores) -> None:
    made = [replace(SENT, id=f"d{number}", at=SENT.at + number // 2) for number in range(6)]
    for delivery in made:
        stores.records.keep_delivery(SHIPS, FIRST.id, delivery)
    finished = replace(made[3], outcome=Outcome.SUCCESS, attempts=3, test=True)
    stores.records.keep_delivery(SHIPS, FIRST.id, finished)
    stores.records.record_delivery(SHIPS, FIRST.id, LAST)
    expected = [made[5], made[4], finished, made[2], made[1], made[0]]
    assert list(stores.records.deliveries(SHIPS, FIRST.id, limit=10)) == expected
    assert list(stores.records.deliveries(SHIPS, FIRST.id, limit=2)) == expected[:2]
    assert list(stores.records.deliveries(SHIPS, FIRST.id, limit=10, at=SENT.at + 1)) == [finished, made[2]]
    assert stores.records.count_deliveries(SHIPS, FIRST.id) == 6
    assert list(stores.records.deliveries(BOATS, FIRST.id, limit=10)) == []
    assert stores.records.count_deliveries(SHIPS, "1") == 0


def test_changes_keep_their_events(ships: Stores) -> None:
    event = EventMaker(lambda: NOON).make(Operation.CHANGE_WEBHOOK, Actor("ada"), "", project=SHIPS)
    changes: tuple[Callable[[], object], ...] = (
        lambda: ships.webhooks.create_webhook(FIRST, event=event),
        lambda: ships.webhooks.replace_webhook(FIRST, replaces=FIRST, event=replace(event, id="b" * 32)),
        lambda: ships.webhooks.tell(replace(event, id="c" * 32)),
        lambda: ships.webhooks.remove_webhook(SHIPS, FIRST.id, event=replace(event, id="d" * 32)),
    )
    for number, change in enumerate(changes, 1):
        change()
        assert ships.events() == number
