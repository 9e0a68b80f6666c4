"""Who did what: the actor of a request, the events that mutations leave, and the entries of the audit trail.

An event is written in the transaction of its mutation, so there is none without the other; the table's stream
carries it on to the audit trail. docs/audit.md describes an entry for whoever reads the trail.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from roadstead.names import RepositoryName

SCHEMA = 1  # raised when a field changes its meaning or goes; a new field does not raise it


class ActorKind(StrEnum):
    USER = "user"
    ROBOT = "robot"
    ANONYMOUS = "anonymous"
    OPERATOR = "operator"  # whoever may write the tables themselves, by the command line


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, and from where: what an audit entry needs beyond the mutation itself. No secret is among it."""

    name: str
    kind: ActorKind = ActorKind.USER
    token_id: str = ""
    source_ip: str = ""
    user_agent: str = ""
    request_id: str = ""
    trace_id: str = ""


class Operation(StrEnum):
    # Mutations of the index
    UPLOAD = "upload"
    MOUNT = "mount"
    DELETE_BLOB = "delete-blob"
    PUSH = "push"
    TAG = "tag"
    UNTAG = "untag"
    DELETE_MANIFEST = "delete-manifest"
    # Mutations of the identity table
    CREATE_USER = "create-user"
    CHANGE_PASSWORD = "change-password"
    CHANGE_USER = "change-user"
    CREATE_PROJECT = "create-project"
    CHANGE_PROJECT = "change-project"
    SET_MEMBER = "set-member"
    REMOVE_MEMBER = "remove-member"
    # What changes no table
    UPLOAD_RECEIVED = "upload-received"
    PULL = "pull"
    PULL_BLOB = "pull-blob"
    LOGIN = "login"
    PERMISSION_REFUSED = "permission-refused"


class Outcome(StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"  # wrong credentials
    REFUSED = "refused"  # known who asks, and not permitted


@dataclass(frozen=True, slots=True)
class Event:
    """One accepted mutation. `id` makes a repeated delivery recognisable; `at` in milliseconds since the epoch.

    A mutation of the index has a `repository`, one of the identity table a `project` or a `user` that it is about.
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
    detail: str = ""  # what was set to what: `role=developer`, `public=true`


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the trail. Empty fields are left out of its JSON; `at` in milliseconds since the epoch."""

    id: str
    at: int
    operation: Operation
    actor: Actor
    outcome: Outcome = Outcome.SUCCESS
    project: str = ""
    repository: str = ""
    reference: str = ""  # as the client named it: a tag, a digest; several tags parted by commas
    digest: str = ""
    media_type: str = ""
    size: int = 0  # bytes: of the manifest, the blob, the object
    source_repository: str = ""  # of a mount
    user: str = ""  # whom an identity operation is about
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        """The entry as docs/audit.md has it."""
        actor = self.actor
        fields: dict[str, Any] = {
            "schema": SCHEMA,
            "id": self.id,
            "time": rfc3339(self.at),
            "operation": str(self.operation),
            "outcome": str(self.outcome),
            "actor": {"name": actor.name, "kind": str(actor.kind)},
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
        return {name: value for name, value in fields.items() if value not in ("", 0)}

    @classmethod
    def from_json(cls, document: Any) -> AuditEntry:
        """The entry that `as_json` wrote. Raises ValueError for another schema, or what is no entry."""
        try:
            if document["schema"] != SCHEMA:
                raise ValueError(f"an audit entry of schema {document['schema']!r}; {SCHEMA} is known here")
            kind = ActorKind(document["actor"]["kind"])
            entry = cls(
                id=_text(document, "id"),
                at=_milliseconds(document["time"]),
                operation=Operation(document["operation"]),
                outcome=Outcome(document["outcome"]),
                actor=Actor(
                    _text(document["actor"], "name"),
                    kind,
                    *(_text(document, name) for name in ("token_id", "source_address", "user_agent")),
                    *(_text(document, name) for name in ("request_id", "trace_id")),
                ),
                size=int(document.get("bytes", 0)),
                **{name: _text(document, name) for name in _TEXTS},
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"no audit entry: {error!r}") from error
        if not entry.id:
            raise ValueError("an audit entry without an id")
        return entry

    @classmethod
    def of_event(cls, event: Event) -> AuditEntry:
        """The entry of a mutation."""
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
    return RepositoryName(repository).project if repository else ""


def entry_id() -> str:
    """A random id for an entry that no event has one for."""
    return secrets.token_hex(16)


def rfc3339(at: int) -> str:
    """Milliseconds since the epoch in UTC, as `2026-11-24T12:00:00.000Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000)) + f".{at % 1000:03d}Z"


def _milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"{name} of an audit entry is no text")
    return value
