"""The settings of outgoing notifications, a part of the webhook function's; docs/notifications.md lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from functions.hosting.environ import Environ
from roadstead.outbound.endpoint import EndpointPolicy


class Ports(Enum):
    STANDARD = "443"
    COMMON = "443,8443"
    ANY = "any"


class Reach(Enum):
    PUBLIC = "public"
    INTERNAL = "internal"  # plain HTTP and addresses that are not public, too


_PORTS = {Ports.STANDARD: frozenset({443}), Ports.COMMON: frozenset({443, 8443}), Ports.ANY: frozenset[int]()}


@dataclass(frozen=True, slots=True)
class NotificationSettings:
    identity_table: str
    index_table: str
    queue_url: str
    dead_letter_queue_url: str
    secrets_prefix: str
    registry_host: str
    endpoints: EndpointPolicy

    @property
    def queue_name(self) -> str:
        """As the ARN of the queue ends, by which its events are known."""
        return self.queue_url.rpartition("/")[2]

    @classmethod
    def read(cls, read: Environ) -> NotificationSettings:
        """Problems are collected in `read`."""
        return cls(
            identity_table=read.text("IDENTITY_TABLE"),
            index_table=read.text("INDEX_TABLE"),
            queue_url=read.text("NOTIFICATION_QUEUE_URL"),
            dead_letter_queue_url=read.text("NOTIFICATION_DEAD_LETTERS_URL"),
            secrets_prefix=read.text("WEBHOOK_SECRETS_PREFIX", "/roadstead/webhooks"),
            registry_host=read.text("REGISTRY_HOST"),
            endpoints=EndpointPolicy(
                ports=_PORTS[read.choice("WEBHOOK_PORTS", Ports.COMMON)],
                internal=read.choice("WEBHOOK_REACH", Reach.PUBLIC) is Reach.INTERNAL,
            ),
        )

    @classmethod
    def optional(cls, read: Environ) -> NotificationSettings | None:
        """None where no queue is set: then nobody is notified of anything, and no other setting is asked for."""
        return cls.read(read) if read.text("NOTIFICATION_QUEUE_URL", "") else None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> NotificationSettings:
        """Raises SettingsError that names every missing or wrong key."""
        read = Environ(environ)
        settings = cls.read(read)
        read.check()
        return settings
