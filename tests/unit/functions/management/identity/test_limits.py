"""Roles and robots that are limited to repositories, over the API."""

from __future__ import annotations

from typing import Any

import pytest

from roadstead.identity.directory import Role
from tests.unit.functions.management.client import PASSWORD, Browser, Desk, basic

API, OWN = "/api/v2.0", "/api/roadstead/v1"
MEMBERS, REPOSITORIES = f"{OWN}/projects/ships/members", f"{API}/projects/ships/repositories"


@pytest.fixture
def desk() -> Desk:
    """`dan` is an administrator of `ships`, which has repositories of two teams."""
    desk = Desk()
    desk.accounts.create_user("dan", PASSWORD)
    desk.accounts.set_member("ships", "dan", Role.ADMIN)
    for repository in ("ships/team-a/web", "ships/team-a/db", "ships/team-b/web"):
        desk.push(repository, "1")
    return desk


@pytest.fixture
def browser(desk: Desk) -> Browser:
    return Browser(desk)


def ask(browser: Browser, who: str, method: str, path: str, document: Any = None) -> tuple[int, Any, dict[str, str]]:
    headers = basic(*who.split(":", 1)) if ":" in who else basic(who)
    return browser.ask(method, path, document, headers)


def limit(browser: Browser, user: str, *patterns: str, role: int = 2) -> str:
    document = {"role_id": role, "member_user": {"username": user}, "repositories": list(patterns)}
    status, _, headers = ask(browser, "dan", "POST", MEMBERS, document)
    assert status == 201
    return f"{MEMBERS}/{headers['location'].rpartition('/')[2]}"


def names(found: list[dict[str, Any]], key: str = "name") -> list[str]:
    return sorted(one[key] for one in found)


def test_a_limited_member_is_made_shown_and_changed(browser: Browser) -> None:
    path = limit(browser, "eve", "team-a/**")
    shown = ask(browser, "dan", "GET", path)[1]
    assert (shown["entity_name"], shown["role_name"], shown["repositories"]) == ("eve", "developer", ["team-a/**"])
    harbor = path.replace(OWN, API)
    assert "repositories" not in ask(browser, "dan", "GET", harbor)[1]

    assert ask(browser, "dan", "PUT", harbor, {"role_id": 4})[0] == 200  # Harbor's request says nothing of limits
    shown = ask(browser, "dan", "GET", path)[1]
    assert (shown["role_name"], shown["repositories"]) == ("maintainer", ["team-a/**"])
    assert ask(browser, "dan", "PUT", path, {"role_id": 3, "repositories": []})[0] == 200
    shown = ask(browser, "dan", "GET", path)[1]
    assert (shown["role_name"], shown["repositories"]) == ("guest", [])


@pytest.mark.parametrize("repositories", ["team-a/**", [1], ["a b"], ["{"], ["x"] * 11 + list("abcdefghijk"), None])
def test_patterns_are_checked(browser: Browser, repositories: Any) -> None:
    document = {"role_id": 2, "member_user": {"username": "eve"}, "repositories": repositories}
    assert ask(browser, "dan", "POST", MEMBERS, document)[0] == 400
    assert ask(browser, "bob", "POST", MEMBERS, document)[0] == 403


def test_a_limited_member_sees_the_repositories_that_match_and_no_others(browser: Browser) -> None:
    limit(browser, "eve", "team-a/**")
    assert names(ask(browser, "eve", "GET", f"{API}/projects")[1]) == ["open", "ships"]
    assert ask(browser, "eve", "GET", f"{API}/projects/ships")[1]["current_user_role_id"] == 0
    ours = ["ships/team-a/db", "ships/team-a/web"]
    status, listed, headers = ask(browser, "eve", "GET", REPOSITORIES)
    assert (status, names(listed), headers["x-total-count"]) == (200, ours, "2")
    assert names(ask(browser, "eve", "GET", f"{API}/repositories")[1]) == ours
    assert names(ask(browser, "eve", "GET", f"{API}/repositories?sort=-update_time")[1]) == ours
    assert names(ask(browser, "eve", "GET", f"{API}/search?q=web")[1]["repository"], "repository_name") == [ours[1]]
    assert ask(browser, "eve", "GET", f"{REPOSITORIES}/team-a%2Fweb")[0] == 200
    assert ask(browser, "eve", "GET", f"{REPOSITORIES}/team-b%2Fweb")[0] == 403
    assert ask(browser, "eve", "GET", f"{REPOSITORIES}/team-a%252Fweb/artifacts")[0] == 200
    assert ask(browser, "eve", "GET", f"{REPOSITORIES}/team-b%252Fweb/artifacts")[0] == 403
    assert ask(browser, "eve", "GET", f"{OWN}/projects/ships/repositories/team-b/web/tags")[0] == 403


def test_a_limited_administrator_administers_nothing_of_the_project(browser: Browser) -> None:
    limit(browser, "eve", "team-a/**", role=1)
    for method, path, document in (
        ("GET", f"{API}/projects/ships/members", None),
        ("PUT", f"{API}/projects/ships", {"metadata": {"public": "true"}}),
        ("POST", MEMBERS, {"role_id": 1, "member_user": {"username": "eve"}, "repositories": []}),
        ("GET", f"{API}/projects/ships/logs", None),
        ("GET", f"{OWN}/projects/ships/artifacts", None),
    ):
        assert ask(browser, "eve", method, path, document)[0] in (403, 404)


def test_a_group_is_limited_too(browser: Browser) -> None:
    group = ask(browser, "ada", "POST", f"{API}/usergroups", {"group_name": "crew", "group_type": 2})[2]["location"]
    id_ = int(group.rpartition("/")[2])
    ask(browser, "ada", "POST", f"{OWN}/usergroups/{id_}/members", {"username": "eve"})
    document = {"role_id": 3, "member_group": {"id": id_}, "repositories": ["team-b/*"]}
    status, _, headers = ask(browser, "dan", "POST", MEMBERS, document)
    assert status == 201
    path = f"{MEMBERS}/{headers['location'].rpartition('/')[2]}"
    assert ask(browser, "dan", "GET", path)[1]["repositories"] == ["team-b/*"]
    assert names(ask(browser, "eve", "GET", REPOSITORIES)[1]) == ["ships/team-b/web"]
    assert ask(browser, "dan", "PUT", path, {"role_id": 3, "repositories": ["**"]})[0] == 200
    assert len(ask(browser, "eve", "GET", REPOSITORIES)[1]) == 3


def robot(*patterns: str, name: str = "ci", actions: tuple[str, ...] = ("list", "push")) -> dict[str, Any]:
    access = [{"resource": "repository", "action": action} for action in actions]
    permission = {"kind": "project", "namespace": "ships", "access": access, "repositories": list(patterns)}
    return {"name": name, "level": "project", "duration": 1, "permissions": [permission]}


def test_a_limited_robot_is_made_and_keeps_its_limits_through_harbors_requests(browser: Browser) -> None:
    status, made, headers = ask(browser, "dan", "POST", f"{OWN}/robots", robot("team-a/**"))
    assert status == 201
    path = headers["location"]
    own = path.replace(API, OWN)
    assert ask(browser, "dan", "GET", own)[1]["permissions"][0]["repositories"] == ["team-a/**"]
    who = f"{made['name']}:{made['secret']}"
    assert names(ask(browser, who, "GET", REPOSITORIES)[1]) == ["ships/team-a/db", "ships/team-a/web"]
    assert ask(browser, who, "GET", f"{REPOSITORIES}/team-b%2Fweb")[0] == 403

    shown = ask(browser, "dan", "GET", path)[1]
    assert "repositories" not in shown["permissions"][0]
    assert ask(browser, "dan", "PUT", path, {**shown, "description": "x"})[0] == 200
    assert ask(browser, "dan", "GET", own)[1]["permissions"][0]["repositories"] == ["team-a/**"]
    widened = robot(name=made["name"])
    assert ask(browser, "dan", "PUT", own, widened)[0] == 200
    assert len(ask(browser, who, "GET", REPOSITORIES)[1]) == 3


def test_a_robot_grants_no_more_repositories_than_it_has(browser: Browser) -> None:
    makes = {"kind": "project", "namespace": "*", "access": [{"resource": "robot", "action": "create"}]}
    document = {**robot("team-a/**", "team-c/*"), "level": "system"}
    document["permissions"].append(makes)
    status, made, _ = ask(browser, "ada", "POST", f"{OWN}/robots", document)
    assert status == 201
    who = f"{made['name']}:{made['secret']}"
    assert ask(browser, who, "POST", f"{OWN}/robots", robot("team-a/**", name="part"))[0] == 201
    for patterns in ((), ("team-b/**",), ("**",), ("team-a/**", "team-b/**")):
        assert ask(browser, who, "POST", f"{OWN}/robots", robot(*patterns, name="more"))[0] == 403
    assert ask(browser, who, "POST", f"{API}/robots", robot(name="whole"))[0] == 403


def test_permissions_in_the_system_have_no_limits(browser: Browser) -> None:
    document = robot("a")
    document["level"] = "system"
    document["permissions"][0] |= {"kind": "system", "namespace": "/"}
    document["permissions"][0]["access"] = [{"resource": "user", "action": "list"}]
    assert ask(browser, "ada", "POST", f"{OWN}/robots", document)[0] == 400
