"""Webhooks of projects: where to, of what, in which form; and the roles in which a store keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from roadstead.identity.directory import Project
from roadstead.names import ProjectName


class EventType(StrEnum):
    """What may be told of, by Harbor's names; DELETE_TAG is a name of Harbor's too, but none that it sends."""

    PUSH_ARTIFACT = "PUSH_ARTIFACT"
    PULL_ARTIFACT = "PULL_ARTIFACT"
    DELETE_ARTIFACT = "DELETE_ARTIFACT"
    DELETE_TAG = "DELETE_TAG"


class PayloadFormat(StrEnum):
    """By the names of Harbor's `payload_format`."""

    DEFAULT = "Default"
    CLOUD_EVENTS = "CloudEvents"


EVERYTHING = "**"


@dataclass(frozen=True, slots=True)
class Webhook:
    """One subscription of a project. The patterns are those of `roadstead.patterns`."""

    project: ProjectName
    id: str  # 16 hexadecimal digits
    url: str
    events: frozenset[EventType]
    created: int  # seconds since the epoch
    created_by: str
    name: str = ""  # for people
    payload: PayloadFormat = PayloadFormat.DEFAULT
    repositories: str = EVERYTHING
    tags: str = EVERYTHING
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """What a delivery proves itself by. `signing` is `whsec_` and base64; `authorization` a header's value, or none."""

    signing: str = field(repr=False)
    authorization: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class LastDelivery:
    """How the last delivery went that somebody should know of: a test, or one that was given up."""

    delivery: str  # its id
    at: int  # seconds since the epoch
    delivered: bool
    detail: str  # a sentence for a person


class UnknownWebhook(Exception):
    """The project has no such webhook."""


class Webhooks(Protocol):
    """What enqueueing and delivering read, and what managing changes."""

    def find_project(self, name: ProjectName) -> Project | None:
        """One read."""
        ...

    def list_webhooks(self, project: ProjectName) -> tuple[Webhook, ...]:
        """All of a project's, the oldest first; one read."""
        ...

    def create_webhook(self, webhook: Webhook) -> None:
        """Raises UnknownProject, Conflict when the id is taken."""
        ...

    def set_webhook_enabled(self, project: ProjectName, webhook: str, enabled: bool) -> None:
        """Raises UnknownWebhook."""
        ...

    def remove_webhook(self, project: ProjectName, webhook: str) -> None:
        """Raises UnknownWebhook."""
        ...


class WebhookSecretStore(Protocol):
    """Kept apart from the webhooks, so that who may list them reads no secret, and who may set one need not read it."""

    def set_secrets(self, project: ProjectName, webhook: str, secrets: WebhookSecrets) -> None: ...

    def find_secrets(self, project: ProjectName, webhook: str) -> WebhookSecrets | None:
        """Only the function that delivers may do this."""
        ...

    def remove_secrets(self, project: ProjectName, webhook: str) -> None:
        """No error when there are none."""
        ...


class DeliveryRecords(Protocol):
    """The index's share: when a repository was made, and the last delivery of each webhook."""

    def repository_created(self, repository: str) -> int | None:
        """Seconds since the epoch; None for a repository that is not there (any more). One read."""
        ...

    def record_delivery(self, project: ProjectName, webhook: str, last: LastDelivery) -> None:
        """Replaces what was recorded before; forgotten after 30 days."""
        ...

    def find_delivery(self, project: ProjectName, webhook: str) -> LastDelivery | None: ...
