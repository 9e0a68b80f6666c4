"""The settings of outgoing notifications, part of the webhook function's. docs/notifications.md documents them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from functions.hosting.environ import Environ
from roadstead.outbound.endpoint import EndpointPolicy, Ports, Reach, policy_of


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
        """The queue's name: the end of its ARN, which its events carry."""
        return self.queue_url.rpartition("/")[2]

    @classmethod
    def read(cls, read: Environ) -> NotificationSettings:
        """Read the settings; problems are collected in `read`."""
        return cls(
            identity_table=read.text("IDENTITY_TABLE"),
            index_table=read.text("INDEX_TABLE"),
            queue_url=read.text("NOTIFICATION_QUEUE_URL"),
            dead_letter_queue_url=read.text("NOTIFICATION_DEAD_LETTERS_URL"),
            secrets_prefix=read.text("WEBHOOK_SECRETS_PREFIX", "/roadstead/webhooks"),
            registry_host=read.text("REGISTRY_HOST"),
            endpoints=policy_of(read.choice("WEBHOOK_PORTS", Ports.COMMON), read.choice("WEBHOOK_REACH", Reach.PUBLIC)),
        )

    @classmethod
    def optional(cls, read: Environ) -> NotificationSettings | None:
        """Read the settings, or return None without NOTIFICATION_QUEUE_URL: no other setting is required then."""
        return cls.read(read) if read.text("NOTIFICATION_QUEUE_URL", "") else None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> NotificationSettings:
        """Raises SettingsError naming every missing or invalid key."""
        read = Environ(environ)
        settings = cls.read(read)
        read.check()
        return settings
