"""Every route, for every kind of caller: who is let through to the handler, and who is refused before it runs.

What a role may do is the table of test_roles.py; this holds every row of the route table to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.management.authorization import authorize
from functions.management.errors import ManagementCode, ManagementError
from functions.management.route import Anybody, InProject, Nothing, Person, Route, SignedIn, SystemAdmin
from functions.management.routes import ROUTES, match
from roadstead.http import Request
from roadstead.identity.directory import Role
from roadstead.identity.permissions import PROJECT_CATALOGUE, SYSTEM_CATALOGUE, Action, Permission
from roadstead.identity.roles import PERMISSIONS
from tests.unit.functions.management.client import PASSWORD, Browser, Desk, basic

_READING = {Action.READ, Action.LIST, Action.PULL}


@dataclass
class Caller:
    """`project` is what the caller may do in `ships`, where the path names a repository that matches every pattern."""

    headers: dict[str, str]
    project: frozenset[Permission] = frozenset()
    system: frozenset[Permission] = frozenset()
    whole: bool = True  # whether the rights are in the whole project
    signed_in: bool = True
    admin: bool = False
    person: bool = True
    reads_only: bool = False
    seen: frozenset[Permission] = field(default_factory=frozenset)  # in the whole project, with limited rights


@pytest.fixture(scope="module")
def desk() -> Desk:
    desk = Desk()
    for role in Role:
        desk.accounts.create_user(f"the-{role}", PASSWORD)
        desk.accounts.set_member("ships", f"the-{role}", role)
    desk.accounts.create_user("limited", PASSWORD)
    desk.accounts.set_member("ships", "limited", Role.ADMIN, ("team/**",))
    return desk


@pytest.fixture(scope="module")
def callers(desk: Desk) -> dict[str, Caller]:
    browser = Browser(desk)

    def robot(name: str, *permissions: dict[str, Any]) -> dict[str, str]:
        document = {"name": name, "level": "system", "duration": -1, "permissions": list(permissions)}
        status, made, _ = browser.ask("POST", "/api/v2.0/robots", document, basic("ada"))
        assert status == 201, made
        return basic(made["name"], made["secret"])

    def access(catalogue: tuple[Permission, ...]) -> list[dict[str, str]]:
        return [{"resource": str(one.resource), "action": str(one.action)} for one in catalogue]

    def token(user: str, level: str) -> dict[str, str]:
        new = {"name": level, "access": level, "duration": -1}
        status, made, _ = browser.ask("POST", "/api/roadstead/v1/users/current/tokens", new, basic(user))
        assert status == 201, made
        return {"Authorization": f"Bearer {made['token']}"}

    in_system = {"kind": "system", "namespace": "/", "access": access(SYSTEM_CATALOGUE)}
    in_ships = {"kind": "project", "namespace": "ships", "access": access(PROJECT_CATALOGUE)}
    admin = PERMISSIONS[Role.ADMIN]
    seen = frozenset(
        Permission.parse(*text.split(":"))
        for text in (
            "project:read", "quota:read", "configuration:read", "label:read", "label:list", "repository:list",
        )
    )  # fmt: skip
    return {
        "nobody": Caller({}, signed_in=False, person=False),
        "stranger": Caller(basic("eve")),
        **{str(role): Caller(basic(f"the-{role}"), PERMISSIONS[role]) for role in Role},
        "administrator of one team": Caller(basic("limited"), admin, whole=False, seen=seen),
        "system administrator": Caller(basic("ada"), admin, admin=True),
        "robot of the system": Caller(robot("system", in_system), system=frozenset(SYSTEM_CATALOGUE), person=False),
        "robot in the project": Caller(robot("ships", in_ships), frozenset(PROJECT_CATALOGUE), person=False),
        "reading token": Caller(token("the-admin", "read"), admin, person=False, reads_only=True),
        "writing token": Caller(token("the-admin", "write"), admin, person=False),
        "writing token of a system administrator": Caller(token("ada", "write"), person=False),
        "token for administration": Caller(token("ada", "admin"), admin, admin=True, person=False),
    }


def may(caller: Caller, route: Route) -> bool:
    """What the route's row says of the caller."""
    if isinstance(route.needs, Nothing):
        return True
    if caller.reads_only and route.method not in ("GET", "HEAD"):
        return False
    match route.needs:
        case Anybody():
            return True
        case SignedIn():
            return caller.signed_in
        case Person():
            return caller.person
        case SystemAdmin(permission):
            return caller.admin or (permission is not None and permission in caller.system)
        case InProject(permission):
            if caller.admin:
                return True
            if caller.reads_only and permission.action not in _READING:
                return False
            on_repository = "repository" in route.template.parameters
            return permission in (caller.project if caller.whole or on_repository else caller.seen)
    raise AssertionError(route.needs)


def path_of(route: Route) -> str:
    values = {"project": "ships", "project_name": "ships", "repository": "team%252Fweb"}
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], "1"), route.template.text)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_a_caller_reaches_the_handler_exactly_if_the_row_says_so(
    desk: Desk, callers: dict[str, Caller], route: Route
) -> None:
    for name, caller in callers.items():
        headers = tuple((key.lower(), value) for key, value in caller.headers.items())
        request = Request(route.method, path_of(route), (), headers, host="registry.example", scheme="https")
        found = match(route.method, request.path)
        assert found.route.operation == route.operation
        try:
            authorize(desk.services, request, found)
            reached = True
        except ManagementError as error:
            reached = False
            expected = ManagementCode.FORBIDDEN if caller.signed_in else ManagementCode.UNAUTHORIZED
            assert error.code is expected, name
        assert reached is may(caller, route), name
