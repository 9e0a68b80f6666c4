"""LDAP over Harbor's API: the test button, searches and imports, and signing in."""

from __future__ import annotations

from typing import Any

import pytest

from roadstead.identity.directory import UserName
from roadstead.identity.people import LDAP, PersonGroup, ProviderFailed
from roadstead.trail.entries import Operation
from tests.unit.functions.management.client import Browser, Desk, basic

LDAP_PATH = "/api/v2.0/ldap"
CONFIGURED = {
    "ldap_url": "ldaps://ldap.example.org",
    "ldap_base_dn": "dc=example,dc=org",
    "ldap_search_dn": "cn=search",
    "ldap_search_password": "the kept password",
    "ldap_uid": "uid",
}


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    status, _, _ = Browser(desk).ask("PUT", "/api/v2.0/configurations", CONFIGURED, basic("ada"))
    assert status == 200
    desk.now += 61
    desk.people.add("grace", "directory password")
    return desk


@pytest.fixture
def browser(desk: Desk) -> Browser:
    return Browser(desk)


def ask(browser: Browser, method: str, path: str, document: Any = None, who: str = "ada") -> tuple[int, Any]:
    return browser.ask(method, f"{LDAP_PATH}{path}", document, basic(who))[:2]


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/ping"), ("GET", "/users/search"), ("POST", "/users/import"), ("GET", "/groups/search")],
)
def test_everything_is_for_system_administrators(browser: Browser, method: str, path: str) -> None:
    assert browser.ask(method, f"{LDAP_PATH}{path}")[0] == 401
    assert ask(browser, method, path, who="bob")[0] == 403


def test_a_ping_without_a_body_tests_what_is_configured(desk: Desk, browser: Browser) -> None:
    assert ask(browser, "POST", "/ping") == (200, {"success": True, "message": ""})
    assert desk.people.settings[-1].search_password == "the kept password"
    assert desk.people.settings[-1].uid == "uid"


def test_a_ping_tests_what_was_configured_a_moment_ago(desk: Desk, browser: Browser) -> None:
    ask(browser, "POST", "/ping")
    browser.ask("PUT", "/api/v2.0/configurations", {"ldap_uid": "mail"}, basic("ada"))
    ask(browser, "POST", "/ping")
    assert desk.people.settings[-1].uid == "mail"


def test_a_ping_that_fails_says_which_step(desk: Desk, browser: Browser) -> None:
    desk.people.down = ProviderFailed("bind", "the search account was refused: check ldap_search_password")
    status, document = ask(browser, "POST", "/ping")
    assert (status, document["success"]) == (200, False)
    assert document["message"].startswith("bind: ")
    assert "the kept password" not in document["message"]


def test_a_ping_with_a_body_tests_that(desk: Desk, browser: Browser) -> None:
    body = {"ldap_url": "ldap://other", "ldap_search_password": "given", "ldap_scope": 1, "ldap_verify_cert": False}
    assert ask(browser, "POST", "/ping", body)[0] == 200
    tested = desk.people.settings[-1]
    assert (tested.url, tested.search_password, tested.scope, tested.verify_cert) == ("ldap://other", "given", 1, False)
    assert tested.base_dn == CONFIGURED["ldap_base_dn"]


@pytest.mark.parametrize(
    "body", [{"ldap_url": "ldaps://attacker.example"}, {"ldap_search_dn": "cn=other"}, {"ldap_verify_cert": False}]
)
def test_the_kept_password_is_not_sent_elsewhere(desk: Desk, browser: Browser, body: dict[str, Any]) -> None:
    ask(browser, "POST", "/ping", body)
    assert desk.people.settings[-1].search_password == ""
    ask(browser, "POST", "/ping", {"ldap_url": CONFIGURED["ldap_url"], "ldap_uid": "cn"})
    assert desk.people.settings[-1].search_password == "the kept password"


@pytest.mark.parametrize(
    "body",
    [
        {"ldap_url": 1},
        {"ldap_scope": "2"},
        {"ldap_scope": 3},
        {"ldap_scope": True},
        {"ldap_connection_timeout": 0},
        {"ldap_connection_timeout": 26},
        {"ldap_verify_cert": "yes"},
        {"ldap_filter": "x" * 1_025},
        [],
        "x",
    ],
)
def test_a_malformed_ping_is_a_bad_request(browser: Browser, body: Any) -> None:
    assert ask(browser, "POST", "/ping", body)[0] == 400


def test_people_are_searched_by_name(browser: Browser) -> None:
    expected = [{"username": "grace", "realname": "Grace", "email": "grace@example.org"}]
    assert ask(browser, "GET", "/users/search?username=grace") == (200, expected)
    assert ask(browser, "GET", "/users/search") == (200, expected)
    assert ask(browser, "GET", "/users/search?username=nobody") == (200, [])
    assert ask(browser, "GET", f"/users/search?username={'x' * 256}")[0] == 400


def test_groups_are_searched_by_name_and_dn(desk: Desk, browser: Browser) -> None:
    desk.people.groups.append(PersonGroup("cn=devs,dc=example", "devs"))
    expected = [{"group_name": "devs", "ldap_group_dn": "cn=devs,dc=example", "group_type": 1}]
    assert ask(browser, "GET", "/groups/search?groupname=devs") == (200, expected)
    assert ask(browser, "GET", "/groups/search?groupdn=cn%3Ddevs%2Cdc%3Dexample") == (200, expected)
    assert ask(browser, "GET", "/groups/search?groupname=none")[0] == 404


def test_a_directory_that_is_down_is_503_with_the_step_for_administrators(desk: Desk, browser: Browser) -> None:
    desk.people.down = ProviderFailed("connect", "there is no connection to ldap.example.org:636")
    for path in ("/users/search", "/groups/search"):
        status, document, headers = browser.ask("GET", f"{LDAP_PATH}{path}", None, basic("ada"))
        assert (status, headers["retry-after"]) == (503, "10")
        assert document["errors"][0]["message"].startswith("connect: ")


def test_without_a_configured_directory_searches_say_what_to_set() -> None:
    browser = Browser(Desk())
    status, document = ask(browser, "GET", "/users/search")
    assert status == 400
    assert "ldap_url" in document["errors"][0]["message"]


def test_an_import_creates_accounts_with_one_event_each(desk: Desk, browser: Browser) -> None:
    desk.people.add("Alan", "x")
    events = len(desk.directory.events)
    assert ask(browser, "POST", "/users/import", {"ldap_uid_list": ["grace", "alan", "grace"]})[0] == 200
    made = desk.directory.events[events:]
    assert [(one.operation, one.user, one.actor.name) for one in made] == [
        (Operation.CREATE_USER, "grace", "ada"),
        (Operation.CREATE_USER, "alan", "ada"),
    ]
    grace = desk.directory.find_user(UserName("grace"))
    assert grace is not None
    assert grace.provider == LDAP


def test_an_import_lists_those_for_whom_it_failed(desk: Desk, browser: Browser) -> None:
    desk.people.add("bob", "x")  # a local user has the name
    desk.people.add("No Name", "x")
    ask(browser, "POST", "/users/import", {"ldap_uid_list": ["grace"]})
    names = ["grace", "nobody", "bob", "No Name", "x" * 300]
    status, failed = ask(browser, "POST", "/users/import", {"ldap_uid_list": names})
    assert status == 404
    assert [one["uid"] for one in failed] == names
    assert all(one["error"] for one in failed)
    bob = desk.directory.find_user(UserName("bob"))
    assert bob is not None
    assert bob.provider == "local"


@pytest.mark.parametrize("body", [{}, {"ldap_uid_list": []}, {"ldap_uid_list": [1]}, {"ldap_uid_list": ["x"] * 101}])
def test_a_malformed_import_is_a_bad_request(browser: Browser, body: Any) -> None:
    assert ask(browser, "POST", "/users/import", body)[0] == 400


def test_a_person_of_the_directory_signs_in_to_the_console_and_by_basic(desk: Desk, browser: Browser) -> None:
    assert browser.sign_in("Grace", "directory password") == 201
    status, document, _ = browser.ask("GET", "/api/v2.0/users/current")
    assert (status, document["username"], document["admin_role_in_auth"]) == (200, "grace", False)
    assert Browser(desk).ask("GET", "/api/v2.0/users/current", None, basic("grace", "directory password"))[0] == 200
    assert Browser(desk).sign_in("grace", "wrong") == 401


def test_an_administrator_by_group_may_administer_and_is_shown_as_one(desk: Desk) -> None:
    desk.people.add("grace", "directory password", admin=True)
    authorization = basic("grace", "directory password")
    status, document, _ = Browser(desk).ask("GET", "/api/v2.0/users/current", None, authorization)
    assert (status, document["sysadmin_flag"], document["admin_role_in_auth"]) == (200, True, True)
    status, users, _ = Browser(desk).ask("GET", "/api/v2.0/users?q=username=grace", None, authorization)
    assert (status, users[0]["admin_role_in_auth"]) == (200, True)


def test_while_the_directory_is_down_sign_ins_are_told_to_try_again(desk: Desk) -> None:
    desk.people.down = ProviderFailed("connect", "no connection to 10.1.2.3")
    status, document, headers = Browser(desk).ask("GET", "/api/v2.0/users/current", None, basic("grace", "x"))
    assert (status, headers["retry-after"]) == (503, "10")
    assert "10.1.2.3" not in str(document)
    assert Browser(desk).sign_in("ada") == 201


def test_a_password_of_the_directory_cannot_be_changed_here(desk: Desk, browser: Browser) -> None:
    browser.sign_in("grace", "directory password")
    change = {"old_password": "directory password", "new_password": "another battery staple"}
    status, document, _ = browser.ask("PUT", "/api/v2.0/users/current/password", change)
    assert status == 400
    assert "provider" in document["errors"][0]["message"]
