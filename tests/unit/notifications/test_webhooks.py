"""Managing the webhooks of a project."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from roadstead.identity.stores import UnknownProject
from roadstead.notifications.messages import Message
from roadstead.notifications.signatures import key_of
from roadstead.notifications.stores import EventType, PayloadFormat, WebhookSecrets
from roadstead.notifications.webhook_fields import NotificationRefused
from roadstead.notifications.webhooks import MAX_WEBHOOKS
from roadstead.outbound.endpoint import EndpointRefused
from roadstead.outbound.https import Unreachable
from tests.unit.notifications.parts import NOON, SECRET, SHIPS, URL, Harbour


def test_a_webhook_is_added_listed_disabled_and_removed() -> None:
    harbour = Harbour()
    added = harbour.notifications.add(
        "ships",
        URL,
        ["PUSH_ARTIFACT", "DELETE_ARTIFACT"],
        created_by="ada",
        name="deploys",
        payload="CloudEvents",
        repositories="cargo/**",
        tags="v*",
    )
    webhook = added.webhook
    assert (webhook.project, webhook.url, webhook.created, webhook.created_by) == ("ships", URL, NOON, "ada")
    assert webhook.events == {EventType.PUSH_ARTIFACT, EventType.DELETE_ARTIFACT}
    assert (webhook.name, webhook.payload) == ("deploys", PayloadFormat.CLOUD_EVENTS)
    assert (webhook.repositories, webhook.tags, webhook.enabled) == ("cargo/**", "v*", True)
    assert harbour.notifications.list("ships") == (webhook,)

    harbour.notifications.set_enabled("ships", webhook.id, False)
    assert [found.enabled for found in harbour.notifications.list("ships")] == [False]

    harbour.notifications.remove("ships", webhook.id)
    assert harbour.notifications.list("ships") == ()
    assert harbour.store.references(SHIPS) == []


def test_a_secret_is_made_where_none_is_given_and_told_once() -> None:
    harbour = Harbour()
    added = harbour.notifications.add("ships", URL, ["PUSH_ARTIFACT"], created_by="ada")
    key_of(added.secret)
    assert harbour.secrets(added.webhook.id) == WebhookSecrets(added.secret)
    assert added.secret not in repr(added)


def test_a_secret_and_a_header_of_the_receivers_own_are_kept() -> None:
    harbour = Harbour()
    added = harbour.notifications.add(
        "ships", URL, ["PUSH_ARTIFACT"], created_by="ada", secret=SECRET, authorization="Bearer x"
    )
    assert added.secret == SECRET
    assert harbour.secrets(added.webhook.id) == WebhookSecrets(SECRET, "Bearer x")


def test_a_secret_is_replaced() -> None:
    harbour = Harbour()
    webhook = harbour.add(authorization="Bearer x")
    secret = harbour.notifications.set_secret("ships", webhook.id, authorization="Bearer y")
    assert secret != SECRET
    assert harbour.secrets(webhook.id) == WebhookSecrets(secret, "Bearer y")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"project": "Ships"}, "is not a project name"),
        ({"project": "boats"}, "there is no project boats"),
        ({"url": "http://receiver.example.com/"}, "must begin with https://"),
        ({"url": "https://user:hidden@receiver.example.com/"}, "user or a password"),
        ({"url": "https://receiver.example.com:22/"}, "port 22 is not allowed; allowed ports: 443, 8443"),
        ({"url": ""}, "must be like https://"),
        ({"events": []}, "at least one event; choose from PUSH_ARTIFACT, PULL_ARTIFACT, DELETE_ARTIFACT, DELETE_TAG"),
        ({"events": ["PUSH_ARTIFACT", "SCANNING"]}, "'SCANNING' is not an event"),
        ({"payload": "default"}, "'default' is not a payload format; choose Default or CloudEvents"),
        ({"repositories": "{a"}, "braces"),
        ({"tags": ""}, "not a pattern"),
        ({"name": "a" * 101}, "up to 100"),
        ({"name": "a\nb"}, "printable"),
        ({"secret": "hidden"}, "24 to 64 bytes"),
        ({"authorization": "Bearer hidden\r\nX-A: b"}, "ASCII characters"),
        ({"authorization": "hidden" * 200}, "up to 1024"),
    ],
)
def test_what_is_wrong_is_refused_with_a_sentence_and_nothing_is_kept(change: dict[str, Any], sentence: str) -> None:
    harbour = Harbour()
    wanted: dict[str, Any] = {
        "project": "ships",
        "url": URL,
        "events": ["PUSH_ARTIFACT"],
        "created_by": "ada",
        **change,
    }
    with pytest.raises(NotificationRefused, match=sentence) as refused:
        harbour.notifications.add(**wanted)
    assert "hidden" not in str(refused.value)
    assert harbour.store.list_webhooks(SHIPS) == ()
    assert harbour.store._secrets == {}


@pytest.mark.parametrize(
    "refusal",
    [EndpointRefused("receiver.example.com has an address that is not public (private)"), Unreachable("no address")],
)
def test_a_host_that_leads_nowhere_or_inside_is_refused(refusal: Exception) -> None:
    harbour = Harbour()
    webhook = harbour.add()
    harbour.poster.refusal = refusal
    with pytest.raises(NotificationRefused, match=str(refusal)[:20]):
        harbour.notifications.add("ships", URL, ["PUSH_ARTIFACT"], created_by="ada")
    with pytest.raises(NotificationRefused):
        harbour.notifications.send_test("ships", webhook.id)
    assert harbour.notifications.list("ships") == (webhook,)
    assert harbour.queue.bodies == []


def test_a_project_has_a_bounded_number_of_webhooks() -> None:
    harbour = Harbour()
    webhooks = [harbour.add() for _ in range(MAX_WEBHOOKS)]
    with pytest.raises(NotificationRefused, match="up to 20"):
        harbour.add()
    harbour.notifications.remove("ships", webhooks[0].id)
    harbour.add()


def test_a_project_that_goes_while_a_webhook_is_added_leaves_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(webhook: Any, *, event: Any) -> None:
        raise UnknownProject(webhook.project)

    harbour = Harbour()
    monkeypatch.setattr(harbour.store, "create_webhook", gone)
    with pytest.raises(NotificationRefused, match="there is no project ships"):
        harbour.add()
    assert harbour.store._secrets == {}


@pytest.mark.parametrize(
    "act",
    [
        lambda n, w: n.remove("ships", w),
        lambda n, w: n.set_enabled("ships", w, True),
        lambda n, w: n.set_secret("ships", w),
        lambda n, w: n.send_test("ships", w),
        lambda n, w: n.last_delivery("ships", w),
    ],
)
def test_a_webhook_that_is_not_there_is_told_of(act: Callable[[Any, str], Any]) -> None:
    harbour = Harbour()
    other = harbour.add()
    with pytest.raises(NotificationRefused, match="project ships has no webhook 'nothing'"):
        act(harbour.notifications, "nothing")
    assert harbour.notifications.list("ships") == (other,)
    assert [one.webhook for one in harbour.store.references(SHIPS)] == [other.id]


@pytest.mark.parametrize("project", ["boats", "No Name"])
def test_a_project_that_is_not_there_is_told_of(project: str) -> None:
    with pytest.raises(NotificationRefused, match="project"):
        Harbour().notifications.list(project)


@pytest.mark.parametrize("payload", list(PayloadFormat))
def test_a_test_is_a_push_that_never_was(payload: str) -> None:
    harbour = Harbour()
    webhook = harbour.add("DELETE_TAG", payload=payload)
    delivery = harbour.notifications.send_test("ships", webhook.id)
    message = Message.parse(harbour.queue.bodies[0])
    assert (message.delivery, message.webhook, message.test) == (delivery, webhook.id, True)
    document = json.loads(message.body)
    assert document["type"] in ("PUSH_ARTIFACT", "harbor.artifact.pushed")
    data = document.get("event_data") or document["data"]
    assert data["repository"]["repo_full_name"] == "ships/webhook-test"
    assert data["resources"][0]["resource_url"] == "registry.example.com/ships/webhook-test:test"
    assert harbour.notifications.last_delivery("ships", webhook.id) is None
