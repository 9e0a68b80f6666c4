"""What ends with an administrator's rights, a membership, a password, a project, and what stays.

That an account which ended is worth nothing by any way in is in test_every_way_in.py. A registry token that was issued
before is signed and asks nobody, so it lives until it expires, at most half an hour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import pytest

from roadstead.identity.directory import Role, UserName
from roadstead.identity.sign_in.ways_in import Credentials, Refresh
from roadstead.identity.tokens.jose import TOKEN_LIFETIME
from roadstead.identity.tokens.refresh_tokens import refresh_token_user
from roadstead.identity.tokens.tokens import TokenRefused
from tests.unit.functions.management.client import PASSWORD, Browser, Desk, basic
from tests.unit.identity.parts import Clock, Harbour

API, OWN = "/api/v2.0", "/api/roadstead/v1"
DAN, SCOPE = "dan", "repository:ships/a:pull,push"


@dataclass
class Registry:
    """The management API and the token function on one store. `dan` administers `ships`, and the system as `crew`."""

    desk: Desk
    tokens: Harbour
    crew: int = 0

    def api(self, headers: dict[str, str], path: str) -> int:
        return Browser(self.desk).ask("GET", path, None, headers)[0]

    def granted(self, credentials: Credentials) -> set[str]:
        """The actions that a new registry token has in `ships`; none where no token is issued."""
        self.tokens.clock.now = self.desk.now
        try:
            return self.tokens.granted(credentials, SCOPE)["ships/a"]
        except TokenRefused:
            return set()


@dataclass
class Way:
    """One way in: its headers at the API, and its credentials at the token endpoint, as far as it has them."""

    headers: Callable[[], dict[str, str]] | None = None
    credentials: Credentials = None
    session: Browser | None = None


@pytest.fixture
def registry() -> Registry:
    desk = Desk()
    desk.accounts.create_user(DAN, PASSWORD)
    desk.accounts.set_member("ships", DAN, Role.ADMIN)
    ada = Browser(desk)
    group = {"group_name": "crew", "group_type": 2}
    location = ada.ask("POST", f"{API}/usergroups", group, basic("ada"))[2]["location"]
    crew = int(location.rpartition("/")[2])
    ada.ask("POST", f"{OWN}/usergroups/{crew}/members", {"username": DAN}, basic("ada"))
    ada.ask("PUT", f"{OWN}/usergroups/{crew}/admin", {"admin": True}, basic("ada"))
    harbour = Harbour(hasher=cast(Any, desk.services.hasher), store=desk.directory, clock=Clock(desk.now))
    return Registry(desk, harbour, crew)


def ways(registry: Registry) -> dict[str, Way]:
    """Come in by every way that a user has, before anything ends."""
    browser = Browser(registry.desk)
    new = {"name": "laptop", "access": "admin", "duration": -1}
    token = browser.ask("POST", f"{OWN}/users/current/tokens", new, basic(DAN))[1]["token"]
    session = Browser(registry.desk)
    assert session.sign_in(DAN) == 201
    password = registry.tokens.tokens.credentials(DAN, PASSWORD)
    refresh = registry.tokens.issue(password, offline=True).refresh_token or ""
    assert refresh_token_user(refresh) == DAN
    return {
        "password": Way(lambda: basic(DAN), password),
        "bearer": Way(lambda: {"Authorization": f"Bearer {token}"}, registry.tokens.tokens.credentials("", token)),
        "access token as password": Way(lambda: basic(DAN, token), registry.tokens.tokens.credentials(DAN, token)),
        "refresh token": Way(None, Refresh(refresh)),
        "session": Way(session=session),
    }


def come_in(registry: Registry, way: Way, path: str) -> int | None:
    """The status at the API, or None for a way that is not for the API."""
    if way.session is not None:
        return way.session.ask("GET", path)[0]
    return registry.api(way.headers(), path) if way.headers is not None else None


def remove(registry: Registry) -> None:
    registry.desk.accounts.remove_user(DAN)


def demote(registry: Registry) -> None:
    ada = Browser(registry.desk)
    assert ada.ask("PUT", f"{OWN}/usergroups/{registry.crew}/admin", {"admin": False}, basic("ada"))[0] == 200


def leave(registry: Registry) -> None:
    path = f"{OWN}/usergroups/{registry.crew}/members/{DAN}"
    assert Browser(registry.desk).ask("DELETE", path, None, basic("ada"))[0] == 200


def remove_group(registry: Registry) -> None:
    path = f"{API}/usergroups/{registry.crew}"
    assert Browser(registry.desk).ask("DELETE", path, None, basic("ada"))[0] == 200


@pytest.mark.parametrize("end", [demote, leave, remove_group])
def test_a_demoted_administrator_administers_nothing_by_any_way_in(
    registry: Registry, end: Callable[[Registry], None]
) -> None:
    every = ways(registry)
    for name, way in every.items():
        assert come_in(registry, way, f"{API}/users") in (200, None), name
    end(registry)
    for name, way in every.items():
        assert come_in(registry, way, f"{API}/users") in (403, None), name
        assert come_in(registry, way, f"{API}/projects/ships") in (200, None), name
        if way.credentials is not None:
            assert registry.granted(way.credentials) == {"pull", "push"}, name


def test_a_member_who_is_removed_has_nothing_in_the_project_by_any_way_in(registry: Registry) -> None:
    demote(registry)
    every = ways_without_administration(registry)
    registry.desk.accounts.remove_member("ships", DAN)
    for name, way in every.items():
        assert come_in(registry, way, f"{API}/projects/ships") in (403, None), name
        if way.credentials is not None:
            assert registry.granted(way.credentials) == set(), name


def ways_without_administration(registry: Registry) -> dict[str, Way]:
    browser = Browser(registry.desk)
    new = {"name": "writes", "access": "write", "duration": -1}
    token = browser.ask("POST", f"{OWN}/users/current/tokens", new, basic(DAN))[1]["token"]
    session = Browser(registry.desk)
    assert session.sign_in(DAN) == 201
    return {
        "password": Way(lambda: basic(DAN), registry.tokens.tokens.credentials(DAN, PASSWORD)),
        "access token": Way(lambda: basic(DAN, token), registry.tokens.tokens.credentials(DAN, token)),
        "session": Way(session=session),
    }


def test_another_password_ends_sessions_and_refresh_tokens_and_leaves_access_tokens(registry: Registry) -> None:
    every = ways(registry)
    registry.desk.accounts.set_password(DAN, "another correct password")
    left = {name for name, way in every.items() if come_in(registry, way, f"{API}/users/current") == 200}
    assert left == {"bearer", "access token as password"}
    granted = {name for name, way in every.items() if way.credentials and registry.granted(way.credentials)}
    assert granted == {"bearer", "access token as password"}


def test_a_registry_token_that_was_issued_before_expires_within_half_an_hour(registry: Registry) -> None:
    issued = registry.tokens.issue(registry.tokens.tokens.credentials(DAN, PASSWORD), SCOPE)
    remove(registry)
    assert issued.minted.expires_in <= TOKEN_LIFETIME == 1_800


def test_a_project_that_is_created_anew_knows_nothing_of_the_earlier_ones_robots_tokens_and_groups(
    registry: Registry,
) -> None:
    browser = Browser(registry.desk)
    permission = {"kind": "project", "namespace": "ships", "access": [{"resource": "repository", "action": "push"}]}
    robots = []
    for level, who in (("project", DAN), ("system", "ada")):
        document = {"name": level, "level": level, "duration": -1, "permissions": [permission]}
        made = browser.ask("POST", f"{API}/robots", document, basic(who))[1]
        robots.append(registry.tokens.tokens.credentials(made["name"], made["secret"]))
    demote(registry)
    new = {"name": "ships", "access": "write", "duration": -1, "projects": ["ships"]}
    token = browser.ask("POST", f"{OWN}/users/current/tokens", new, basic(DAN))[1]["token"]
    credentials = [*robots, registry.tokens.tokens.credentials(DAN, token)]
    assert all(registry.granted(one) == {"pull", "push"} for one in credentials)

    assert browser.ask("DELETE", f"{API}/projects/ships", None, basic("ada"))[0] == 200
    assert [registry.granted(one) for one in credentials] == [set(), set(), set()]
    assert browser.ask("POST", f"{API}/projects", {"project_name": "ships"}, basic("ada"))[0] == 201
    registry.desk.accounts.set_member("ships", DAN, Role.ADMIN)
    assert [registry.granted(one) for one in credentials] == [set(), set(), set()]
    assert registry.granted(registry.tokens.tokens.credentials(DAN, PASSWORD)) == {"pull", "push"}


def test_a_disabled_or_removed_robot_is_worth_nothing_at_both_doors(registry: Registry) -> None:
    browser = Browser(registry.desk)
    access = [
        {"resource": resource, "action": action} for resource, action in (("project", "read"), ("repository", "push"))
    ]
    permission = {"kind": "project", "namespace": "ships", "access": access}
    document = {"name": "ci", "level": "project", "duration": -1, "permissions": [permission]}
    made = browser.ask("POST", f"{API}/robots", document, basic(DAN))[1]
    headers, path = basic(made["name"], made["secret"]), f"{API}/robots/{made['id']}"
    credentials = registry.tokens.tokens.credentials(made["name"], made["secret"])

    def works() -> tuple[int, bool]:
        return registry.api(headers, f"{API}/projects/ships"), bool(registry.granted(credentials))

    assert works() == (200, True)
    changed = {**document, "name": made["name"]}
    assert browser.ask("PUT", path, {**changed, "disable": True}, basic(DAN))[0] == 200
    assert works() == (401, False)
    assert browser.ask("PUT", path, changed, basic(DAN))[0] == 200
    assert works() == (200, True)
    assert browser.ask("PATCH", path, {}, basic(DAN))[0] == 200
    assert works() == (401, False)
    assert browser.ask("DELETE", path, None, basic(DAN))[0] == 200
    assert works() == (401, False)


def test_whoever_made_a_robot_may_go_and_the_robot_stays_with_its_project(registry: Registry) -> None:
    """As in Harbor: a build does not stop because somebody left."""
    browser = Browser(registry.desk)
    permission = {"kind": "project", "namespace": "ships", "access": [{"resource": "repository", "action": "pull"}]}
    document = {"name": "ci", "level": "project", "duration": -1, "permissions": [permission]}
    made = browser.ask("POST", f"{API}/robots", document, basic(DAN))[1]
    registry.desk.accounts.remove_user(DAN)
    assert registry.desk.directory.find_user(UserName(DAN)) is None
    assert registry.granted(registry.tokens.tokens.credentials(made["name"], made["secret"])) == {"pull"}


def test_no_secret_of_ours_is_sent_to_a_directory(registry: Registry) -> None:
    """Not even where it is typed as a password: at the sign-in of the console, and beside another user's name."""
    desk, browser = registry.desk, Browser(registry.desk)
    new = {"name": "laptop", "access": "read", "duration": -1}
    token = browser.ask("POST", f"{OWN}/users/current/tokens", new, basic(DAN))[1]["token"]
    refresh = registry.tokens.issue(registry.tokens.tokens.credentials(DAN, PASSWORD), offline=True).refresh_token or ""
    directory = {"ldap_url": "ldaps://ldap.example.org", "ldap_base_dn": "dc=example,dc=org"}
    assert browser.ask("PUT", f"{API}/configurations", directory, basic("ada"))[0] == 200
    desk.now += 61
    for name in ("nobody", "robot$ships+ci", DAN):
        for secret in (token, token[:-1], refresh):
            assert Browser(desk).sign_in(name, secret) == 401
            if name != DAN or secret != token:
                assert registry.api(basic(name, secret), f"{API}/users/current") == 401
    assert Browser(desk).sign_in("robot$ships+ci", "any secret of a robot") == 401
    assert desk.people.asked == []
    assert Browser(desk).sign_in("nobody", "a password") == 401
    assert desk.people.asked == ["nobody"]
