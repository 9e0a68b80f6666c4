"""The management API on in-memory stores, and a client that keeps cookies as a browser does."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from functions.hosting.boundary import response_of
from functions.management.application import Application
from functions.management.console import Console
from functions.management.errors import ManagementError
from functions.management.openapi.document import described, document
from functions.management.routes import ROUTES, match
from functions.management.services import Content, Services
from roadstead.administration.project_deletion import ProjectDeletion
from roadstead.catalog.artifacts import Artifacts
from roadstead.catalog.indexing import Indexer, targets_of
from roadstead.content.manifest_document import OCI_MANIFEST
from roadstead.content.manifest_index import Commit, ManifestEntry
from roadstead.digest import Digest
from roadstead.http import Request, Response
from roadstead.identity.accounts import Accounts
from roadstead.identity.configuration import Administration, ConfigurationReader
from roadstead.identity.directory import Role
from roadstead.identity.providers.ldap_provider import LdapProvider
from roadstead.identity.providers.oidc_provider import Fetcher, OidcProvider
from roadstead.identity.providers.oidc_settings import FurtherProviders
from roadstead.identity.providers.onboarding import Onboarding, StoredGroups
from roadstead.identity.robots.robot_sign_in import RobotLogin
from roadstead.identity.sign_in.login import PasswordLogin
from roadstead.identity.sign_in.passwords import PasswordVerifier
from roadstead.identity.sign_in.sessions import SessionLimits, SessionService
from roadstead.identity.sign_in.token_sign_in import TokenLogin
from roadstead.lifecycle.bucket_audit.execution import BucketAudits
from roadstead.lifecycle.collector.execution import Collections
from roadstead.lifecycle.deletion.trash import Trash
from roadstead.lifecycle.executions.copies import KIND as COPY
from roadstead.lifecycle.executions.copies import Copies, CopyWork
from roadstead.lifecycle.executions.executions import Work
from roadstead.lifecycle.executions.runner import Runner
from roadstead.lifecycle.executions.starter import Starter
from roadstead.lifecycle.policy.changes import Policies
from roadstead.lifecycle.retention.policies import Retention
from roadstead.names import RepositoryName, Tag
from roadstead.notifications.webhooks import Notifications
from roadstead.trail.entries import Actor, Operation
from roadstead.trail.events import EventMaker
from tests.manifests import image_of
from tests.memory.audit import MemoryPullCounts, MemoryTrailPages
from tests.memory.catalog import MemoryCatalog
from tests.memory.configuration import MemoryConfiguration, MemoryConfigurationSecrets
from tests.memory.executions import MemoryExecutions
from tests.memory.identity import MemoryIdentities
from tests.memory.index import MemoryIndex
from tests.memory.labels import MemoryLabels
from tests.memory.ldap import MemoryLdap
from tests.memory.notifications import MemoryNotifications
from tests.memory.objects import MemoryObjects
from tests.memory.queue import MemoryQueue
from tests.memory.retention import MemoryRetention
from tests.memory.rules import MemoryProjectRules
from tests.memory.states import MemoryStates
from tests.memory.trash import MemoryTrash
from tests.unit.content.parts import Clock, Registry
from tests.unit.functions.management import description, swagger
from tests.unit.identity.oidc_parts import FakeProvider
from tests.unit.notifications.parts import FakePoster

PASSWORD = "correct horse battery staple"


class FastHasher:
    """Argon2id is slow on purpose; what these tests ask of a hash is that it belongs to one password."""

    def hash(self, password: str) -> str:
        return f"$fast${base64.b64encode(password.encode()).decode()}"

    def verify(self, password: str, phc: str) -> bool:
        return phc == self.hash(password)

    def is_current(self, phc: str) -> bool:
        return True


class Desk:
    """One management API. `ada` is a system administrator; `bob` and `eve` are not; `bob` is a guest of `ships`.

    `fetcher` is what asks providers, in place of the FakeProvider.
    """

    def __init__(
        self,
        *,
        console: Console | None = None,
        fetcher: Fetcher | None = None,
        now: float = 1_800_000_000.0,
        external_url: str = "",
    ) -> None:
        self.now = now
        self.directory = MemoryIdentities()
        self.index = MemoryIndex()
        self.webhooks = MemoryNotifications(self.directory, self.directory.events, lambda: self.now)
        self.queue = MemoryQueue()
        self.poster = FakePoster()
        self.trail = MemoryTrailPages()
        self.pulls = MemoryPullCounts()
        self.configuration = MemoryConfiguration(self.directory.events)
        self.accounts = Accounts(self.directory, FastHasher(), clock=lambda: self.now)
        for name in ("ada", "bob", "eve"):
            self.accounts.create_user(name, PASSWORD, admin=name == "ada")
        self.accounts.create_project("ships")
        self.accounts.create_project("open", public=True)
        self.accounts.set_member("ships", "bob", Role.GUEST)
        self.executions = MemoryExecutions()
        self.trash_store = MemoryTrash(self.index)
        self.objects = MemoryObjects()
        self.catalog = MemoryCatalog(self.index)
        self.content = Registry(index=self.index, objects=self.objects, clock=Clock(self.now))
        self.indexer = Indexer(derived=self.catalog, manifests=self.index, blobs=self.index, objects=self.objects)
        self.secrets = secrets = MemoryConfigurationSecrets()
        reader = ConfigurationReader(self.configuration, secrets, clock=lambda: self.now)
        onboarding = Onboarding(self.directory, StoredGroups(self.directory), clock=lambda: self.now)
        self.people = MemoryLdap()
        self.provider = FakeProvider(lambda: self.now)
        self.oidc, self.states = OidcProvider(fetcher or self.provider, clock=lambda: self.now), MemoryStates()
        self.ldap = LdapProvider(self.people, reader)
        events = EventMaker(lambda: self.now)
        policies, starter = Policies(MemoryProjectRules(self.index), events), Starter(self.executions, events)
        self.retention = MemoryRetention(self.index)
        trash = Trash(self.trash_store, events)
        retention = Retention(self.retention, self.retention, self.retention, starter, policies.immutable_tags, events)
        services = Services(
            directory=self.directory,
            policies=policies,
            lists=self.directory,
            hasher=FastHasher(),
            login=PasswordLogin(
                self.directory,
                PasswordVerifier(FastHasher()),
                onboarding,
                lambda: self.ldap if reader.read().text("ldap_url") else None,
                clock=lambda: self.now,
            ),
            onboarding=onboarding,
            oidc=lambda: self.oidc,
            further_providers=FurtherProviders(self.configuration, secrets, clock=lambda: self.now),
            states=self.states,
            ldap=lambda: self.ldap,
            robots=RobotLogin(self.directory, PasswordVerifier(FastHasher()), clock=lambda: self.now),
            access_tokens=TokenLogin(self.directory, clock=lambda: self.now),
            pages=self.catalog,
            pulls=self.pulls,
            artifacts=Artifacts(self.catalog, self.index, self.objects),
            objects=self.objects,
            labels=MemoryLabels(self.index),
            content=Content.of(self.index, self.index, self.index, self.objects, EventMaker(self.content.clock)),
            sessions=SessionService(self.directory, SessionLimits(), clock=lambda: self.now),
            configuration=reader,
            administration=Administration(self.configuration, secrets, clock=lambda: self.now),
            trail=self.trail,
            notifications=self._notifications,
            executions=self.executions,
            starter=starter,
            trash=trash,
            retention=retention,
            collections=Collections(self.retention, starter, events),
            audits=BucketAudits(self.retention, starter, events),
            project_deletion=ProjectDeletion(
                self.directory,
                self.index,
                self.catalog,
                self.index,
                self.index,
                trash,
                retention,
                self._notifications,
                Copies(self.executions, starter, events),
                events,
            ),
            clock=lambda: self.now,
            description=lambda: json.dumps(document(ROUTES)).encode(),
            console=console,
            external_url=external_url,
        )
        self.services = services
        self.application = Application(services)

    def _notifications(self, actor: Actor, host: str) -> Notifications:
        store = self.webhooks
        return Notifications(
            store, store, store, self.queue, self.poster, host=host, actor=actor, clock=lambda: self.now
        )

    def push(self, repository: str, tag: str, *, size: int = 100) -> Digest:
        """Commit a manifest that needs nothing, with a tag, a second after the last one."""
        self.now += 1
        name, digest = RepositoryName.parse(repository), Digest.of(f"{repository}:{size}".encode())
        found = self.index.read_snapshot(name, digest, (Tag(tag),), blobs=(), manifests=())
        key = f"manifests/{name}/{digest}/1"
        entry = found.manifest or ManifestEntry(digest, OCI_MANIFEST, size, "1", key, b"{}")
        event = EventMaker(lambda: self.now).make(Operation.PUSH, Actor("ada"), name, digest=digest, tags=(Tag(tag),))
        self.index.commit(Commit(name, entry, (Tag(tag),), found, None, event))
        return digest

    def push_body(self, repository: str, body: bytes, *tags: str) -> Digest:
        """Push a manifest as a client does, a second after the last one; its blobs have to be there."""
        self.content.clock.now += 1
        name, digest = RepositoryName.parse(repository), Digest.of(body)
        self.content.push(body, digest, *(Tag(tag) for tag in tags), repository=name)
        return digest

    def push_image(self, repository: str, *tags: str, layer: bytes = b"layer", config: bytes = b"{}") -> Digest:
        """Push an image of one layer, with its blobs."""
        for data in (config, layer):
            self.content.upload(data, RepositoryName.parse(repository))
        return self.push_body(repository, image_of(layer, config=config), *tags)

    def settle(self) -> None:
        """Let the indexer see every event."""
        for event in self.index.events:
            for target in targets_of(event):
                self.indexer.settle(target, at=event.at)

    def run_executions(self) -> None:
        """Let the collector function run what is due, as far as that concerns content."""
        events, content = EventMaker(lambda: self.now), self.services.content
        self.now = max(self.now, self.content.clock.now)
        works: dict[str, Work] = {COPY: CopyWork(content.copying, events)}
        Runner(self.executions, works, events).run_due(lambda: 900.0)

    def ask(self, request: Request) -> Response:
        return response_of(request, self.application.respond)


@dataclass
class Browser:
    """Sends requests to `desk` with a cookie jar and the CSRF token of the last response."""

    desk: Desk
    scheme: str = "https"
    host: str = "registry.example"
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    def ask(
        self, method: str, path: str, document: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any, dict[str, str]]:
        """Return status, the parsed body (None when there is none) and headers."""
        sent = {"content-type": "application/json", **{name.lower(): value for name, value in (headers or {}).items()}}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if self.csrf:
            sent.setdefault("x-harbor-csrf-token", self.csrf)
        body = b"" if document is None else json.dumps(document).encode()
        path, _, query = path.partition("?")
        request = Request(
            method,
            path,
            tuple(parse_qsl(query, keep_blank_values=True)),
            tuple(sent.items()),
            body,
            host=self.host,
            scheme=self.scheme,
            source_ip="192.0.2.7",
        )
        response = self.desk.ask(request)
        check(request, response)
        received = {name.lower(): value for name, value in response.headers}
        self.csrf = received.get("x-harbor-csrf-token", "")
        for set_cookie in (value for name, value in response.headers if name.lower() == "set-cookie"):
            name, _, rest = set_cookie.partition("=")
            value = rest.partition(";")[0]
            self.cookies.pop(name, None)
            if "Max-Age=0" not in rest:
                self.cookies[name] = value
        is_json = received.get("content-type", "").startswith("application/json")
        return response.status, json.loads(response.body) if is_json and response.body else None, received

    def sign_in(self, name: str, password: str = PASSWORD) -> int:
        return self.ask("POST", "/api/roadstead/v1/session", {"name": name, "password": password})[0]


def check(request: Request, response: Response) -> None:
    """Hold a response to our own description, and to Harbor's, where they have the operation. HEAD has no body.

    That ours has every operation is a test of its own.
    """
    try:
        route = match(request.method, request.path).route
    except ManagementError:
        return
    if request.method == "HEAD":
        return
    operation = route.operation
    if operation in described():
        assert description.problems(route, response) == []
    if swagger.FILE.exists() and operation in swagger.operations():
        assert swagger.problems(operation, response.status, response.body) == []


def basic(name: str, password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}
