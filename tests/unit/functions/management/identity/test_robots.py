"""Robots over the API: made, changed and ended by whoever may, and calling it themselves."""

from __future__ import annotations

from typing import Any

import pytest

from roadstead.identity.directory import Role
from roadstead.identity.permissions import PROJECT_CATALOGUE, SYSTEM_CATALOGUE
from roadstead.names import ProjectName
from roadstead.trail.entries import ActorKind, Operation
from tests.unit.functions.management.client import Browser, Desk, basic

API = "/api/v2.0"
ROBOTS = f"{API}/robots"
DAY = 86_400


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


def ask(
    browser: Browser, who: str | tuple[str, str], method: str, path: str, document: Any = None
) -> tuple[int, Any, dict[str, str]]:
    """Ask as a user with the usual password, as a robot with its secret, or ("") as nobody."""
    headers = basic(who) if isinstance(who, str) else basic(*who)
    return browser.ask(method, path, document, headers if who else None)


def access(*texts: str) -> list[dict[str, str]]:
    pairs = (text.split(":") for text in texts)
    return [{"resource": resource, "action": action, "effect": "allow"} for resource, action in pairs]


def of_project(*texts: str, name: str = "ci", project: str = "ships", duration: int | None = 30) -> dict[str, Any]:
    permission = {"kind": "project", "namespace": project, "access": access(*texts or ("repository:pull",))}
    return {"name": name, "level": "project", "duration": duration, "permissions": [permission]}


def of_system(*permissions: tuple[str, str, list[str]], name: str = "ci") -> dict[str, Any]:
    return {
        "name": name,
        "level": "system",
        "duration": -1,
        "permissions": [
            {"kind": kind, "namespace": namespace, "access": access(*texts)} for kind, namespace, texts in permissions
        ],
    }


def make(browser: Browser, document: dict[str, Any], who: str | tuple[str, str] = "ada") -> tuple[str, str]:
    """Make a robot; return its name and its secret, with which it signs in."""
    status, body, _ = ask(browser, who, "POST", ROBOTS, document)
    assert status == 201, body
    return body["name"], body["secret"]


def id_of(browser: Browser, name: str, level: str = "system") -> int:
    project = ask(browser, "ada", "GET", f"{API}/projects/ships")[1]["project_id"]
    query = "" if level == "system" else f"?q=Level%3Dproject%2CProjectID%3D{project}"
    (found,) = [one for one in ask(browser, "ada", "GET", ROBOTS + query)[1] if one["name"] == name]
    return int(found["id"])


def test_a_projects_robot_is_made_listed_and_shown(browser: Browser, desk: Desk) -> None:
    document = {**of_project("repository:pull", "repository:push"), "description": "builds", "secret": "Ignored123"}
    status, created, headers = ask(browser, "dan", "POST", ROBOTS, document)
    assert status == 201
    assert set(created) == {"id", "name", "secret", "creation_time", "expires_at"}
    assert created["name"] == "robot$ships+ci"
    assert created["secret"] not in ("", "Ignored123")
    assert created["expires_at"] == int(desk.now) + 30 * DAY
    assert headers["location"] == f"/api/v2.0/robots/{created['id']}"

    status, shown, _ = ask(browser, "dan", "GET", headers["location"])
    assert (status, shown) == (
        200,
        {
            "id": created["id"],
            "name": "robot$ships+ci",
            "description": "builds",
            "level": "project",
            "duration": 30,
            "expires_at": created["expires_at"],
            "disable": False,
            "editable": True,
            "creation_time": "2027-01-15T08:00:00.000Z",
            "update_time": "2027-01-15T08:00:00.000Z",
            "permissions": [
                {
                    "kind": "project",
                    "namespace": "ships",
                    "access": access("repository:pull", "repository:push"),
                }
            ],
            "creator_type": "local",
            "creator_ref": desk.directory.find_user(desk.accounts.find_user("dan").name).id,  # type: ignore[union-attr]
        },
    )
    project = ask(browser, "ada", "GET", f"{API}/projects/ships")[1]["project_id"]
    status, listed, headers = ask(browser, "dan", "GET", f"{ROBOTS}?q=Level%3Dproject%2CProjectID%3D{project}")
    assert (status, listed, headers["x-total-count"]) == (200, [shown], "1")


def test_a_system_robot_is_listed_by_default_and_has_its_namespaces(browser: Browser) -> None:
    make(browser, of_project())
    permissions = [
        ("system", "/", ["user:list"]),
        ("project", "*", ["repository:pull"]),
        ("project", "open", ["tag:delete"]),
    ]
    make(browser, of_system(*permissions))
    status, (shown,), _ = ask(browser, "ada", "GET", ROBOTS)
    assert (status, shown["level"], shown["expires_at"], shown["duration"]) == (200, "system", -1, -1)
    assert [(one["kind"], one["namespace"]) for one in shown["permissions"]] == [one[:2] for one in permissions]
    assert ask(browser, "ada", "GET", f"{ROBOTS}?q=Level%3Dsystem")[1] == [shown]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("q=Level%3Dproject", 400),
        ("q=Level%3Dproject%2CProjectID%3Dx", 400),
        ("q=Level%3Dproject%2CProjectID%3D99", 404),
        ("q=Level%3Dnone", 400),
        ("page_size=101", 422),
    ],
)
def test_a_wrong_list_is_refused(browser: Browser, query: str, status: int) -> None:
    assert ask(browser, "ada", "GET", f"{ROBOTS}?{query}")[0] == status


def test_robots_are_filtered_sorted_and_paged(browser: Browser) -> None:
    for name in ("beta", "alpha", "gamma"):
        make(browser, of_system(("project", "*", ["repository:pull"]), name=name))
    names = [one["name"] for one in ask(browser, "ada", "GET", f"{ROBOTS}?page_size=2")[1]]
    assert names == ["robot$alpha", "robot$beta"]
    names = [one["name"] for one in ask(browser, "ada", "GET", f"{ROBOTS}?q=name%3D~MM&sort=-name")[1]]
    assert names == ["robot$gamma"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "CI"}, 400),
        ({"name": "a+b"}, 400),
        ({"name": "x" * 65}, 400),
        ({"name": None}, 400),
        ({"level": "galaxy"}, 400),
        ({"duration": 0}, 400),
        ({"duration": -2}, 400),
        ({"duration": 2**31}, 400),
        ({"duration": True}, 400),
        ({"duration": None}, 400),
        ({"disable": "yes"}, 400),
        ({"description": "x" * 1_025}, 400),
        ({"permissions": []}, 400),
        ({"permissions": "all"}, 400),
        ({"permissions": ["all"]}, 400),
        ({"permissions": of_project()["permissions"] * 2}, 400),
        ({"permissions": [{"kind": "project", "namespace": "ships", "access": []}]}, 400),
        ({"permissions": [{"kind": "project", "namespace": "ships", "access": ["pull"]}]}, 400),
        ({"permissions": [{"kind": "project", "namespace": "Ships", "access": access("tag:list")}]}, 400),
        ({"permissions": [{"kind": "galaxy", "namespace": "ships", "access": access("tag:list")}]}, 400),
        ({"permissions": [{"kind": "project", "namespace": "*", "access": access("tag:list")}]}, 400),
        ({"permissions": [{"kind": "system", "namespace": "/", "access": access("user:list")}]}, 400),
        ({"permissions": [{"kind": "project", "namespace": "ships", "access": access("user:list")}]}, 400),
        ({"permissions": [{"kind": "project", "namespace": "ships", "access": access("scan:create")}]}, 400),
        (
            {
                "permissions": [
                    {
                        "kind": "project",
                        "namespace": "ships",
                        "access": [{"resource": "tag", "action": "list", "effect": "deny"}],
                    }
                ]
            },
            400,
        ),
        ({"permissions": [{"kind": "project", "namespace": "absent", "access": access("tag:list")}]}, 404),
    ],
)
def test_a_wrong_robot_is_refused(browser: Browser, change: dict[str, Any], status: int) -> None:
    code, body, _ = ask(browser, "ada", "POST", ROBOTS, {**of_project(), **change})
    assert (code, len(body["errors"])) == (status, 1)


def test_a_name_is_taken_once_in_its_project(browser: Browser) -> None:
    make(browser, of_project())
    assert ask(browser, "dan", "POST", ROBOTS, of_project())[0] == 409
    make(browser, of_project(project="open"))
    make(browser, of_system(("project", "*", ["tag:list"])))


@pytest.mark.parametrize(("who", "status"), [("bob", 403), ("eve", 403), ("", 401)])
def test_only_administrators_make_and_see_robots(browser: Browser, who: str, status: int) -> None:
    make(browser, of_system(("project", "*", ["tag:list"])))
    id_ = id_of(browser, "robot$ci")
    assert ask(browser, who, "POST", ROBOTS, of_project())[0] == status
    assert ask(browser, who, "POST", ROBOTS, of_system(("project", "*", ["tag:list"])))[0] == status
    assert ask(browser, who, "GET", ROBOTS)[0] == status
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        document = of_system(("project", "*", ["tag:list"])) if method == "PUT" else {}
        assert ask(browser, who, method, f"{ROBOTS}/{id_}", document)[0] == status
        assert ask(browser, who, method, f"{ROBOTS}/999", document)[0] == status


def test_a_projects_administrator_has_no_system_robots(browser: Browser) -> None:
    make(browser, of_system(("project", "ships", ["tag:list"])))
    id_ = id_of(browser, "robot$ci")
    assert ask(browser, "dan", "POST", ROBOTS, of_system(("project", "ships", ["tag:list"]), name="x"))[0] == 403
    assert ask(browser, "dan", "DELETE", f"{ROBOTS}/{id_}")[0] == 403
    assert ask(browser, "dan", "POST", ROBOTS, of_project(project="open"))[0] == 403


def test_a_guest_sees_the_robots_of_the_project_and_changes_none(browser: Browser) -> None:
    make(browser, of_project())
    id_ = id_of(browser, "robot$ships+ci", "project")
    assert ask(browser, "bob", "GET", f"{ROBOTS}/{id_}")[0] == 200
    for method, document in (("PUT", of_project(name="robot$ships+ci")), ("PATCH", {}), ("DELETE", None)):
        assert ask(browser, "bob", method, f"{ROBOTS}/{id_}", document)[0] == 403


def test_a_change_repeats_the_level_and_the_full_name(browser: Browser, desk: Desk) -> None:
    make(browser, of_project())
    path = f"{ROBOTS}/{id_of(browser, 'robot$ships+ci', 'project')}"
    desk.now += DAY
    changed = {**of_project("tag:list", name="robot$ships+ci", duration=-1), "disable": True, "description": "off"}
    assert ask(browser, "dan", "PUT", path, {**changed, "name": "ci"})[0] == 400
    assert ask(browser, "ada", "PUT", path, {**changed, "level": "system"})[0] == 400
    assert ask(browser, "dan", "PUT", path, {**changed, "permissions": of_project(project="open")["permissions"]})[
        0
    ] == (400)
    assert ask(browser, "dan", "PUT", path, changed)[0] == 200
    shown = ask(browser, "dan", "GET", path)[1]
    assert (shown["disable"], shown["description"], shown["expires_at"]) == (True, "off", -1)
    assert shown["permissions"][0]["access"] == access("tag:list")
    assert (shown["creation_time"], shown["update_time"]) == ("2027-01-15T08:00:00.000Z", "2027-01-16T08:00:00.000Z")
    assert ask(browser, "dan", "PUT", path, {**changed, "duration": None})[0] == 200
    assert ask(browser, "dan", "GET", path)[1]["duration"] == -1


def test_another_secret_is_shown_once_if_it_is_generated(browser: Browser) -> None:
    robot, first = make(browser, of_project("project:read"))
    path = f"{ROBOTS}/{id_of(browser, robot, 'project')}"
    status, body, _ = ask(browser, "dan", "PATCH", path, {})
    assert (status, set(body)) == (200, {"secret"})
    assert ask(browser, (robot, first), "GET", f"{API}/projects/ships")[0] == 401
    assert ask(browser, (robot, body["secret"]), "GET", f"{API}/projects/ships")[0] == 200
    assert ask(browser, "dan", "PATCH", path, {"secret": "Chosen123"})[1] == {"secret": ""}
    assert ask(browser, (robot, "Chosen123"), "GET", f"{API}/projects/ships")[0] == 200
    for weak in ("short1A", "nouppercase1", "Aa1" + "x" * 126):
        assert ask(browser, "dan", "PATCH", path, {"secret": weak})[0] == 400


def test_a_removed_robot_is_gone(browser: Browser) -> None:
    robot, secret = make(browser, of_project("project:read"))
    path = f"{ROBOTS}/{id_of(browser, robot, 'project')}"
    assert ask(browser, "dan", "DELETE", path)[0] == 200
    assert ask(browser, "dan", "DELETE", path)[0] == 403
    assert ask(browser, "ada", "GET", path)[0] == 404
    assert ask(browser, (robot, secret), "GET", f"{API}/projects/ships")[0] == 401


def test_the_catalogue_of_the_system_is_for_those_who_make_system_robots(browser: Browser) -> None:
    ada = ask(browser, "ada", "GET", f"{API}/permissions")[1]
    assert len(ada["system"]) == len(SYSTEM_CATALOGUE)
    assert len(ada["project"]) == len(PROJECT_CATALOGUE)
    assert {"resource": "repository", "action": "push"} in ada["project"]
    assert set(ask(browser, "dan", "GET", f"{API}/permissions")[1]) == {"project"}
    assert ask(browser, "", "GET", f"{API}/permissions")[0] == 401


# What robots themselves may do


def test_a_robot_does_what_its_permissions_say_and_nothing_else(browser: Browser) -> None:
    robot = make(browser, of_project("project:read", "member:list"))
    assert ask(browser, robot, "GET", f"{API}/projects/ships")[0] == 200
    assert ask(browser, robot, "GET", f"{API}/projects/ships/members")[0] == 200
    assert ask(browser, robot, "POST", f"{API}/projects/ships/members", {})[0] == 403
    assert ask(browser, robot, "GET", f"{API}/projects/ships/metadatas")[0] == 403
    assert ask(browser, robot, "GET", f"{API}/projects/absent")[0] == 403
    assert ask(browser, robot, "GET", f"{API}/users")[0] == 403
    assert ask(browser, robot, "GET", f"{API}/users/current")[0] == 412
    names = [one["name"] for one in ask(browser, robot, "GET", f"{API}/projects")[1]]
    assert names == ["open", "ships"]


def test_a_system_robot_uses_its_permissions_in_the_system(browser: Browser, desk: Desk) -> None:
    robot = make(browser, of_system(("system", "/", ["user:list", "project:create", "project:list"])))
    assert ask(browser, robot, "GET", f"{API}/users")[0] == 200
    assert ask(browser, robot, "POST", f"{API}/users", {"username": "kim"})[0] == 403
    assert ask(browser, robot, "PUT", f"{API}/users/1/sysadmin", {"sysadmin_flag": True})[0] == 403
    assert ask(browser, robot, "PUT", f"{API}/users/current/password", {"new_password": "x"})[0] == 403
    assert ask(browser, robot, "POST", f"{API}/projects", {"project_name": "new"})[0] == 201
    assert desk.directory.list_members(ProjectName("new")) == ()
    names = [one["name"] for one in ask(browser, robot, "GET", f"{API}/projects")[1]]
    assert names == ["new", "open", "ships"]
    assert ask(browser, robot, "GET", f"{API}/projects/ships")[0] == 403


def test_a_disabled_expired_or_orphaned_robot_is_refused(browser: Browser, desk: Desk) -> None:
    robot = make(browser, of_project("project:read", duration=1))
    path = f"{ROBOTS}/{id_of(browser, robot[0], 'project')}"
    changed = of_project("project:read", name=robot[0], duration=1)
    assert ask(browser, "dan", "PUT", path, {**changed, "disable": True})[0] == 200
    assert ask(browser, robot, "GET", f"{API}/projects/ships")[0] == 401
    assert ask(browser, "dan", "PUT", path, changed)[0] == 200
    assert ask(browser, robot, "GET", f"{API}/projects/ships")[0] == 200
    desk.now += DAY
    assert ask(browser, robot, "GET", f"{API}/projects/ships")[0] == 401
    desk.now -= DAY
    del desk.directory._projects[ProjectName("ships")]
    desk.accounts.create_project("ships")
    assert ask(browser, robot, "GET", f"{API}/projects/ships")[0] == 401
    project = ask(browser, "ada", "GET", f"{API}/projects/ships")[1]["project_id"]
    assert ask(browser, "ada", "GET", f"{ROBOTS}?q=Level%3Dproject%2CProjectID%3D{project}")[1] == []
    make(browser, of_project("project:read"))


def test_a_robot_begins_no_session(browser: Browser) -> None:
    name, secret = make(browser, of_project())
    assert browser.sign_in(name, secret) == 401


def test_a_robot_that_makes_robots_grants_a_part_of_what_it_has(browser: Browser) -> None:
    maker = make(browser, of_project("robot:create", "repository:push", "tag:list"))
    make(browser, of_project("repository:pull", "repository:push", name="a"), maker)
    make(browser, of_project("robot:create", name="b"), maker)
    for more in ("tag:delete", "member:create", "robot:delete"):
        assert ask(browser, maker, "POST", ROBOTS, of_project("tag:list", more, name="c"))[0] == 403
    assert ask(browser, maker, "POST", ROBOTS, of_project("tag:list", name="c", project="open"))[0] == 403
    shown = ask(browser, "dan", "GET", f"{ROBOTS}/{id_of(browser, 'robot$ships+a', 'project')}")[1]
    assert (shown["creator_type"], shown["creator_ref"]) == ("robot", id_of(browser, maker[0], "project"))


def test_a_system_robot_grants_every_project_only_if_it_has_every_project(browser: Browser) -> None:
    create = ("system", "/", ["robot:create"])
    one = make(browser, of_system(create, ("project", "ships", ["tag:list"]), name="one"))
    every = make(browser, of_system(create, ("project", "*", ["tag:list"]), name="every"))
    star = of_system(("project", "*", ["tag:list"]), name="x")
    assert ask(browser, one, "POST", ROBOTS, star)[0] == 403
    make(browser, of_system(("project", "ships", ["tag:list"]), name="y"), one)
    make(browser, star, every)
    make(browser, of_system(("project", "open", ["tag:list"]), name="z"), every)
    assert ask(browser, every, "POST", ROBOTS, of_system(("system", "/", ["user:list"]), name="w"))[0] == 403


def test_no_robot_refreshes_or_changes_robots(browser: Browser) -> None:
    robot = make(browser, of_project("robot:create", "robot:read", "robot:list", "robot:delete"))
    path = f"{ROBOTS}/{id_of(browser, robot[0], 'project')}"
    assert ask(browser, robot, "GET", path)[0] == 200
    assert ask(browser, robot, "PATCH", path, {})[0] == 403
    assert ask(browser, robot, "PUT", path, of_project("robot:create", name=robot[0]))[0] == 403


def test_every_change_leaves_one_event_without_the_secret(browser: Browser, desk: Desk) -> None:
    robot = make(browser, of_project("robot:create", "robot:delete"))
    made = make(browser, of_project("robot:delete", name="made"), robot)
    path = f"{ROBOTS}/{id_of(browser, made[0], 'project')}"
    secret = ask(browser, "dan", "PATCH", path, {})[1]["secret"]
    ask(browser, "dan", "PUT", path, of_project("tag:list", name=made[0]))
    ask(browser, robot, "DELETE", path)
    events = [(event.operation, event.user, event.actor.name, event.actor.kind) for event in desk.directory.events]
    assert events == [
        (Operation.CREATE_ROBOT, "robot$ships+ci", "ada", ActorKind.USER),
        (Operation.CREATE_ROBOT, "robot$ships+made", "robot$ships+ci", ActorKind.ROBOT),
        (Operation.CHANGE_ROBOT_SECRET, "robot$ships+made", "dan", ActorKind.USER),
        (Operation.CHANGE_ROBOT, "robot$ships+made", "dan", ActorKind.USER),
        (Operation.DELETE_ROBOT, "robot$ships+made", "robot$ships+ci", ActorKind.ROBOT),
    ]
    assert {event.project for event in desk.directory.events} == {"ships"}
    assert desk.directory.events[-1].actor.id == id_of(browser, robot[0], "project")
    assert desk.directory.events[3].detail.endswith("duration=30 disabled=false project:ships=tag:list")
    for hidden in (robot[1], made[1], secret):
        assert hidden not in repr(desk.directory.events)


GITHUB = "https://token.actions.githubusercontent.com"
TRUST = {"rules": [{"issuer": GITHUB, "audience": "registry", "claims": {"repository": "acme/ships"}}]}


def _trust_of_a_robot(browser: Browser) -> str:
    document = {
        "name": "keyless",
        "level": "project",
        "duration": 30,
        "permissions": [
            {"kind": "project", "namespace": "ships", "access": [{"resource": "repository", "action": "pull"}]}
        ],
    }
    status, made, _ = browser.ask("POST", "/api/v2.0/robots", document, basic("ada"))
    assert status == 201
    return f"/api/roadstead/v1/robots/{made['id']}/trust"


def test_the_rules_of_a_robot_are_set_shown_and_told() -> None:
    desk = Desk()
    browser = Browser(desk)
    path = _trust_of_a_robot(browser)
    assert browser.ask("GET", path, None, basic("ada"))[:2] == (200, {"rules": []})
    events = len(desk.directory.events)
    assert browser.ask("PUT", path, TRUST, basic("ada"))[0] == 200
    assert browser.ask("GET", path, None, basic("ada"))[:2] == (200, TRUST)
    (event,) = desk.directory.events[events:]
    assert event.detail.endswith(f"trust issuer={GITHUB} repository=acme/ships")
    assert browser.ask("PUT", path, {"rules": []}, basic("ada"))[0] == 200
    assert browser.ask("GET", path, None, basic("ada"))[1] == {"rules": []}


def test_a_rule_for_aws_is_set_and_told() -> None:
    desk = Desk()
    browser = Browser(desk)
    path = _trust_of_a_robot(browser)
    rule = {"issuer": "aws", "audience": "registry", "claims": {"arn": "arn:aws:iam::123456789012:role/ci"}}
    assert browser.ask("PUT", path, {"rules": [rule]}, basic("ada"))[0] == 200
    assert browser.ask("GET", path, None, basic("ada"))[1] == {"rules": [rule]}
    assert desk.directory.events[-1].detail.endswith("trust issuer=aws arn=arn:aws:iam::123456789012:role/ci")


def test_the_rules_of_a_robot_are_for_whoever_may_change_it() -> None:
    browser = Browser(Desk())
    path = _trust_of_a_robot(browser)
    assert browser.ask("PUT", path, TRUST)[0] == 401
    assert browser.ask("PUT", path, TRUST, basic("bob"))[0] == 403
    assert browser.ask("GET", path, None, basic("eve"))[0] == 403


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"rules": {}},
        {"rules": [1]},
        {"rules": [{"issuer": GITHUB, "audience": "x"}]},
        {"rules": [{"issuer": "https://evil.example", "audience": "x", "claims": {"sub": "y"}}]},
        {"rules": [{"issuer": GITHUB, "audience": "x", "claims": {"ref": "y"}}]},
        {"rules": [{"issuer": GITHUB, "audience": "x", "claims": {"sub": "*"}}]},
        {"rules": [{"issuer": "aws", "audience": "x", "claims": {"arn": "arn:aws:iam::*:role/ci"}}]},
        {"rules": [{"issuer": "aws", "audience": "x", "claims": {"sub": "arn:aws:iam::123456789012:role/ci"}}]},
        {"rules": TRUST["rules"] * 21},
    ],
)
def test_rules_that_let_too_many_in_are_a_bad_request(document: dict[str, Any]) -> None:
    browser = Browser(Desk())
    path = _trust_of_a_robot(browser)
    assert browser.ask("PUT", path, document, basic("ada"))[0] == 400
