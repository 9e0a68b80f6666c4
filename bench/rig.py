"""Runs the functions in this process, as Lambda calls them, on their own embedded AWS, and records every AWS call."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from bench.straight import StraightTable
from functions.management import handler as management
from functions.registry import handler as registry
from functions.token import handler as token
from local.cloud.client import Client
from local.cloud.endpoint import Endpoint
from local.cloud.resources import Resources, ensure_resources
from local.cloud.signatures import Credentials
from local.functions.declarations import SERVICE, functions
from local.gateway.events import Incoming, Outgoing, event_for, response_from
from roadstead.aws import clients
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.table import Table
from roadstead.identity.accounts import Accounts
from roadstead.identity.sign_in.passwords import Argon2Hasher
from tests.embedded import ACCESS_KEY, SECRET_KEY, embedded

USER, PASSWORD = "bench", "the password of the bench"
HOST = "registry.example"
_HANDLERS: Mapping[str, Callable[[Mapping[str, Any], object], dict[str, Any]]] = {
    "management": management.handle,
    "registry": registry.handle,
    "token": token.handle,
}


class Unexpected(Exception):
    """A function's response is not the expected one."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One event, ready to be handled; `expected` is the response's status."""

    function: str
    event: Mapping[str, Any]
    expected: int

    def __call__(self) -> Outgoing:
        """Handle the event; return the response. Raises Unexpected."""
        result = self.run()
        answer = response_from(result, str(self.event["httpMethod"]))
        if answer.status != self.expected:
            what = f"{self.event['httpMethod']} {self.event['path']}"
            raise Unexpected(f"{what}: {answer.status} instead of {self.expected}: {answer.body[:500]!r}")
        return answer

    def run(self) -> dict[str, Any]:
        """Call the handler only: this is what is timed."""
        return _HANDLERS[self.function](self.event, None)


@dataclass(slots=True)
class Rig:
    """`calls` records every call to AWS that the functions make, as `service.Operation`."""

    resources: Resources
    functions: tuple[str, ...]
    environment: Mapping[str, str]  # of all functions together
    calls: list[str] = field(default_factory=list)
    watchers: list[Callable[..., None]] = field(default_factory=list)  # are told the parameters of each call
    database: Path | None = None  # of its own embedded AWS

    def table(self, name: str) -> Table:
        """Return the index or the identity table, to be filled. Its calls are recorded, too."""
        full = getattr(self.resources, f"{name}_table")
        if self.database is None:
            return Table(clients.client("dynamodb"), full)
        return StraightTable(clients.client("dynamodb"), full, self.database)

    def invocation(
        self,
        function: str,
        method: str,
        target: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        expect: int = 200,
    ) -> Invocation:
        """Return a request. `target` is path and query, percent-encoded, or a Location."""
        parts = urlsplit(target)
        lines = {"host": HOST, "user-agent": "bench", **(headers or {})}
        incoming = Incoming(
            method, parts.path, parts.query, tuple(lines.items()), body, client="192.0.2.1", scheme="https", port=443
        )
        event = event_for(incoming, resource="$default", proxy="", request_id="bench", now=time.time())
        return Invocation(function, event, expect)

    def token(self, *scopes: str) -> str:
        """Get an access token for the administrator."""
        query = urlencode([("service", SERVICE), *(("scope", scope) for scope in scopes)])
        answer = self.invocation("token", "GET", f"/token?{query}", headers={"authorization": basic()})()
        return str(json.loads(answer.body)["token"])

    def calls_of(self, run: Callable[[], object]) -> tuple[str, ...]:
        """Return the calls to AWS that `run` makes, in order."""
        before = len(self.calls)
        run()
        return tuple(self.calls[before:])

    def forget(self) -> None:
        """Drop what the functions keep in memory: each one's next request is the first of an environment."""
        management.services.cache_clear()
        management.services.cache_clear()
        management.application.cache_clear()
        registry.application.cache_clear()
        token.services.cache_clear()

    def record(self, model: Any, **_: Any) -> None:
        self.calls.append(f"{model.service_model.service_name}.{model.name}")

    def watch(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        for watcher in self.watchers:
            watcher(params=params, model=model)


def basic(password: str = PASSWORD) -> str:
    return "Basic " + base64.b64encode(f"{USER}:{password}".encode()).decode()


@contextlib.contextmanager
def rig() -> Iterator[Rig]:
    """Yield a rig with an administrator, USER. Meanwhile os.environ has the functions' variables."""
    with (
        tempfile.TemporaryDirectory(prefix="roadstead-bench-") as directory,
        embedded(Path(directory) / "cloud") as cloud,
    ):
        found = cloud.environment()
        address, _, port = cloud.endpoint.rpartition("/")[2].rpartition(":")
        credentials = Credentials(ACCESS_KEY, SECRET_KEY, cloud.region)
        with contextlib.closing(Client(Endpoint(address, int(port), credentials))) as making:
            resources = ensure_resources(making, {})
        identities = DynamoIdentities(Table(cloud.client("dynamodb"), resources.identity_table))
        Accounts(identities, Argon2Hasher()).create_user(USER, PASSWORD, admin=True)
        declared = functions(resources, found, None)
        environment = {name: value for one in declared for name, value in one.environment.items()}
        names, database = tuple(one.name for one in declared), Path(directory) / "cloud" / "cloud.db"
        made = Rig(resources, names, environment, database=database)
        with installed(made):
            yield made


@contextlib.contextmanager
def installed(one: Rig) -> Iterator[None]:
    """Meanwhile os.environ has the functions' variables, and the functions' calls are recorded."""
    # The functions log to standard output, which is for the tables.
    with _environ(one.environment), _watched_session(one), contextlib.redirect_stdout(io.StringIO()):
        one.forget()
        try:
            yield
        finally:
            one.forget()


@contextlib.contextmanager
def _environ(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _watched_session(watching: Rig) -> Iterator[None]:
    """The functions make their clients in one session; clients take over the session's event handlers."""
    clients.session.cache_clear()
    clients.session().register("before-call", watching.record)
    clients.session().register("before-parameter-build", watching.watch)
    try:
        yield
    finally:
        clients.session.cache_clear()
