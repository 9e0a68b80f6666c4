"""Management of a project's webhooks, for operators and project administrators."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from roadstead.conflicts import Conflict, retry_conflicts
from roadstead.identity.stores import UnknownProject
from roadstead.names import ProjectName
from roadstead.notifications.delivery import Poster
from roadstead.notifications.messages import Message, delivery_id
from roadstead.notifications.payloads import Surroundings, payload
from roadstead.notifications.queue import Sender
from roadstead.notifications.stores import (
    EVERYTHING,
    Delivery,
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
from roadstead.notifications.webhook_fields import (
    NoSuchWebhook,
    NotificationRefused,
    check_name,
    no_project,
    no_webhook,
    parse_description,
    parse_events,
    parse_name,
    parse_pattern,
    parse_payload,
    parse_project,
    parse_proof,
)
from roadstead.outbound.endpoint import EndpointRefused
from roadstead.outbound.https import Unreachable
from roadstead.trail.entries import Actor, ActorKind, AuditEntry, Event, Operation
from roadstead.trail.events import EventMaker

MAX_WEBHOOKS = 20  # per project: each event may become that many requests
MAX_DELIVERIES = 10_000  # that are listed
MAX_AT_ONCE = 1_000  # deliveries of one millisecond
UNDER_WAY_SECONDS = 3_600  # no change takes that long
ID_BITS = 52  # JavaScript's numbers hold them exactly
OPERATOR = Actor("operator", ActorKind.OPERATOR)
_DIGEST = "sha256:" + "0" * 64


@dataclass(frozen=True, slots=True)
class Added:
    """A new webhook with its signing secret, which cannot be read later."""

    webhook: Webhook
    secret: str = field(repr=False)


class Notifications:
    """Parses names, checks them, and changes the stores, with an event by `actor`. Every method raises
    NotificationRefused.

    `host` is the registry's. Without a `queue` nothing can be sent. The poster only checks a webhook's URL: the
    delivering function sends everything, tests included.
    """

    def __init__(
        self,
        webhooks: Webhooks,
        secret_store: WebhookSecretStore,
        records: DeliveryRecords,
        queue: Sender | None,
        poster: Poster,
        *,
        host: str,
        actor: Actor = OPERATOR,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._webhooks = webhooks
        self._secrets = secret_store
        self._records = records
        self._queue = queue
        self._poster = poster
        self._host = host
        self._actor = actor
        self._clock = clock
        self._events = EventMaker(clock)

    def list(self, project: str) -> tuple[Webhook, ...]:
        """Return the project's webhooks, the oldest first."""
        parsed = parse_project(project)
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
        description: str = "",
        enabled: bool = True,
        skip_verify: bool = False,
    ) -> Added:
        """Create a webhook. `secret` has the form of Standard Webhooks; if empty, one is generated."""
        parsed, now = parse_project(project), int(self._clock())
        webhook = Webhook(
            project=parsed,
            id=str(secrets.randbelow(1 << ID_BITS) or 1),
            url=url,
            events=parse_events(events),
            created=now,
            created_by=created_by,
            name=parse_name(name),
            payload=parse_payload(payload),
            repositories=parse_pattern(repositories),
            tags=parse_pattern(tags),
            enabled=enabled,
            description=parse_description(description),
            updated=now,
            authorized=bool(authorization),
            skip_verify=skip_verify,
        )
        proof = parse_proof(secret, authorization)
        self._check_url(url)
        others = self.list(project)
        if len(others) >= MAX_WEBHOOKS:
            raise NotificationRefused(f"a project can have up to {MAX_WEBHOOKS} webhooks; remove one first")
        check_name(webhook, others)
        self._remove_leftovers(parsed, others)
        webhook = self._with_secrets(webhook, proof)
        try:
            self._webhooks.create_webhook(webhook, event=self._event(Operation.CREATE_WEBHOOK, webhook))
        except UnknownProject as error:
            self._secrets.remove_secrets(parsed, webhook.id, webhook.secrets)
            raise no_project(parsed) from error
        return Added(webhook, proof.signing)

    def remove(self, project: str, webhook: str) -> None:
        """Remove a webhook. Its queued notifications are dropped."""
        parsed = parse_project(project)
        found = self._find(parsed, webhook)
        try:
            self._webhooks.remove_webhook(parsed, webhook, event=self._event(Operation.REMOVE_WEBHOOK, found))
        except UnknownWebhook as error:
            raise no_webhook(parsed, webhook) from error
        self._secrets.remove_secrets(parsed, webhook, found.secrets)
        self._remove_leftovers(parsed, self._webhooks.list_webhooks(parsed))

    def remove_all(self, project: str, *, before: int) -> None:
        """Remove the webhooks of a project, which need not exist any more, that were made before `before` (seconds)."""
        parsed = parse_project(project)
        for webhook in self._webhooks.list_webhooks(parsed):
            if webhook.created >= before:
                continue
            with contextlib.suppress(UnknownWebhook):
                self._webhooks.remove_webhook(parsed, webhook.id, event=self._event(Operation.REMOVE_WEBHOOK, webhook))
            self._secrets.remove_secrets(parsed, webhook.id, webhook.secrets)
        self._remove_leftovers(parsed, self._webhooks.list_webhooks(parsed), before=before)

    def change(self, project: str, webhook: str, changes: Mapping[str, Any], *, authorization: str) -> None:
        """Replace `url`, `events`, `name`, `payload`, `description`, `enabled` or `skip_verify`, as `add` has them, and
        the Authorization header. Its secret stays. Costs two reads and one write; a new header five calls more."""
        parsed = parse_project(project)
        retry_conflicts(lambda: self._change(parsed, webhook, changes, authorization), "the webhook")

    def _change(self, parsed: ProjectName, webhook: str, changes: Mapping[str, Any], authorization: str) -> None:
        found = self._find(parsed, webhook)
        checks: Mapping[str, Callable[[Any], Any]] = {
            "events": parse_events, "name": parse_name, "payload": parse_payload, "description": parse_description,
        }  # fmt: skip
        checked = {name: checks[name](value) if name in checks else value for name, value in changes.items()}
        changed = replace(found, **checked, updated=int(self._clock()), authorized=bool(authorization))
        check_name(changed, self._webhooks.list_webhooks(parsed))
        if changed.url != found.url:
            self._check_url(changed.url)
        proof = None
        if authorization != self.authorization_of(found):
            kept = self._kept(found)
            proof = parse_proof(kept.signing if kept else "", authorization)
        self._replace(found, changed, proof)

    def authorization_of(self, webhook: Webhook) -> str:
        """Return the value of a webhook's Authorization header, or "". Costs one read if it has one."""
        kept = self._kept(webhook) if webhook.authorized else None
        return kept.authorization if kept is not None else ""

    def set_enabled(self, project: str, webhook: str, enabled: bool) -> None:
        """Enable or disable a webhook. While it is disabled, its notifications are dropped, queued ones included."""
        parsed = parse_project(project)

        def change() -> None:
            found = self._find(parsed, webhook)
            self._replace(found, replace(found, enabled=enabled, updated=int(self._clock())))

        retry_conflicts(change, "the webhook")

    def set_secret(self, project: str, webhook: str, *, secret: str = "", authorization: str = "") -> str:
        """Replace the signing secret (generated if empty) and the Authorization header, within a minute."""
        parsed = parse_project(project)
        proof = parse_proof(secret, authorization)

        def change() -> None:
            found = self._find(parsed, webhook)
            changed = replace(found, updated=int(self._clock()), authorized=bool(authorization))
            self._replace(found, changed, proof)

        retry_conflicts(change, "the webhook")
        return proof.signing

    def send_test(self, project: str, webhook: str) -> str:
        """Queue a PUSH_ARTIFACT of an example repository, also for a disabled webhook; return the delivery's id.

        `last_delivery` returns the outcome.
        """
        parsed = parse_project(project)
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
        message = Message(
            delivery_id(entry.id, webhook),
            parsed,
            webhook,
            told.content_type,
            told.body,
            entry.at,
            str(EventType.PUSH_ARTIFACT),
            test=True,
        )
        self._send(found, message)
        return message.delivery

    def deliveries(self, webhook: Webhook, *, start: int, size: int) -> tuple[Sequence[Delivery], int]:
        """Return a webhook's deliveries of the last 30 days from `start` on, the last event first, and their number.

        Costs two Queries, and one more for each 1,000 deliveries that are counted or skipped.
        """
        if start + size > MAX_DELIVERIES:
            raise NotificationRefused(f"the last {MAX_DELIVERIES} deliveries are listed")
        total = self._records.count_deliveries(webhook.project, webhook.id)
        found = self._records.deliveries(webhook.project, webhook.id, limit=start + size) if start < total else ()
        return found[start:], total

    def find_sent(self, webhook: Webhook, delivery: Callable[[Delivery], bool], at: int) -> Delivery:
        """Return the delivery of an event at `at` that `delivery` holds for. Costs one Query. Raises NoSuchWebhook."""
        found = self._records.deliveries(webhook.project, webhook.id, limit=MAX_AT_ONCE, at=at)
        for one in found:
            if delivery(one):
                return one
        raise NoSuchWebhook("there is no such delivery; they are kept for 30 days")

    def send_again(self, webhook: Webhook, sent: Delivery) -> None:
        """Queue a delivery once more, with the same id and the same bytes, so that a receiver recognises it."""
        message = Message(
            sent.id, webhook.project, webhook.id, sent.content_type, sent.body, sent.at, sent.event, test=sent.test
        )
        self._send(webhook, message)

    def find(self, project: str, webhook: str) -> Webhook:
        """Costs one read."""
        return self._find(parse_project(project), webhook)

    def last_delivery(self, project: str, webhook: str) -> LastDelivery | None:
        """Return the last test or given-up delivery, or None if there was neither within 30 days."""
        parsed = parse_project(project)
        self._find(parsed, webhook)
        return self._records.find_delivery(parsed, webhook)

    def failing(self, since: int, *, within: Callable[[ProjectName], bool]) -> Sequence[tuple[Webhook, LastDelivery]]:
        """Return the webhooks that are on and whose last delivery failed from `since` on (seconds), by project and id,
        of projects that `within` holds for. Costs one Query; where any failed, one read for each 100."""
        failed = {key: last for key, last in self._records.failures(since).items() if within(key[0])}
        found = self._webhooks.find_webhooks(sorted(failed)) if failed else {}
        return [(found[key], failed[key]) for key in sorted(found) if found[key].enabled]

    def _find(self, project: ProjectName, webhook: str) -> Webhook:
        found = next((found for found in self._webhooks.list_webhooks(project) if found.id == webhook), None)
        if found is None:
            raise no_webhook(project, webhook)
        return found

    def _send(self, webhook: Webhook, message: Message) -> None:
        if self._queue is None:
            raise NotificationRefused("this registry has no notification queue: it sends no notifications")
        self._webhooks.tell(self._event(Operation.SEND_WEBHOOK, webhook, f"delivery={message.delivery}"))
        self._queue.send([message.as_text()])

    def _replace(self, found: Webhook, changed: Webhook, proof: WebhookSecrets | None = None) -> None:
        """Raises Conflict if somebody else has given the webhook other secrets meanwhile."""
        if proof is not None:
            self._remove_leftovers(found.project, self._webhooks.list_webhooks(found.project))
            changed = self._with_secrets(changed, proof)
        try:
            self._webhooks.replace_webhook(
                changed, replaces=found, event=self._event(Operation.CHANGE_WEBHOOK, changed)
            )
        except (UnknownWebhook, Conflict) as error:
            if proof is not None:
                self._secrets.remove_secrets(found.project, found.id, changed.secrets)
            if isinstance(error, Conflict):
                raise
            raise no_webhook(found.project, found.id) from error
        if proof is not None:
            self._secrets.remove_secrets(found.project, found.id, found.secrets)

    def _with_secrets(self, webhook: Webhook, proof: WebhookSecrets) -> Webhook:
        """Keep secrets where nothing names them yet: the write of the returned webhook makes them effective."""
        named = replace(webhook, secrets=secrets.token_hex(8))
        self._secrets.put_secrets(named.project, named.id, named.secrets, proof)
        return named

    def _remove_leftovers(
        self, project: ProjectName, webhooks: Iterable[Webhook], *, before: int | None = None
    ) -> None:
        """Remove secrets that no webhook names: those of changes that died. `webhooks` are all that the project has.

        A change that is still under way names its own soon, so only what is older than one can be, or what was kept
        `before` (seconds), is removed.
        """
        named = {(webhook.id, webhook.secrets) for webhook in webhooks}
        last = before if before is not None else int(self._clock()) - UNDER_WAY_SECONDS
        for kept in self._secrets.references(project):
            if kept.since < last and (kept.webhook, kept.reference) not in named:
                self._secrets.remove_secrets(project, kept.webhook, kept.reference)

    def _kept(self, webhook: Webhook) -> WebhookSecrets | None:
        return self._secrets.find_secrets(webhook.project, webhook.id, webhook.secrets)

    def _event(self, operation: Operation, webhook: Webhook, detail: str = "") -> Event:
        said = detail or (f"name={webhook.name}" if webhook.name else "")
        detail = f"webhook={webhook.id} {said}".strip()
        return self._events.make(operation, self._actor, "", project=webhook.project, detail=detail)

    def _existing(self, project: ProjectName) -> None:
        if self._webhooks.find_project(project) is None:
            raise no_project(project)

    def _check_url(self, url: str) -> None:
        try:
            self._poster.check(self._poster.parse(url))
        except (EndpointRefused, Unreachable) as error:
            raise NotificationRefused(str(error)) from error
