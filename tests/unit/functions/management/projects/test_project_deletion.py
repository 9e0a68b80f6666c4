"""The end of a project: what is needed for it, and that a later one of the same name inherits nothing."""

from __future__ import annotations

from typing import Any

import pytest

from roadstead.content.repositories import ProjectClosed
from roadstead.identity.directory import Role
from roadstead.names import ProjectName, RepositoryName
from roadstead.notifications.webhooks import Notifications
from roadstead.trail.entries import Actor
from tests.unit.functions.management.changes.made import immutable_rule, retention_document
from tests.unit.functions.management.client import PASSWORD, Browser, Desk, basic

PROJECTS = "/api/v2.0/projects"
SHIPS = f"{PROJECTS}/ships"


@pytest.fixture
def browser() -> Browser:
    return Browser(Desk())


def ask(browser: Browser, method: str, path: str, document: Any = None, who: str = "ada") -> tuple[int, Any]:
    return browser.ask(method, path, document, basic(who) if who else {})[:2]


def test_an_empty_project_is_deleted_for_everybody(browser: Browser) -> None:
    assert ask(browser, "GET", f"{SHIPS}/_deletable") == (200, {"deletable": True, "message": ""})
    assert ask(browser, "DELETE", SHIPS)[0] == 200
    assert ask(browser, "GET", SHIPS)[0] == 404
    assert ask(browser, "GET", SHIPS, who="bob")[0] == 403
    assert ask(browser, "DELETE", SHIPS)[0] == 404
    assert [one["name"] for one in ask(browser, "GET", PROJECTS, who="bob")[1]] == ["open"]
    told = [event for event in browser.desk.directory.events if event.operation == "delete-project"]
    assert [(event.project, event.actor.name) for event in told] == [("ships", "ada")]


def test_a_project_that_is_not_empty_stays_open(browser: Browser) -> None:
    browser.desk.push_image("ships/galleon", "v1")
    status, document = ask(browser, "DELETE", SHIPS)
    assert (status, document["errors"][0]["code"]) == (412, "PRECONDITION")
    assert "1 repositories" in document["errors"][0]["message"]
    assert ask(browser, "GET", f"{SHIPS}/_deletable")[1]["deletable"] is False
    browser.desk.push_image("ships/sloop", "v1")  # it is not closed


def test_a_project_with_a_repository_that_is_being_deleted_stays(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.management.handlers.content.repositories.DELETION_SECONDS", 0.0)
    browser.desk.push_image("ships/galleon", "v1")
    browser.desk.content.clock.now += 10
    assert ask(browser, "DELETE", f"{SHIPS}/repositories/galleon")[0] == 202
    status, document = ask(browser, "DELETE", SHIPS)
    assert status == 412 and "being deleted" in document["errors"][0]["message"]


def test_a_push_with_an_old_token_is_refused(browser: Browser) -> None:
    assert ask(browser, "DELETE", SHIPS)[0] == 200
    with pytest.raises(ProjectClosed):
        browser.desk.push_image("ships/galleon", "v1")
    assert browser.desk.index.list_repositories(after="", limit=9) == ()


@pytest.mark.parametrize("role", list(Role))
def test_a_project_is_deleted_by_its_administrators(browser: Browser, role: Role) -> None:
    browser.desk.accounts.set_member("ships", "eve", role)
    expected = 200 if role is Role.ADMIN else 403
    assert ask(browser, "GET", f"{SHIPS}/_deletable", who="eve")[0] == expected
    assert ask(browser, "DELETE", SHIPS, who="eve")[0] == expected


def test_a_project_made_anew_inherits_nothing(browser: Browser) -> None:
    desk = browser.desk
    desk.content.upload(b"left behind", RepositoryName("ships/galleon"))
    desk.index.grace = 86_400
    desk.push_image("ships/galleon", "v1")
    desk.settle()
    desk.content.clock.now += 10
    hooks: Notifications = desk.services.notifications(Actor("ada"), "registry.example")
    hooks.add("ships", "https://receiver.example/hook", ["PUSH_ARTIFACT"], created_by="ada")
    robot = {"name": "ci", "level": "project", "duration": -1, "permissions": [
        {"kind": "project", "namespace": "ships", "access": [{"resource": "repository", "action": "pull"}]}
    ]}  # fmt: skip
    assert ask(browser, "POST", "/api/v2.0/robots", robot)[0] == 201
    rule = {"tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "**"}], "scope_selectors": {
        "repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]
    }, "action": "immutable", "template": "immutable_template"}  # fmt: skip
    assert ask(browser, "DELETE", f"{SHIPS}/repositories/galleon")[0] == 200
    assert ask(browser, "POST", f"{SHIPS}/immutabletagrules", rule)[0] == 201
    assert ask(browser, "PUT", SHIPS, {"metadata": {"severity": "high", "public": "true"}})[0] == 200
    old = desk.accounts.find_project("ships")
    desk.settle()
    desk.now = desk.content.clock.now
    assert ask(browser, "DELETE", SHIPS)[0] == 200

    assert ask(browser, "POST", PROJECTS, {"project_name": "ships"})[0] == 201  # an administrator need not wait
    new = desk.accounts.find_project("ships")
    assert old is not None and new is not None and new.id != old.id
    assert new.metadata == {} and not new.public
    assert ask(browser, "GET", SHIPS, who="bob")[0] == 403  # he was a member
    assert [one["entity_name"] for one in ask(browser, "GET", f"{SHIPS}/members")[1]] == ["ada"]
    assert hooks.list("ships") == ()
    assert ask(browser, "GET", f"/api/v2.0/robots?q=Level%3Dproject,ProjectID%3D{new.id}")[1] == []
    assert ask(browser, "GET", f"{SHIPS}/immutabletagrules")[1] == []
    assert desk.services.trash.list(ProjectName("ships")) == []
    assert desk.index.repositories["ships/galleon"].links == {}
    desk.push_image("ships/galleon", "v1")
    assert ask(browser, "GET", f"{SHIPS}/repositories")[1][0]["name"] == "ships/galleon"


def test_the_name_of_a_deleted_project_is_kept_for_an_hour(browser: Browser) -> None:
    browser.desk.accounts.set_member("ships", "eve", Role.ADMIN)
    path = "/api/v2.0/configurations"
    assert ask(browser, "PUT", path, {"project_creation_restriction": "everyone"})[0] == 200
    browser.desk.now += 120  # the configuration is a minute old at most
    assert ask(browser, "DELETE", SHIPS, who="eve")[0] == 200
    status, document = ask(browser, "POST", PROJECTS, {"project_name": "ships"}, "eve")
    assert status == 409 and "is kept until 2027-01-15T09:02:00" in document["errors"][0]["message"]
    browser.desk.now += 3_601
    assert ask(browser, "POST", PROJECTS, {"project_name": "ships"}, "eve")[0] == 201


def test_what_a_deletion_had_no_time_for_is_cleared_before_the_name_is_free(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.management.handlers.projects.projects.DELETION_SECONDS", 0.0)
    browser.desk.push_image("ships/galleon", "v1")
    browser.desk.content.clock.now += 10
    assert ask(browser, "DELETE", f"{SHIPS}/repositories/galleon")[0] == 200
    assert browser.desk.index.repositories["ships/galleon"].links
    assert ask(browser, "DELETE", SHIPS)[0] == 200
    status, document = ask(browser, "POST", PROJECTS, {"project_name": "ships"})
    assert status == 409 and "try again" in document["errors"][0]["message"]
    monkeypatch.setattr("functions.management.handlers.projects.projects.DELETION_SECONDS", 15.0)
    assert ask(browser, "POST", PROJECTS, {"project_name": "ships"})[0] == 201
    assert browser.desk.index.repositories["ships/galleon"].links == {}


def test_all_that_led_to_a_project_leads_to_nothing_in_the_next_one_of_the_name(browser: Browser) -> None:
    """Its ids, its robot's secret, an access token for it, and a group's role."""
    desk = browser.desk
    desk.accounts.set_member("ships", "bob", Role.DEVELOPER)
    number = ask(browser, "GET", SHIPS)[1]["project_id"]

    def made(path: str, document: Any, who: str = "ada") -> tuple[Any, str]:
        status, said, headers = browser.ask("POST", path, document, basic(who))
        assert status == 201, said
        return said, headers.get("location", "")

    access = [{"resource": "repository", "action": "pull"}, {"resource": "project", "action": "read"}]
    permission = {"kind": "project", "namespace": "ships", "access": access}
    robot, robot_path = made(
        "/api/v2.0/robots", {"name": "ci", "level": "project", "duration": -1, "permissions": [permission]}
    )
    new = {"name": "ci", "access": "write", "projects": ["ships"], "duration": 1}
    token, _ = made("/api/roadstead/v1/users/current/tokens", new, who="bob")
    _, group = made("/api/v2.0/usergroups", {"group_name": "crew", "group_type": 2})
    members = f"/api/roadstead/v1/usergroups/{group.rpartition('/')[2]}/members"
    made(members, {"username": "eve"})
    _, member = made(f"{SHIPS}/members", {"role_id": 1, "member_group": {"id": int(group.rpartition("/")[2])}})
    _, label = made("/api/v2.0/labels", {"name": "stable", "scope": "p", "project_id": number})
    _, retention = made("/api/v2.0/retentions", retention_document(number))
    _, rule = made(f"{SHIPS}/immutabletagrules", immutable_rule())
    hook = {"name": "ci", "event_types": ["PUSH_ARTIFACT"], "targets": [{"address": "https://ci.example.com/"}]}
    _, webhook = made(f"{SHIPS}/webhook/policies", hook)
    ways = {
        "robot": basic(robot["name"], robot["secret"]),
        "token": {"Authorization": f"Bearer {token['token']}"},
        "group": basic("eve"),
        "member": basic("bob"),
    }
    assert {name: browser.ask("GET", SHIPS, headers=way)[0] for name, way in ways.items()} == dict.fromkeys(ways, 200)

    assert ask(browser, "DELETE", SHIPS)[0] == 200
    desk.accounts.create_user("zoe", PASSWORD)
    desk.now += 2
    assert ask(browser, "POST", PROJECTS, {"project_name": "ships"})[0] == 201
    desk.accounts.set_member("ships", "zoe", Role.ADMIN)

    refused = {name: browser.ask("GET", SHIPS, headers=way)[0] for name, way in ways.items()}
    assert refused == {"robot": 401, "token": 403, "group": 403, "member": 403}
    assert browser.ask("GET", SHIPS, headers=basic("zoe"))[0] == 200
    for gone in (f"{PROJECTS}/{number}", f"/api/v2.0/quotas/{number}", robot_path, member, retention, webhook):
        assert ask(browser, "GET", gone)[0] == 404, gone
    for method, gone, document in (
        ("DELETE", rule, None),
        ("DELETE", robot_path, None),
        ("PATCH", robot_path, {"secret": ""}),
        ("POST", "/api/v2.0/retentions", retention_document(number)),
        ("POST", "/api/v2.0/labels", {"name": "new", "scope": "p", "project_id": number}),
    ):
        assert ask(browser, method, gone, document)[0] in (400, 404), gone
    assert ask(browser, "GET", label)[0] == 404
    assert ask(browser, "GET", f"/api/v2.0/labels?scope=p&project_id={number}")[0] in (400, 404)
