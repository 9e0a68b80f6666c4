"""Handles S3's events of new objects, which arrive through a queue: a whole blob was uploaded through the edge.

Such a blob enters the index only when it is first requested, and its `upload` entry is written then.
`upload-received` records when the bytes arrived, and is the only entry of a blob that is never requested. An object
that is already gone was requested and found to be a duplicate, so its `upload` entry exists. Each object becomes a
candidate for the collector, or is removed if it can never be adopted.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from functions.webhook.batch import Received, process
from functions.webhook.services import WebhookServices
from roadstead.content.objects import is_whole_key
from roadstead.content.uploads.adoption import find_surplus
from roadstead.content.uploads.finishing import streamed_object
from roadstead.content.uploads.provenance import uploader
from roadstead.digest import Digest
from roadstead.trail.entries import Actor, ActorKind, AuditEntry, Operation, project_of

Record = Mapping[str, Any]

_log = logging.getLogger(__name__)


def handle(services: WebhookServices, messages: Sequence[Record]) -> dict[str, Any]:
    """Record the uploads; return the messages that the queue must deliver again."""
    batch, failed = [], []
    for message in messages:
        identifier = str(message.get("messageId", ""))
        try:
            batch.append(Received(identifier, message, tuple(_entries(services, message))))
        except ValueError as error:
            batch.append(Received(identifier, message, problem=str(error)))
        except Exception:  # from S3: the queue delivers the message again, and in the end moves it to its dead letters
            _log.exception("the object's metadata in message %s could not be read", identifier)
            failed.append(identifier)
    failed += process(services, "objects", batch)
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}


def _entries(services: WebhookServices, message: Record) -> Iterator[AuditEntry]:
    """Return a message's entries. Raises ValueError for a malformed event, and what the stores raise."""
    try:
        document = json.loads(message["body"])
        if document.get("Event") == "s3:TestEvent":  # S3 sends it when the notification is configured
            return
        records = [(str(one["eventName"]), one["s3"]["object"], str(one["eventTime"])) for one in document["Records"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an event of S3: {error!r}") from error
    for name, about, time in records:
        key = unquote_plus(str(about.get("key", "")))
        if "ObjectCreated" in name and is_whole_key(key):
            digest = _digest(key)
            info = services.objects.find(key)
            if info is not None:
                entry = _entry(key, digest, about, time, info.metadata)
                streamed = streamed_object(key.rpartition("/")[2], info.metadata)
                if streamed is not None and (found := services.objects.find(streamed)) is not None:
                    entry = replace(entry, size=found.size)
                _keep_or_remove(services, digest, key, streamed, at=entry.at)
                yield entry


def _keep_or_remove(services: WebhookServices, digest: Digest, key: str, streamed: str | None, *, at: int) -> None:
    """Remove an object that can never be adopted, so that it does not slow down every request for its digest.

    Its upload was cancelled or consumed before: the URL of an upload accepts objects until it expires. Any other object
    becomes a candidate, by which the collector finds it if it is never requested.
    """
    upload_id = key.rpartition("/")[2]
    spent = services.uploads.find_spent_uploads({upload_id})
    surplus = find_surplus(services.uploads, digest, [key, *([streamed] if streamed else [])]) if spent else ()
    if surplus:
        services.objects.delete(surplus)
    else:
        services.candidates.note_object(key, upload_id, at=at)


def _digest(key: str) -> Digest:
    parts = key.split("/")
    if len(parts) != 5:
        raise ValueError(f"{key[:200]!r} is not a blob's key")
    return Digest.parse(f"{parts[1]}:{parts[2]}")


def _entry(key: str, digest: Digest, about: Record, time: str, metadata: Mapping[str, str]) -> AuditEntry:
    repository = metadata.get("repository", "")
    return AuditEntry(
        id=hashlib.sha256(f"{key} {about.get('sequencer', '')}".encode()).hexdigest()[:32],
        at=round(datetime.fromisoformat(time).timestamp() * 1000),
        operation=Operation.UPLOAD_RECEIVED,
        actor=uploader(metadata, Actor("", ActorKind.ANONYMOUS)),
        project=project_of(repository),
        repository=repository,
        reference=digest,
        digest=digest,
        size=int(about.get("size", 0)),
    )
