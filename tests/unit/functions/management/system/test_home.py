"""The console's first page: what it shows, and to whom."""

from __future__ import annotations

from typing import Any

import pytest

from functions.management.handlers.system import home as home_module
from roadstead.identity.directory import Role
from roadstead.names import ProjectName
from roadstead.trail.entries import Actor, AuditEntry, Operation
from tests.unit.functions.management.client import Browser, Desk, basic

PATH = "/api/roadstead/v1/home"


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    for repository in ("ships/galleon", "open/boat", "ships/sloop"):
        made.push_image(repository, "v1")
    made.settle()
    made.index.used |= {project: made.catalog.used_bytes(ProjectName(project)) for project in ("ships", "open")}
    return made


def home(desk: Desk, who: str = "ada") -> Any:
    status, found, _ = Browser(desk).ask("GET", PATH, headers=basic(who) if who else {})
    assert status == 200
    return found


def names(found: Any) -> list[str]:
    return [one["name"] for one in found["repositories"]["last"]]


def test_what_was_pushed_last_comes_first_as_far_as_the_caller_may_see(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert names(home(desk)) == names(home(desk, "bob")) == ["ships/sloop", "open/boat", "ships/galleon"]
    assert names(home(desk, "eve")) == names(home(desk, "")) == ["open/boat"]
    monkeypatch.setattr(home_module, "SHOWN", 1)
    found = home(desk)
    assert (names(found), found["repositories"]["total"]) == (["ships/sloop"], 3)


def test_counts_are_those_of_the_statistics(desk: Desk) -> None:
    for who, storage in (("ada", True), ("bob", False), ("eve", False)):
        statistics = Browser(desk).ask("GET", "/api/v2.0/statistics", headers=basic(who))[1]
        found = home(desk, who)["statistics"]
        assert found["projects"] == statistics["private_project_count"] + statistics["public_project_count"]
        assert found["repositories"] == statistics["private_repo_count"] + statistics["public_repo_count"]
        assert found["storage"] == (statistics["total_storage_consumption"] if storage else None)


def test_usage_of_projects_beyond_those_that_are_looked_at_is_counted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = home(desk)["statistics"]
    monkeypatch.setattr("functions.management.handlers.system.attention.MAX_PROJECTS", 1)
    found = home(desk)
    assert found["statistics"] == whole
    assert found["repositories"]["projects"] == {"looked_at": 1, "all": 2}
    assert names(found) == ["open/boat"]


def test_who_is_not_signed_in_sees_only_what_public_projects_have(desk: Desk) -> None:
    found = home(desk, "")
    assert [found[name] for name in ("statistics", "attention", "providers")] == [None, None, None]
    assert found["activity"] == []


def test_what_needs_attention_is_the_same_as_in_the_list_of_warnings(desk: Desk) -> None:
    pull = {"resource": "repository", "action": "pull"}
    permissions = [{"kind": "project", "namespace": "ships", "access": [pull]}]
    document = {"name": "old", "level": "project", "duration": 3, "permissions": permissions}
    assert Browser(desk).ask("POST", "/api/v2.0/robots", document, basic("ada"))[0] == 201
    for who, count in (("ada", 1), ("bob", 1), ("eve", 0)):
        listed = Browser(desk).ask("GET", "/api/roadstead/v1/warnings", headers=basic(who))[1]
        assert home(desk, who)["attention"] == listed
        assert len(listed["warnings"]) == count


def test_the_last_entries_of_the_trail_are_shown_to_who_may_list_them(desk: Desk) -> None:
    at = int(desk.now * 1000)
    entries = [
        AuditEntry(f"{number:032x}", at + number, Operation.CREATE_LABEL, Actor("ada"), project=project)
        for number, project in enumerate(("ships", "open", ""))
    ]
    desk.trail.write(entries)
    desk.accounts.set_member("ships", "eve", Role.ADMIN)
    assert [len(home(desk, who)["activity"]) for who in ("ada", "eve", "bob", "")] == [3, 1, 0, 0]


def test_where_nothing_was_pushed_a_project_to_push_to_is_named() -> None:
    desk = Desk()
    assert [home(desk, who)["push_to"] for who in ("ada", "bob", "eve", "")] == ["open", None, None, None]
    desk.accounts.set_member("ships", "bob", Role.DEVELOPER)
    assert home(desk, "bob")["push_to"] == "ships"
    desk.push_image("ships/sloop", "v1")
    assert home(desk, "bob")["push_to"] is None


def test_administrators_see_which_providers_are_set_up(desk: Desk) -> None:
    assert home(desk)["providers"] == {"oidc_endpoint": "", "ldap_url": ""}
    change = {"ldap_url": "ldaps://ldap.example"}
    assert Browser(desk).ask("PUT", "/api/v2.0/configurations", change, basic("ada"))[0] == 200
    desk.now += 61
    assert home(desk)["providers"]["ldap_url"] == "ldaps://ldap.example"
    assert home(desk, "bob")["providers"] is None
    assert home(desk)["read_only"] is False
