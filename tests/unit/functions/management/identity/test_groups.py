"""Groups over the API: made and changed by administrators, members of projects, and what they give to their members."""

from __future__ import annotations

from typing import Any

import pytest

from roadstead.identity.directory import Role, UserName
from roadstead.identity.groups import MAX_MEMBERS, GroupKind
from roadstead.trail.entries import Operation
from tests.unit.functions.management.client import Browser, Desk, basic

API, OWN = "/api/v2.0", "/api/roadstead/v1"
GROUPS, MEMBERS = f"{API}/usergroups", f"{API}/projects/ships/members"
DN = "cn=Fleet,ou=Groups,dc=example,dc=org"


@pytest.fixture
def desk() -> Desk:
    """`dan` is an administrator of the project `ships`."""
    desk = Desk()
    desk.accounts.create_user("dan", "correct horse battery staple")
    desk.accounts.set_member("ships", "dan", Role.ADMIN)
    desk.directory.events.clear()
    return desk


@pytest.fixture
def browser(desk: Desk) -> Browser:
    return Browser(desk)


def ask(browser: Browser, who: str, method: str, path: str, document: Any = None) -> tuple[int, Any, dict[str, str]]:
    return browser.ask(method, path, document, basic(who) if who else None)


def make(browser: Browser, name: str = "crew", kind: int = 2, dn: str = "") -> int:
    document = {"group_name": name, "group_type": kind, "ldap_group_dn": dn}
    status, body, headers = ask(browser, "ada", "POST", GROUPS, document)
    assert status == 201, body
    return int(headers["location"].rpartition("/")[2])


def test_a_group_is_made_shown_listed_renamed_and_removed(browser: Browser) -> None:
    crew, fleet = make(browser), make(browser, "Fleet", 1, DN)
    shown = {"id": fleet, "group_name": "Fleet", "group_type": 1, "ldap_group_dn": DN}
    assert ask(browser, "ada", "GET", f"{GROUPS}/{fleet}")[:2] == (200, shown)
    local = {"id": crew, "group_name": "crew", "group_type": 2}
    status, listed, headers = ask(browser, "ada", "GET", GROUPS)
    assert (status, listed, headers["x-total-count"]) == (200, [shown, local], "2")
    assert ask(browser, "ada", "GET", f"{GROUPS}?group_name=EW")[1] == [local]
    assert ask(browser, "ada", "GET", f"{GROUPS}?ldap_group_dn={DN.lower()}")[1] == [shown]
    assert ask(browser, "ada", "PUT", f"{GROUPS}/{crew}", {"group_name": "hands"})[0] == 200
    assert ask(browser, "ada", "GET", f"{GROUPS}/{crew}")[1]["group_name"] == "hands"
    assert ask(browser, "ada", "DELETE", f"{GROUPS}/{crew}")[0] == 200
    assert ask(browser, "ada", "GET", f"{GROUPS}/{crew}")[0] == 404


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"group_name": "", "group_type": 2}, 400),
        ({"group_name": "x" * 256, "group_type": 2}, 400),
        ({"group_name": "a\nb", "group_type": 2}, 400),
        ({"group_name": "x", "group_type": 4}, 400),
        ({"group_name": "x", "group_type": True}, 400),
        ({"group_name": "x"}, 400),
        ({"group_name": "Fleet", "group_type": 1}, 400),
        ({"group_type": 2}, 400),
        ({"group_name": "crew", "group_type": 2}, 409),
        ({"group_name": "other", "group_type": 1, "ldap_group_dn": DN.upper()}, 409),
        ({"group_name": "crew", "group_type": 3}, 201),
    ],
)
def test_a_new_group_is_checked(browser: Browser, document: dict[str, Any], status: int) -> None:
    make(browser)
    make(browser, "Fleet", 1, DN)
    assert ask(browser, "ada", "POST", GROUPS, document)[0] == status


def test_groups_are_for_system_administrators_and_found_by_everybody(browser: Browser) -> None:
    crew = make(browser)
    for who, status in (("dan", 403), ("", 401)):
        for method, path, document in (
            ("GET", GROUPS, None),
            ("POST", GROUPS, {"group_name": "x", "group_type": 2}),
            ("GET", f"{GROUPS}/{crew}", None),
            ("PUT", f"{GROUPS}/{crew}", {"group_name": "x"}),
            ("DELETE", f"{GROUPS}/{crew}", None),
            ("GET", f"{OWN}/usergroups/{crew}", None),
            ("PUT", f"{OWN}/usergroups/{crew}/admin", {"admin": True}),
            ("GET", f"{OWN}/usergroups/{crew}/members", None),
            ("POST", f"{OWN}/usergroups/{crew}/members", {"username": "dan"}),
            ("DELETE", f"{OWN}/usergroups/{crew}/members/dan", None),
        ):
            assert ask(browser, who, method, path, document)[0] == status
    found = ask(browser, "dan", "GET", f"{GROUPS}/search?groupname=REW")[1]
    assert found == [{"id": crew, "group_name": "crew", "group_type": 2}]
    assert ask(browser, "dan", "GET", f"{GROUPS}/search")[0] == 400


def test_members_of_a_local_group_have_its_role(browser: Browser) -> None:
    crew = make(browser)
    assert ask(browser, "ada", "POST", f"{OWN}/usergroups/{crew}/members", {"username": "eve"})[0] == 201
    assert ask(browser, "ada", "POST", f"{OWN}/usergroups/{crew}/members", {"username": "eve"})[0] == 409
    assert ask(browser, "ada", "POST", f"{OWN}/usergroups/{crew}/members", {"username": "nobody"})[0] == 404
    assert [one["username"] for one in ask(browser, "ada", "GET", f"{OWN}/usergroups/{crew}/members")[1]] == ["eve"]
    assert ask(browser, "eve", "GET", f"{API}/projects/ships")[0] == 403

    status, _, headers = ask(browser, "dan", "POST", MEMBERS, {"role_id": 3, "member_group": {"id": crew}})
    assert status == 201
    shown = ask(browser, "eve", "GET", f"{API}/projects/ships")
    assert (shown[0], shown[1]["current_user_role_id"]) == (200, 3)
    assert [one["name"] for one in ask(browser, "eve", "GET", f"{API}/projects")[1]] == ["open", "ships"]

    assert ask(browser, "dan", "PUT", headers["location"], {"role_id": 1})[0] == 200
    assert ask(browser, "eve", "GET", f"{API}/projects/ships")[1]["current_user_role_id"] == 1
    assert ask(browser, "ada", "DELETE", f"{OWN}/usergroups/{crew}/members/eve")[0] == 200
    assert ask(browser, "ada", "DELETE", f"{OWN}/usergroups/{crew}/members/eve")[0] == 404
    assert ask(browser, "eve", "GET", f"{API}/projects/ships")[0] == 403


def test_groups_and_users_are_members_beside_each_other(browser: Browser) -> None:
    crew = make(browser, "crew")
    location = ask(browser, "dan", "POST", MEMBERS, {"role_id": 4, "member_group": {"id": crew}})[2]["location"]
    assert ask(browser, "dan", "POST", MEMBERS, {"role_id": 4, "member_group": {"id": crew}})[0] == 409
    listed = ask(browser, "dan", "GET", MEMBERS)[1]
    assert [(one["entity_name"], one["entity_type"]) for one in listed] == [("bob", "u"), ("crew", "g"), ("dan", "u")]
    member = {
        "id": int(location.rpartition("/")[2]),
        "project_id": listed[1]["project_id"],
        "entity_name": "crew",
        "entity_id": crew,
        "entity_type": "g",
        "role_id": 4,
        "role_name": "maintainer",
    }
    assert listed[1] == member == ask(browser, "bob", "GET", location)[1]
    assert ask(browser, "dan", "GET", f"{API}/projects/ships/summary")[1]["maintainer_count"] == 1
    assert ask(browser, "bob", "DELETE", location)[0] == 403
    assert ask(browser, "dan", "DELETE", location)[0] == 200
    assert ask(browser, "dan", "GET", location)[0] == 404


@pytest.mark.parametrize(
    ("group", "status"),
    [
        ({"id": 99}, 404),
        ({"group_name": "nobody", "group_type": 2}, 404),
        ({"group_name": "crew", "group_type": 2}, 201),
        ({"group_name": "crew"}, 400),
        ({"group_name": "Fleet", "group_type": 1}, 400),
        ({"ldap_group_dn": DN}, 201),
        ({"group_name": "Fleet", "group_type": 1, "ldap_group_dn": DN}, 201),
        ({"group_name": "people", "group_type": 3}, 201),
        ({"group_name": 5}, 400),
        ({"id": 0, "group_name": "", "ldap_group_dn": ""}, 400),
    ],
)
def test_a_member_group_is_named_by_id_dn_or_name_and_type(
    browser: Browser, group: dict[str, Any], status: int
) -> None:
    make(browser)
    assert ask(browser, "dan", "POST", MEMBERS, {"role_id": 2, "member_group": group})[0] == status


def test_an_unknown_group_of_a_provider_becomes_known_once(browser: Browser, desk: Desk) -> None:
    asked = {"role_id": 2, "member_group": {"group_name": "Fleet", "group_type": 1, "ldap_group_dn": DN}}
    ask(browser, "dan", "POST", MEMBERS, asked)
    assert ask(browser, "dan", "POST", MEMBERS, asked)[0] == 409
    assert [(group.kind, group.name) for group in desk.directory.list_groups()] == [(GroupKind.LDAP, "Fleet")]


def test_members_of_an_administrator_group_administer_the_system(browser: Browser) -> None:
    crew = make(browser)
    ask(browser, "ada", "POST", f"{OWN}/usergroups/{crew}/members", {"username": "eve"})
    assert ask(browser, "eve", "GET", f"{API}/users")[0] == 403
    assert ask(browser, "ada", "PUT", f"{OWN}/usergroups/{crew}/admin", {"admin": "yes"})[0] == 400
    assert ask(browser, "ada", "PUT", f"{OWN}/usergroups/{crew}/admin", {"admin": True})[0] == 200
    assert ask(browser, "eve", "GET", f"{API}/users")[0] == 200
    assert ask(browser, "eve", "GET", f"{API}/users/current")[1]["admin_role_in_auth"] is True
    assert ask(browser, "ada", "GET", f"{OWN}/usergroups/{crew}")[1]["admin"] is True
    assert ask(browser, "ada", "DELETE", f"{GROUPS}/{crew}")[0] == 200
    assert ask(browser, "eve", "GET", f"{API}/users")[0] == 403


def test_members_are_kept_for_local_groups_only_and_are_bounded(browser: Browser, desk: Desk) -> None:
    oidc, crew = make(browser, "people", 3), make(browser)
    assert ask(browser, "ada", "POST", f"{OWN}/usergroups/{oidc}/members", {"username": "eve"})[0] == 400
    desk.directory._group_members[crew] = {UserName(f"user{number}") for number in range(MAX_MEMBERS)}
    assert ask(browser, "ada", "POST", f"{OWN}/usergroups/{crew}/members", {"username": "eve"})[0] == 400


def test_every_change_leaves_one_event(browser: Browser, desk: Desk) -> None:
    crew = make(browser)
    ask(browser, "ada", "POST", f"{OWN}/usergroups/{crew}/members", {"username": "eve"})
    ask(browser, "dan", "POST", MEMBERS, {"role_id": 2, "member_group": {"id": crew}})
    ask(browser, "dan", "POST", MEMBERS, {"role_id": 2, "member_group": {"group_name": "people", "group_type": 3}})
    ask(browser, "ada", "PUT", f"{OWN}/usergroups/{crew}/admin", {"admin": True})
    ask(browser, "ada", "PUT", f"{GROUPS}/{crew}", {"group_name": "hands"})
    ask(browser, "ada", "DELETE", f"{OWN}/usergroups/{crew}/members/eve")
    ask(browser, "ada", "DELETE", f"{GROUPS}/{crew}")
    people = next(group.id for group in desk.directory.list_groups())
    named = f"group={crew} type=local name=crew"
    assert [(event.operation, event.project, event.user, event.detail) for event in desk.directory.events] == [
        (Operation.CREATE_GROUP, "", "", "type=local name=crew"),
        (Operation.ADD_GROUP_MEMBER, "", "eve", named),
        (Operation.SET_MEMBER, "ships", "", f"role=developer {named}"),
        (Operation.SET_MEMBER, "ships", "", f"role=developer group={people} type=oidc name=people"),
        (Operation.CHANGE_GROUP, "", "", f"{named} admin=true"),
        (Operation.CHANGE_GROUP, "", "", f"{named} to=hands"),
        (Operation.REMOVE_GROUP_MEMBER, "", "eve", f"group={crew} type=local name=hands"),
        (Operation.DELETE_GROUP, "", "", f"group={crew} type=local name=hands"),
    ]
