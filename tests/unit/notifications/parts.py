"""Outgoing notifications on stores in memory, with a poster that goes nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from roadstead.identity.directory import Project
from roadstead.names import ProjectName
from roadstead.notifications.delivery import Deliverer
from roadstead.notifications.dispatch import Dispatcher
from roadstead.notifications.stores import EventType, Webhook, WebhookSecrets
from roadstead.notifications.targets import Targets
from roadstead.notifications.webhooks import Notifications
from roadstead.outbound.endpoint import Endpoint, EndpointPolicy
from roadstead.outbound.https import Answer
from roadstead.trail.entries import Actor, AuditEntry, Operation
from tests.memory.identity import MemoryIdentities
from tests.memory.notifications import MemoryNotifications
from tests.memory.queue import MemoryQueue

NOON = 1_800_000_000
SHIPS = ProjectName.parse("ships")
URL = "https://receiver.example.com/hook?key=hidden"
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
DIGEST = "sha256:" + "ab" * 32
PUSH = AuditEntry(
    id="e1" * 16,
    at=NOON * 1000 + 250,
    operation=Operation.PUSH,
    actor=Actor("ada", request_id="r-1"),
    project="ships",
    repository="ships/cargo/crane",
    reference="v1",
    digest=DIGEST,
)
WEBHOOK = Webhook(SHIPS, "0123456789abcdef", URL, frozenset(EventType), NOON, "ada")


@dataclass
class Clock:
    now: float = NOON

    def __call__(self) -> float:
        return self.now


@dataclass
class FakePoster:
    """Answers, or raises, the next of `outcomes`; the last of them for ever."""

    outcomes: list[Answer | Exception] = field(default_factory=lambda: [Answer(200)])
    posted: list[tuple[Endpoint, dict[str, str], bytes]] = field(default_factory=list)
    refusal: Exception | None = None  # what `check` raises

    def parse(self, url: str) -> Endpoint:
        return Endpoint.parse(url, EndpointPolicy())

    def check(self, endpoint: Endpoint) -> None:
        if self.refusal is not None:
            raise self.refusal

    def post(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> Answer:
        self.posted.append((endpoint, dict(headers), body))
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Harbour:
    """Everything, wired as the functions wire it. The project `ships` is private and has no webhook yet."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.identities = MemoryIdentities()
        self.identities.create_project(Project(SHIPS, False, NOON, "ada"))
        self.store = MemoryNotifications(self.identities, clock=self.clock)
        self.store.repositories["ships/cargo/crane"] = NOON - 500
        self.queue = MemoryQueue()
        self.poster = FakePoster()
        self.targets = Targets(self.store, clock=self.clock)
        self.dispatcher = Dispatcher(
            self.targets, self.store, self.queue, host="registry.example.com", clock=self.clock
        )
        self.deliverer = Deliverer(
            self.targets,
            self.store,
            self.store,
            self.poster,
            clock=self.clock,
            monotonic=self.clock,
        )
        self.notifications = Notifications(
            self.store, self.store, self.store, self.queue, self.poster, host="registry.example.com", clock=self.clock
        )

    def add(self, *events: str, **options: Any) -> Webhook:
        """A webhook with the secret above, for pushes unless events are named."""
        options = {"created_by": "ada", "secret": SECRET, **options}
        webhook = self.notifications.add("ships", URL, events or ("PUSH_ARTIFACT",), **options).webhook
        self.store.reads.clear()
        return webhook

    def secrets(self, webhook: str) -> WebhookSecrets | None:
        """Those that are effective."""
        found = self.notifications.find("ships", webhook)
        return self.store.find_secrets(SHIPS, webhook, found.secrets)


def entry(operation: Operation = Operation.PUSH, **fields: Any) -> AuditEntry:
    return replace(PUSH, operation=operation, **fields)
