"""Users, as system administrators manage them and as they manage themselves."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.functions.management.client import PASSWORD, Browser, Desk, basic

USERS = "/api/v2.0/users"
OWN = "/api/roadstead/v1"
NEW = "a brand new password"


@pytest.fixture
def browser() -> Browser:
    return Browser(Desk())


def ask(browser: Browser, who: str, method: str, path: str, document: Any = None, password: str = PASSWORD) -> Any:
    return browser.ask(method, path, document, basic(who, password) if who else {})[:2]


def id_of(browser: Browser, name: str) -> int:
    return int(ask(browser, name, "GET", f"{USERS}/current")[1]["user_id"])


def test_a_list_has_every_user_and_no_password(browser: Browser) -> None:
    status, documents = ask(browser, "ada", "GET", USERS)
    assert (status, [one["username"] for one in documents]) == (200, ["ada", "bob", "eve"])
    assert [one["sysadmin_flag"] for one in documents] == [True, False, False]
    assert "password" not in str(documents)
    assert [one["username"] for one in ask(browser, "ada", "GET", f"{USERS}?q=username%3D~B")[1]] == ["bob"]


@pytest.mark.parametrize(
    ("query", "names"),
    [("username=B", ["bob"]), ("email=BOB%40", ["bob"]), ("email=%40", ["bob"]), ("username=e&email=b", [])],
)
def test_a_list_is_filtered_by_parts_of_name_and_address(browser: Browser, query: str, names: list[str]) -> None:
    ask(browser, "bob", "PUT", f"{USERS}/{id_of(browser, 'bob')}", {"email": "bob@example.com"})
    assert [one["username"] for one in ask(browser, "ada", "GET", f"{USERS}?{query}")[1]] == names


def test_everybody_sees_themselves_by_their_id_and_nobody_else(browser: Browser) -> None:
    own = ask(browser, "bob", "GET", f"{USERS}/{id_of(browser, 'bob')}")
    assert own == ask(browser, "bob", "GET", f"{USERS}/current")
    for other in (str(id_of(browser, "eve")), "1", "x"):
        assert ask(browser, "bob", "GET", f"{USERS}/{other}")[0] == 403


@pytest.mark.parametrize(("who", "status"), [("bob", 403), ("", 401)])
def test_only_a_system_administrator_manages_users(browser: Browser, who: str, status: int) -> None:
    number = id_of(browser, "eve")
    for method, path, document in [
        ("GET", USERS, None),
        ("POST", USERS, {"username": "zoe", "password": NEW}),
        ("GET", f"{USERS}/{number}", None),
        ("PUT", f"{USERS}/{number}/sysadmin", {"sysadmin_flag": True}),
        ("PUT", f"{USERS}/{number}/password", {"new_password": NEW}),
    ]:
        assert ask(browser, who, method, path, document)[0] == status
    assert ask(browser, "eve", "GET", f"{USERS}/current")[1]["sysadmin_flag"] is False


def test_a_user_is_created_and_can_sign_in(browser: Browser) -> None:
    document = {
        "username": "zoe",
        "password": NEW,
        "email": "zoe@example.com",
        "realname": "Zoe",
        "sysadmin_flag": True,
    }
    status, _, headers = browser.ask("POST", USERS, document, basic("ada"))
    assert status == 201
    zoe = ask(browser, "ada", "GET", headers["location"])[1]
    assert (zoe["username"], zoe["sysadmin_flag"]) == ("zoe", False)  # as Harbor: the flag has its own endpoint
    assert ask(browser, "zoe", "GET", f"{USERS}/current", password=NEW)[0] == 200


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"username": "bob", "password": NEW}, 409),
        ({"username": "Zoe", "password": NEW}, 400),
        ({"username": "zoe", "password": "short"}, 400),
        ({"username": "zoe"}, 400),
        ({"password": NEW}, 400),
        ({"username": ["zoe"], "password": NEW}, 400),
    ],
)
def test_a_user_that_cannot_be_created_is_not(browser: Browser, document: Any, status: int) -> None:
    assert ask(browser, "ada", "POST", USERS, document)[0] == status
    assert len(browser.desk.directory.list_users()) == 3


@pytest.mark.parametrize("id_", ["999999999", "x", "-1", "0" * 30, "bob"])
def test_an_unknown_user_is_404(browser: Browser, id_: str) -> None:
    assert ask(browser, "ada", "GET", f"{USERS}/{id_}")[0] == 404


def test_everybody_finds_users_by_a_part_of_their_name(browser: Browser) -> None:
    status, found = ask(browser, "bob", "GET", f"{USERS}/search?username=E")
    assert (status, [one["username"] for one in found]) == (200, ["eve"])
    assert set(found[0]) == {"user_id", "username"}
    assert ask(browser, "bob", "GET", f"{USERS}/search?username=")[0] == 400
    assert ask(browser, "", "GET", f"{USERS}/search?username=e")[0] == 401


def test_an_administrator_makes_another_and_not_themselves(browser: Browser) -> None:
    bob, ada = id_of(browser, "bob"), id_of(browser, "ada")
    assert ask(browser, "ada", "PUT", f"{USERS}/{bob}/sysadmin", {"sysadmin_flag": True})[0] == 200
    assert ask(browser, "bob", "GET", USERS)[0] == 200
    assert ask(browser, "ada", "PUT", f"{USERS}/{ada}/sysadmin", {"sysadmin_flag": False})[0] == 403
    assert ask(browser, "ada", "PUT", f"{USERS}/{bob}/sysadmin", {"sysadmin_flag": "no"})[0] == 400


def test_a_disabled_user_is_out_by_every_way_until_they_are_enabled(browser: Browser) -> None:
    bob, session = id_of(browser, "bob"), Browser(browser.desk)
    session.sign_in("bob")
    new = {"name": "ci", "access": "write", "duration": 1}
    token = ask(browser, "bob", "POST", f"{OWN}/users/current/tokens", new)[1]["token"]
    by_token = {"Authorization": f"Bearer {token}"}
    path = f"{OWN}/users/{bob}/disabled"
    assert ask(browser, "ada", "PUT", path, {"disabled": True})[0] == 200
    assert ask(browser, "bob", "GET", f"{USERS}/current")[0] == 401
    assert session.ask("GET", f"{USERS}/current")[0] == 401
    assert browser.ask("GET", f"{USERS}/current", headers=by_token)[0] == 401
    shown = {one["username"]: one["disabled"] for one in ask(browser, "ada", "GET", f"{OWN}/users")[1]}
    assert shown == {"ada": False, "bob": True, "eve": False}
    assert [one["username"] for one in ask(browser, "ada", "GET", f"{OWN}/users?q=disabled%3Dtrue")[1]] == ["bob"]
    assert ask(browser, "ada", "PUT", path, {"disabled": False})[0] == 200
    assert ask(browser, "bob", "GET", f"{USERS}/current")[0] == 200
    assert browser.ask("GET", f"{USERS}/current", headers=by_token)[0] == 200
    assert session.ask("GET", f"{USERS}/current")[0] == 401  # ended for good
    assert [event.detail for event in browser.desk.directory.events[-2:]] == ["disabled=true", "disabled=false"]


@pytest.mark.parametrize(
    ("who", "whom", "document", "status"),
    [
        ("ada", "ada", {"disabled": True}, 403),
        ("bob", "eve", {"disabled": True}, 403),
        ("", "eve", {"disabled": True}, 401),
        ("ada", "eve", {"disabled": "yes"}, 400),
        ("ada", "eve", {}, 400),
        ("ada", "nobody", {"disabled": True}, 404),
    ],
)
def test_who_cannot_be_disabled_is_not(browser: Browser, who: str, whom: str, document: Any, status: int) -> None:
    number = id_of(browser, whom) if whom != "nobody" else 999_999_999
    assert ask(browser, who, "PUT", f"{OWN}/users/{number}/disabled", document)[0] == status
    assert not any(user.disabled for user in browser.desk.directory.list_users())


def test_a_user_changes_their_own_password_with_the_old_one(browser: Browser) -> None:
    path = f"{USERS}/{id_of(browser, 'bob')}/password"
    assert ask(browser, "bob", "PUT", path, {"old_password": "wrong", "new_password": NEW})[0] == 403
    assert ask(browser, "bob", "PUT", path, {"new_password": NEW})[0] == 403
    assert ask(browser, "bob", "PUT", path, {"old_password": PASSWORD, "new_password": PASSWORD})[0] == 400
    assert ask(browser, "bob", "PUT", path, {"old_password": PASSWORD, "new_password": "short"})[0] == 400
    assert ask(browser, "bob", "PUT", path, {"old_password": PASSWORD, "new_password": NEW})[0] == 200
    assert ask(browser, "bob", "GET", f"{USERS}/current")[0] == 401
    assert ask(browser, "bob", "GET", f"{USERS}/current", password=NEW)[0] == 200


def test_a_new_password_ends_every_session_of_the_user(browser: Browser) -> None:
    other = Browser(browser.desk)
    other.sign_in("bob")
    assert ask(browser, "ada", "PUT", f"{USERS}/{id_of(browser, 'bob')}/password", {"new_password": NEW})[0] == 200
    assert other.ask("GET", f"{USERS}/current")[0] == 401


def test_a_profile_is_stored_and_shown(browser: Browser) -> None:
    document = {"username": "zoe", "password": NEW, "email": "zoe@example.com", "realname": "Zoë", "comment": "new"}
    location = browser.ask("POST", USERS, document, basic("ada"))[2]["location"]
    expected = {"email": "zoe@example.com", "realname": "Zoë", "comment": "new"}
    assert expected.items() <= ask(browser, "ada", "GET", location)[1].items()
    assert [one["username"] for one in ask(browser, "ada", "GET", f"{USERS}?q=email%3D~ZOE")[1]] == ["zoe"]


def test_everybody_changes_their_own_profile_and_administrators_anybodys(browser: Browser) -> None:
    bob, eve = id_of(browser, "bob"), id_of(browser, "eve")
    assert ask(browser, "bob", "PUT", f"{USERS}/{bob}", {"email": "b@example.com", "realname": "Bob"})[0] == 200
    assert ask(browser, "bob", "GET", f"{USERS}/current")[1]["email"] == "b@example.com"
    assert ask(browser, "ada", "PUT", f"{USERS}/{bob}", {"realname": "Robert"})[0] == 200
    found = ask(browser, "bob", "GET", f"{USERS}/current")[1]
    assert (found["email"], found["realname"]) == ("", "Robert")
    assert ask(browser, "bob", "PUT", f"{USERS}/{eve}", {"email": "e@example.com"})[0] == 403
    assert ask(browser, "ada", "PUT", f"{USERS}/999999999", {"email": "e@example.com"})[0] == 404
    assert ask(browser, "", "PUT", f"{USERS}/{bob}", {})[0] == 401


@pytest.mark.parametrize("profile", [{"email": "bob"}, {"email": 7}, {"realname": "x" * 256}, {"comment": "a\nb"}])
def test_a_profile_that_is_none_is_refused(browser: Browser, profile: Any) -> None:
    assert ask(browser, "bob", "PUT", f"{USERS}/{id_of(browser, 'bob')}", profile)[0] == 400


def test_a_removed_user_is_gone_with_sessions_and_memberships(browser: Browser) -> None:
    bob, other = id_of(browser, "bob"), Browser(browser.desk)
    other.sign_in("bob")
    before = len(browser.desk.directory.events)
    assert ask(browser, "ada", "DELETE", f"{USERS}/{bob}")[0] == 200
    assert [event.operation for event in browser.desk.directory.events[before:]] == ["remove-user"]
    assert ask(browser, "bob", "GET", f"{USERS}/current")[0] == 401
    assert ask(browser, "ada", "GET", f"{USERS}/{bob}")[0] == ask(browser, "ada", "DELETE", f"{USERS}/{bob}")[0] == 404
    created = browser.ask("POST", USERS, {"username": "bob", "password": PASSWORD}, basic("ada"))[2]["location"]
    assert created != f"{USERS}/{bob}"
    assert other.ask("GET", f"{USERS}/current")[0] == 401
    assert ask(browser, "bob", "GET", "/api/v2.0/projects/ships")[0] == 403


def test_nobody_removes_themselves_and_nobody_else_removes_users(browser: Browser) -> None:
    assert ask(browser, "ada", "DELETE", f"{USERS}/{id_of(browser, 'ada')}")[0] == 403
    assert ask(browser, "bob", "DELETE", f"{USERS}/{id_of(browser, 'eve')}")[0] == 403
    assert ask(browser, "", "DELETE", f"{USERS}/{id_of(browser, 'eve')}")[0] == 401


def test_a_caller_learns_what_they_may_do(browser: Browser) -> None:
    path = f"{USERS}/current/permissions"
    project = ask(browser, "bob", "GET", "/api/v2.0/projects/ships")[1]["project_id"]
    status, held = ask(browser, "bob", "GET", f"{path}?scope=/project/{project}&relative=true")
    assert status == 200
    assert {"resource": "repository", "action": "pull"} in held
    assert {"resource": "repository", "action": "push"} not in held
    absolute = ask(browser, "bob", "GET", f"{path}?scope=/project/{project}")[1]
    assert {"resource": f"/project/{project}/repository", "action": "pull"} in absolute
    assert ask(browser, "eve", "GET", f"{path}?scope=/project/{project}")[1] == []
    assert ask(browser, "bob", "GET", path)[1] == []
    assert {"resource": "/user", "action": "create"} in ask(browser, "ada", "GET", path)[1]
    assert ask(browser, "bob", "GET", f"{path}?scope=/nonsense")[0] == 400
    assert ask(browser, "", "GET", path)[0] == 401
