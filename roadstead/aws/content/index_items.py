"""Keys of the index table's items, and the items that every mutation adds: its event and its candidate."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, TypeVar

from roadstead.aws.ranges import Order
from roadstead.aws.table import Key, Write, put
from roadstead.trail.entries import Actor, ActorKind, Event, Operation

EVENT_DAYS = 7
_SHARDS = 16
_EVENT = "event#"
_TEXTS = (
    "id", "operation", "actor", "actor_kind", "token_id", "source_ip", "user_agent", "request_id", "repository",
    "digest", "media_type", "source_repository",
)  # fmt: skip

BY_PUSH = Order("pushed", "by-push")  # the index of tags and listed manifests by the time of their push

T = TypeVar("T")
DAY_MS = 86_400_000


def repository_pk(repository: str) -> str:
    return f"repo#{repository}"


def meta_key(repository: str) -> Key:
    """The repository itself."""
    return repository_pk(repository), "meta"


def era_of(meta: Mapping[str, Any] | None) -> int:
    """Return a repository's era (roadstead/content/repositories.py) by its `meta` item, 0 without one."""
    if meta is None:
        return 0
    era: int = meta.get("deleting", meta.get("era", meta["at"]))
    return era


def standing_since(meta: Mapping[str, Any] | None) -> int:
    """Return the first era whose manifests and tags stand: the repository's, or 0 if its deletion was given up."""
    if meta is None or "deleting" in meta:
        return era_of(meta)
    since: int = meta.get("since", era_of(meta))
    return since


def era_when_set(item: Mapping[str, Any]) -> int:
    """Return the era of a manifest or tag. Those of earlier versions have none, and were set when they were pushed."""
    era: int = item.get("era", item["at"])
    return era


def catalog_key(repository: str) -> Key:
    """Its entry in the list of repositories."""
    return "catalog", repository


def closed_key(project: str) -> Key:
    """Is there while no repository can be made in a project."""
    return f"closed#{project}", "closed"


def blob_pk(digest: str) -> str:
    return f"blob#{digest}"


def upload_key(upload_id: str) -> Key:
    return (f"upload#{upload_id}", "meta")


def link_key(repository: str, digest: str) -> Key:
    return (repository_pk(repository), f"blob#{digest}")


def manifest_item_key(repository: str, digest: str) -> Key:
    return (repository_pk(repository), f"manifest#{digest}")


def tag_key(repository: str, tag: str) -> Key:
    return (repository_pk(repository), f"tag#{tag}")


def tagged_key(repository: str, digest: str, tag: str) -> Key:
    return (repository_pk(repository), f"tagged#{digest}#{tag}")


def use_key(repository: str, needed: str, manifest: str, generation: str) -> Key:
    return (repository_pk(repository), f"use#{needed}#{manifest}#{generation}")


def referrer_key(repository: str, subject: str, digest: str) -> Key:
    return (repository_pk(repository), f"referrer#{subject}#{digest}")


def rules_key(project: str) -> Key:
    return f"rules#{project}", "rules"


def usage_key(project: str) -> Key:
    return f"usage#{project}", "usage"


def standing_key(project: str) -> Key:
    return f"usage#{project}", "standing"


def reserved_key(project: str, generation: str) -> Key:
    return f"reserved#{project}", generation


def own_key(project: str, digest: str) -> Key:
    return f"own#{project}", digest


def trash_key(project: str, at: int, id_: str) -> Key:
    """Reserved for what was deleted and can be restored; `at` in milliseconds."""
    return f"trash#{project}", f"{at:013d}#{id_}"


def labelled_key(repository: str, digest: str) -> Key:
    """The labels of an artifact."""
    return f"labelled#{repository}", digest


def pushed_tag(at: int, tag: str) -> str:
    """A tag's place in the order of pushes; `at` in milliseconds."""
    return f"t#{at:013d}#{tag}"


def pushed_manifest(at: int, digest: str) -> str:
    """A manifest's place in the order of pushes, where lists show it; `at` in milliseconds."""
    return f"m#{at:013d}#{digest}"


def event_write(event: Event) -> Write:
    """Return the write of an event: spread over 16 partitions, read from the stream, expired by TTL after a week."""
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
        **({"actor_id": actor.id} if actor.id else {}),
        # Of mutations of the identity table alone.
        **{name: text for name in ("project", "user", "detail") if (text := getattr(event, name))},
    }
    shard = secrets.randbelow(_SHARDS)
    return put((f"{_EVENT}{shard:02d}", f"{event.at:013d}#{event.id}"), item)


def event_from(item: Mapping[str, Any]) -> Event:
    """Return the event in such an item. Raises ValueError if the item is not an event."""
    text = {name: _of(str, item, name) for name in _TEXTS}
    later = {name: _of(str, item, name) if name in item else "" for name in ("trace_id", "project", "user", "detail")}
    tags = _of(list, item, "tags")
    if not all(isinstance(tag, str) for tag in tags):
        raise ValueError("the tags of an event are not texts")
    actor = Actor(
        text["actor"],
        ActorKind(text["actor_kind"]),
        text["token_id"],
        text["source_ip"],
        text["user_agent"],
        text["request_id"],
        later["trace_id"],
        _of(int, item, "actor_id") if "actor_id" in item else 0,
    )
    return Event(
        id=text["id"],
        at=_of(int, item, "at"),
        operation=Operation(text["operation"]),
        actor=actor,
        repository=text["repository"],
        digest=text["digest"],
        tags=tuple(tags),
        media_type=text["media_type"],
        size=_of(int, item, "size"),
        source_repository=text["source_repository"],
        project=later["project"],
        user=later["user"],
        detail=later["detail"],
    )


def _of(kind: type[T], item: Mapping[str, Any], name: str) -> T:
    value = item.get(name)
    if not isinstance(value, kind):
        raise ValueError(f"{name} of an event is {type(value).__name__}, not {kind.__name__}")
    return value


def is_event_key(pk: str) -> bool:
    return pk.startswith(_EVENT)


def event_partitions() -> tuple[str, ...]:
    """Return the partitions over which events are spread."""
    return tuple(f"{_EVENT}{shard:02d}" for shard in range(_SHARDS))


def shards() -> tuple[str, ...]:
    """How the partitions that candidates are spread over end."""
    return tuple(f"{shard:02d}" for shard in range(_SHARDS))


def candidate(at: int, kind: str, **fields: str) -> tuple[Key, dict[str, Any]]:
    """Return a candidate for the collector, to be examined after the grace period; `at` in milliseconds."""
    return candidate_key(at, secrets.token_bytes(9)), {"kind": kind, **fields}


def candidate_key(at: int, name: bytes) -> Key:
    """Return a candidate's key: by day, over 16 partitions, in time order. `name` is nine random-looking bytes."""
    return (f"gc#{at // DAY_MS}#{name[0] % _SHARDS:02d}", f"{at:013d}#{name[1:9].hex()}")


def candidate_write(at: int, kind: str, **fields: str) -> Write:
    key, item = candidate(at, kind, **fields)
    return put(key, item)
