"""Signing in, staying signed in, signing out; and what another site or a stale cookie achieves."""

from __future__ import annotations

import json

import pytest

from roadstead.identity.directory import UserName
from roadstead.identity.sign_in.sessions import session_hash
from roadstead.trail.entries import Operation
from tests.unit.functions.management.client import PASSWORD, Browser, Desk, basic

SESSION = "/api/roadstead/v1/session"
CURRENT = "/api/v2.0/users/current"


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def browser(desk: Desk) -> Browser:
    return Browser(desk)


def test_signing_in_sets_a_cookie_that_scripts_cannot_read(browser: Browser) -> None:
    status, document, headers = browser.ask("POST", SESSION, {"name": "bob", "password": PASSWORD})
    assert (status, document) == (201, {"user": {"name": "bob", "admin": False}})
    cookie = headers["set-cookie"]
    assert cookie.startswith("__Host-roadstead=bob.")
    assert {part.strip() for part in cookie.split(";")[1:]} == {"Path=/", "HttpOnly", "SameSite=Lax", "Secure"}
    assert browser.ask("GET", SESSION)[1] == {"user": {"name": "bob", "admin": False}}


def test_on_plain_http_the_cookie_is_for_loopback_addresses_only(desk: Desk) -> None:
    local = Browser(desk, scheme="http", host="127.0.0.1:5000")
    assert local.sign_in("bob") == 201
    assert list(local.cookies) == ["roadstead"]
    assert local.ask("GET", CURRENT)[0] == 200
    for host in ("registry.example", "localhost.example:5000", "127.0.0.1.example"):
        assert Browser(desk, scheme="http", host=host).sign_in("bob") == 403


def test_the_insecure_cookie_does_not_count_over_https(desk: Desk) -> None:
    local = Browser(desk, scheme="http", host="localhost:5000")
    local.sign_in("bob")
    assert Browser(desk, cookies=local.cookies).ask("GET", CURRENT)[0] == 401


@pytest.mark.parametrize(("name", "password"), [("bob", "wrong"), ("nobody", PASSWORD), ("Bob!", PASSWORD), ("", "")])
def test_wrong_credentials_get_the_same_refusal(browser: Browser, name: str, password: str) -> None:
    status, document, headers = browser.ask("POST", SESSION, {"name": name, "password": password})
    assert (status, document["errors"][0]["code"]) == (401, "UNAUTHORIZED")
    assert document["errors"][0]["message"] == "the user name or the password is wrong"
    assert "set-cookie" not in headers
    assert "www-authenticate" not in headers  # browsers would open a dialog


@pytest.mark.parametrize("document", [None, [], "x", {"name": "bob"}, {"name": 1, "password": PASSWORD}])
def test_a_malformed_sign_in_is_a_bad_request(browser: Browser, document: object) -> None:
    assert browser.ask("POST", SESSION, document)[0] == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_another_site_cannot_sign_a_browser_in(browser: Browser, headers: dict[str, str]) -> None:
    status, _, received = browser.ask("POST", SESSION, {"name": "bob", "password": PASSWORD}, headers)
    assert status == 403
    assert "set-cookie" not in received


def test_a_session_changes_something_only_with_its_csrf_token(browser: Browser) -> None:
    browser.sign_in("bob")
    right = browser.csrf
    for wrong in ("", "x", right[:-1], "é"):
        status, document, headers = browser.ask("DELETE", SESSION, headers={"X-Harbor-CSRF-Token": wrong})
        assert (status, document["errors"][0]["code"]) == (403, "FORBIDDEN")
        assert headers["x-harbor-csrf-token"] == right  # the refusal carries it, as Harbor's does
    assert browser.ask("GET", CURRENT)[0] == 200
    assert browser.ask("DELETE", SESSION, headers={"X-Harbor-CSRF-Token": right})[0] == 204


def test_signing_out_ends_the_session_on_the_server(browser: Browser) -> None:
    browser.sign_in("bob")
    kept = dict(browser.cookies)
    assert browser.ask("DELETE", SESSION)[0] == 204
    assert browser.cookies == {}
    assert Browser(browser.desk, cookies=kept).ask("GET", CURRENT)[0] == 401


def test_signing_out_without_a_session_does_nothing(browser: Browser) -> None:
    assert browser.ask("DELETE", SESSION)[0] == 204


def test_a_session_that_ended_makes_its_caller_anonymous(browser: Browser) -> None:
    browser.sign_in("bob")
    browser.desk.accounts.set_password("bob", "another long password")
    assert browser.ask("GET", SESSION)[1] == {"user": None}
    assert browser.ask("GET", CURRENT)[0] == 401


def test_a_disabled_user_is_signed_out_and_cannot_sign_in(browser: Browser) -> None:
    browser.sign_in("bob")
    browser.desk.accounts.set_disabled("bob", True)
    assert browser.ask("GET", CURRENT)[0] == 401
    assert browser.ask("GET", CURRENT, headers=basic("bob"))[0] == 401
    assert browser.sign_in("bob") == 401


def test_basic_credentials_need_no_csrf_token(browser: Browser) -> None:
    assert browser.ask("DELETE", SESSION, headers=basic("bob"))[0] == 204
    assert browser.ask("GET", CURRENT, headers=basic("bob"))[1]["username"] == "bob"


@pytest.mark.parametrize(
    "header", ["Basic !", "Basic Ym9i", "Bearer x.y.z", "Negotiate x", "Basic " + "A" * 5, "basic"]
)
def test_a_header_that_is_not_basic_credentials_is_401_even_beside_a_session(browser: Browser, header: str) -> None:
    browser.sign_in("bob")
    assert browser.ask("GET", CURRENT, headers={"Authorization": header})[0] == 401


def test_wrong_basic_credentials_are_401_even_beside_a_session(browser: Browser) -> None:
    browser.sign_in("bob")
    assert browser.ask("GET", CURRENT, headers=basic("bob", "wrong"))[0] == 401


def test_every_response_is_safe_to_show_in_a_browser(browser: Browser) -> None:
    for method, path in [("GET", CURRENT), ("GET", "/api/v2.0/ping"), ("GET", "/nowhere"), ("PUT", SESSION)]:
        headers = browser.ask(method, path)[2]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert not [name for name in headers if name.startswith("access-control-")]


def test_too_many_wrong_passwords_pause_every_way_to_sign_in(desk: Desk, browser: Browser) -> None:
    for attempt in range(5):
        if attempt % 2:
            assert browser.ask("GET", CURRENT, headers=basic("bob", "wrong"))[0] == 401
        else:
            assert browser.sign_in("bob", "wrong") == 401
    status, document, headers = browser.ask("GET", CURRENT, headers=basic("bob"))
    assert (status, document["errors"][0]["code"], headers["retry-after"]) == (429, "TOO_MANY_REQUEST", "1")
    assert browser.sign_in("bob") == 429
    assert browser.sign_in("eve") == 201
    desk.now += 1
    assert browser.sign_in("bob") == 201


def test_an_open_session_works_during_a_lock(desk: Desk, browser: Browser) -> None:
    browser.sign_in("bob")
    for _ in range(10):
        Browser(desk).sign_in("bob", "wrong")
        desk.now += 20
    assert Browser(desk).sign_in("bob") == 429
    assert browser.ask("GET", CURRENT)[0] == 200


def test_an_administrator_releases_a_user(desk: Desk, browser: Browser) -> None:
    for _ in range(10):
        browser.sign_in("bob", "wrong")
        desk.now += 20
    user = desk.directory.find_user(UserName("bob"))
    assert user is not None
    path = f"/api/roadstead/v1/users/{user.id}/release"
    assert browser.ask("POST", path, headers=basic("eve"))[0] == 403
    assert browser.sign_in("bob") == 429
    assert browser.ask("POST", path, headers=basic("ada"))[0] == 200
    assert browser.sign_in("bob") == 201
    assert browser.ask("POST", "/api/roadstead/v1/users/1/release", headers=basic("ada"))[0] == 404


def test_sign_ins_and_wrong_passwords_are_in_the_trail(
    desk: Desk, browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    browser.ask("GET", CURRENT, headers=basic("bob"))
    browser.sign_in("bob", "wrong")
    browser.sign_in("not a name", "wrong")
    browser.sign_in("bob")
    entries = [json.loads(line)["audit"] for line in capsys.readouterr().out.splitlines() if '"audit"' in line]
    told = [(entry["operation"], entry["outcome"], entry["actor"].get("name")) for entry in entries]
    assert told == [("login", "failure", "bob"), ("login", "failure", ""), ("login", "success", "bob")]
    assert {entry["source_address"] for entry in entries} == {"192.0.2.7"}


def test_guessing_ones_own_old_password_is_paused_too(browser: Browser) -> None:
    browser.sign_in("bob")
    path = "/api/v2.0/users/current/password"
    change = {"old_password": "wrong", "new_password": "another battery staple"}
    for _ in range(5):
        assert browser.ask("PUT", path, change)[0] == 403
    assert browser.ask("PUT", path, {**change, "old_password": PASSWORD})[0] == 429


OWN = "/api/roadstead/v1/users/current/sessions"


def test_ones_own_sessions_are_listed_newest_first_without_what_opens_them(desk: Desk) -> None:
    phone, laptop, other = Browser(desk), Browser(desk), Browser(desk)
    phone.ask("POST", SESSION, {"name": "bob", "password": PASSWORD}, {"User-Agent": "Firefox"})
    desk.now += 60
    laptop.sign_in("bob")
    other.sign_in("eve")
    status, found, headers = laptop.ask("GET", OWN)
    assert (status, headers["x-total-count"]) == (200, "2")
    assert [(one["current"], one["user_agent"], one["address"]) for one in found] == [
        (True, "", "192.0.2.7"),
        (False, "Firefox", "192.0.2.7"),
    ]
    secrets = [next(iter(browser.cookies.values())) for browser in (phone, laptop)]
    for secret in secrets:
        assert secret.rpartition(".")[2] not in json.dumps(found)
        assert session_hash(secret) not in json.dumps(found)


def test_one_session_is_ended_and_the_others_go_on(desk: Desk) -> None:
    phone, laptop = Browser(desk), Browser(desk)
    for browser in (phone, laptop):
        browser.sign_in("bob")
    (theirs,) = [one["id"] for one in laptop.ask("GET", OWN)[1] if not one["current"]]
    assert laptop.ask("DELETE", f"{OWN}/{theirs}")[0] == 200
    assert phone.ask("GET", CURRENT)[0] == 401
    assert laptop.ask("GET", CURRENT)[0] == 200
    assert laptop.ask("DELETE", f"{OWN}/{theirs}")[0] == 404
    (event,) = [one for one in desk.directory.events if one.operation is Operation.DELETE_SESSION]
    assert (event.actor.name, event.user, event.detail) == ("bob", "bob", f"session={theirs}")


def test_nobody_ends_the_session_of_another_user(desk: Desk) -> None:
    bob, eve = Browser(desk), Browser(desk)
    bob.sign_in("bob")
    eve.sign_in("eve")
    (theirs,) = [one["id"] for one in bob.ask("GET", OWN)[1]]
    assert eve.ask("DELETE", f"{OWN}/{theirs}")[0] == 404
    assert eve.ask("DELETE", OWN)[0] == 200
    assert bob.ask("GET", CURRENT)[0] == 200


def test_the_session_that_asks_is_kept_when_all_others_end(desk: Desk) -> None:
    browsers = [Browser(desk) for _ in range(3)]
    for browser in browsers:
        browser.sign_in("bob")
    assert browsers[0].ask("DELETE", OWN)[0] == 200
    assert [browser.ask("GET", CURRENT)[0] for browser in browsers] == [200, 401, 401]
    assert Browser(desk).ask("DELETE", OWN, headers=basic("bob"))[0] == 200  # by password, none is the one that asks
    assert browsers[0].ask("GET", CURRENT)[0] == 401


def test_sessions_end_while_the_registry_is_read_only(desk: Desk, browser: Browser) -> None:
    browser.sign_in("bob")
    status = browser.ask("PUT", "/api/v2.0/configurations", {"read_only": True}, basic("ada"))[0]
    assert status == 200
    desk.now += 120
    assert browser.ask("DELETE", OWN)[0] == 200
