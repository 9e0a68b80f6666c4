"""The fields of a webhook as people write them: parsing and checking, and the sentences that refuse them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from roadstead.names import ProjectName
from roadstead.notifications.signatures import key_of, new_secret
from roadstead.notifications.stores import EventType, PayloadFormat, Webhook, WebhookSecrets
from roadstead.patterns import check_pattern

MAX_NAME = 100
MAX_DESCRIPTION = 1_024
MAX_AUTHORIZATION = 1_024
_PRINTABLE = re.compile(r"[ -~]*")


class NotificationRefused(Exception):
    """The request cannot be fulfilled. The message is a sentence for a person, without secrets."""


class NoSuchWebhook(NotificationRefused):
    """There is no such webhook, or no such delivery of it."""


class WebhookNameTaken(NotificationRefused):
    """The project has a webhook of that name."""


def parse_project(text: str) -> ProjectName:
    try:
        return ProjectName.parse(text)
    except ValueError as error:
        raise NotificationRefused(str(error)) from error


def parse_events(texts: Iterable[str]) -> frozenset[EventType]:
    names = list(texts)
    unknown = [name for name in names if name not in list(EventType)]
    if unknown or not names:
        problem = f"{unknown[0][:40]!r} is not an event" if unknown else "a webhook needs at least one event"
        raise NotificationRefused(f"{problem}; choose from {', '.join(EventType)}")
    return frozenset(EventType(name) for name in names)


def parse_payload(text: str) -> PayloadFormat:
    if text not in list(PayloadFormat):
        raise NotificationRefused(f"{text[:40]!r} is not a payload format; choose {' or '.join(PayloadFormat)}")
    return PayloadFormat(text)


def parse_pattern(text: str) -> str:
    try:
        check_pattern(text)
    except ValueError as error:
        raise NotificationRefused(str(error)) from error
    return text


def parse_name(text: str) -> str:
    if len(text) > MAX_NAME or not text.isprintable():
        raise NotificationRefused(f"the name of a webhook can have up to {MAX_NAME} printable characters")
    return text


def parse_proof(secret: str, authorization: str) -> WebhookSecrets:
    if len(authorization) > MAX_AUTHORIZATION or _PRINTABLE.fullmatch(authorization) is None:
        raise NotificationRefused(f"the Authorization header can have up to {MAX_AUTHORIZATION} ASCII characters")
    signing = secret or new_secret()
    try:
        key_of(signing)
    except ValueError as error:
        raise NotificationRefused(str(error)) from error
    return WebhookSecrets(signing, authorization)


def no_project(name: ProjectName) -> NotificationRefused:
    return NotificationRefused(f"there is no project {name}")


def parse_description(text: str) -> str:
    if len(text) > MAX_DESCRIPTION or not text.isprintable():
        raise NotificationRefused(f"the description can have up to {MAX_DESCRIPTION} printable characters")
    return text


def check_name(webhook: Webhook, others: Iterable[Webhook]) -> None:
    if webhook.name and any(one.name == webhook.name and one.id != webhook.id for one in others):
        raise WebhookNameTaken(f"the project has a webhook named {webhook.name!r} already")


def no_webhook(project: ProjectName, webhook: str) -> NoSuchWebhook:
    return NoSuchWebhook(f"project {project} has no webhook {webhook[:40]!r}")
