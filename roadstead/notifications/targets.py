"""Which webhooks hear of what. A project's webhooks are read once a minute and process, however much happens in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from roadstead.names import ProjectName, RepositoryName
from roadstead.notifications.payloads import event_type, name_in_project, tags_of
from roadstead.notifications.stores import EVERYTHING, Webhook, Webhooks
from roadstead.patterns import matches
from roadstead.recent import Recent
from roadstead.trail.entries import AuditEntry

FRESH_SECONDS = 60  # after a change of a webhook this much may still go by its old form
_PROJECTS = 1_000


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """The webhooks of a project, and whether it is public (False when there is nobody to tell)."""

    webhooks: tuple[Webhook, ...]
    public: bool


class Targets:
    def __init__(self, webhooks: Webhooks, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._webhooks = webhooks
        self._recent: Recent[ProjectName, Subscriptions] = Recent(FRESH_SECONDS, _PROJECTS, clock)

    def of(self, project: ProjectName) -> Subscriptions:
        """One read at most where there is no webhook that is enabled, two where there is."""
        return self._recent.get(project, lambda: self._load(project))

    def find(self, project: ProjectName, webhook: str) -> Webhook | None:
        """None when there is none, or none any more. A webhook that is missing or disabled is looked for once more: it
        may have been added, or enabled, since the last read.
        """
        found = self._among(project, webhook)
        if found is None or not found.enabled:
            self._recent.forget(project)
            found = self._among(project, webhook)
        return found

    def _among(self, project: ProjectName, webhook: str) -> Webhook | None:
        return next((found for found in self.of(project).webhooks if found.id == webhook), None)

    def _load(self, project: ProjectName) -> Subscriptions:
        webhooks = self._webhooks.list_webhooks(project)
        if not any(webhook.enabled for webhook in webhooks):
            return Subscriptions(webhooks, public=False)
        found = self._webhooks.find_project(project)
        return Subscriptions(webhooks, public=found is not None and found.public)


def heard(webhook: Webhook, entry: AuditEntry) -> tuple[str, ...] | None:
    """The tags of which a webhook hears by this entry (none for what has no tag); None when it does not hear of it.

    A pattern of tags leaves out what has no tag at all.
    """
    if not webhook.enabled or event_type(entry) not in webhook.events:
        return None
    if not matches(webhook.repositories, name_in_project(RepositoryName(entry.repository))):
        return None
    tags = tags_of(entry)
    if webhook.tags == EVERYTHING:
        return tags
    return tuple(tag for tag in tags if matches(webhook.tags, tag)) or None
