"""Personal access tokens over the API: made, listed and revoked, and what a call with one may do."""

from __future__ import annotations

from typing import Any

import pytest

from roadstead.identity.directory import Role
from roadstead.names import ProjectName
from tests.unit.functions.management.client import PASSWORD, Browser, Desk, basic

API, OWN = "/api/v2.0", "/api/roadstead/v1"
TOKENS = f"{OWN}/users/current/tokens"
NEW = {"name": "laptop", "access": "write", "duration": 30}


@pytest.fixture
def desk() -> Desk:
    """`dan` is an administrator of `ships` and of `cargo`."""
    desk = Desk()
    desk.accounts.create_user("dan", PASSWORD)
    desk.accounts.create_project("cargo")
    for project in ("ships", "cargo"):
        desk.accounts.set_member(project, "dan", Role.ADMIN)
    return desk


@pytest.fixture
def browser(desk: Desk) -> Browser:
    return Browser(desk)


def ask(browser: Browser, who: str, method: str, path: str, document: Any = None) -> tuple[int, Any, dict[str, str]]:
    """Ask by the usual password; as `user:token` by Basic, as a token alone by Bearer."""
    if who.startswith("rst_"):
        headers = {"Authorization": f"Bearer {who}"}
    elif ":" in who:
        headers = basic(*who.split(":", 1))
    else:
        headers = basic(who) if who else {}
    return browser.ask(method, path, document, headers)


def make(browser: Browser, who: str = "dan", **changed: Any) -> str:
    status, body, _ = ask(browser, who, "POST", TOKENS, {**NEW, **changed})
    assert status == 201, body
    return str(body["token"])


def test_a_token_is_made_listed_and_revoked(browser: Browser, desk: Desk) -> None:
    status, made, headers = ask(browser, "dan", "POST", TOKENS, {**NEW, "projects": ["ships"]})
    token = made.pop("token")
    assert (status, made) == (
        201,
        {
            "id": made["id"],
            "name": "laptop",
            "access": "write",
            "projects": ["ships"],
            "creation_time": "2027-01-15T08:00:00.000Z",
            "expires_at": int(desk.now) + 30 * 86_400,
            "last_used": None,
        },
    )
    assert headers["location"] == f"{TOKENS}/{made['id']}"
    assert ask(browser, token, "GET", f"{API}/users/current")[1]["username"] == "dan"
    used = {**made, "last_used": "2027-01-15T08:00:00.000Z"}
    assert ask(browser, "dan", "GET", TOKENS)[1] == [used]
    assert ask(browser, "dan", "DELETE", f"{TOKENS}/{made['id']}")[0] == 200
    assert ask(browser, "dan", "DELETE", f"{TOKENS}/{made['id']}")[0] == 404
    assert ask(browser, "dan", "GET", TOKENS)[1] == []
    assert ask(browser, token, "GET", f"{API}/users/current")[0] == 401


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"access": "all"}, 400),
        ({"access": None}, 400),
        ({"access": "admin"}, 400),
        ({"duration": None}, 400),
        ({"duration": True}, 400),
        ({"duration": 0}, 400),
        ({"duration": 3_651}, 400),
        ({"name": ""}, 400),
        ({"name": None}, 400),
        ({"projects": "ships"}, 400),
        ({"projects": ["Ships"]}, 400),
        ({"projects": ["absent"]}, 400),
        ({"projects": ["ships"] * 41}, 400),
        ({"name": "taken"}, 409),
        ({"duration": -1}, 201),
    ],
)
def test_a_new_token_is_checked(browser: Browser, change: dict[str, Any], status: int) -> None:
    make(browser, name="taken")
    assert ask(browser, "dan", "POST", TOKENS, {**NEW, **change})[0] == status


def test_a_token_comes_by_bearer_or_basic(browser: Browser) -> None:
    token = make(browser)
    for who, status in ((token, 200), (f"dan:{token}", 200), (f":{token}", 200), (f"eve:{token}", 401)):
        assert ask(browser, who, "GET", f"{API}/users/current")[0] == status
    assert ask(browser, token[:-1], "GET", f"{API}/users/current")[0] == 401
    assert browser.ask("GET", f"{API}/users/current", None, {"Authorization": "Bearer abc"})[0] == 401


def test_a_token_for_reading_changes_nothing(browser: Browser) -> None:
    token = make(browser, access="read")
    assert ask(browser, token, "GET", f"{API}/projects/ships/members")[0] == 200
    assert ask(browser, token, "PUT", f"{API}/projects/ships", {"metadata": {"public": "true"}})[0] == 403
    assert ask(browser, token, "POST", f"{API}/robots", {})[0] == 403
    assert ask(browser, token, "DELETE", f"{OWN}/session")[0] == 403


def test_a_token_for_a_project_sees_and_changes_that_one(browser: Browser) -> None:
    token = make(browser, projects=["ships"])
    assert ask(browser, token, "PUT", f"{API}/projects/ships", {"metadata": {"public": "false"}})[0] == 200
    assert ask(browser, token, "GET", f"{API}/projects/cargo")[0] == 403
    assert [one["name"] for one in ask(browser, token, "GET", f"{API}/projects")[1]] == ["open", "ships"]
    assert [one["name"] for one in ask(browser, "dan", "GET", f"{API}/projects")[1]] == ["cargo", "open", "ships"]
    robot = {
        "name": "ci",
        "level": "project",
        "duration": 1,
        "permissions": [{"kind": "project", "namespace": "cargo", "access": [{"resource": "tag", "action": "list"}]}],
    }
    assert ask(browser, token, "POST", f"{API}/robots", robot)[0] == 403
    assert ask(browser, make(browser, name="all"), "POST", f"{API}/robots", robot)[0] == 201


def test_a_token_is_for_administration_only_if_it_says_so(browser: Browser) -> None:
    writing, admin = make(browser, "ada"), make(browser, "ada", access="admin", name="admin")
    assert ask(browser, writing, "GET", f"{API}/users")[0] == 403
    assert ask(browser, writing, "GET", f"{API}/projects/ships")[0] == 403
    assert ask(browser, admin, "GET", f"{API}/users")[0] == 200
    assert ask(browser, admin, "GET", f"{API}/projects/ships")[0] == 200


def test_no_token_makes_lists_or_revokes_tokens_of_its_user(browser: Browser) -> None:
    token = make(browser, "ada", access="admin")
    assert ask(browser, token, "POST", TOKENS, NEW)[0] == 403
    assert ask(browser, token, "GET", TOKENS)[0] == 403
    assert ask(browser, token, "DELETE", f"{TOKENS}/x")[0] == 403
    assert ask(browser, "", "GET", TOKENS)[0] == 401


def test_an_administrator_lists_and_revokes_anybodys(browser: Browser, desk: Desk) -> None:
    tokens = [make(browser, name=name) for name in ("one", "two", "three")]
    dan = desk.accounts.find_user("dan")
    assert dan is not None
    path = f"{OWN}/users/{dan.id}/tokens"
    listed = ask(browser, "ada", "GET", path)[1]
    assert [one["name"] for one in listed] == ["one", "three", "two"]
    assert ask(browser, "eve", "GET", path)[0] == 403
    assert ask(browser, "ada", "DELETE", f"{path}/{listed[0]['id']}")[0] == 200
    assert ask(browser, tokens[0], "GET", f"{API}/users/current")[0] == 401
    assert ask(browser, tokens[1], "GET", f"{API}/users/current")[0] == 200
    assert ask(browser, "ada", "DELETE", path)[0] == 200
    assert [ask(browser, token, "GET", f"{API}/users/current")[0] for token in tokens] == [401] * 3
    assert ask(browser, "ada", "DELETE", f"{OWN}/users/999/tokens")[0] == 404


def test_a_session_makes_tokens_and_a_robot_none(browser: Browser) -> None:
    assert browser.sign_in("dan") == 201
    assert browser.ask("GET", TOKENS)[0] == 200  # which brings the CSRF token
    assert browser.ask("POST", TOKENS, NEW)[0] == 201


def test_a_limited_token_creates_no_project(browser: Browser, desk: Desk) -> None:
    token = make(browser, projects=["ships"])
    assert ask(browser, token, "POST", f"{API}/projects", {"project_name": "new"})[0] == 403
    assert desk.directory.find_project(ProjectName("new")) is None
