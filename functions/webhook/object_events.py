"""S3's events of new objects, through a queue: an upload that was sent whole has arrived.

Such an upload is in no index until somebody asks for it, which is when its `upload` entry is made; `upload-received`
says when its bytes came, and is all that is ever told of one that nobody asks for. An object that is gone already was
asked for, and found surplus: its `upload` has told of it. Each leaves a candidate for the collector, too.
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

from functions.webhook.batch import Received, work
from functions.webhook.services import WebhookServices
from roadstead.content.finishing import STREAMED
from roadstead.content.objects import is_whole_key
from roadstead.content.provenance import uploader
from roadstead.digest import Digest
from roadstead.trail.entries import Actor, ActorKind, AuditEntry, Operation, project_of

Record = Mapping[str, Any]

_log = logging.getLogger(__name__)


def handle(services: WebhookServices, messages: Sequence[Record]) -> dict[str, Any]:
    """Answers the messages that the queue must bring again."""
    batch, failed = [], []
    for message in messages:
        identifier = str(message.get("messageId", ""))
        try:
            batch.append(Received(identifier, message, tuple(_entries(services, message))))
        except ValueError as error:
            batch.append(Received(identifier, message, problem=str(error)))
        except Exception:  # of S3: the queue brings the message again, and in the end puts it to its dead letters
            _log.exception("an object's metadata could not be read: message %s", identifier)
            failed.append(identifier)
    failed += work(services, "objects", batch)
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}


def _entries(services: WebhookServices, message: Record) -> Iterator[AuditEntry]:
    """What a message tells. Raises ValueError for what is no event of S3; other exceptions are the store's."""
    try:
        document = json.loads(message["body"])
        if document.get("Event") == "s3:TestEvent":  # which S3 sends when the notification is set up
            return
        records = [(str(one["eventName"]), one["s3"]["object"], str(one["eventTime"])) for one in document["Records"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no event of S3: {error!r}") from error
    for name, about, time in records:
        key = unquote_plus(str(about.get("key", "")))
        if "ObjectCreated" in name and is_whole_key(key):
            digest = _digest(key)
            info = services.objects.find(key)
            if info is not None:
                entry = _entry(key, digest, about, time, info.metadata)
                streamed = info.metadata.get(STREAMED)
                if streamed is not None and (found := services.objects.find(streamed)) is not None:
                    entry = replace(entry, size=found.size)
                # Should nobody ever ask for it, this is what the collector finds it by.
                services.candidates.note_object(key, key.rpartition("/")[2], at=entry.at)
                yield entry


def _digest(key: str) -> Digest:
    parts = key.split("/")
    if len(parts) != 5:
        raise ValueError(f"{key[:200]!r} is no key of a blob")
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
