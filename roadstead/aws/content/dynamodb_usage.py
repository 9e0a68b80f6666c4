"""`ProjectUsage` on the index table.

usage#<project>     usage         bytes: written by the indexer (`roadstead.aws.catalog.dynamodb_derived`)
usage#<project>     standing      level, limit, used, version: what was said last of the project's quota
reserved#<project>  <generation>  repository, digest, bytes, blobs; expires (seconds) until the commit is made
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from roadstead.aws.catalog.dynamodb_pages import CATALOG
from roadstead.aws.content.index_items import (
    event_write,
    manifest_item_key,
    own_key,
    reserved_key,
    rules_key,
    standing_key,
    usage_key,
)
from roadstead.aws.table import Item, Table, delete, put
from roadstead.content.governing import Governing
from roadstead.digest import Digest
from roadstead.lifecycle.policy.quotas import Level, Reservation, Standing
from roadstead.names import ProjectName
from roadstead.trail.entries import Event


class DynamoProjectUsage:
    def __init__(self, table: Table) -> None:
        self._table = table

    def find_owned(self, project: ProjectName, digests: Collection[Digest]) -> Mapping[Digest, int]:
        found = self._table.batch_get([own_key(project, digest) for digest in digests])
        return {Digest(sk): int(item["bytes"]) for (_, sk), item in found.items()}

    def count_repositories(self, project: ProjectName) -> int:
        return sum(1 for _ in self._table.query(CATALOG, prefix=f"{project}/", attributes=("at",)))

    def count_artifacts(self, project: ProjectName) -> int:
        return sum(item["artifacts"] for item in self._table.query(f"reposum#{project}", attributes=("artifacts",)))

    def find_standing(self, project: ProjectName) -> tuple[Governing, Standing]:
        rules, usage, standing = rules_key(project), usage_key(project), standing_key(project)
        found = self._table.batch_get([rules, usage, standing])
        governing = Governing(found.get(rules, {}).get("document", ""), found.get(usage, {}).get("bytes", 0))
        kept = found.get(standing)
        if kept is None:
            return governing, Standing()
        return governing, Standing(Level(kept["level"]), kept["limit"], kept["used"], kept["version"])

    def reserve(self, reservation: Reservation) -> None:
        item = {
            "repository": reservation.repository,
            "digest": reservation.digest,
            "bytes": reservation.size,
            "blobs": list(reservation.blobs),
            "expires": reservation.expires,
        }
        self._table.write(put(reserved_key(reservation.repository.project, reservation.generation), item))

    def reserved_bytes(self, project: ProjectName, *, now: int) -> int:
        return sum(item["bytes"] for item in self._reserved(project) if item.get("expires", now) >= now)

    def unreserve(self, project: ProjectName, generation: str) -> None:
        self._table.write(delete(reserved_key(project, generation)))

    def release_counted(self, project: ProjectName, *, now: int) -> None:
        kept = list(self._reserved(project))
        for item in kept:
            lapsed = item.get("expires", now) < now
            if lapsed or ("expires" not in item and self._is_over(project, item)):
                self.unreserve(project, item["sk"])

    def _reserved(self, project: ProjectName) -> Iterator[Item]:
        return self._table.query(reserved_key(project, "")[0])

    def _is_over(self, project: ProjectName, item: Item) -> bool:
        """Whether the bytes of a committed reservation are counted, or its manifest is gone."""
        summary = (f"artifact#{item['repository']}", item["digest"])
        manifest = manifest_item_key(item["repository"], item["digest"])
        owned = [own_key(project, digest) for digest in item["blobs"]]
        found = self._table.batch_get([summary, manifest, *owned], ("generation",))
        if found.get(manifest, {}).get("generation") != item["sk"]:
            return True
        return found.get(summary, {}).get("generation") == item["sk"] and all(key in found for key in owned)

    def put_standing(self, project: ProjectName, standing: Standing, event: Event | None) -> None:
        item = {
            "level": int(standing.level),
            "limit": standing.limit,
            "used": standing.used,
            "version": standing.version + 1,
        }
        condition = "version = :old" if standing.version else "attribute_not_exists(pk)"
        values = {":old": standing.version} if standing.version else {}
        kept = put(standing_key(project), item, condition, values)
        self._table.transact([kept, event_write(event)] if event is not None else [kept])
