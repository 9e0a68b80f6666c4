"""What a token costs by each way in, over a token by a password of the registry, in the same run.

A directory (slapd) and an issuer run on this machine. What the token function invokes as the ldap function runs in this
process, so its CPU is counted; slapd's is not.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.operations import REPOSITORY
from bench.pairs import Comparison, Cost, compared, cost
from bench.rig import PASSWORD, USER, Invocation, Rig
from bench.sections.calls import listed
from bench.sections.imports import Start, Variant, compared_starts
from bench.servers import Missing
from bench.table import table
from functions.ldap import handler as ldap
from local.functions.declarations import SERVICE
from roadstead.aws.clients import client
from roadstead.aws.identity.dynamodb_configuration import DynamoConfiguration
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.identity.ssm_configuration import SsmConfigurationSecrets
from roadstead.aws.table import Table
from roadstead.identity.configuration import Administration
from roadstead.identity.directory import TokenLevel, UserName
from roadstead.identity.permissions import Permission
from roadstead.identity.providers.trust import AWS, TrustRule
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.robots.robots import NEVER, Robot, RobotGrant, Scope, generated_hash
from roadstead.identity.sign_in.token_accounts import TokenAccounts
from roadstead.trail.entries import Actor, ActorKind
from tests.embedded import ACCESS_KEY, SECRET_KEY
from tests.issuer import Issuer, issuer
from tests.providers import directory_settings
from tests.slapd import PASSWORD as DIRECTORY_PASSWORD
from tests.slapd import SLAPD, slapd
from tests.unit.identity.sts_parts import Keys

CROWD = 400  # people of the directory: each sign-in that asks it is of another one
AUDIENCE = "registry.example"
_ROBOT, _SECRET = "robot$bench", "the secret of a robot of the bench, which is long"
_OPERATOR = Actor("bench", ActorKind.OPERATOR)
_PREPARED = "from functions.token import handler; handler.prepare()"
# What the first login of a kind imports and makes beside that.
_FIRST = {
    "identity token": "from roadstead.identity.providers import keyless",
    "signed call": "from roadstead.identity.providers import keyless, aws_principals",
    "directory": "from roadstead.aws import clients; from roadstead.aws.lifecycle import lambda_functions; "
    "from roadstead.identity.providers import ldap_provider, remote_ldap; clients.client('lambda')",
}

Prepare = Callable[[], Invocation]


@dataclass(frozen=True, slots=True)
class Login:
    """`calls` are those to AWS. Seconds; `wall` and `cpu` are over the token by a password of the registry."""

    name: str
    calls: tuple[str, ...]
    wall: Comparison
    cpu: Comparison


def measure(rig: Rig, *, pairs: int, repeat: int) -> tuple[list[Login], list[Start]]:
    """Measure each way in, warm and as the first request of an environment, and what the first of a kind imports.

    Raises Missing without slapd.
    """
    if not Path(SLAPD).exists():
        raise Missing("slapd is missing (Debian package slapd)")
    with _providers(rig) as running:
        ways = _ways(rig, running, warm=repeat * pairs + 4)
        password = ways["password"]
        logins = [_compared(rig, name, way, password, pairs=pairs, repeat=repeat) for name, way in ways.items()]
        first = ("password", "identity token", "signed call, asked", "directory, asked")
        logins += [_first(rig, name, ways[name], password, pairs=pairs) for name in first]
    base = Variant("", _PREPARED, rig.environment)
    starts = [
        Variant(f"token, and a first {name}", f"{_PREPARED}; {code}", rig.environment) for name, code in _FIRST.items()
    ]
    return logins, compared_starts(starts, base, pairs)


def show(measured: tuple[list[Login], list[Start]]) -> str:
    logins, starts = measured
    rows = [
        [
            one.name,
            _ms(one.wall.median_ours),
            str(one.wall),
            _ms(one.cpu.median_ours),
            str(one.cpu),
            listed(one.calls),
        ]
        for one in logins
    ]
    by_login = table(
        "Tokens by each way in",
        "Over a token by a password of the registry that the function has verified in the last minute, in turn; the "
        "rows with (first) over such a token as the first of an environment, too. x password: median (least-most) of "
        "the pairs. CPU is this process's: token function and ldap function together, for an issuer whose keys are "
        "fetched also its own. `remembered` is a password that the directory accepted, or a call that STS confirmed, "
        "within a minute.",
        ["way in", "wall ms", "x password", "CPU ms", "x password", "calls to AWS"],
        rows,
        prose=True,
    )
    started = [
        [one.name, _ms(one.wall.median_ours), str(one.wall), _ms(one.cpu.median_ours), str(one.cpu)] for one in starts
    ]
    by_start = table(
        "What a first login of a kind loads",
        "In fresh processes, over the token function's start without it, in turn. Where neither is configured, neither "
        "is loaded.",
        ["start", "wall ms", "x start", "CPU ms", "x start"],
        started,
    )
    return f"{by_login}\n{by_start}"


@contextlib.contextmanager
def _providers(rig: Rig) -> Iterator[Issuer]:
    """Run the directory, the issuer and the ldap function, and configure the registry for them."""
    identities = Table(client("dynamodb"), rig.resources.identity_table)
    with (
        tempfile.TemporaryDirectory(prefix="bench-slapd-") as home,
        slapd(Path(home), crowd=CROWD) as directory,
        issuer() as running,
        _lambda_api() as url,
    ):
        os.environ |= {"AWS_ENDPOINT_URL_LAMBDA": url, "LDAP_CA_CERTIFICATES": directory.authority.pem}
        ldap.client.cache_clear()
        secrets = SsmConfigurationSecrets(client("ssm"), "/roadstead/configuration")
        settings = {**directory_settings(directory), "keyless_issuers": f"{running.url} aws"}
        Administration(DynamoConfiguration(identities), secrets).change(settings, _OPERATOR)
        rig.forget()
        yield running


def _ways(rig: Rig, running: Issuer, *, warm: int) -> dict[str, Prepare]:
    """Return the ways in, each as what makes an invocation. The directory's people have accounts."""
    store = DynamoIdentities(Table(client("dynamodb"), rig.resources.identity_table))
    _make_robot(store, running)
    made, token = TokenAccounts(store, actor=_OPERATOR).create(
        store.read(UserName(USER), []), "bench", TokenLevel.WRITE, (), NEVER
    )
    store.set_access_token_used(made, int(time.time()))
    for number in range(warm):
        _token(f"user{number}", DIRECTORY_PASSWORD)(rig)()
    people = itertools.cycle(f"user{number}" for number in range(warm))
    ci = running.token(AUDIENCE, {"sub": "build", "repository": "acme/ships"}, lives=3_600)
    call, seconds = _signed(rig, 0), itertools.cycle(range(1, 600))
    return {
        "password": lambda: _token(USER, PASSWORD)(rig),
        "robot's generated secret": lambda: _token(_ROBOT, _SECRET)(rig),
        "access token": lambda: _token(USER, token)(rig),
        "identity token": lambda: _token(_ROBOT, ci)(rig),
        "signed call, remembered": lambda: _token(_ROBOT, call)(rig),
        "signed call, asked": lambda: _token(_ROBOT, _signed(rig, next(seconds)))(rig),
        "directory, remembered": lambda: _token(f"user{CROWD - 1}", DIRECTORY_PASSWORD)(rig),
        "directory, asked": lambda: _token(next(people), DIRECTORY_PASSWORD)(rig),
    }


def _token(user: str, secret: str) -> Callable[[Rig], Invocation]:
    query = urlencode([("service", SERVICE), ("scope", f"repository:{REPOSITORY}:pull")])
    authorization = "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()
    return lambda rig: rig.invocation("token", "GET", f"/token?{query}", headers={"authorization": authorization})


def _signed(rig: Rig, age: int) -> str:
    """Return a call that was signed so many seconds ago, for the embedded AWS: each second's is another one."""
    host, region = rig.environment["STS_ENDPOINT"].partition("://")[2], rig.environment["AWS_REGION"]
    keys = Keys(ACCESS_KEY, SECRET_KEY, "")
    return keys.sign(time.time() - age, registry=AUDIENCE, host=host, region=region).text()


def _make_robot(store: DynamoIdentities, running: Issuer) -> None:
    pull = frozenset({Permission.parse("repository", "pull")})
    rules = (
        TrustRule(running.url, AUDIENCE, {"repository": "acme/ships"}),
        TrustRule(AWS, AUDIENCE, {"account": "000000000000"}),
    )
    robot = Robot(
        name=RobotName(None, "bench"),
        project_id=0,
        secret=generated_hash(_SECRET),
        grants=(RobotGrant(Scope.PROJECT, pull),),
        created=int(time.time()),
        duration=NEVER,
        creator=USER,
        creator_kind=ActorKind.USER,
        creator_id=1,
    )
    store.set_robot_trust(replace(store.create_robot(robot), trust=rules))


def _compared(rig: Rig, name: str, way: Prepare, password: Prepare, *, pairs: int, repeat: int) -> Login:
    rig.forget()  # what was remembered of the directory's people
    for one in (password, way, way, way):  # the first makes an account, the second is remembered
        one()()
    calls = rig.calls_of(way())

    def sample(of: Prepare) -> Cost:
        invocations = [of() for _ in range(repeat)]
        return cost(lambda: [one.run() for one in invocations], of=repeat)

    return Login(name, calls, *compared(lambda: sample(way), lambda: sample(password), pairs))


def _first(rig: Rig, name: str, way: Prepare, password: Prepare, *, pairs: int) -> Login:
    def sample(of: Prepare) -> Cost:
        invocation = of()
        rig.forget()
        return cost(invocation.run)

    rig.forget()
    calls = rig.calls_of(way())
    return Login(f"{name} (first)", calls, *compared(lambda: sample(way), lambda: sample(password), pairs))


@contextlib.contextmanager
def _lambda_api() -> Iterator[str]:
    """Serve Lambda's `Invoke` for the ldap function, in this process; yield its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            event: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(ldap.handle(event, None)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f}"
