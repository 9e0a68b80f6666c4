"""Every way in, at the management API and at the token endpoint: of users of each provider, and of a robot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import parse_qs, urlencode, urlsplit

from functions.management.application import Application
from roadstead.identity.directory import UserName
from roadstead.identity.providers.aws_principals import Sts
from roadstead.identity.providers.keyless import Keyless
from roadstead.identity.providers.oidc_provider import OidcProvider
from roadstead.identity.robots.robot_sign_in import RobotLogin
from roadstead.identity.sign_in.login import PasswordLogin
from roadstead.identity.sign_in.passwords import PasswordVerifier
from roadstead.identity.sign_in.ways_in import Credentials, Refresh
from roadstead.identity.tokens.tokens import TokenRefused
from roadstead.trail.entries import Actor, ActorKind
from tests.unit.functions.management.client import PASSWORD, Browser, Desk, basic
from tests.unit.identity.oidc_parts import CLIENT, ISSUER, SECRET
from tests.unit.identity.parts import Clock, Harbour
from tests.unit.identity.sts_parts import ROLE, FakeSts, Keys

API, OWN = "/api/v2.0", "/api/roadstead/v1"
SCOPE, AUDIENCE = "repository:ships/a:pull,push", "registry.example.com"
CONFIGURED = {
    "ldap_url": "ldaps://ldap.example.org",
    "ldap_base_dn": "dc=example,dc=org",
    "oidc_endpoint": ISSUER,
    "oidc_client_id": CLIENT,
    "oidc_client_secret": SECRET,
    "oidc_auto_onboard": True,
    "keyless_issuers": f"{ISSUER} aws",
}
# Who comes in: a user of this registry, one of the directory, one of the OpenID Connect provider, a robot.
LOCAL_USER, LDAP_USER, OIDC_USER, ROBOT = "dan", "lena", "grace", "robot$ships+ci"
USERS = (LOCAL_USER, LDAP_USER, OIDC_USER)


class World:
    """The management API and the token function. Everybody of USERS administers `ships`; the robot pushes there."""

    def __init__(self) -> None:
        self.desk = Desk()
        assert self.as_admin("PUT", f"{API}/configurations", CONFIGURED)[0] == 200
        self.desk.now += 61
        services, directory, clock = self.desk.services, self.desk.directory, lambda: self.desk.now
        self.aws = Keys()
        sts = Sts(FakeSts(clock, self.aws), clock=clock)
        keyless = Keyless(OidcProvider(self.desk.provider, clock=clock), services.configuration, lambda: sts)
        hasher = services.hasher
        robots = RobotLogin(directory, PasswordVerifier(hasher, clock=clock), lambda: keyless, clock=clock)
        self.desk.application = Application(replace(services, robots=robots))
        self.harbour = Harbour(hasher=cast(Any, hasher), store=directory, clock=Clock(self.desk.now))
        self.harbour.tokens._login = PasswordLogin(
            directory,
            PasswordVerifier(hasher, clock=clock),
            services.onboarding,
            lambda: self.desk.ldap,
            clock=clock,
        )
        self.harbour.tokens._robots = robots
        self.number = 0  # the robot's id
        self._people = 0
        for name in USERS:
            self.begin(name)
            self.join(name)
        self.make_robot()

    def as_admin(self, method: str, path: str, document: Any = None) -> tuple[int, Any]:
        return Browser(self.desk).ask(method, path, document, basic("ada"))[:2]

    # The accounts

    def begin(self, name: str) -> None:
        """Make the account of a user, as its provider does; a later one of the name is somebody else."""
        self._people += 1
        if name == LOCAL_USER:
            self.desk.accounts.create_user(LOCAL_USER, PASSWORD)
        elif name == LDAP_USER:
            person = self.desk.people.add(LDAP_USER, PASSWORD, subject=f"uuid-{self._people}")
            self.desk.services.onboarding.create(person, Actor("", ActorKind.ANONYMOUS))
        else:
            self.desk.provider.claims = {"sub": f"s{self._people}", "preferred_username": OIDC_USER}
            self.sign_in_by_provider()

    def join(self, name: str) -> None:
        member = {"role_id": 1, "member_user": {"username": name}}
        assert self.as_admin("POST", f"{API}/projects/ships/members", member)[0] == 201

    def make_robot(self) -> str:
        """Make the robot; return its secret. It trusts the builds of acme/ships and a role in AWS."""
        status, made = self.as_admin("POST", f"{API}/robots", robot_document())
        assert status == 201, made
        self.number = made["id"]
        rules = [
            {"issuer": ISSUER, "audience": AUDIENCE, "claims": {"repository": "acme/ships"}},
            {"issuer": "aws", "audience": AUDIENCE, "claims": {"arn": ROLE}},
        ]
        assert self.as_admin("PUT", f"{OWN}/robots/{self.number}/trust", {"rules": rules})[0] == 200
        return str(made["secret"])

    # What a way in is made of

    def sign_in_by_provider(self) -> Browser:
        browser = Browser(self.desk)
        location = browser.ask("GET", "/c/oidc/login")[2]["location"]
        state = parse_qs(urlsplit(location).query)["state"][0]
        query = urlencode({"code": self.desk.provider.approve(location), "state": state, "iss": ISSUER})
        assert browser.ask("GET", f"/c/oidc/callback?{query}")[0] == 302
        return browser

    def identity_token(self) -> str:
        now = int(self.desk.now)
        claims = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 300, "sub": "b", "repository": "acme/ships"}
        return self.desk.provider.signer.token(claims)

    def credentials(self, name: str, secret: str) -> Credentials:
        return self.harbour.tokens.credentials(name, secret)

    def access_token(self, browser: Browser, headers: Mapping[str, str]) -> str:
        new = {"name": f"token {self.desk.now}", "access": "write", "duration": -1}
        self.desk.now += 1
        browser.ask("GET", f"{API}/users/current", None, headers)  # the response has the CSRF token of a session
        status, made, _ = browser.ask("POST", f"{OWN}/users/current/tokens", new, headers)
        assert status == 201, made
        return str(made["token"])

    # What a way in is worth

    def granted(self, credentials: Credentials) -> set[str] | None:
        """The actions that a new registry token has in `ships`; None where no token is issued."""
        self.harbour.clock.now = self.desk.now
        try:
            return self.harbour.granted(credentials, SCOPE)["ships/a"]
        except TokenRefused:
            return None


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody comes in: by headers or a session at the API, by credentials at the token endpoint."""

    headers: Mapping[str, str] | None = None
    credentials: Credentials = None
    session: Browser | None = None

    def api(self, world: World, path: str) -> int | None:
        """The status of a GET; None for a way that the API does not have."""
        if self.session is not None:
            return self.session.ask("GET", path)[0]
        return Browser(world.desk).ask("GET", path, None, self.headers)[0] if self.headers is not None else None


@dataclass(frozen=True, slots=True)
class Row:
    """A way in: whose it is, what a login by it is called in the trail, and how to come in by it."""

    who: str
    method: str
    come_in: Callable[[World], Way]


def _by_secret(world: World, name: str, secret: str) -> Way:
    return Way(basic(name, secret), world.credentials(name, secret))


def _session(world: World, name: str) -> Way:
    browser = Browser(world.desk)
    assert browser.sign_in(name) == 201
    return Way(session=browser)


def _refresh_token(world: World, name: str) -> Way:
    issued = world.harbour.issue(world.credentials(name, PASSWORD), offline=True)
    return Way(None, Refresh(issued.refresh_token or ""))


def _bearer(world: World) -> Way:
    token = world.access_token(Browser(world.desk), basic(LOCAL_USER))
    return Way({"Authorization": f"Bearer {token}"}, world.credentials("", token))


def _id_token(world: World) -> Way:
    now = int(world.desk.now)
    claims = {"iss": ISSUER, "aud": CLIENT, "iat": now, "exp": now + 300, **world.desk.provider.claims}
    return Way({"Authorization": f"Bearer {world.desk.provider.signer.token(claims)}"})


def _robots_own(world: World) -> Way:
    status, made = world.as_admin("PATCH", f"{API}/robots/{world.number}", {})
    assert status == 200
    return _by_secret(world, ROBOT, made["secret"])


def _robots_chosen(world: World) -> Way:
    chosen = {"secret": "Chosen-by-1-person"}
    assert world.as_admin("PATCH", f"{API}/robots/{world.number}", chosen)[0] == 200
    return _by_secret(world, ROBOT, chosen["secret"])


ROWS = {
    "local password": Row(LOCAL_USER, "password", lambda world: _by_secret(world, LOCAL_USER, PASSWORD)),
    "directory password": Row(LDAP_USER, "password", lambda world: _by_secret(world, LDAP_USER, PASSWORD)),
    "session by local password": Row(LOCAL_USER, "password", lambda world: _session(world, LOCAL_USER)),
    "session by directory": Row(LDAP_USER, "password", lambda world: _session(world, LDAP_USER)),
    "session by OpenID Connect": Row(OIDC_USER, "oidc", lambda world: Way(session=world.sign_in_by_provider())),
    "refresh token": Row(LOCAL_USER, "refresh-token", lambda world: _refresh_token(world, LOCAL_USER)),
    "refresh token of the directory": Row(LDAP_USER, "refresh-token", lambda world: _refresh_token(world, LDAP_USER)),
    "access token as password": Row(
        LDAP_USER,
        "access-token",
        lambda world: _by_secret(world, LDAP_USER, world.access_token(Browser(world.desk), basic(LDAP_USER))),
    ),
    "access token as bearer": Row(LOCAL_USER, "access-token", _bearer),
    "access token of OpenID Connect": Row(
        OIDC_USER,
        "access-token",
        lambda world: _by_secret(world, OIDC_USER, world.access_token(world.sign_in_by_provider(), {})),
    ),
    "id token of OpenID Connect": Row(OIDC_USER, "id-token", _id_token),
    "robot's generated secret": Row(ROBOT, "robot-secret", _robots_own),
    "robot's chosen secret": Row(ROBOT, "robot-secret", _robots_chosen),
    "identity token of a CI": Row(
        ROBOT, "identity-token", lambda world: _by_secret(world, ROBOT, world.identity_token())
    ),
    "call signed by AWS credentials": Row(
        ROBOT, "aws-iam", lambda world: _by_secret(world, ROBOT, world.aws.sign(world.desk.now).text())
    ),
}


def robot_document(*actions: str) -> dict[str, Any]:
    """What POST and PUT of the robot take: with the actions on repositories, and reading the project."""
    access = [{"resource": "repository", "action": action} for action in actions or ("pull", "push")]
    return {
        "name": "ci",
        "level": "project",
        "duration": -1,
        "permissions": [
            {
                "kind": "project",
                "namespace": "ships",
                "access": [*access, {"resource": "project", "action": "read"}, {"resource": "log", "action": "list"}],
            }
        ],
    }


# What ends an account, or takes its rights


def disable(world: World, who: str) -> None:
    if who == ROBOT:
        document = {**robot_document(), "name": ROBOT, "disable": True}
        assert world.as_admin("PUT", f"{API}/robots/{world.number}", document)[0] == 200
    else:
        world.desk.accounts.set_disabled(who, True)


def remove(world: World, who: str) -> None:
    if who == ROBOT:
        assert world.as_admin("DELETE", f"{API}/robots/{world.number}")[0] == 200
    else:
        found = world.desk.directory.find_user(UserName(who))
        assert found is not None
        assert world.as_admin("DELETE", f"{API}/users/{found.id}")[0] == 200


def make_anew(world: World, who: str) -> None:
    """Remove the account, and give its name to another one with the same rights."""
    remove(world, who)
    if who == ROBOT:
        made = world.as_admin("POST", f"{API}/robots", robot_document())
        assert made[0] == 201
    elif who == LDAP_USER:
        world.desk.people.add(LDAP_USER, "somebody else's password", subject="uuid of somebody else")
        assert world.as_admin("POST", f"{API}/ldap/users/import", {"ldap_uid_list": [LDAP_USER]})[0] == 200
        world.join(who)
    elif who == OIDC_USER:
        world.desk.provider.claims = {"sub": "somebody else", "preferred_username": OIDC_USER}
        world.sign_in_by_provider()
        world.join(who)
    else:
        world.desk.accounts.create_user(LOCAL_USER, "somebody else's password")
        world.join(who)


def demote(world: World, who: str) -> None:
    """Leave only the right to look and to pull."""
    if who == ROBOT:
        document = robot_document("pull")
        document["permissions"][0]["access"] = document["permissions"][0]["access"][:2]
        assert world.as_admin("PUT", f"{API}/robots/{world.number}", {**document, "name": ROBOT})[0] == 200
    else:
        members = f"{API}/projects/ships/members"
        (member,) = [one for one in world.as_admin("GET", members)[1] if one["entity_name"] == who]
        assert world.as_admin("PUT", f"{members}/{member['id']}", {"role_id": 3})[0] == 200
