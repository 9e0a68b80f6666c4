"""A webhook and its secrets are in two services: whatever dies between two calls, they are the old ones or the new."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto import mock_aws

from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.notifications.dynamodb_notifications import DynamoDeliveryRecords, DynamoWebhooks
from roadstead.aws.notifications.ssm_webhooks import SsmWebhookSecrets
from roadstead.aws.table import Table
from roadstead.identity.directory import Project
from roadstead.names import ProjectName
from roadstead.notifications.stores import Webhook, WebhookSecrets
from roadstead.notifications.webhooks import UNDER_WAY_SECONDS, Notifications
from tests import aws
from tests.invariants.faults import Crash, Fault, Faulty
from tests.unit.notifications.parts import SECRET, FakePoster

SHIPS = ProjectName("ships")
URL = "https://receiver.example.com/hook"
OTHER = "whsec_OTg3NjU0MzIxMDk4NzY1NDMyMTA5ODc2"
OLD, NEW = "Bearer old", "Bearer new"
LATER = 2 * UNDER_WAY_SECONDS


class Through:
    """A client whose calls go through an interceptor."""

    def __init__(self, client: Any, faulty: Faulty) -> None:
        self._client, self._faulty = client, faulty

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda **sent: self._faulty(name, lambda: getattr(self._client, name)(**sent))


class Place:
    """Two services with the project `ships`."""

    def __init__(self) -> None:
        self.dynamodb, self.ssm = aws.client("dynamodb"), aws.client("ssm")
        aws.make_tables(self.dynamodb, "index", "identity")
        self.table = Table(self.dynamodb, "identity")
        DynamoIdentities(self.table).create_project(Project(SHIPS, False, 1, "ada"))
        self.secrets = SsmWebhookSecrets(self.ssm, "/webhooks")

    def notifications(self, faulty: Faulty | None = None, *, later: int = 0) -> Notifications:
        through = faulty or Faulty()
        dynamodb = Through(self.dynamodb, through)
        return Notifications(
            DynamoWebhooks(Table(dynamodb, "identity")),
            SsmWebhookSecrets(Through(self.ssm, through), "/webhooks"),
            DynamoDeliveryRecords(Table(dynamodb, "index")),
            None,
            FakePoster(),
            host="registry.example.com",
            clock=lambda: time.time() + later,
        )

    def add(self, name: str = "ci") -> Webhook:
        made = self.notifications().add(
            "ships", URL, ["PUSH_ARTIFACT"], created_by="ada", name=name, secret=SECRET, authorization=OLD
        )
        return made.webhook

    def effective(self) -> dict[str, WebhookSecrets | None]:
        """What a delivery would use, by the webhook's id."""
        found = DynamoWebhooks(self.table).list_webhooks(SHIPS)
        return {one.id: self.secrets.find_secrets(SHIPS, one.id, one.secrets) for one in found}

    def operations(self) -> list[str]:
        """Of the events, without those of the set-up."""
        items = [self.table.get(key) or {} for key in self.table.scan_keys() if key[0].startswith("event#")]
        return sorted(item["operation"] for item in items)


@pytest.fixture
def place() -> Iterator[Place]:
    with mock_aws():
        yield Place()


def add_another(notifications: Notifications, webhook: str) -> None:
    notifications.add("ships", URL, ["PUSH_ARTIFACT"], created_by="ada", name="other", secret=OTHER, authorization=NEW)


CHANGES: dict[str, tuple[Callable[[Notifications, str], object], str, WebhookSecrets | None]] = {
    "another header": (
        lambda notifications, webhook: notifications.change("ships", webhook, {}, authorization=NEW),
        "change-webhook",
        WebhookSecrets(SECRET, NEW),
    ),
    "another secret": (
        lambda notifications, webhook: notifications.set_secret("ships", webhook, secret=OTHER, authorization=NEW),
        "change-webhook",
        WebhookSecrets(OTHER, NEW),
    ),
    "removal": (lambda notifications, webhook: notifications.remove("ships", webhook), "remove-webhook", None),
    "removal with the project": (
        lambda notifications, webhook: notifications.remove_all("ships", before=int(time.time()) + 60),
        "remove-webhook",
        None,
    ),
    "a second webhook": (add_another, "create-webhook", WebhookSecrets(OTHER, NEW)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_that_dies_anywhere_has_happened_whole_or_not_at_all(name: str) -> None:
    outcomes = [died(name, fault, number) for fault in (Fault.DIES_BEFORE, Fault.DIES_AFTER) for number in range(12)]
    assert {True, False} <= set(outcomes)


def died(name: str, fault: Fault, number: int) -> bool | None:
    """Whether a change took effect that died at a call; None if it does not make that many."""
    change, operation, made = CHANGES[name]
    with mock_aws():
        place = Place()
        webhook = place.add()
        before, told = place.effective(), place.operations()
        assert before == {webhook.id: WebhookSecrets(SECRET, OLD)}
        faulty = Faulty(fault, number)
        try:
            change(place.notifications(faulty), webhook.id)
        except Crash:
            pass
        else:
            assert not faulty.struck
            return None
        after = place.effective()
        if after == before:
            assert place.operations() == told
        else:
            others = {one: secrets for one, secrets in after.items() if before.get(one) != secrets}
            assert list(others.values()) == ([made] if made is not None else []), (number, faulty.calls)
            assert place.operations() == sorted([*told, operation])
        # Whoever changes a webhook an hour later leaves only what webhooks name.
        last = place.notifications(later=LATER)
        extra = last.add("ships", URL, ["PUSH_ARTIFACT"], created_by="ada", name="extra").webhook
        named = {(one.id, one.secrets) for one in last.list("ships")}
        assert {(one.webhook, one.reference) for one in place.secrets.references(SHIPS)} == named
        assert {one: found for one, found in place.effective().items() if one != extra.id} == after
        return after != before


class Meanwhile(Faulty):
    """Lets something else happen before the first write of the table, when nothing names what is kept."""

    def __init__(self, happens: Callable[[], object]) -> None:
        super().__init__()
        self._happens = happens

    def __call__(self, name: str, perform: Callable[[], Any]) -> Any:
        if name == "transact_write_items" and name not in self.calls:
            self._happens()
        return super().__call__(name, perform)


def test_a_change_takes_no_secrets_from_one_that_is_under_way(place: Place) -> None:
    webhook = place.add()
    others = Meanwhile(lambda: place.notifications().remove("ships", place.add("other").id))
    place.notifications(others).set_secret("ships", webhook.id, secret=OTHER)
    assert place.effective() == {webhook.id: WebhookSecrets(OTHER)}
    assert len(place.secrets.references(SHIPS)) == 1


def test_of_two_changes_at_once_the_later_write_counts_with_its_own_secrets(place: Place) -> None:
    webhook, other = place.add(), place.notifications()
    faulty = Meanwhile(lambda: other.set_secret("ships", webhook.id, secret=OTHER, authorization="Bearer meanwhile"))
    place.notifications(faulty).change("ships", webhook.id, {}, authorization=NEW)
    assert faulty.calls.count("transact_write_items") == 2  # the first one lost
    assert place.effective() == {webhook.id: WebhookSecrets(OTHER, NEW)}
    assert len(place.secrets.references(SHIPS)) == 1
