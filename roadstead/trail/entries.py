"""Actors, the events that mutations write, and the entries of the audit trail.

A mutation writes its event in its own transaction, so neither exists without the other; the table's stream carries the
event to the audit trail. docs/audit.md documents an entry for readers of the trail.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from roadstead.names import RepositoryName
from roadstead.printable import printable

SCHEMA = 1  # raised when a field is removed or changes its meaning; adding a field does not raise it


class ActorKind(StrEnum):
    USER = "user"
    ROBOT = "robot"
    ANONYMOUS = "anonymous"
    OPERATOR = "operator"  # writes the tables directly, with the operator's command
    SYSTEM = "system"  # the registry itself: its collector


@dataclass(frozen=True, slots=True)
class Actor:
    """Who made a request, and from where. Contains no secret."""

    name: str
    kind: ActorKind = ActorKind.USER
    token_id: str = ""
    source_ip: str = ""
    user_agent: str = ""
    request_id: str = ""
    trace_id: str = ""
    id: int = 0  # of a robot: another robot may have its name later


class Operation(StrEnum):
    # Mutations of the index
    UPLOAD = "upload"
    MOUNT = "mount"
    DELETE_BLOB = "delete-blob"
    PUSH = "push"
    TAG = "tag"
    UNTAG = "untag"
    DELETE_MANIFEST = "delete-manifest"
    CHANGE_REPOSITORY = "change-repository"
    DELETE_REPOSITORY = "delete-repository"
    CREATE_LABEL = "create-label"
    CHANGE_LABEL = "change-label"
    DELETE_LABEL = "delete-label"
    LABEL = "label"  # an artifact
    UNLABEL = "unlabel"
    CREATE_IMMUTABLE_RULE = "create-immutable-rule"
    CHANGE_IMMUTABLE_RULE = "change-immutable-rule"
    REMOVE_IMMUTABLE_RULE = "remove-immutable-rule"
    CHANGE_QUOTA = "change-quota"
    WARN_QUOTA = "warn-quota"  # by the indexer, when a project comes near to its limit
    EXCEED_QUOTA = "exceed-quota"  # by the indexer, or by a push that was refused
    COLLECT = "collect"  # objects, by a run of the collector
    START_EXECUTION = "start-execution"  # of something that takes longer than a request
    STOP_EXECUTION = "stop-execution"
    CHANGE_COLLECTION = "change-collection"  # how often the collector runs
    CHANGE_RETENTION = "change-retention"  # the rules of a project
    RETAIN = "retain"  # a run of retention rules
    EMPTY_TRASH = "empty-trash"  # a unit of it, for good
    CHANGE_TRASH = "change-trash"  # the grace period of later deletions
    # Mutations of the identity table
    CREATE_USER = "create-user"
    CHANGE_PASSWORD = "change-password"
    CHANGE_USER = "change-user"
    RELEASE_LOGIN = "release-login"  # what LOCK_LOGIN locked
    REMOVE_USER = "remove-user"
    CREATE_PROJECT = "create-project"
    CHANGE_PROJECT = "change-project"
    DELETE_PROJECT = "delete-project"
    SET_MEMBER = "set-member"
    REMOVE_MEMBER = "remove-member"
    CREATE_GROUP = "create-group"
    CHANGE_GROUP = "change-group"
    DELETE_GROUP = "delete-group"
    ADD_GROUP_MEMBER = "add-group-member"
    REMOVE_GROUP_MEMBER = "remove-group-member"
    CREATE_ACCESS_TOKEN = "create-access-token"
    DELETE_ACCESS_TOKEN = "delete-access-token"
    DELETE_SESSION = "delete-session"  # by its user, from another one
    CREATE_ROBOT = "create-robot"
    CHANGE_ROBOT = "change-robot"
    CHANGE_ROBOT_SECRET = "change-robot-secret"
    DELETE_ROBOT = "delete-robot"
    ROBOT_EXPIRES = "robot-expires"  # a robot is about to expire
    CREATE_WEBHOOK = "create-webhook"
    CHANGE_WEBHOOK = "change-webhook"
    REMOVE_WEBHOOK = "remove-webhook"
    SEND_WEBHOOK = "send-webhook"  # a test, or a delivery once more
    CHANGE_CONFIGURATION = "change-configuration"
    # Operations that change no table
    UPLOAD_RECEIVED = "upload-received"
    PULL = "pull"
    PULL_BLOB = "pull-blob"
    SEE = "see"  # a HEAD by tag: no entry of the trail, it only renews when an artifact was last wanted
    LOGIN = "login"
    LOCK_LOGIN = "lock-login"  # for minutes, after too many failures
    PERMISSION_REFUSED = "permission-refused"


class Outcome(StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"  # wrong credentials, or a forged token
    REFUSED = "refused"  # the actor is known and not permitted


@dataclass(frozen=True, slots=True)
class Event:
    """One accepted mutation. A repeated delivery has the same `id`; `at` is in milliseconds since the epoch.

    A mutation of the index sets `repository`; one of the identity table sets `project`, `user` or both.
    """

    id: str
    at: int
    operation: Operation
    actor: Actor
    repository: str
    digest: str = ""
    tags: tuple[str, ...] = ()
    media_type: str = ""
    size: int = 0
    source_repository: str = ""
    project: str = ""
    user: str = ""
    detail: str = ""  # the new value: `role=developer`, `public=true`


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the trail. `at` is in milliseconds since the epoch; the JSON omits empty fields."""

    id: str
    at: int
    operation: Operation
    actor: Actor
    outcome: Outcome = Outcome.SUCCESS
    project: str = ""
    repository: str = ""
    reference: str = ""  # as the client wrote it: a tag or a digest; several tags are separated by commas
    digest: str = ""
    media_type: str = ""
    size: int = 0  # bytes of the manifest, blob or object
    source_repository: str = ""  # of a mount
    user: str = ""  # the user or robot that an identity operation changes
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the entry in the schema of docs/audit.md.

        Control and bidirectional characters are escaped: some of the text is whatever a client sent.
        """
        actor = self.actor
        fields: dict[str, Any] = {
            "schema": SCHEMA,
            "id": self.id,
            "time": rfc3339(self.at),
            "operation": str(self.operation),
            "outcome": str(self.outcome),
            "actor": {
                "name": printable(actor.name),
                "kind": str(actor.kind),
                **({"id": actor.id} if actor.id else {}),
            },
            "token_id": actor.token_id,
            "source_address": actor.source_ip,
            "user_agent": actor.user_agent,
            "request_id": actor.request_id,
            "trace_id": actor.trace_id,
            "project": self.project,
            "repository": self.repository,
            "reference": self.reference,
            "digest": self.digest,
            "media_type": self.media_type,
            "bytes": self.size,
            "source_repository": self.source_repository,
            "user": self.user,
            "detail": self.detail,
        }
        return {
            name: printable(value) if isinstance(value, str) else value
            for name, value in fields.items()
            if value not in ("", 0)
        }

    @classmethod
    def from_json(cls, document: Any) -> AuditEntry:
        """Parse what `as_json` returned. Raises ValueError for another schema, or if it is not an entry."""
        try:
            if document["schema"] != SCHEMA:
                raise ValueError(f"the audit entry has schema {document['schema']!r}; only {SCHEMA} is supported")
            kind = ActorKind(document["actor"]["kind"])
            entry = cls(
                id=_text(document, "id"),
                at=_milliseconds(document["time"]),
                operation=Operation(document["operation"]),
                outcome=Outcome(document["outcome"]),
                actor=Actor(
                    _text(document["actor"], "name"),
                    kind,
                    token_id=_text(document, "token_id"),
                    source_ip=_text(document, "source_address"),
                    user_agent=_text(document, "user_agent"),
                    request_id=_text(document, "request_id"),
                    trace_id=_text(document, "trace_id"),
                    id=int(document["actor"].get("id", 0)),
                ),
                size=int(document.get("bytes", 0)),
                **{name: _text(document, name) for name in _TEXTS},
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not an audit entry: {error!r}") from error
        if not entry.id:
            raise ValueError("the audit entry has no id")
        return entry

    @classmethod
    def of_event(cls, event: Event) -> AuditEntry:
        """Return the entry of a mutation."""
        return cls(
            id=event.id,
            at=event.at,
            operation=event.operation,
            actor=event.actor,
            project=event.project or project_of(event.repository),
            repository=event.repository,
            reference=",".join(event.tags) or event.digest,
            digest=event.digest,
            media_type=event.media_type,
            size=event.size,
            source_repository=event.source_repository,
            user=event.user,
            detail=event.detail,
        )


_TEXTS = (
    "project", "repository", "reference", "digest", "media_type", "source_repository", "user", "detail",
)  # fmt: skip


def project_of(repository: str) -> str:
    """Return the project of a repository's name, or "" for ""."""
    return RepositoryName(repository).project if repository else ""


def entry_id() -> str:
    """Return a random id, for an entry without an event."""
    return secrets.token_hex(16)


def rfc3339(at: int) -> str:
    """Format milliseconds since the epoch in UTC, as `2026-11-24T12:00:00.000Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000)) + f".{at % 1000:03d}Z"


def _milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"{name} of an audit entry is not a string")
    return value
