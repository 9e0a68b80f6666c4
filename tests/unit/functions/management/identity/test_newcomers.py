"""Choosing a name at the first sign-in: where `oidc_auto_onboard` is off."""

from __future__ import annotations

import json
from typing import Any

import pytest

from roadstead.identity.directory import UserName
from tests.unit.functions.management.client import Browser, Desk
from tests.unit.functions.management.identity.test_oidc import CONFIGURED, CURRENT, configure, sign_in
from tests.unit.identity.oidc_parts import ISSUER

NEWCOMER = "/api/roadstead/v1/sign-in/newcomer"
COOKIE = "__Host-roadstead-newcomer"


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    configure(desk, **{**CONFIGURED, "oidc_auto_onboard": False, "oidc_name": "Harbour Office"})
    desk.provider.claims = {"sub": "1234", "preferred_username": "Grace Hopper", "email": "grace@example.org"}
    return desk


@pytest.fixture
def browser(desk: Desk) -> Browser:
    """One that the provider has just sent back."""
    browser = Browser(desk)
    assert sign_in(desk, browser, "?redirect_url=/ui/p/ships")[1]["location"] == "/ui/choose-name"
    return browser


def choose(browser: Browser, name: Any, **headers: str) -> tuple[int, Any]:
    status, document, _ = browser.ask("POST", NEWCOMER, {"name": name}, headers)
    return status, document


def sentence(document: Any) -> str:
    return str(document["errors"][0]["message"])


def test_a_person_chooses_a_name_and_is_signed_in(desk: Desk, browser: Browser) -> None:
    assert browser.ask("GET", NEWCOMER)[:2] == (
        200,
        {"provider": "Harbour Office", "real_name": "", "email": "grace@example.org", "name": "grace-hopper"},
    )
    status, document = choose(browser, "amazing-grace")
    assert (status, document) == (201, {"user": {"name": "amazing-grace", "admin": False}, "back_to": "/ui/p/ships"})
    assert COOKIE not in browser.cookies
    assert browser.ask("GET", CURRENT)[1]["email"] == "grace@example.org"
    found = desk.directory.find_user(UserName("amazing-grace"))
    assert found is not None
    assert (found.provider, found.subject) == ("oidc", f"{ISSUER}\n1234")
    other = Browser(desk)  # and from now on, whatever the provider's name is
    assert sign_in(desk, other)[1]["location"] == "/ui"
    assert other.ask("GET", CURRENT)[1]["username"] == "amazing-grace"


def test_nothing_exists_until_the_name_is_chosen(desk: Desk, browser: Browser) -> None:
    assert browser.ask("GET", CURRENT)[0] == 401
    assert desk.directory.find_subject("oidc", f"{ISSUER}\n1234") is None
    assert {user.name for user in desk.directory.list_users()} == {"ada", "bob", "eve"}
    assert "roadstead" not in {name.removeprefix("__Host-") for name in browser.cookies}


@pytest.mark.parametrize("name", ["bob", "ada"])
def test_a_name_that_is_taken_is_refused_with_a_sentence_and_another_can_be_chosen(browser: Browser, name: str) -> None:
    status, document = choose(browser, name)
    assert status == 409
    assert sentence(document) == f"the name {name} belongs to another account: choose another one"
    assert browser.ask("GET", CURRENT)[0] == 401
    assert choose(browser, f"{name}-2")[0] == 201


@pytest.mark.parametrize(
    "name", ["", "Grace", "grace hopper", "-x", "a" * 65, "robot$x", "gra\ud800ce", "../x", "<b>", 7, None]
)
def test_a_malformed_name_is_refused_with_a_sentence(desk: Desk, browser: Browser, name: Any) -> None:
    status, document = choose(browser, name)
    assert status == 400
    assert "name" in sentence(document)
    assert desk.directory.find_subject("oidc", f"{ISSUER}\n1234") is None
    assert choose(browser, "grace")[0] == 201


def test_only_the_browser_that_signed_in_chooses_and_only_for_ten_minutes(desk: Desk, browser: Browser) -> None:
    for cookies in ({}, {COOKIE: "A" * 43}, {COOKIE: "x" * 5_000}, {"roadstead-newcomer": browser.cookies[COOKIE]}):
        other = Browser(desk, cookies=dict(cookies))
        assert other.ask("GET", NEWCOMER)[0] == 401
        assert choose(other, "grace")[0] == 401
    desk.now += 600
    assert browser.ask("GET", NEWCOMER)[0] == 401
    assert choose(browser, "grace")[0] == 401
    assert desk.directory.find_user(UserName("grace")) is None


def test_the_cookie_is_for_the_registry_alone_and_short(desk: Desk) -> None:
    browser = Browser(desk)
    _, headers = sign_in(desk, browser)
    assert headers["location"] == "/ui/choose-name"
    secret = browser.cookies[COOKIE]
    assert len(secret) == 43
    assert secret not in json.dumps(headers | {"set-cookie": ""})


def test_another_site_chooses_nothing(desk: Desk, browser: Browser) -> None:
    assert choose(browser, "grace", **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert choose(browser, "grace", **{"Content-Type": "text/plain"})[0] == 403
    assert desk.directory.find_user(UserName("grace")) is None


def test_a_choice_that_is_sent_twice_is_one_account(desk: Desk, browser: Browser) -> None:
    """The first response was lost: the second request signs in to the account that is there, whatever name it says."""
    cookies = dict(browser.cookies)
    desk.states.remove_newcomer = lambda secret: None  # type: ignore[method-assign]  # it died before
    assert choose(browser, "grace")[0] == 201
    again = Browser(desk, cookies=cookies)
    status, document = choose(again, "another")
    assert (status, document["user"]["name"]) == (201, "grace")
    assert desk.directory.find_user(UserName("another")) is None


def test_a_choice_counts_once(desk: Desk, browser: Browser) -> None:
    cookies = dict(browser.cookies)
    assert choose(browser, "grace")[0] == 201
    assert choose(Browser(desk, cookies=cookies), "grace")[0] == 401


def test_who_is_disabled_meanwhile_is_not_signed_in(desk: Desk, browser: Browser) -> None:
    cookies = dict(browser.cookies)
    desk.states.remove_newcomer = lambda secret: None  # type: ignore[method-assign]
    choose(browser, "grace")
    desk.accounts.set_disabled("grace", True)
    again = Browser(desk, cookies=cookies)
    assert choose(again, "grace")[0] == 403
    assert again.ask("GET", CURRENT)[0] == 401


def test_who_leaves_is_forgotten(desk: Desk, browser: Browser) -> None:
    cookies = dict(browser.cookies)
    assert browser.ask("DELETE", NEWCOMER)[0] == 204
    assert COOKIE not in browser.cookies
    assert browser.ask("DELETE", NEWCOMER)[0] == 204
    assert Browser(desk, cookies=cookies).ask("GET", NEWCOMER)[0] == 401


def test_a_provider_that_is_gone_meanwhile_brings_nobody(desk: Desk, browser: Browser) -> None:
    configure(desk, oidc_endpoint="https://other.example.com")
    assert choose(browser, "grace")[0] == 401


def test_who_has_too_many_groups_to_be_kept_is_told_so(desk: Desk) -> None:
    desk.provider.claims.pop("email")
    desk.provider.user = {"sub": "1234", "groups": [f"{number:0200}" for number in range(1_000)]}
    browser = Browser(desk)
    assert sign_in(desk, browser)[0] == 403
    assert COOKIE not in browser.cookies


def test_a_new_account_is_in_the_trail_with_what_the_provider_said(desk: Desk, browser: Browser) -> None:
    before = len(desk.directory.events)
    choose(browser, "grace")
    (event,) = desk.directory.events[before:]
    assert (str(event.operation), event.actor.name, event.user) == ("create-user", "grace", "grace")
    assert "provider=oidc" in event.detail


@pytest.mark.parametrize(
    ("claimed", "suggested"),
    [
        ("Grace", "grace"),
        ("grace@Example.org", "grace@example.org"),
        ("--Ä--", ""),
        ("a" * 100, "a" * 64),
        ("Ångström!", "ngstr-m"),
    ],
)
def test_the_suggestion_is_a_name_that_an_account_can_have(desk: Desk, claimed: str, suggested: str) -> None:
    desk.provider.claims = {"sub": "9", "preferred_username": claimed}
    browser = Browser(desk)
    sign_in(desk, browser)
    assert browser.ask("GET", NEWCOMER)[1]["name"] == suggested
