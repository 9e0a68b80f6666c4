"""Items of the trash in the index table.

    trash#<project>  <ms>#<random>                     a unit: kind, repository, digest, tags, until (ms)
    repo#<name>      trashed#<digest>#<generation>     a manifest in it: its object, the unit, until (ms)
    policy#<project> trash                             the grace period in seconds, where it is not the default

Times decide by `until`; `expires`, DynamoDB's own, only clears up what was forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from roadstead.aws.content.index_items import DAY_MS, candidate_write, repository_pk, trash_key
from roadstead.aws.table import Item, Key, Table, Write, put
from roadstead.content.deletion.trash import DEFAULT_GRACE, Trashed, Unit, UnitKind
from roadstead.content.manifest_index import ManifestEntry
from roadstead.digest import Digest
from roadstead.names import RepositoryName, Tag

_LEFT_DAYS = 30  # after their end, by when the collector has come


def unit_key(project: str, id_: str) -> Key:
    """Raises ValueError if `id_` is not the id of a unit."""
    at, _, random = id_.partition("-")
    if not (at.isascii() and at.isdigit() and len(at) == 13 and random.isalnum() and len(random) <= 32):
        raise ValueError(f"{id_[:60]!r} is not the id of a unit of the trash")
    return trash_key(project, int(at), random)


def trashed_key(repository: str, digest: str, generation: str) -> Key:
    return repository_pk(repository), f"trashed#{digest}#{generation}"


def grace_key(project: str) -> Key:
    return f"policy#{project}", "trash"


def find_grace(table: Table, project: str) -> int:
    """Return for how many seconds the project's deletions can be undone. One read."""
    item = table.get(grace_key(project))
    return int(item["grace"]) if item is not None else DEFAULT_GRACE


def unit_write(unit: Unit) -> Write:
    item: dict[str, Any] = {
        "kind": str(unit.kind),
        "repository": unit.repository,
        "until": unit.expires,
        "by": unit.by,
        "digest": unit.digest or "",
        "tags": list(unit.tags),
        "type": unit.media_type,
        "size": unit.size,
        "expires": _ttl(unit.expires),
    }
    return put(unit_key(unit.project, unit.id), item)


def trashed_writes(unit: Unit, entry: ManifestEntry, tags: tuple[Tag, ...]) -> list[Write]:
    """Return the writes of a manifest that goes to the trash: its record, and a candidate that is due when it expires.

    The candidate's time is a day before, the collector's least grace period; with another one it comes back then.
    """
    item = {
        "key": entry.key,
        "type": entry.media_type,
        "unit": unit.id,
        "until": unit.expires,
        "tags": list(tags),
        "expires": _ttl(unit.expires),
    }
    gone = {"repository": unit.repository, "digest": entry.digest, "generation": entry.generation, "key": entry.key}
    due = max(unit.at, unit.expires - DAY_MS)
    return [
        put(trashed_key(unit.repository, entry.digest, entry.generation), item),
        candidate_write(due, "manifest", **gone),
    ]


def unit_from(item: Item) -> Unit:
    at, _, random = item["sk"].partition("#")
    return Unit(
        id=f"{at}-{random}",
        kind=UnitKind(item["kind"]),
        repository=RepositoryName(item["repository"]),
        at=int(at),
        expires=item["until"],
        by=item["by"],
        digest=Digest(item["digest"]) if item["digest"] else None,
        tags=tuple(Tag(tag) for tag in item["tags"]),
        media_type=item["type"],
        size=item["size"],
    )


def trashed_from(item: Mapping[str, Any]) -> Trashed:
    _, digest, generation = item["sk"].split("#")
    return Trashed(
        repository=RepositoryName(item["pk"].removeprefix(repository_pk(""))),
        digest=Digest(digest),
        generation=generation,
        key=item["key"],
        media_type=item["type"],
        unit=item["unit"],
        expires=item["until"],
        tags=tuple(Tag(tag) for tag in item["tags"]),
    )


def _ttl(until: int) -> int:
    return until // 1000 + _LEFT_DAYS * 86_400
