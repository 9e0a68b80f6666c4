"""Delivers one message: looks up its webhook, signs and posts the payload, and judges the response."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Protocol

from roadstead.names import ProjectName
from roadstead.notifications.messages import Message
from roadstead.notifications.signatures import signature_headers
from roadstead.notifications.stores import (
    Delivery,
    DeliveryRecords,
    LastDelivery,
    Outcome,
    Webhook,
    WebhookSecrets,
    WebhookSecretStore,
)
from roadstead.notifications.targets import Targets
from roadstead.outbound.endpoint import Endpoint, EndpointRefused
from roadstead.outbound.https import Answer, Unreachable
from roadstead.recent import Recent

USER_AGENT = "Roadstead-Webhook/1"
_SECRETS_SECONDS = 300
_SECRETS = 1_000
_TEMPORARY = frozenset({408, 425, 429})  # the 4xx statuses that ask the client to retry later

_log = logging.getLogger(__name__)


class Poster(Protocol):
    """Posts to an endpoint. `roadstead.outbound.https` has the implementation and its exceptions."""

    def parse(self, url: str) -> Endpoint: ...

    def check(self, endpoint: Endpoint) -> None: ...

    def post(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Retries:
    """The retry schedule. By default 12 attempts: a pause of 10 s that doubles up to an hour, about 3 hours in all.

    Half of each pause is random, so that deliveries that failed together are not retried together.
    """

    attempts: int = 12
    first: float = 10.0
    longest: float = 3_600.0

    def pause(self, attempt: int, asked: float = 0.0) -> int:
        """Return the seconds to wait after the `attempt`th attempt: at least `asked`, if that is within `longest`."""
        pause = min(self.longest, self.first * 2.0 ** min(attempt - 1, 32))
        pause = random.uniform(pause / 2, pause)  # noqa: S311 - jitter, not a secret
        return max(1, round(max(pause, min(asked, self.longest))))


class Fate(Enum):
    DELIVERED = "delivered"
    DROPPED = "dropped"  # the webhook was removed or disabled meanwhile
    LATER = "later"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of an attempt. `detail` is a sentence for a person; `pause` is in seconds, for LATER."""

    fate: Fate
    detail: str
    pause: int = 0


_OUTCOMES = {Fate.DELIVERED: Outcome.SUCCESS, Fate.LATER: Outcome.RUNNING, Fate.GIVEN_UP: Outcome.ERROR}


class Deliverer:
    """Delivers messages. Safe to share among threads."""

    def __init__(
        self,
        targets: Targets,
        secrets: WebhookSecretStore,
        records: DeliveryRecords,
        poster: Poster,
        *,
        retries: Retries = Retries(),
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._targets = targets
        self._secrets = secrets
        self._records = records
        self._poster = poster
        self._retries = retries
        self._clock = clock
        self._recent: Recent[tuple[ProjectName, str, str], WebhookSecrets | None] = Recent(
            _SECRETS_SECONDS, _SECRETS, monotonic
        )

    def deliver(self, text: str, attempt: int) -> Verdict:
        """Attempt to deliver a message; this is the `attempt`th attempt, from 1.

        Raises what the stores raise; nothing was sent then.
        """
        try:
            message = Message.parse(text)
        except ValueError as error:
            _log.error("malformed message in the notification queue: %s", error)
            return Verdict(Fate.GIVEN_UP, str(error))
        verdict = self._verdict(message, attempt)
        _log.log(
            logging.INFO if verdict.fate in (Fate.DELIVERED, Fate.DROPPED) else logging.WARNING,
            "notification %s of project %s at webhook %s, attempt %d: %s: %s",
            *(message.delivery, message.project, message.webhook, attempt, verdict.fate.value, verdict.detail),
        )
        if verdict.fate is not Fate.DROPPED:
            self._record(message, verdict, attempt)
        return verdict

    def _verdict(self, message: Message, attempt: int) -> Verdict:
        for _ in range(2):
            webhook = self._targets.find(message.project, message.webhook)
            if webhook is None or not (webhook.enabled or message.test):
                return Verdict(
                    Fate.DROPPED, "the webhook was removed" if webhook is None else "the webhook is disabled"
                )
            secrets = self._secrets_of(webhook)
            if secrets is not None:
                return self._sent(message, webhook, secrets, attempt)
            self._targets.forget(message.project)  # they were replaced since the webhook was read
        return self._failed(attempt, "the webhook has no signing secret; set a new one")

    def _sent(self, message: Message, webhook: Webhook, secrets: WebhookSecrets, attempt: int) -> Verdict:
        body = message.body.encode()
        try:
            endpoint = self._poster.parse(webhook.url)
            headers = self._headers(message, secrets, body)
            answer = self._poster.post(endpoint, headers, body)
        except EndpointRefused as error:
            return Verdict(Fate.GIVEN_UP, str(error))
        except Unreachable as error:
            return self._failed(attempt, str(error))
        return self._judged(answer, attempt)

    def _secrets_of(self, webhook: Webhook) -> WebhookSecrets | None:
        """Return the secrets, or None. None is not remembered: SSM may show what was just written a little later."""
        place = (webhook.project, webhook.id, webhook.secrets)
        found = self._recent.get(place, lambda: self._secrets.find_secrets(*place))
        if found is None:
            self._recent.forget(place)
        return found

    def _headers(self, message: Message, secrets: WebhookSecrets, body: bytes) -> dict[str, str]:
        headers = {"User-Agent": USER_AGENT, "Content-Type": message.content_type}
        if secrets.authorization:
            headers["Authorization"] = secrets.authorization
        return headers | signature_headers(secrets.signing, message.delivery, int(self._clock()), body)

    def _judged(self, answer: Answer, attempt: int) -> Verdict:
        said = f"the endpoint responded with {answer.status}"
        if 200 <= answer.status < 300:
            return Verdict(Fate.DELIVERED, said)
        if 300 <= answer.status < 400:
            return Verdict(Fate.GIVEN_UP, f"{said}; redirects are not followed")
        if answer.status in _TEMPORARY or answer.status >= 500:
            return self._failed(attempt, said, self._asked(answer.retry_after))
        return Verdict(Fate.GIVEN_UP, said)

    def _failed(self, attempt: int, said: str, asked: float = 0.0) -> Verdict:
        if attempt >= self._retries.attempts:
            return Verdict(Fate.GIVEN_UP, f"{said}; that was the last of {self._retries.attempts} attempts")
        return Verdict(Fate.LATER, said, self._retries.pause(attempt, asked))

    def _asked(self, retry_after: str) -> float:
        """Return the seconds in a Retry-After, a number or a date (RFC 9110 section 10.2.3); 0 if absent or invalid."""
        if retry_after.isascii() and retry_after.isdigit():
            return float(retry_after[:10])
        try:
            return max(0.0, parsedate_to_datetime(retry_after).timestamp() - self._clock())
        except (ValueError, TypeError, OverflowError):
            return 0.0

    def _record(self, message: Message, verdict: Verdict, attempt: int) -> None:
        detail = verdict.detail if verdict.fate is not Fate.LATER else f"{verdict.detail}; it will be retried"
        now = self._clock()
        delivery = Delivery(
            id=message.delivery,
            at=message.at,
            updated=int(now * 1000),
            attempts=attempt,
            outcome=_OUTCOMES[verdict.fate],
            event=message.event,
            detail=detail,
            content_type=message.content_type,
            body=message.body,
            test=message.test,
        )
        try:
            self._records.keep_delivery(message.project, message.webhook, delivery)
            if message.test or verdict.fate is Fate.GIVEN_UP:
                last = LastDelivery(message.delivery, int(now), verdict.fate is Fate.DELIVERED, detail)
                self._records.record_delivery(message.project, message.webhook, last)
        except Exception:
            # The message was sent: raising would send it again, which is worse than a missing record.
            _log.exception("the delivery %s could not be recorded", message.delivery)
