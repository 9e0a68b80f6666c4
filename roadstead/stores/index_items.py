"""Keys of the index table's items, and the items that every mutation adds: its event and its candidate."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from roadstead.audit import Actor, ActorKind, Event, Operation
from roadstead.stores.table import Key, Write, put

EVENT_DAYS = 7
_SHARDS = 16
_EVENT = "event#"
_DAY_MS = 86_400_000


def repository_pk(repository: str) -> str:
    return f"repo#{repository}"


def blob_pk(digest: str) -> str:
    return f"blob#{digest}"


def upload_key(upload_id: str) -> Key:
    return (f"upload#{upload_id}", "meta")


def link_key(repository: str, digest: str) -> Key:
    return (repository_pk(repository), f"blob#{digest}")


def manifest_key(repository: str, digest: str) -> Key:
    return (repository_pk(repository), f"manifest#{digest}")


def tag_key(repository: str, tag: str) -> Key:
    return (repository_pk(repository), f"tag#{tag}")


def tagged_key(repository: str, digest: str, tag: str) -> Key:
    return (repository_pk(repository), f"tagged#{digest}#{tag}")


def use_key(repository: str, needed: str, manifest: str, generation: str) -> Key:
    return (repository_pk(repository), f"use#{needed}#{manifest}#{generation}")


def referrer_key(repository: str, subject: str, digest: str) -> Key:
    return (repository_pk(repository), f"referrer#{subject}#{digest}")


def event_write(event: Event) -> Write:
    """The event item: spread over 16 partitions, told by the stream, gone by TTL after a week."""
    actor = event.actor
    item: dict[str, Any] = {
        "id": event.id,
        "at": event.at,
        "operation": str(event.operation),
        "actor": actor.name,
        "actor_kind": str(actor.kind),
        "token_id": actor.token_id,
        "source_ip": actor.source_ip,
        "user_agent": actor.user_agent,
        "request_id": actor.request_id,
        "trace_id": actor.trace_id,
        "repository": event.repository,
        "digest": event.digest,
        "tags": list(event.tags),
        "media_type": event.media_type,
        "size": event.size,
        "source_repository": event.source_repository,
        "expires": event.at // 1000 + EVENT_DAYS * 86_400,
        # Of mutations of the identity table alone.
        **{name: text for name in ("project", "user", "detail") if (text := getattr(event, name))},
    }
    shard = secrets.randbelow(_SHARDS)
    return put((f"{_EVENT}{shard:02d}", f"{event.at:013d}#{event.id}"), item)


def event_from(item: Mapping[str, Any]) -> Event:
    """The event of such an item. Raises ValueError when it is none."""
    try:
        actor = Actor(
            item["actor"],
            ActorKind(item["actor_kind"]),
            item["token_id"],
            item["source_ip"],
            item["user_agent"],
            item["request_id"],
            item.get("trace_id", ""),
        )
        return Event(
            id=item["id"],
            at=item["at"],
            operation=Operation(item["operation"]),
            actor=actor,
            repository=item["repository"],
            digest=item["digest"],
            tags=tuple(item["tags"]),
            media_type=item["media_type"],
            size=item["size"],
            source_repository=item["source_repository"],
            **{name: item.get(name, "") for name in ("project", "user", "detail")},
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"no event item: {error!r}") from error


def is_event_key(pk: str) -> bool:
    return pk.startswith(_EVENT)


def event_partitions() -> tuple[str, ...]:
    """The partitions over which events are spread."""
    return tuple(f"{_EVENT}{shard:02d}" for shard in range(_SHARDS))


def candidate(at: int, kind: str, **fields: str) -> tuple[Key, dict[str, Any]]:
    """A thing that the collector shall look at once the grace period is over; `at` in milliseconds."""
    shard = secrets.randbelow(_SHARDS)
    return (f"gc#{at // _DAY_MS}#{shard:02d}", f"{at:013d}#{secrets.token_hex(8)}"), {"kind": kind, **fields}


def candidate_write(at: int, kind: str, **fields: str) -> Write:
    key, item = candidate(at, kind, **fields)
    return put(key, item)
