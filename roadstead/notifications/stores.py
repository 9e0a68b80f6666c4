"""Webhooks, their secrets and delivery records, and the Protocols of their stores."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from roadstead.identity.directory import Project
from roadstead.names import ProjectName
from roadstead.trail.entries import Event


class EventType(StrEnum):
    """The events a webhook can subscribe to, with Harbor's names. Harbor defines DELETE_TAG but never sends it.

    Those that are not in SENT are accepted, so that a policy of a Harbor can be created here, and never sent.
    """

    PUSH_ARTIFACT = "PUSH_ARTIFACT"
    PULL_ARTIFACT = "PULL_ARTIFACT"
    DELETE_ARTIFACT = "DELETE_ARTIFACT"
    DELETE_TAG = "DELETE_TAG"
    SCANNING_COMPLETED = "SCANNING_COMPLETED"
    SCANNING_FAILED = "SCANNING_FAILED"
    SCANNING_STOPPED = "SCANNING_STOPPED"
    REPLICATION = "REPLICATION"
    QUOTA_EXCEED = "QUOTA_EXCEED"
    QUOTA_WARNING = "QUOTA_WARNING"
    TAG_RETENTION = "TAG_RETENTION"


SENT = (
    EventType.PUSH_ARTIFACT,
    EventType.PULL_ARTIFACT,
    EventType.DELETE_ARTIFACT,
    EventType.DELETE_TAG,
    EventType.QUOTA_EXCEED,
    EventType.QUOTA_WARNING,
    EventType.TAG_RETENTION,
)


class PayloadFormat(StrEnum):
    """The values of Harbor's `payload_format`."""

    DEFAULT = "Default"
    CLOUD_EVENTS = "CloudEvents"


EVERYTHING = "**"


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook of a project. `repositories` and `tags` are patterns of `roadstead.patterns`."""

    project: ProjectName
    id: str  # decimal digits: a number below 2^52, random
    url: str
    events: frozenset[EventType]
    created: int  # seconds since the epoch
    created_by: str
    name: str = ""  # a display name
    payload: PayloadFormat = PayloadFormat.DEFAULT
    repositories: str = EVERYTHING
    tags: str = EVERYTHING
    enabled: bool = True
    description: str = ""
    updated: int = 0  # seconds since the epoch
    authorized: bool = False  # whether its secrets have an Authorization header
    secrets: str = ""  # the reference under which its secrets are kept
    skip_verify: bool = False  # is stored and shown, and changes nothing: certificates are always verified


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """A webhook's secrets: the signing secret (`whsec_…`), and the Authorization header's value or ""."""

    signing: str = field(repr=False)
    authorization: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class KeptSecrets:
    """That secrets are kept under a reference, and since when, in seconds since the epoch."""

    webhook: str
    reference: str
    since: int


@dataclass(frozen=True, slots=True)
class LastDelivery:
    """The outcome of the last test, or of the last delivery that was given up."""

    delivery: str  # its id
    at: int  # seconds since the epoch
    delivered: bool
    detail: str  # a sentence for a person


class Outcome(StrEnum):
    """Where a delivery stands, in Harbor's words."""

    SUCCESS = "Success"
    RUNNING = "Running"  # another attempt will follow
    ERROR = "Error"  # given up


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event at one webhook. Times in milliseconds since the epoch."""

    id: str
    at: int  # of the event
    updated: int  # of the last attempt
    attempts: int
    outcome: Outcome
    event: str  # its type
    detail: str  # a sentence for a person
    content_type: str
    body: str
    test: bool = False


class UnknownWebhook(Exception):
    """The project has no such webhook."""


class Webhooks(Protocol):
    """The store of webhooks. Keeps an `event` in the transaction of the change that it records."""

    def find_project(self, name: ProjectName) -> Project | None:
        """Return the project, or None. Costs one read."""
        ...

    def list_webhooks(self, project: ProjectName) -> tuple[Webhook, ...]:
        """Return a project's webhooks, the oldest first. Costs one read."""
        ...

    def find_webhooks(self, keys: Collection[tuple[ProjectName, str]]) -> Mapping[tuple[ProjectName, str], Webhook]:
        """Return those of the webhooks, by project and id, that there are. Costs one read for each 100."""
        ...

    def create_webhook(self, webhook: Webhook, *, event: Event | None = None) -> None:
        """Raises UnknownProject, and Conflict if the id is taken."""
        ...

    def replace_webhook(self, webhook: Webhook, *, replaces: Webhook, event: Event | None = None) -> None:
        """Raises UnknownWebhook, and Conflict unless the stored webhook has the secrets of `replaces`."""
        ...

    def remove_webhook(self, project: ProjectName, webhook: str, *, event: Event | None = None) -> None:
        """Raises UnknownWebhook."""
        ...

    def tell(self, event: Event) -> None:
        """Keep the event of something that changes no webhook. Costs one write."""
        ...


class WebhookSecretStore(Protocol):
    """The store of webhooks' secrets, separate from the webhooks so that listing webhooks needs no right to secrets.

    Secrets are written once, under a reference of their own, and never changed. What makes them effective is the write
    of the webhook, which names the reference.
    """

    def put_secrets(self, project: ProjectName, webhook: str, reference: str, secrets: WebhookSecrets) -> None: ...

    def find_secrets(self, project: ProjectName, webhook: str, reference: str) -> WebhookSecrets | None:
        """Return the secrets, or None. The delivering function and the management API have permission."""
        ...

    def remove_secrets(self, project: ProjectName, webhook: str, reference: str) -> None:
        """Remove the secrets, if there are any."""
        ...

    def references(self, project: ProjectName) -> Sequence[KeptSecrets]:
        """Return what is kept of a project. Costs one call for each ten."""
        ...


class DeliveryRecords(Protocol):
    """What notifications keep in and read from the index table."""

    def repository_created(self, repository: str) -> int | None:
        """Return when a repository was created, in seconds since the epoch; None if it is absent. Costs one read."""
        ...

    def record_delivery(self, project: ProjectName, webhook: str, last: LastDelivery) -> None:
        """Replace a webhook's last delivery. The record is kept for 30 days."""
        ...

    def keep_delivery(self, project: ProjectName, webhook: str, delivery: Delivery) -> None:
        """Keep how a delivery stands, in the place of how it stood. It is kept for 30 days. Costs one write."""
        ...

    def deliveries(
        self, project: ProjectName, webhook: str, *, limit: int, at: int | None = None
    ) -> Sequence[Delivery]:
        """Return a webhook's deliveries, the last event first; with `at` only those of events at that time.

        Costs one Query for each MB, about 1,000 deliveries.
        """
        ...

    def count_deliveries(self, project: ProjectName, webhook: str) -> int:
        """Costs one Query for each MB, about 1,000 deliveries."""
        ...

    def find_delivery(self, project: ProjectName, webhook: str) -> LastDelivery | None:
        """Return a webhook's last delivery, or None."""
        ...

    def failures(self, since: int) -> Mapping[tuple[ProjectName, str], LastDelivery]:
        """Return the last deliveries that failed from `since` on (seconds), by project and webhook.

        A webhook may be gone since. Costs one Query for each MB, about 4,000 webhooks that have a last delivery.
        """
        ...
