"""What needs attention: that it is said, to whom it concerns, and only while it does."""

from __future__ import annotations

from typing import Any

import pytest

from functions.management.handlers.system import attention as attention_module
from roadstead.identity.directory import Role
from roadstead.identity.robots.robots import DAY
from roadstead.lifecycle.collector.execution import KIND, Every
from roadstead.lifecycle.executions.executions import Execution, Status, Trigger
from roadstead.names import ProjectName
from roadstead.notifications.stores import LastDelivery
from roadstead.trail.entries import Actor
from tests.unit.functions.management.client import Browser, Desk, basic

PATH = "/api/roadstead/v1/warnings"


@pytest.fixture
def desk() -> Desk:
    return Desk()


def warnings(desk: Desk, who: str = "ada") -> list[dict[str, Any]]:
    status, found, _ = Browser(desk).ask("GET", PATH, headers=basic(who))
    assert status == 200
    return list(found["warnings"])


def kinds(desk: Desk, who: str = "ada") -> list[tuple[str, str | None, str]]:
    return [(one["kind"], one["project"], one["name"]) for one in warnings(desk, who)]


def test_a_quiet_registry_needs_nothing(desk: Desk) -> None:
    assert warnings(desk) == warnings(desk, "bob") == []
    assert Browser(desk).ask("GET", PATH)[0] == 401


def test_a_quota_is_said_from_its_warning_on_to_members(desk: Desk) -> None:
    used = desk.index.used["ships"] = 86_000
    quota = "/api/roadstead/v1/projects/ships/quota"
    for limit, said in ((used * 2, []), (100_000, ["quota"]), (used, ["quota"]), (-1, [])):
        assert Browser(desk).ask("PUT", quota, {"storage": limit}, basic("ada"))[0] == 200
        for who in ("ada", "bob"):
            found = warnings(desk, who)
            assert [one["kind"] for one in found] == said
            assert [(one["project"], one["used"], one["limit"]) for one in found] == [("ships", used, limit)] * len(
                said
            )
        assert warnings(desk, "eve") == []


def test_robots_are_said_around_their_expiry_to_who_may_list_them(desk: Desk) -> None:
    browser = Browser(desk)
    pull = {"resource": "repository", "action": "pull"}
    for name, level, days in (("old", "project", 20), ("new", "project", 90), ("sys", "system", 20)):
        permissions = [{"kind": "project", "namespace": "ships", "access": [pull]}]
        document = {"name": name, "level": level, "duration": days, "permissions": permissions}
        assert browser.ask("POST", "/api/v2.0/robots", document, basic("ada"))[0] == 201
    assert kinds(desk) == []
    desk.now += 7 * DAY
    assert kinds(desk) == [("robot", None, "robot$sys"), ("robot", "ships", "robot$ships+old")]
    assert kinds(desk, "bob") == [("robot", "ships", "robot$ships+old")]
    desk.accounts.set_member("ships", "eve", Role.LIMITED_GUEST)
    assert kinds(desk, "eve") == []
    desk.now += 20 * DAY
    assert "robot$ships+old" in {name for _, _, name in kinds(desk)}  # it has expired a week ago
    desk.now += 8 * DAY
    assert "robot$ships+old" not in {name for _, _, name in kinds(desk)}


def test_a_robot_that_is_off_needs_nobody(desk: Desk) -> None:
    browser = Browser(desk)
    pull = {"resource": "repository", "action": "pull"}
    permissions = [{"kind": "project", "namespace": "ships", "access": [pull]}]
    document = {"name": "old", "level": "project", "duration": 3, "permissions": permissions}
    made = browser.ask("POST", "/api/v2.0/robots", document, basic("ada"))[1]
    assert len(kinds(desk)) == 1
    change = {**document, "name": made["name"], "disable": True}
    assert browser.ask("PUT", f"/api/v2.0/robots/{made['id']}", change, basic("ada"))[0] == 200
    assert kinds(desk) == []


def test_ones_own_tokens_are_said_before_they_expire(desk: Desk) -> None:
    new = {"name": "laptop", "access": "read", "duration": 20}
    assert Browser(desk).ask("POST", "/api/roadstead/v1/users/current/tokens", new, basic("bob"))[0] == 201
    desk.now += 7 * DAY
    assert kinds(desk, "bob") == [("token", None, "laptop")]
    assert kinds(desk) == []


def test_a_failed_delivery_is_said_for_a_week_to_who_sees_webhooks(desk: Desk) -> None:
    target = {"type": "http", "address": "https://ci.example/hook", "payload_format": "Default"}
    new = {"name": "ci", "enabled": True, "event_types": ["PUSH_ARTIFACT"], "targets": [target]}
    browser, path = Browser(desk), "/api/v2.0/projects/ships/webhook/policies"
    location = browser.ask("POST", path, new, basic("ada"))[2]["location"]
    id_ = location.rpartition("/")[2]
    desk.webhooks.record_delivery(ProjectName("ships"), id_, LastDelivery("d", int(desk.now), True, "200"))
    assert kinds(desk) == []
    desk.webhooks.record_delivery(ProjectName("ships"), id_, LastDelivery("d", int(desk.now), False, "no answer"))
    (said,) = warnings(desk)
    assert (said["kind"], said["project"], said["name"], said["detail"]) == ("webhook", "ships", "ci", "no answer")
    assert kinds(desk, "bob") == []  # a guest sees no webhooks
    desk.now += 7 * DAY + 1
    assert kinds(desk) == []


def test_a_collection_that_is_late_or_failed_is_said_to_administrators(desk: Desk) -> None:
    desk.services.collections.ensure_schedule()
    assert kinds(desk) == []
    desk.now += 3 * 3_600
    assert kinds(desk) == [("collection-late", None, "")]
    at = int(desk.now * 1000)
    failed = Execution(7, KIND, "", Trigger.MANUAL, Actor("ada"), {}, at, Status.ERROR, at, at, message="no reply")
    desk.executions.create(failed)
    assert [(one["kind"], one["detail"]) for one in warnings(desk)] == [
        ("collection-late", ""),
        ("collection-failed", "no reply"),
    ]
    assert kinds(desk, "bob") == []


def test_a_collector_that_is_switched_off_is_said_to_administrators(desk: Desk) -> None:
    desk.services.collections.set_schedule(Every.NEVER, "", delete_untagged=False, actor=Actor("ada"))
    desk.now += 99 * 3_600
    assert kinds(desk) == [("collection-off", None, "")]
    assert kinds(desk, "bob") == []


def test_ones_own_projects_are_looked_at_first_and_how_many_is_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention_module, "MAX_PROJECTS", 1)
    desk.index.used["ships"] = 86_000
    assert Browser(desk).ask("PUT", "/api/roadstead/v1/projects/ships/quota", {"storage": 1}, basic("ada"))[0] == 200
    found = Browser(desk).ask("GET", PATH, headers=basic("bob"))[1]
    assert found["projects"] == {"looked_at": 1, "all": 2}  # `open` comes first by name
    assert [one["project"] for one in found["warnings"]] == ["ships"]


def test_there_being_more_robots_than_are_looked_at_is_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention_module, "MAX_EXPIRING", 2)
    pull = {"resource": "repository", "action": "pull"}
    permissions = [{"kind": "project", "namespace": "ships", "access": [pull]}]
    for name, more in (("one", False), ("two", False), ("three", True)):
        document = {"name": name, "level": "project", "duration": 3, "permissions": permissions}
        assert Browser(desk).ask("POST", "/api/v2.0/robots", document, basic("ada"))[0] == 201
        assert Browser(desk).ask("GET", PATH, headers=basic("ada"))[1]["more"] is more


def test_what_expires_in_a_project_created_anew_is_its_own(desk: Desk) -> None:
    pull = {"resource": "repository", "action": "pull"}
    permissions = [{"kind": "project", "namespace": "ships", "access": [pull]}]
    document = {"name": "old", "level": "project", "duration": 3, "permissions": permissions}
    assert Browser(desk).ask("POST", "/api/v2.0/robots", document, basic("ada"))[0] == 201
    assert Browser(desk).ask("DELETE", "/api/v2.0/projects/ships", None, basic("ada"))[0] == 200
    desk.now += 1
    desk.accounts.create_project("ships")
    assert kinds(desk) == []
