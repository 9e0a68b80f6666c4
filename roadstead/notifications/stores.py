"""Webhooks, their secrets and delivery records, and the Protocols of their stores."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from roadstead.identity.directory import Project
from roadstead.names import ProjectName


class EventType(StrEnum):
    """The events a webhook can subscribe to, with Harbor's names. Harbor defines DELETE_TAG but never sends it."""

    PUSH_ARTIFACT = "PUSH_ARTIFACT"
    PULL_ARTIFACT = "PULL_ARTIFACT"
    DELETE_ARTIFACT = "DELETE_ARTIFACT"
    DELETE_TAG = "DELETE_TAG"


class PayloadFormat(StrEnum):
    """The values of Harbor's `payload_format`."""

    DEFAULT = "Default"
    CLOUD_EVENTS = "CloudEvents"


EVERYTHING = "**"


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook of a project. `repositories` and `tags` are patterns of `roadstead.patterns`."""

    project: ProjectName
    id: str  # 16 hexadecimal digits
    url: str
    events: frozenset[EventType]
    created: int  # seconds since the epoch
    created_by: str
    name: str = ""  # a display name
    payload: PayloadFormat = PayloadFormat.DEFAULT
    repositories: str = EVERYTHING
    tags: str = EVERYTHING
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """A webhook's secrets: the signing secret (`whsec_…`), and the Authorization header's value or ""."""

    signing: str = field(repr=False)
    authorization: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class LastDelivery:
    """The outcome of the last test, or of the last delivery that was given up."""

    delivery: str  # its id
    at: int  # seconds since the epoch
    delivered: bool
    detail: str  # a sentence for a person


class UnknownWebhook(Exception):
    """The project has no such webhook."""


class Webhooks(Protocol):
    """The store of webhooks."""

    def find_project(self, name: ProjectName) -> Project | None:
        """Return the project, or None. Costs one read."""
        ...

    def list_webhooks(self, project: ProjectName) -> tuple[Webhook, ...]:
        """Return a project's webhooks, the oldest first. Costs one read."""
        ...

    def create_webhook(self, webhook: Webhook) -> None:
        """Raises UnknownProject, and Conflict if the id is taken."""
        ...

    def set_webhook_enabled(self, project: ProjectName, webhook: str, enabled: bool) -> None:
        """Raises UnknownWebhook."""
        ...

    def remove_webhook(self, project: ProjectName, webhook: str) -> None:
        """Raises UnknownWebhook."""
        ...


class WebhookSecretStore(Protocol):
    """The store of webhooks' secrets, separate from the webhooks so that listing webhooks needs no right to secrets."""

    def set_secrets(self, project: ProjectName, webhook: str, secrets: WebhookSecrets) -> None: ...

    def find_secrets(self, project: ProjectName, webhook: str) -> WebhookSecrets | None:
        """Return the secrets, or None. Only the delivering function has permission."""
        ...

    def remove_secrets(self, project: ProjectName, webhook: str) -> None:
        """Remove the secrets, if there are any."""
        ...


class DeliveryRecords(Protocol):
    """What notifications keep in and read from the index table."""

    def repository_created(self, repository: str) -> int | None:
        """Return when a repository was created, in seconds since the epoch; None if it is absent. Costs one read."""
        ...

    def record_delivery(self, project: ProjectName, webhook: str, last: LastDelivery) -> None:
        """Replace a webhook's last delivery. The record is kept for 30 days."""
        ...

    def find_delivery(self, project: ProjectName, webhook: str) -> LastDelivery | None:
        """Return a webhook's last delivery, or None."""
        ...
