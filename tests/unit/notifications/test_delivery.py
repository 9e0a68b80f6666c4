"""One attempt: what is sent, and what is made of the answer."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from email.utils import formatdate

import pytest

from roadstead.notifications.delivery import Fate, Retries, Verdict
from roadstead.notifications.messages import Message
from roadstead.notifications.signatures import new_secret, signature_headers
from roadstead.notifications.stores import LastDelivery, WebhookSecrets
from roadstead.outbound.endpoint import EndpointRefused
from roadstead.outbound.https import Answer, Unreachable
from tests.unit.notifications.parts import NOON, PUSH, SECRET, SHIPS, Harbour, entry


def message(harbour: Harbour) -> str:
    """The message of a push, taken out of the queue."""
    harbour.dispatcher.enqueue([PUSH])
    return harbour.queue.bodies.pop()


def test_a_notification_is_posted_signed() -> None:
    harbour = Harbour()
    harbour.add()
    text = message(harbour)
    harbour.clock.now += 30

    assert harbour.deliverer.deliver(text, 1) == Verdict(Fate.DELIVERED, "the endpoint responded with 200")

    [(endpoint, headers, body)] = harbour.poster.posted
    parsed = Message.parse(text)
    assert (endpoint.host, endpoint.target) == ("receiver.example.com", "/hook?key=hidden")
    assert body == parsed.body.encode()
    assert headers == {
        "User-Agent": "Roadstead-Webhook/1",
        "Content-Type": "application/json",
        **signature_headers(SECRET, parsed.delivery, NOON + 30, body),
    }


def test_an_authorization_header_goes_along_where_there_is_one() -> None:
    harbour = Harbour()
    harbour.add(authorization="Bearer hidden")
    harbour.deliverer.deliver(message(harbour), 1)
    assert harbour.poster.posted[0][1]["Authorization"] == "Bearer hidden"


def test_the_second_attempt_sends_the_same_under_a_new_time() -> None:
    harbour = Harbour()
    harbour.add()
    text = message(harbour)
    harbour.poster.outcomes = [Answer(500), Answer(200)]
    harbour.deliverer.deliver(text, 1)
    harbour.clock.now += 10
    harbour.deliverer.deliver(text, 2)
    (_, first, body), (_, second, again) = harbour.poster.posted
    assert body == again
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) == int(first["webhook-timestamp"]) + 10
    assert first["webhook-signature"] != second["webhook-signature"]


def test_after_the_first_a_delivery_reads_nothing() -> None:
    harbour = Harbour()
    harbour.add()
    text = message(harbour)
    harbour.deliverer.deliver(text, 1)
    harbour.store.reads.clear()
    for _ in range(5):
        harbour.deliverer.deliver(text, 1)
    assert harbour.store.reads == []


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_a_passing_trouble_is_tried_again(status: int) -> None:
    harbour = Harbour()
    harbour.add()
    harbour.poster.outcomes = [Answer(status)]
    verdict = harbour.deliverer.deliver(message(harbour), 1)
    assert (verdict.fate, verdict.detail) == (Fate.LATER, f"the endpoint responded with {status}")
    assert 5 <= verdict.pause <= 10


def test_an_endpoint_that_cannot_be_reached_is_tried_again() -> None:
    harbour = Harbour()
    harbour.add()
    harbour.poster.outcomes = [Unreachable("receiver.example.com did not answer within 10 seconds")]
    verdict = harbour.deliverer.deliver(message(harbour), 3)
    assert (verdict.fate, verdict.detail) == (Fate.LATER, "receiver.example.com did not answer within 10 seconds")
    assert 20 <= verdict.pause <= 40


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        (400, "the endpoint responded with 400"),
        (401, "the endpoint responded with 401"),
        (404, "the endpoint responded with 404"),
        (410, "the endpoint responded with 410"),
        (301, "the endpoint responded with 301; redirects are not followed"),
        (307, "the endpoint responded with 307; redirects are not followed"),
    ],
)
def test_a_refusal_and_a_redirect_are_given_up_at_once(status: int, detail: str) -> None:
    harbour = Harbour()
    webhook = harbour.add()
    harbour.poster.outcomes = [Answer(status)]
    text = message(harbour)
    assert harbour.deliverer.deliver(text, 1) == Verdict(Fate.GIVEN_UP, detail)
    recorded = LastDelivery(Message.parse(text).delivery, NOON, False, detail)
    assert harbour.notifications.last_delivery("ships", webhook.id) == recorded


def test_an_endpoint_that_must_not_be_reached_is_given_up_at_once() -> None:
    harbour = Harbour()
    harbour.add()
    harbour.poster.outcomes = [EndpointRefused("receiver.example.com has an address that is not public (private)")]
    assert harbour.deliverer.deliver(message(harbour), 1).fate is Fate.GIVEN_UP


def test_a_url_that_a_later_policy_refuses_is_given_up() -> None:
    harbour = Harbour()
    webhook = harbour.add()
    harbour.store.remove_webhook(SHIPS, webhook.id)
    harbour.store.create_webhook(replace(webhook, url="http://receiver.example.com/"))
    assert harbour.deliverer.deliver(message(harbour), 1).fate is Fate.GIVEN_UP
    assert harbour.poster.posted == []


def test_the_last_attempt_is_the_last() -> None:
    harbour = Harbour()
    harbour.add()
    harbour.poster.outcomes = [Answer(503, "60")]
    text = message(harbour)
    assert harbour.deliverer.deliver(text, 11).fate is Fate.LATER
    for attempt in (12, 13, 99):
        verdict = harbour.deliverer.deliver(text, attempt)
        assert verdict == Verdict(Fate.GIVEN_UP, "the endpoint responded with 503; that was the last of 12 attempts")


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [
        ("120", 120, 120),
        ("7200", 3600, 3600),
        ("9" * 400, 3600, 3600),
        (formatdate(NOON + 300, usegmt=True), 300, 300),
        (formatdate(NOON - 300, usegmt=True), 5, 10),
        ("1", 5, 10),
        ("-5", 5, 10),
        ("soon", 5, 10),
        ("٣٠", 5, 10),
        ("Tue, 99 Foo 99999 99:99:99 GMT", 5, 10),
        ("", 5, 10),
    ],
)
def test_what_an_endpoint_asks_for_is_heeded_within_bounds(retry_after: str, least: int, most: int) -> None:
    harbour = Harbour()
    harbour.add()
    harbour.poster.outcomes = [Answer(429, retry_after)]
    assert least <= harbour.deliverer.deliver(message(harbour), 1).pause <= most


def test_pauses_double_up_to_an_hour_with_jitter() -> None:
    retries = Retries()
    for attempt in range(1, 12):
        full = min(3600, 10 * 2 ** (attempt - 1))
        pauses = {retries.pause(attempt) for _ in range(200)}
        assert full / 2 <= min(pauses) + 1 and max(pauses) <= full
        assert len(pauses) > 3
    assert retries.pause(10_000) <= 3600


def test_a_webhook_that_was_removed_or_disabled_is_sent_nothing_more() -> None:
    harbour = Harbour()
    webhook = harbour.add()
    text = message(harbour)
    harbour.notifications.set_enabled("ships", webhook.id, False)
    harbour.clock.now += 60
    assert harbour.deliverer.deliver(text, 1) == Verdict(Fate.DROPPED, "the webhook is disabled")
    harbour.notifications.remove("ships", webhook.id)
    assert harbour.deliverer.deliver(text, 1) == Verdict(Fate.DROPPED, "the webhook was removed")
    assert harbour.poster.posted == []


def test_a_webhook_that_was_added_a_moment_ago_is_found() -> None:
    """Though this process has read the project's webhooks before that, as another one told of the event."""
    harbour = Harbour()
    harbour.targets.of(SHIPS)
    webhook = harbour.add()
    text = Message("d1", SHIPS, webhook.id, "application/json", "{}", 1, "PUSH_ARTIFACT").as_text()
    assert harbour.deliverer.deliver(text, 1).fate is Fate.DELIVERED


def test_a_webhook_that_was_enabled_a_moment_ago_is_sent_to() -> None:
    harbour = Harbour()
    webhook = harbour.add()
    harbour.notifications.set_enabled("ships", webhook.id, False)
    harbour.targets.of(SHIPS)
    harbour.notifications.set_enabled("ships", webhook.id, True)
    text = Message("d1", SHIPS, webhook.id, "application/json", "{}", 1, "PUSH_ARTIFACT").as_text()
    assert harbour.deliverer.deliver(text, 1).fate is Fate.DELIVERED


def test_a_new_secret_is_used_within_five_minutes() -> None:
    harbour = Harbour()
    webhook = harbour.add()
    text = message(harbour)
    harbour.deliverer.deliver(text, 1)
    secret = harbour.notifications.set_secret("ships", webhook.id)
    harbour.clock.now += 300
    harbour.deliverer.deliver(text, 1)
    _, headers, body = harbour.poster.posted[-1]
    expected = signature_headers(secret, headers["webhook-id"], NOON + 300, body)
    assert headers["webhook-signature"] == expected["webhook-signature"]


def test_without_a_secret_nothing_is_sent() -> None:
    harbour = Harbour()
    webhook = harbour.add()
    harbour.store.remove_secrets(SHIPS, webhook.id, webhook.secrets)
    text = message(harbour)
    for attempt, fate in ((1, Fate.LATER), (Retries().attempts, Fate.GIVEN_UP)):
        verdict = harbour.deliverer.deliver(text, attempt)
        assert (verdict.fate, harbour.poster.posted) == (fate, [])
        assert "signing secret" in verdict.detail


def test_secrets_that_were_replaced_since_the_webhook_was_read_are_read_anew() -> None:
    harbour = Harbour()
    webhook = harbour.add(authorization="Bearer old")
    text = message(harbour)  # the dispatcher has read the webhook, and the deliverer shares its cache
    harbour.notifications.set_secret("ships", webhook.id, secret=SECRET, authorization="Bearer new")
    assert harbour.deliverer.deliver(text, 1).fate is Fate.DELIVERED
    assert harbour.poster.posted[-1][1]["Authorization"] == "Bearer new"


def test_a_poison_message_is_given_up_with_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    harbour = Harbour()
    with caplog.at_level(logging.ERROR):
        assert harbour.deliverer.deliver("{", 1).fate is Fate.GIVEN_UP
    assert "malformed message" in caplog.text


def test_the_log_names_the_delivery_and_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    harbour = Harbour()
    webhook = harbour.add(authorization="Bearer hidden")
    text = message(harbour)
    harbour.poster.outcomes = [Answer(200), Answer(500), Answer(404), EndpointRefused("no"), Unreachable("down")]
    with caplog.at_level(logging.DEBUG):
        for attempt in range(1, 6):
            harbour.deliverer.deliver(text, attempt)
    assert caplog.text.count(Message.parse(text).delivery) == 5
    assert webhook.id in caplog.text
    for secret in (SECRET, SECRET[6:], "hidden", "/hook"):
        assert secret not in caplog.text


def test_a_test_tells_how_it_went_each_time() -> None:
    harbour = Harbour()
    webhook = harbour.add()
    harbour.notifications.set_enabled("ships", webhook.id, False)
    delivery = harbour.notifications.send_test("ships", webhook.id)
    text = harbour.queue.bodies.pop()
    harbour.poster.outcomes = [Answer(500), Answer(204)]

    harbour.deliverer.deliver(text, 1)
    assert harbour.notifications.last_delivery("ships", webhook.id) == LastDelivery(
        delivery, NOON, False, "the endpoint responded with 500; it will be retried"
    )
    harbour.deliverer.deliver(text, 2)
    assert harbour.notifications.last_delivery("ships", webhook.id) == LastDelivery(
        delivery, NOON, True, "the endpoint responded with 204"
    )


def test_an_ordinary_delivery_writes_nothing() -> None:
    harbour = Harbour()
    webhook = harbour.add()
    text = message(harbour)
    harbour.poster.outcomes = [Answer(500), Answer(200)]
    for attempt in (1, 2):
        harbour.deliverer.deliver(text, attempt)
    assert harbour.notifications.last_delivery("ships", webhook.id) is None


def test_a_record_that_cannot_be_written_sends_nothing_twice(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("throttled")

    harbour = Harbour()
    webhook = harbour.add()
    harbour.notifications.send_test("ships", webhook.id)
    monkeypatch.setattr(harbour.store, "record_delivery", fail)
    assert harbour.deliverer.deliver(harbour.queue.bodies.pop(), 1).fate is Fate.DELIVERED
    assert "could not be recorded" in caplog.text


def test_events_out_of_order_and_told_twice_keep_their_own_time_and_id() -> None:
    harbour = Harbour()
    harbour.add()
    early, late = PUSH, entry(id="later", at=PUSH.at + 5_000, reference="v2")
    harbour.dispatcher.enqueue([late, early, late])
    for text in harbour.queue.bodies:
        harbour.deliverer.deliver(text, 1)
    told = [(headers["webhook-id"], json.loads(body)["occur_at"]) for _, headers, body in harbour.poster.posted]
    assert told[0] == told[2]
    assert told[0][1] == told[1][1] + 5
    assert len({delivery for delivery, _ in told}) == 2


def test_secrets_are_not_in_a_representation() -> None:
    secret = new_secret()
    assert secret not in repr(WebhookSecrets(secret, "Bearer hidden"))
    assert "hidden" not in repr(WebhookSecrets(secret, "Bearer hidden"))
