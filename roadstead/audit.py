"""Who did what: the actor of a request and the events that mutations leave in the index.

An event is written in the transaction of its mutation, so there is none without the other; the table's stream
carries it on to the audit trail.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    USER = "user"
    ROBOT = "robot"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, and from where: what an audit entry needs beyond the mutation itself. No secret is among it."""

    name: str
    kind: ActorKind = ActorKind.USER
    token_id: str = ""
    source_ip: str = ""
    user_agent: str = ""
    request_id: str = ""


class Operation(StrEnum):
    UPLOAD = "upload"
    MOUNT = "mount"
    DELETE_BLOB = "delete-blob"
    PUSH = "push"
    TAG = "tag"
    UNTAG = "untag"
    DELETE_MANIFEST = "delete-manifest"


@dataclass(frozen=True, slots=True)
class Event:
    """One accepted mutation. `id` makes a repeated delivery recognisable; `at` in milliseconds since the epoch."""

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
