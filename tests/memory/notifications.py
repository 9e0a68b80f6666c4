"""Webhooks, their secrets and their deliveries in memory: what the contract suite compares with, and tests use."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection

from roadstead.conflicts import Conflict
from roadstead.identity.directory import Project
from roadstead.identity.stores import Projects, UnknownProject
from roadstead.names import ProjectName
from roadstead.notifications.stores import (
    Delivery,
    KeptSecrets,
    LastDelivery,
    UnknownWebhook,
    Webhook,
    WebhookSecrets,
)
from roadstead.trail.entries import Event

Place = tuple[ProjectName, str]


class MemoryNotifications:
    """Webhooks, WebhookSecretStore and DeliveryRecords. `reads` counts what a real store would be asked for."""

    def __init__(
        self, projects: Projects, events: list[Event] | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._projects = projects
        self._webhooks: dict[Place, Webhook] = {}
        self._secrets: dict[tuple[ProjectName, str, str], tuple[int, WebhookSecrets]] = {}
        self._deliveries: dict[Place, LastDelivery] = {}
        self.repositories: dict[str, int] = {}  # when each was created
        self.reads: list[str] = []
        self.events = events if events is not None else []
        self._sent: dict[Place, dict[tuple[int, str], Delivery]] = {}

    def find_project(self, name: ProjectName) -> Project | None:
        self.reads.append("project")
        return self._projects.find_project(name)

    def list_webhooks(self, project: ProjectName) -> tuple[Webhook, ...]:
        with self._lock:
            self.reads.append("webhooks")
            found = [webhook for (owner, _), webhook in self._webhooks.items() if owner == project]
            return tuple(sorted(found, key=lambda webhook: (webhook.created, webhook.id)))

    def create_webhook(self, webhook: Webhook, *, event: Event | None = None) -> None:
        with self._lock:
            if self._projects.find_project(webhook.project) is None:
                raise UnknownProject(webhook.project)
            if (webhook.project, webhook.id) in self._webhooks:
                raise Conflict(webhook.id)
            self._webhooks[webhook.project, webhook.id] = webhook
            self._tell(event)

    def find_webhooks(self, keys: Collection[tuple[ProjectName, str]]) -> dict[tuple[ProjectName, str], Webhook]:
        with self._lock:
            return {key: self._webhooks[key] for key in keys if key in self._webhooks}

    def replace_webhook(self, webhook: Webhook, *, replaces: Webhook, event: Event | None = None) -> None:
        with self._lock:
            found = self._webhooks.get((webhook.project, webhook.id))
            if found is None:
                raise UnknownWebhook(webhook.id)
            if found.secrets != replaces.secrets:
                raise Conflict(webhook.id)
            self._webhooks[webhook.project, webhook.id] = webhook
            self._tell(event)

    def remove_webhook(self, project: ProjectName, webhook: str, *, event: Event | None = None) -> None:
        with self._lock:
            if self._webhooks.pop((project, webhook), None) is None:
                raise UnknownWebhook(webhook)
            self._tell(event)

    def tell(self, event: Event) -> None:
        with self._lock:
            self._tell(event)

    def _tell(self, event: Event | None) -> None:
        if event is not None:
            self.events.append(event)

    def put_secrets(self, project: ProjectName, webhook: str, reference: str, secrets: WebhookSecrets) -> None:
        with self._lock:
            assert (project, webhook, reference) not in self._secrets
            self._secrets[project, webhook, reference] = (int(self._clock()), secrets)

    def find_secrets(self, project: ProjectName, webhook: str, reference: str) -> WebhookSecrets | None:
        with self._lock:
            self.reads.append("secrets")
            found = self._secrets.get((project, webhook, reference))
            return found[1] if found is not None else None

    def remove_secrets(self, project: ProjectName, webhook: str, reference: str) -> None:
        with self._lock:
            self._secrets.pop((project, webhook, reference), None)

    def references(self, project: ProjectName) -> list[KeptSecrets]:
        with self._lock:
            found = self._secrets.items()
            return [KeptSecrets(place[1], place[2], since) for place, (since, _) in found if place[0] == project]

    def repository_created(self, repository: str) -> int | None:
        with self._lock:
            self.reads.append("repository")
            return self.repositories.get(repository)

    def record_delivery(self, project: ProjectName, webhook: str, last: LastDelivery) -> None:
        with self._lock:
            self._deliveries[project, webhook] = last

    def keep_delivery(self, project: ProjectName, webhook: str, delivery: Delivery) -> None:
        with self._lock:
            self._sent.setdefault((project, webhook), {})[delivery.at, delivery.id] = delivery

    def deliveries(self, project: ProjectName, webhook: str, *, limit: int, at: int | None = None) -> list[Delivery]:
        with self._lock:
            kept = sorted(self._sent.get((project, webhook), {}).items(), reverse=True)
            return [one for _, one in kept if at in (None, one.at)][:limit]

    def count_deliveries(self, project: ProjectName, webhook: str) -> int:
        with self._lock:
            return len(self._sent.get((project, webhook), {}))

    def find_delivery(self, project: ProjectName, webhook: str) -> LastDelivery | None:
        with self._lock:
            return self._deliveries.get((project, webhook))

    def failures(self, since: int) -> dict[tuple[ProjectName, str], LastDelivery]:
        with self._lock:
            return {key: one for key, one in self._deliveries.items() if not one.delivered and one.at >= since}
