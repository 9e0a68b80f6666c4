"""Every route that changes something leaves one event with its actor, in the change's transaction; and no secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.management.routes import ROUTES
from roadstead.trail.entries import ActorKind
from tests.unit.functions.management.changes.made import HARBOR, MARK, project, robot_document, secret
from tests.unit.functions.management.changes.table import REFUSED, ROWS
from tests.unit.functions.management.cloud import ADMIN, Place, path_to
from tests.unit.functions.management.recording import Recorded

CHANGING = {route.operation for route in ROUTES if route.method not in ("GET", "HEAD")}


def test_every_route_that_changes_something_has_a_row() -> None:
    assert not ROWS.keys() & REFUSED.keys()
    assert ROWS.keys() | REFUSED.keys() == CHANGING


@pytest.mark.parametrize("operation", ROWS)
def test_a_change_leaves_one_event_with_its_actor_in_its_transaction(
    recorded: dict[str, Recorded], operation: str
) -> None:
    one = recorded[operation]
    assert 200 <= one.status < 300, one.said
    assert sorted(event["operation"] for event in one.events) == sorted(map(str, one.change.told))
    for event in one.events:
        assert (event["actor"], event["actor_kind"]) == (one.change.actor or one.change.by, str(ActorKind.USER))
        assert (event["source_ip"], event["request_id"]) == ("192.0.2.7", "request-1")
        written = transaction_of(one, event["id"])
        assert (len(written) > 1) is not one.change.unpaired, written
    if one.change.logged:
        assert one.change.logged in one.lines.replace(" ", "")


@pytest.mark.parametrize("operation", ROWS)
def test_a_change_keeps_no_secret_outside_its_place(recorded: dict[str, Recorded], operation: str) -> None:
    """Neither what was sent, nor what the response said once."""
    one = recorded[operation]
    said = one.said if isinstance(one.said, dict) else {}
    cookie = one.received.get("set-cookie", "").partition("=")[2].partition(";")[0]
    for hidden in (MARK, *filter(None, (said.get("secret"), said.get("token"), cookie))):
        assert hidden not in one.stored
        assert hidden not in one.lines


def test_secrets_were_sent_wherever_a_field_takes_one(recorded: dict[str, Recorded]) -> None:
    sent = {operation for operation, one in recorded.items() if MARK in json.dumps(one.change.document)}
    assert sent == {
        *("createUser", "updateUserPassword", "beginSession", "CreateRobot", "UpdateRobot", "RefreshSec"),
        *("updateLimitedRobot", "updateConfigurations", "pingLdap", "putOidcProvider"),
        *("CreateWebhookPolicyOfProject", "UpdateWebhookPolicyOfProject"),
    }


def transaction_of(one: Recorded, event: str) -> list[Any]:
    """The items of the transaction that wrote an event: the last one, if others with it were refused."""
    found = [
        params["TransactItems"]
        for name, params in one.calls
        if name == "dynamodb.TransactWriteItems" and event in json.dumps(params["TransactItems"], default=str)
    ]
    return list(found[-1])


@pytest.mark.parametrize("operation", REFUSED)
def test_what_there_is_not_is_refused_and_leaves_nothing(place: Place, operation: str) -> None:
    method, path = REFUSED[operation]
    target = f"{HARBOR}{path}".format(project(place)[0])
    before = place.items()
    place.calls.clear()
    sent = {"items": [{"cve_id": "CVE-1"}], "schedule": {"type": "Daily"}, "access_credential": {"secret": secret()}}
    status, said, _ = place.ask(method, target, sent)
    assert (status, said["errors"][0]["code"]) == (400, "UNSUPPORTED")
    assert len(said["errors"][0]["message"]) > 20
    assert place.items() == before
    assert not [name for name, _ in place.calls if name.startswith("dynamodb.Transact")]


def test_what_a_robot_changes_names_the_robots_id(place: Place) -> None:
    """Another robot may have its name later."""
    name, _ = project(place)
    place.push(f"{name}/crane", "v1")
    document = robot_document("tagger", name)
    document["permissions"][0]["access"].append({"resource": "tag", "action": "create"})
    made, number = place.made("POST", f"{HARBOR}/robots", document)
    before = place.events()
    place.made("POST", path_to(name, "crane", "v1", "/tags"), {"name": "v2"}, by=made["name"], password=made["secret"])
    (event,) = [event for one, event in place.events().items() if one not in before]
    assert (event["actor"], event["actor_kind"], event["actor_id"]) == (made["name"], "robot", int(number))


def test_a_changed_configuration_is_told_by_keys_without_secrets(place: Place) -> None:
    before = place.events()
    place.made("PUT", f"{HARBOR}/configurations", {"oidc_client_secret": secret(), "ldap_timeout": 7})
    (event,) = [event for one, event in place.events().items() if one not in before]
    assert (event["actor"], event["detail"]) == (ADMIN, "oidc_client_secret ldap_timeout=7")
