"""Webhooks, their secrets and their deliveries in memory: what the contract suite compares with, and tests use."""

from __future__ import annotations

import threading
from dataclasses import replace

from roadstead.conflicts import Conflict
from roadstead.identity.directory import Project, Projects, UnknownProject
from roadstead.names import ProjectName
from roadstead.notifications.stores import LastDelivery, UnknownWebhook, Webhook, WebhookSecrets

Place = tuple[ProjectName, str]


class MemoryNotifications:
    """Webhooks, WebhookSecretStore and DeliveryRecords. `reads` counts what a real store would be asked for."""

    def __init__(self, projects: Projects) -> None:
        self._lock = threading.Lock()
        self._projects = projects
        self._webhooks: dict[Place, Webhook] = {}
        self._secrets: dict[Place, WebhookSecrets] = {}
        self._deliveries: dict[Place, LastDelivery] = {}
        self.repositories: dict[str, int] = {}  # when each was created
        self.reads: list[str] = []

    def find_project(self, name: ProjectName) -> Project | None:
        self.reads.append("project")
        return self._projects.find_project(name)

    def list_webhooks(self, project: ProjectName) -> tuple[Webhook, ...]:
        with self._lock:
            self.reads.append("webhooks")
            found = [webhook for (owner, _), webhook in self._webhooks.items() if owner == project]
            return tuple(sorted(found, key=lambda webhook: (webhook.created, webhook.id)))

    def create_webhook(self, webhook: Webhook) -> None:
        with self._lock:
            if self._projects.find_project(webhook.project) is None:
                raise UnknownProject(webhook.project)
            if (webhook.project, webhook.id) in self._webhooks:
                raise Conflict(webhook.id)
            self._webhooks[webhook.project, webhook.id] = webhook

    def set_webhook_enabled(self, project: ProjectName, webhook: str, enabled: bool) -> None:
        with self._lock:
            if (project, webhook) not in self._webhooks:
                raise UnknownWebhook(webhook)
            self._webhooks[project, webhook] = replace(self._webhooks[project, webhook], enabled=enabled)

    def remove_webhook(self, project: ProjectName, webhook: str) -> None:
        with self._lock:
            if self._webhooks.pop((project, webhook), None) is None:
                raise UnknownWebhook(webhook)

    def set_secrets(self, project: ProjectName, webhook: str, secrets: WebhookSecrets) -> None:
        with self._lock:
            self._secrets[project, webhook] = secrets

    def find_secrets(self, project: ProjectName, webhook: str) -> WebhookSecrets | None:
        with self._lock:
            self.reads.append("secrets")
            return self._secrets.get((project, webhook))

    def remove_secrets(self, project: ProjectName, webhook: str) -> None:
        with self._lock:
            self._secrets.pop((project, webhook), None)

    def repository_created(self, repository: str) -> int | None:
        with self._lock:
            self.reads.append("repository")
            return self.repositories.get(repository)

    def record_delivery(self, project: ProjectName, webhook: str, last: LastDelivery) -> None:
        with self._lock:
            self._deliveries[project, webhook] = last

    def find_delivery(self, project: ProjectName, webhook: str) -> LastDelivery | None:
        with self._lock:
            return self._deliveries.get((project, webhook))
