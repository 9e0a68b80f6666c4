"""Webhooks over the API, as Harbor's clients manage them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.management.harbor.webhooks import delivery_number
from roadstead.identity.directory import Role
from roadstead.names import ProjectName
from roadstead.notifications.stores import Delivery, Outcome, WebhookSecrets
from tests.unit.functions.management.client import Browser, Desk, basic

PROJECT = "/api/v2.0/projects/ships"
POLICIES = f"{PROJECT}/webhook/policies"
OWN = "/api/roadstead/v1/projects/ships/webhook/policies"
POLICY: dict[str, Any] = {
    "name": "ci",
    "description": "tells the builders",
    "enabled": True,
    "event_types": ["PUSH_ARTIFACT", "SCANNING_FAILED"],
    "targets": [
        {
            "type": "http",
            "address": "https://ci.example.com/hook",
            "auth_header": "Bearer hush",
            "skip_cert_verify": True,
            "payload_format": "CloudEvents",
        }
    ],
}


@pytest.fixture
def browser() -> Browser:
    desk = Desk()
    desk.accounts.set_member("ships", "eve", Role.ADMIN)
    desk.accounts.set_member("ships", "bob", Role.MAINTAINER)
    return Browser(desk)


def ask(browser: Browser, who: str, method: str, path: str, document: Any = None) -> Any:
    return browser.ask(method, path, document, basic(who) if who else {})


def create(browser: Browser, **changes: Any) -> str:
    status, _, headers = ask(browser, "eve", "POST", POLICIES, {**POLICY, **changes})
    assert status == 201
    return str(headers["location"])


def sent(browser: Browser, path: str, number: int, **changes: Any) -> Delivery:
    delivery = Delivery(
        **{
            "id": f"{number:032x}",
            "at": 1_800_000_000_000 + number,
            "updated": 1_800_000_000_500 + number,
            "attempts": 1,
            "outcome": Outcome.SUCCESS,
            "event": "PUSH_ARTIFACT",
            "detail": "the endpoint responded with 200",
            "content_type": "application/json",
            "body": '{"type":"PUSH_ARTIFACT"}',
            **changes,
        }
    )
    browser.desk.webhooks.keep_delivery(ProjectName("ships"), path.rpartition("/")[2], delivery)
    return delivery


def test_a_webhook_comes_back_as_it_was_sent(browser: Browser) -> None:
    path = create(browser)
    status, document, _ = ask(browser, "eve", "GET", path)
    assert status == 200
    assert {name: document[name] for name in POLICY} == POLICY
    assert document["id"] == int(path.rpartition("/")[2])
    assert document["creator"] == "eve"
    assert ask(browser, "eve", "GET", POLICIES)[1] == [document]


def test_the_location_names_the_project_as_it_was_asked_for(browser: Browser) -> None:
    number = ask(browser, "eve", "GET", PROJECT)[1]["project_id"]
    location = ask(browser, "eve", "POST", f"/api/v2.0/projects/{number}/webhook/policies", POLICY)[2]["location"]
    assert location.startswith(f"/api/v2.0/projects/{number}/webhook/policies/")
    assert ask(browser, "eve", "GET", location)[0] == 200


def test_the_header_is_shown_to_who_may_change_it_alone(browser: Browser) -> None:
    path = create(browser)
    assert "auth_header" not in ask(browser, "bob", "GET", path)[1]["targets"][0]
    assert "hush" not in str(browser.desk.directory.events)
    stored = browser.desk.webhooks.list_webhooks(ProjectName("ships"))
    assert "hush" not in repr(stored)


def test_who_may_do_what_is_in_the_role_table(browser: Browser) -> None:
    path = create(browser)
    browser.desk.accounts.set_member("ships", "bob", Role.DEVELOPER)
    for method, where in (("GET", path), ("GET", POLICIES), ("PUT", path), ("DELETE", path), ("POST", POLICIES)):
        assert ask(browser, "bob", method, where, POLICY)[0] == 403
        assert ask(browser, "", method, where, POLICY)[0] == 401
    browser.desk.accounts.set_member("ships", "bob", Role.MAINTAINER)
    assert ask(browser, "bob", "GET", path)[0] == 200
    assert ask(browser, "bob", "PUT", path, POLICY)[0] == 403


def secrets_of(browser: Browser, webhook: str) -> WebhookSecrets | None:
    store, ships = browser.desk.webhooks, ProjectName("ships")
    (found,) = [one for one in store.list_webhooks(ships) if one.id == webhook]
    return store.find_secrets(ships, webhook, found.secrets)


def test_a_change_replaces_all_but_the_signing_secret(browser: Browser) -> None:
    path = create(browser)
    place = path.rpartition("/")[2]
    before = secrets_of(browser, place)
    changed = {
        "name": "ci",
        "enabled": False,
        "event_types": ["DELETE_ARTIFACT"],
        "targets": [{"type": "http", "address": "https://new.example.com/", "auth_header": "Basic eA=="}],
    }
    assert ask(browser, "eve", "PUT", path, changed)[0] == 200
    document = ask(browser, "eve", "GET", path)[1]
    assert (document["enabled"], document["event_types"], document["description"]) == (False, ["DELETE_ARTIFACT"], "")
    assert document["targets"][0]["auth_header"] == "Basic eA=="
    after = secrets_of(browser, place)
    assert before is not None and after is not None and after.signing == before.signing
    changed["targets"] = [{"address": "https://new.example.com/"}]
    ask(browser, "eve", "PUT", path, changed)
    assert "auth_header" not in ask(browser, "eve", "GET", path)[1]["targets"][0]


def test_every_change_leaves_one_event(browser: Browser) -> None:
    events = browser.desk.directory.events
    before = len(events)
    path = create(browser)
    ask(browser, "eve", "PUT", path, POLICY)
    ask(browser, "eve", "POST", f"{OWN}/{path.rpartition('/')[2]}/test")
    ask(browser, "eve", "DELETE", path)
    made = events[before:]
    assert [one.operation for one in made] == ["create-webhook", "change-webhook", "send-webhook", "remove-webhook"]
    assert {(one.actor.name, one.project) for one in made} == {("eve", "ships")}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"name": ""}, 400, "BAD_REQUEST"),
        ({"name": "x" * 101}, 400, "BAD_REQUEST"),
        ({"event_types": []}, 400, "BAD_REQUEST"),
        ({"event_types": ["NOTHING"]}, 400, "BAD_REQUEST"),
        ({"event_types": None}, 400, "BAD_REQUEST"),
        ({"targets": []}, 400, "BAD_REQUEST"),
        ({"targets": [{"address": "x"}]}, 400, "BAD_REQUEST"),
        ({"targets": [{}]}, 400, "BAD_REQUEST"),
        ({"targets": [{"address": "https://a.example.com/"}] * 2}, 400, "BAD_REQUEST"),
        ({"targets": [{"address": "http://a.example.com/"}]}, 400, "BAD_REQUEST"),
        ({"targets": [{"type": "slack", "address": "https://a.example.com/"}]}, 400, "UNSUPPORTED"),
        ({"targets": [{"address": "https://a.example.com/", "payload_format": "XML"}]}, 400, "BAD_REQUEST"),
        ({"targets": [{"address": "https://a.example.com/", "auth_header": "a\nb"}]}, 400, "BAD_REQUEST"),
        ({"enabled": "yes"}, 400, "BAD_REQUEST"),
        ({"description": 7}, 400, "BAD_REQUEST"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(browser: Browser, change: Any, status: int, code: str) -> None:
    found, document, _ = ask(browser, "eve", "POST", POLICIES, {**POLICY, **change})
    assert (found, document["errors"][0]["code"]) == (status, code)
    assert ask(browser, "eve", "GET", POLICIES)[1] == []
    assert browser.desk.webhooks._secrets == {}


def test_a_name_is_taken_once_in_a_project(browser: Browser) -> None:
    create(browser)
    assert ask(browser, "eve", "POST", POLICIES, POLICY)[0] == 409
    other = create(browser, name="cd")
    assert ask(browser, "eve", "PUT", other, POLICY)[0] == 409
    assert ask(browser, "eve", "PUT", other, {**POLICY, "name": "cd"})[0] == 200


def test_fields_of_other_versions_are_ignored(browser: Browser) -> None:
    path = create(browser, **{"id": 0, "creation_time": "0001-01-01T00:00:00Z", "payload_format:omitempty": "x"})
    assert ask(browser, "eve", "GET", path)[0] == 200


def test_an_unknown_webhook_is_404(browser: Browser) -> None:
    for path in (f"{POLICIES}/1", f"{POLICIES}/x", f"{POLICIES}/1/executions", f"{PROJECT}/webhook/jobs?policy_id=1"):
        assert ask(browser, "eve", "GET", path)[0] == 404
    assert ask(browser, "eve", "DELETE", f"{POLICIES}/1")[0] == 404
    assert ask(browser, "eve", "PUT", f"{POLICIES}/1", POLICY)[0] == 404
    assert ask(browser, "eve", "POST", f"{OWN}/1/test")[0] == 404


def test_the_events_that_are_sent_are_listed(browser: Browser) -> None:
    document = ask(browser, "eve", "GET", f"{PROJECT}/webhook/events")[1]
    assert document["event_type"] == [
        *("PUSH_ARTIFACT", "PULL_ARTIFACT", "DELETE_ARTIFACT", "DELETE_TAG", "QUOTA_EXCEED", "QUOTA_WARNING"),
        "TAG_RETENTION",
    ]
    assert document["notify_type"] == ["http"]


def test_deliveries_are_executions_with_one_task(browser: Browser) -> None:
    path = create(browser)
    sent(browser, path, 1)
    failed = sent(browser, path, 2, outcome=Outcome.ERROR, attempts=12, detail="the endpoint responded with 500")
    sent(browser, path, 3, outcome=Outcome.RUNNING)
    status, found, headers = ask(browser, "eve", "GET", f"{path}/executions?page_size=2")
    assert (status, headers["x-total-count"]) == (200, "3")
    assert [one["status"] for one in found] == ["Running", "Error"]
    assert found[1]["id"] == delivery_number(failed) < 1 << 53
    (task,) = ask(browser, "eve", "GET", f"{path}/executions/{found[1]['id']}/tasks")[1]
    assert (task["id"], task["run_count"], task["status"]) == (found[1]["id"], 12, "Error")
    log = f"{path}/executions/{task['id']}/tasks/{task['id']}/log"
    assert ask(browser, "eve", "GET", log)[2]["content-type"] == "text/plain; charset=utf-8"
    assert ask(browser, "eve", "GET", f"{path}/executions/{task['id']}/tasks/1/log")[0] == 404
    for number in ("0", "x", "9" * 30, str(found[1]["id"] + 1)):
        assert ask(browser, "eve", "GET", f"{path}/executions/{number}/tasks")[0] == 404


def test_jobs_are_the_same_by_status_and_the_last_of_each_event_is_found(browser: Browser) -> None:
    path = create(browser)
    policy = path.rpartition("/")[2]
    for number, outcome in enumerate([Outcome.SUCCESS, Outcome.ERROR, Outcome.SUCCESS]):
        sent(browser, path, number, outcome=outcome)
    jobs = f"{PROJECT}/webhook/jobs?policy_id={policy}"
    assert [one["status"] for one in ask(browser, "eve", "GET", jobs)[1]] == ["Success", "Error", "Success"]
    _, found, headers = ask(browser, "eve", "GET", f"{jobs}&status=Error")
    assert (len(found), headers["x-total-count"]) == (1, "1")
    triggers = {one["event_type"]: one for one in ask(browser, "eve", "GET", f"{PROJECT}/webhook/lasttrigger")[1]}
    assert triggers["PUSH_ARTIFACT"]["last_trigger_time"] == "2027-01-15T08:00:00.002Z"
    assert triggers["SCANNING_FAILED"]["last_trigger_time"] == "0001-01-01T00:00:00.000Z"


def test_a_delivery_is_sent_once_more_with_the_same_id_and_bytes(browser: Browser) -> None:
    path = create(browser)
    delivery = sent(browser, path, 1, outcome=Outcome.ERROR)
    again = f"{OWN}/{path.rpartition('/')[2]}/executions/{delivery_number(delivery)}/redeliver"
    assert ask(browser, "bob", "POST", again)[0] == 403
    assert ask(browser, "eve", "POST", again)[0] == 202
    (body,) = browser.desk.queue.bodies
    message = json.loads(body)
    assert (message["delivery"], message["body"], message["at"]) == (delivery.id, delivery.body, delivery.at)
    assert ask(browser, "eve", "POST", again.replace(str(delivery_number(delivery)), "7"))[0] == 404


def test_a_test_is_queued(browser: Browser) -> None:
    policy = create(browser).rpartition("/")[2]
    status, document, _ = ask(browser, "eve", "POST", f"{OWN}/{policy}/test")
    assert status == 202
    assert json.loads(browser.desk.queue.bodies[0])["delivery"] == document["delivery"]


def test_pages_of_deliveries_end_with_a_sentence(browser: Browser) -> None:
    path = create(browser)
    status, document, _ = ask(browser, "eve", "GET", f"{path}/executions?page=101&page_size=100")
    assert (status, document["errors"][0]["message"]) == (400, "the last 10000 deliveries are listed")
