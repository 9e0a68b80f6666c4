"""`ProjectUsage` on the index table.

usage#<project>  usage     bytes: written by the indexer (`roadstead.aws.dynamodb_derived`)
usage#<project>  standing  level, limit, used, version: what was said last of the project's quota
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from roadstead.aws.dynamodb_pages import CATALOG
from roadstead.aws.index_items import event_write, own_key, rules_key, standing_key, usage_key
from roadstead.aws.table import Table, put
from roadstead.content.governing import Governing
from roadstead.digest import Digest
from roadstead.lifecycle.quotas import Level, Standing
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
