"""Queues a message for each webhook that subscribes to an audit entry."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from roadstead.names import ProjectName, RepositoryName
from roadstead.notifications.messages import Message, delivery_id
from roadstead.notifications.payloads import Surroundings, event_type, payload
from roadstead.notifications.queue import Sender
from roadstead.notifications.stores import DeliveryRecords
from roadstead.notifications.targets import Subscriptions, Targets, heard
from roadstead.recent import Recent
from roadstead.trail.entries import AuditEntry

_DATES_SECONDS = 3_600  # a repository's creation date changes only with its deletion
_DATES = 5_000


class Dispatcher:
    """`host` is the registry's, as in the references that clients pull."""

    def __init__(
        self,
        targets: Targets,
        records: DeliveryRecords,
        queue: Sender,
        *,
        host: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._targets = targets
        self._records = records
        self._queue = queue
        self._host = host
        self._dates: Recent[str, int | None] = Recent(_DATES_SECONDS, _DATES, clock)

    def enqueue(self, entries: Iterable[AuditEntry]) -> int:
        """Queue a message for each entry and subscribed webhook; return the number of messages.

        Costs one read per project not read in the last minute and a second if it has webhooks, one read per repository
        that had no notification in the last hour, and one request per ten messages. A repeated entry is queued again,
        under the same delivery id. Raises what the stores raise; some messages may be queued then.
        """
        messages = [message.as_text() for entry in entries for message in self._messages(entry)]
        self._queue.send(messages)
        return len(messages)

    def _messages(self, entry: AuditEntry) -> Iterator[Message]:
        kind = event_type(entry)
        if kind is None:
            return
        project = RepositoryName(entry.repository).project if entry.repository else ProjectName(entry.project)
        subscriptions = self._targets.of(project)
        for webhook in subscriptions.webhooks:
            tags = heard(webhook, entry)
            if tags is None:
                continue
            told = payload(entry, kind, tags, webhook, self._around(entry, subscriptions))
            delivery = delivery_id(entry.id, webhook.id)
            yield Message(delivery, webhook.project, webhook.id, told.content_type, told.body, entry.at, str(kind))

    def _around(self, entry: AuditEntry, subscriptions: Subscriptions) -> Surroundings:
        repository, created = entry.repository, None
        if repository:
            created = self._dates.get(repository, lambda: self._records.repository_created(repository))
        return Surroundings(self._host, subscriptions.public, created)
