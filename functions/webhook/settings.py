"""The webhook function's settings. docs/settings.md documents them; a test compares the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from functions.hosting.environ import Environ
from functions.hosting.tracing import Tracing
from functions.webhook.notification_settings import NotificationSettings


class AuditPages(StrEnum):
    """What people can page through. The log always has everything."""

    CHANGES = "changes"  # and refusals
    ALL = "all"  # pulls and successful logins, too


@dataclass(frozen=True, slots=True)
class Settings:
    audit_log_group: str
    dead_letters_url: str
    index_table: str
    identity_table: str
    bucket: str
    object_events_queue: str
    tracing: Tracing
    metrics: bool
    audit_pages: AuditPages = AuditPages.CHANGES
    notifications: NotificationSettings | None = None  # None: no notifications are sent

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Raises SettingsError naming every missing or invalid key."""
        read = Environ(environ)
        settings = cls(
            audit_log_group=read.text("AUDIT_LOG_GROUP"),
            dead_letters_url=read.text("AUDIT_DEAD_LETTERS_URL"),
            index_table=read.text("INDEX_TABLE"),
            identity_table=read.text("IDENTITY_TABLE"),
            bucket=read.text("BUCKET"),
            object_events_queue=read.text("OBJECT_EVENTS_QUEUE", "roadstead-object-events"),
            tracing=read.choice("TRACING", Tracing.OFF),
            metrics=read.flag("METRICS"),
            audit_pages=read.choice("AUDIT_PAGES", AuditPages.CHANGES),
            notifications=NotificationSettings.optional(read),
        )
        read.check()
        return settings
