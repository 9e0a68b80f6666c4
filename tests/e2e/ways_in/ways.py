"""The ways in, each as what a client is given: a name and a secret; and what the trail calls it."""

from __future__ import annotations

import http.cookiejar
import json
import urllib.request
from dataclasses import dataclass
from typing import Any

from tests.e2e.cloud import Cloud
from tests.e2e.management import ask, make_robot
from tests.e2e.people import Person
from tests.issuer import Issuer
from tests.slapd import BASE, PASSWORD

AUDIENCE = "registry.example.com"
CLAIMS = {"sub": "repo:acme/ships:ref:refs/heads/main", "repository": "acme/ships", "ref": "refs/heads/main"}
_CURRENT = "/v2.0/users/current"
TOKENS = "/roadstead/v1/users/current/tokens"
DEVELOPER, GUEST = 2, 3  # role ids


@dataclass(frozen=True, slots=True)
class Way:
    """`kind` and `method` are what the trail says of the actor and the login."""

    person: Person
    kind: str
    method: str


class Browser:
    """A person at the console, signed in by the provider."""

    def __init__(self, cloud: Cloud) -> None:
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)
        self._cloud = cloud

    def sign_in(self) -> str:
        """Go to the provider and back; return the user's name."""
        back = f"{self._cloud.url}/c/oidc/login?redirect_url=/api{_CURRENT}"
        with self._opener.open(back, timeout=120) as response:
            return str(json.load(response)["username"])

    def ask(self, method: str, path: str, document: Any = None) -> Any:
        """Return the document that the management API responds with. Raises HTTPError."""
        with self._opener.open(f"{self._cloud.url}/api{_CURRENT}", timeout=120) as current:
            token = current.headers["X-Harbor-CSRF-Token"]
        headers = {"Content-Type": "application/json", "X-Harbor-CSRF-Token": token}
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self._cloud.url}/api{path}", body, headers, method=method)
        with self._opener.open(request, timeout=120) as response:
            text = response.read()
        return json.loads(text) if text else None


def add_user(cloud: Cloud, admin: Person, project: str, name: str, role: int = DEVELOPER) -> None:
    _add(cloud, admin, project, {"role_id": role, "member_user": {"username": name}})


def add_directory_group(cloud: Cloud, admin: Person, project: str, cn: str, role: int = DEVELOPER) -> None:
    dn = f"cn={cn},ou=groups,{BASE}"
    _add(cloud, admin, project, {"role_id": role, "member_group": {"ldap_group_dn": dn}})


def add_oidc_group(cloud: Cloud, admin: Person, project: str, name: str, role: int = DEVELOPER) -> None:
    _add(cloud, admin, project, {"role_id": role, "member_group": {"group_name": name, "group_type": 3}})


def import_from_directory(cloud: Cloud, admin: Person, name: str) -> None:
    """Make the account of somebody in the directory, if there is none."""
    status, answer = ask(cloud, admin, "POST", "/v2.0/ldap/users/import", {"ldap_uid_list": [name]})
    assert status == 200 or answer[0]["error"] == "has an account already", answer


def make_ci_robot(cloud: Cloud, admin: Person, project: str, provider: Issuer, *actions: str) -> tuple[Person, int]:
    """Make a robot that trusts the builds of acme/ships on main; return it and its id."""
    robot = make_robot(cloud, admin, project, *actions)
    number = robot_id(cloud, admin, project, robot.name)
    rule = {"issuer": provider.url, "audience": AUDIENCE, "claims": {"repository": "acme/ships", "ref": CLAIMS["ref"]}}
    status, answer = ask(cloud, admin, "PUT", f"/roadstead/v1/robots/{number}/trust", {"rules": [rule]})
    assert status == 200, answer
    return robot, number


def robot_id(cloud: Cloud, admin: Person, project: str, name: str) -> int:
    found = ask(cloud, admin, "GET", f"/v2.0/projects/{project}")[1]
    query = f"q=Level%3Dproject%2CProjectID%3D{found['project_id']}&page_size=100"
    robots = ask(cloud, admin, "GET", f"/v2.0/robots?{query}")[1]
    return next(int(one["id"]) for one in robots if one["name"] == name)


def new_access_token(browser: Browser, name: str, access: str = "write") -> tuple[str, str]:
    """Return a token of the person at the browser, and its id."""
    made = browser.ask("POST", TOKENS, {"name": name, "access": access, "duration": 1})
    return str(made["token"]), str(made["id"])


def by_directory(name: str) -> Person:
    return Person(name, PASSWORD)


def _add(cloud: Cloud, admin: Person, project: str, document: dict[str, Any]) -> None:
    status, answer = ask(cloud, admin, "POST", f"/v2.0/projects/{project}/members", document)
    assert status == 201, answer
