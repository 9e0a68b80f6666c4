"""Finds the webhooks that subscribe to an entry. A process reads a project's webhooks at most once a minute."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from roadstead.names import ProjectName, RepositoryName
from roadstead.notifications.payloads import deleted_by, event_type, name_in_project, tags_of
from roadstead.notifications.stores import EVERYTHING, Webhook, Webhooks
from roadstead.patterns import matches
from roadstead.recent import Recent
from roadstead.trail.entries import AuditEntry, Operation

FRESH_SECONDS = 60  # how long a change to a webhook may take to have effect
_PROJECTS = 1_000


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """The webhooks of a project, and whether it is public (False if no webhook is enabled)."""

    webhooks: tuple[Webhook, ...]
    public: bool


class Targets:
    """The webhooks of each project, cached for FRESH_SECONDS."""

    def __init__(self, webhooks: Webhooks, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._webhooks = webhooks
        self._recent: Recent[ProjectName, Subscriptions] = Recent(FRESH_SECONDS, _PROJECTS, clock)

    def of(self, project: ProjectName) -> Subscriptions:
        """Return a project's subscriptions. Costs no read if cached, one without an enabled webhook, otherwise two."""
        return self._recent.get(project, lambda: self._load(project))

    def find(self, project: ProjectName, webhook: str) -> Webhook | None:
        """Return the webhook, or None. One that is absent or disabled is read again: the cache may be out of date."""
        found = self._among(project, webhook)
        if found is None or not found.enabled:
            self._recent.forget(project)
            found = self._among(project, webhook)
        return found

    def forget(self, project: ProjectName) -> None:
        """Read the project's webhooks again when they are next asked for."""
        self._recent.forget(project)

    def _among(self, project: ProjectName, webhook: str) -> Webhook | None:
        return next((found for found in self.of(project).webhooks if found.id == webhook), None)

    def _load(self, project: ProjectName) -> Subscriptions:
        webhooks = self._webhooks.list_webhooks(project)
        if not any(webhook.enabled for webhook in webhooks):
            return Subscriptions(webhooks, public=False)
        found = self._webhooks.find_project(project)
        return Subscriptions(webhooks, public=found is not None and found.public)


def heard(webhook: Webhook, entry: AuditEntry) -> tuple[str, ...] | None:
    """Return the entry's tags that a webhook subscribes to (empty if the entry has none), or None if it does not.

    A webhook with a tag pattern does not subscribe to entries without tags. Of a run of retention rules, what counts
    is what it deleted: the names of those that match are returned.
    """
    if not webhook.enabled or event_type(entry) not in webhook.events:
        return None
    if entry.operation is Operation.RETAIN:
        deleted = deleted_by(entry)
        if webhook.repositories == webhook.tags == EVERYTHING:
            return deleted
        return tuple(name for name in deleted if _is_wanted(webhook, name)) or None
    if not matches(webhook.repositories, name_in_project(RepositoryName(entry.repository))):
        return None
    tags = tags_of(entry)
    if webhook.tags == EVERYTHING:
        return tags
    return tuple(tag for tag in tags if matches(webhook.tags, tag)) or None


def _is_wanted(webhook: Webhook, deleted: str) -> bool:
    """Whether the patterns choose `cargo/crane:v1` or, without a tag, `cargo/crane@sha256:…`."""
    repository, _, digest = deleted.partition("@")
    tag = ""
    if not digest:
        repository, _, tag = deleted.rpartition(":")
    if not matches(webhook.repositories, repository):
        return False
    return webhook.tags == EVERYTHING or (tag != "" and matches(webhook.tags, tag))
