"""Management of a project's webhooks, for operators and project administrators."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from roadstead.identity.directory import UnknownProject
from roadstead.names import ProjectName
from roadstead.notifications.delivery import Poster
from roadstead.notifications.messages import Message, delivery_id
from roadstead.notifications.payloads import Surroundings, payload
from roadstead.notifications.queue import Sender
from roadstead.notifications.signatures import key_of, new_secret
from roadstead.notifications.stores import (
    EVERYTHING,
    DeliveryRecords,
    EventType,
    LastDelivery,
    PayloadFormat,
    UnknownWebhook,
    Webhook,
    Webhooks,
    WebhookSecrets,
    WebhookSecretStore,
)
from roadstead.outbound.endpoint import EndpointRefused
from roadstead.outbound.https import Unreachable
from roadstead.patterns import check_pattern
from roadstead.trail.entries import Actor, ActorKind, AuditEntry, Operation

MAX_WEBHOOKS = 20  # per project: each event may become that many requests
MAX_NAME = 100
MAX_AUTHORIZATION = 1_024
_PRINTABLE = re.compile(r"[ -~]*")
_DIGEST = "sha256:" + "0" * 64


class NotificationRefused(Exception):
    """The request cannot be fulfilled. The message is a sentence for a person, without secrets."""


@dataclass(frozen=True, slots=True)
class Added:
    """A new webhook with its signing secret, which cannot be read later."""

    webhook: Webhook
    secret: str = field(repr=False)


class Notifications:
    """Parses names, checks them, and changes the stores. Every method raises NotificationRefused.

    `host` is the registry's. The poster only checks a webhook's URL: the delivering function sends everything, tests
    included.
    """

    def __init__(
        self,
        webhooks: Webhooks,
        secret_store: WebhookSecretStore,
        records: DeliveryRecords,
        queue: Sender,
        poster: Poster,
        *,
        host: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._webhooks = webhooks
        self._secrets = secret_store
        self._records = records
        self._queue = queue
        self._poster = poster
        self._host = host
        self._clock = clock

    def list(self, project: str) -> tuple[Webhook, ...]:
        """Return the project's webhooks, the oldest first."""
        parsed = _project(project)
        self._existing(parsed)
        return self._webhooks.list_webhooks(parsed)

    def add(
        self,
        project: str,
        url: str,
        events: Iterable[str],
        *,
        created_by: str,
        name: str = "",
        payload: str = PayloadFormat.DEFAULT,
        repositories: str = EVERYTHING,
        tags: str = EVERYTHING,
        secret: str = "",
        authorization: str = "",
    ) -> Added:
        """Create an enabled webhook. `secret` has the form of Standard Webhooks; if empty, one is generated."""
        parsed = _project(project)
        webhook = Webhook(
            project=parsed,
            id=secrets.token_hex(8),
            url=url,
            events=_events(events),
            created=int(self._clock()),
            created_by=created_by,
            name=_name(name),
            payload=_payload(payload),
            repositories=_pattern(repositories),
            tags=_pattern(tags),
        )
        proof = _proof(secret, authorization)
        self._check_url(url)
        if len(self.list(project)) >= MAX_WEBHOOKS:
            raise NotificationRefused(f"a project can have up to {MAX_WEBHOOKS} webhooks; remove one first")
        # The secret first: deliveries to a webhook without one fail, while a secret without a webhook is harmless.
        self._secrets.set_secrets(parsed, webhook.id, proof)
        try:
            self._webhooks.create_webhook(webhook)
        except UnknownProject as error:
            self._secrets.remove_secrets(parsed, webhook.id)
            raise _no_project(parsed) from error
        return Added(webhook, proof.signing)

    def remove(self, project: str, webhook: str) -> None:
        """Remove a webhook. Its queued notifications are dropped."""
        parsed = _project(project)
        try:
            self._webhooks.remove_webhook(parsed, webhook)
        except UnknownWebhook as error:
            raise _no_webhook(parsed, webhook) from error
        self._secrets.remove_secrets(parsed, webhook)

    def set_enabled(self, project: str, webhook: str, enabled: bool) -> None:
        """Enable or disable a webhook. While it is disabled, its notifications are dropped, queued ones included."""
        parsed = _project(project)
        try:
            self._webhooks.set_webhook_enabled(parsed, webhook, enabled)
        except UnknownWebhook as error:
            raise _no_webhook(parsed, webhook) from error

    def set_secret(self, project: str, webhook: str, *, secret: str = "", authorization: str = "") -> str:
        """Replace the signing secret (generated if empty) and the Authorization header, within five minutes."""
        parsed = _project(project)
        proof = _proof(secret, authorization)
        self._find(parsed, webhook)
        self._secrets.set_secrets(parsed, webhook, proof)
        return proof.signing

    def send_test(self, project: str, webhook: str) -> str:
        """Queue a PUSH_ARTIFACT of an example repository, also for a disabled webhook; return the delivery's id.

        `last_delivery` returns the outcome.
        """
        parsed = _project(project)
        found = self._find(parsed, webhook)
        self._check_url(found.url)
        entry = AuditEntry(
            id=secrets.token_hex(16),
            at=int(self._clock() * 1000),
            operation=Operation.PUSH,
            actor=Actor("test", ActorKind.OPERATOR),
            project=parsed,
            repository=f"{parsed}/webhook-test",
            reference="test",
            digest=_DIGEST,
        )
        told = payload(entry, EventType.PUSH_ARTIFACT, ("test",), found, Surroundings(self._host, False, None))
        message = Message(delivery_id(entry.id, webhook), parsed, webhook, told.content_type, told.body, test=True)
        self._queue.send([message.as_text()])
        return message.delivery

    def last_delivery(self, project: str, webhook: str) -> LastDelivery | None:
        """Return the last test or given-up delivery, or None if there was neither within 30 days."""
        parsed = _project(project)
        self._find(parsed, webhook)
        return self._records.find_delivery(parsed, webhook)

    def _find(self, project: ProjectName, webhook: str) -> Webhook:
        found = next((found for found in self._webhooks.list_webhooks(project) if found.id == webhook), None)
        if found is None:
            raise _no_webhook(project, webhook)
        return found

    def _existing(self, project: ProjectName) -> None:
        if self._webhooks.find_project(project) is None:
            raise _no_project(project)

    def _check_url(self, url: str) -> None:
        try:
            self._poster.check(self._poster.parse(url))
        except (EndpointRefused, Unreachable) as error:
            raise NotificationRefused(str(error)) from error


def _project(text: str) -> ProjectName:
    try:
        return ProjectName.parse(text)
    except ValueError as error:
        raise NotificationRefused(str(error)) from error


def _events(texts: Iterable[str]) -> frozenset[EventType]:
    names = list(texts)
    unknown = [name for name in names if name not in list(EventType)]
    if unknown or not names:
        problem = f"{unknown[0][:40]!r} is not an event" if unknown else "a webhook needs at least one event"
        raise NotificationRefused(f"{problem}; choose from {', '.join(EventType)}")
    return frozenset(EventType(name) for name in names)


def _payload(text: str) -> PayloadFormat:
    if text not in list(PayloadFormat):
        raise NotificationRefused(f"{text[:40]!r} is not a payload format; choose {' or '.join(PayloadFormat)}")
    return PayloadFormat(text)


def _pattern(text: str) -> str:
    try:
        check_pattern(text)
    except ValueError as error:
        raise NotificationRefused(str(error)) from error
    return text


def _name(text: str) -> str:
    if len(text) > MAX_NAME or not text.isprintable():
        raise NotificationRefused(f"the name of a webhook can have up to {MAX_NAME} printable characters")
    return text


def _proof(secret: str, authorization: str) -> WebhookSecrets:
    if len(authorization) > MAX_AUTHORIZATION or _PRINTABLE.fullmatch(authorization) is None:
        raise NotificationRefused(f"the Authorization header can have up to {MAX_AUTHORIZATION} ASCII characters")
    signing = secret or new_secret()
    try:
        key_of(signing)
    except ValueError as error:
        raise NotificationRefused(str(error)) from error
    return WebhookSecrets(signing, authorization)


def _no_project(name: ProjectName) -> NotificationRefused:
    return NotificationRefused(f"there is no project {name}")


def _no_webhook(project: ProjectName, webhook: str) -> NotificationRefused:
    return NotificationRefused(f"project {project} has no webhook {webhook[:40]!r}")
