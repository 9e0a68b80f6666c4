"""The configuration over the API, and what it changes about the rest of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.functions.management.client import Browser, Desk, basic

CONFIGURATIONS, INFO = "/api/v2.0/configurations", "/api/v2.0/systeminfo"


@pytest.fixture
def browser() -> Browser:
    return Browser(Desk())


def ask(browser: Browser, who: str, method: str, path: str, document: Any = None) -> Any:
    return browser.ask(method, path, document, basic(who) if who else {})[:2]


def test_only_a_system_administrator_sees_or_changes_it(browser: Browser) -> None:
    for who, status in (("", 401), ("bob", 403), ("ada", 200)):
        assert ask(browser, who, "GET", CONFIGURATIONS)[0] == status
        assert ask(browser, who, "PUT", CONFIGURATIONS, {"banner_message": "{}"})[0] == status


def test_a_value_comes_with_whether_it_can_be_changed(browser: Browser) -> None:
    _, document = ask(browser, "ada", "GET", CONFIGURATIONS)
    assert document["auth_mode"] == {"value": "db_auth", "editable": True}
    assert document["quota_per_project_enable"] == {"value": True, "editable": False}
    assert document["token_expiration"]["editable"] is False
    assert not {"oidc_client_secret", "ldap_search_password"} & set(document)


@pytest.mark.parametrize(
    ("document", "status", "code"),
    [
        ({"self_registration": True}, 403, "FORBIDDEN"),
        ({"self_registration": False}, 200, None),
        ({"skip_audit_log_database": True}, 400, "UNSUPPORTED"),
        ({"auth_mode": "http_auth"}, 400, "BAD_REQUEST"),
        ({"nothing": 1}, 200, None),
        ([], 400, "BAD_REQUEST"),
    ],
)
def test_a_change_is_answered_by_its_kind(browser: Browser, document: Any, status: int, code: str | None) -> None:
    found, answer = ask(browser, "ada", "PUT", CONFIGURATIONS, document)
    assert (found, answer and answer["errors"][0]["code"]) == (status, code)


def test_a_change_is_shown_and_recorded_once(browser: Browser) -> None:
    before = len(browser.desk.directory.events)
    assert (
        ask(browser, "ada", "PUT", CONFIGURATIONS, {"oidc_client_secret": "hush", "auth_mode": "oidc_auth"})[0] == 200
    )
    (event,) = browser.desk.directory.events[before:]
    assert (event.operation, event.actor.name) == ("change-configuration", "ada")
    assert "hush" not in event.detail
    assert ask(browser, "ada", "GET", CONFIGURATIONS)[1]["auth_mode"]["value"] == "oidc_auth"


def test_who_has_changed_a_value_need_not_wait_until_it_counts(browser: Browser) -> None:
    """The process that has changed it forgets what it remembered; others learn of it within a minute."""
    assert ask(browser, "ada", "GET", INFO)[1]["auth_mode"] == "db_auth"
    assert ask(browser, "ada", "PUT", CONFIGURATIONS, {"auth_mode": "ldap_auth"})[0] == 200
    assert ask(browser, "ada", "GET", INFO)[1]["auth_mode"] == "ldap_auth"


def test_nothing_changes_while_the_registry_is_read_only_but_the_configuration(browser: Browser) -> None:
    assert ask(browser, "ada", "PUT", CONFIGURATIONS, {"read_only": True})[0] == 200
    browser.desk.now += 61
    status, answer = ask(browser, "ada", "POST", "/api/v2.0/projects", {"project_name": "new"})
    assert (status, answer["errors"][0]["code"]) == (403, "DENIED")
    assert ask(browser, "ada", "GET", "/api/v2.0/projects")[0] == 200
    assert ask(browser, "bob", "POST", "/api/v2.0/users", {})[1]["errors"][0]["code"] == "FORBIDDEN"
    assert Browser(browser.desk).sign_in("bob") == 201
    assert ask(browser, "ada", "PUT", CONFIGURATIONS, {"read_only": False})[0] == 200
    browser.desk.now += 61
    assert ask(browser, "ada", "POST", "/api/v2.0/projects", {"project_name": "new"})[0] == 201


def test_everybody_creates_projects_where_the_configuration_says_so(browser: Browser) -> None:
    document = {"project_name": "bobs"}
    assert ask(browser, "bob", "POST", "/api/v2.0/projects", document)[0] == 403
    ask(browser, "ada", "PUT", CONFIGURATIONS, {"project_creation_restriction": "everyone"})
    browser.desk.now += 61
    assert ask(browser, "bob", "POST", "/api/v2.0/projects", document)[0] == 201
    assert ask(browser, "bob", "GET", "/api/v2.0/projects/bobs")[1]["current_user_role_id"] == 1
    assert ask(browser, "", "POST", "/api/v2.0/projects", document)[0] == 401


def test_without_a_login_the_system_tells_how_to_log_in_and_no_version(browser: Browser) -> None:
    ask(browser, "ada", "PUT", CONFIGURATIONS, {"banner_message": '{"message": "hi"}', "oidc_name": "corp"})
    anonymous = {"auth_mode", "primary_auth_mode", "self_registration", "banner_message", "oidc_provider_name"}
    _, document = ask(browser, "", "GET", INFO)
    assert set(document) == anonymous
    assert (document["banner_message"], document["oidc_provider_name"]) == ('{"message": "hi"}', "")
    ask(browser, "ada", "PUT", CONFIGURATIONS, {"oidc_endpoint": "https://id.example.com/realms/crew"})
    assert ask(browser, "", "GET", INFO)[1]["oidc_provider_name"] == ""  # nobody can sign in without a client id
    ask(browser, "ada", "PUT", CONFIGURATIONS, {"oidc_client_id": "registry"})
    _, document = ask(browser, "bob", "GET", INFO)
    assert (document["oidc_provider_name"], document["read_only"], document["harbor_version"]) == (
        "corp",
        False,
        "v2.16.0",
    )
    assert document["current_time"] == "2027-01-15T08:00:00.000Z"
    ask(browser, "ada", "PUT", CONFIGURATIONS, {"oidc_name": ""})
    assert ask(browser, "", "GET", INFO)[1]["oidc_provider_name"] == "id.example.com"
