"""`UsageWalk` on the index table, and on the list of projects in the identity table."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence

from roadstead.aws.catalog.dynamodb_pages import summary_key
from roadstead.aws.catalog.dynamodb_walk import naming
from roadstead.aws.content.counts import ARTIFACTS, counts_pk, shard_key
from roadstead.aws.content.index_items import own_key, repository_pk, usage_key
from roadstead.aws.identity.identity_items import PROJECTS
from roadstead.aws.table import Key, Table, update
from roadstead.catalog.usage_audit import PAGE, Standing, Tally
from roadstead.conflicts import Conflict
from roadstead.digest import Digest
from roadstead.names import ProjectName, RepositoryName


class DynamoUsageWalk:
    def __init__(self, index: Table, identity: Table) -> None:
        self._table = index
        self._identity = identity

    def next_project(self, after: str) -> ProjectName | None:
        found = self._identity.query(PROJECTS, after=after or None, limit=1, attributes=("id",))
        return next((ProjectName(item["sk"]) for item in found), None)

    def next_repository(self, project: ProjectName, after: str) -> RepositoryName | None:
        names = [
            item["sk"]
            for pk, prefix in naming(project)
            for item in self._table.query(pk, prefix=prefix, after=after or None, limit=1, attributes=("at",))
        ]
        return RepositoryName(min(names)) if names else None

    def manifests(self, repository: RepositoryName, after: str) -> Sequence[Standing]:
        found = self._page(repository_pk(repository), "manifest#", after, PAGE, ("pushed", "subject"))
        return [
            Standing(digest, shard_key(repository, ARTIFACTS, digest)[1], "pushed" in item, "subject" in item)
            for digest, item in found.items()
        ]

    def links(self, repository: RepositoryName, after: str) -> Mapping[Digest, int]:
        found = self._page(repository_pk(repository), "blob#", after, PAGE, ("size",))
        return {digest: item["size"] for digest, item in found.items()}

    def summaries(self, repository: RepositoryName, after: str, *, limit: int) -> Mapping[Digest, int]:
        found = self._page(f"artifact#{repository}", "", after, limit, ("bytes",))
        return {digest: item["bytes"] for digest, item in found.items()}

    def find_summarized(self, repository: RepositoryName, digests: Collection[Digest]) -> frozenset[Digest]:
        found = self._table.batch_get([summary_key(repository, digest) for digest in digests], ("generation",))
        return frozenset(Digest(sk) for _, sk in found)

    def owned(self, project: ProjectName, after: str, *, limit: int) -> Mapping[Digest, int]:
        found = self._page(own_key(project, "")[0], "", after, limit, ("bytes",))
        return {digest: item["bytes"] for digest, item in found.items()}

    def shards(self, repository: RepositoryName) -> Mapping[str, Tally]:
        found = self._table.query(counts_pk(repository), prefix=f"{ARTIFACTS}#", attributes=("n", "v"))
        return {item["sk"]: Tally(item["n"], item["v"]) for item in found}

    def usage(self, project: ProjectName) -> Tally:
        item = self._table.get(usage_key(project))
        return Tally(item["bytes"], item["v"]) if item is not None else Tally()

    def correct_shard(self, repository: RepositoryName, shard: str, right: int, *, version: str) -> bool:
        return self._correct((counts_pk(repository), shard), "n", right, version)

    def correct_usage(self, project: ProjectName, right: int, *, version: str) -> bool:
        return self._correct(usage_key(project), "bytes", right, version)

    def _correct(self, key: Key, name: str, right: int, version: str) -> bool:
        new = secrets.token_hex(4)
        condition = "v = :version" if version else "attribute_not_exists(pk)"
        values = {":right": right, ":new": new} | ({":version": version} if version else {})
        try:
            self._table.write(update(key, "SET #name = :right, v = :new", condition, values, {"#name": name}))
        except Conflict:
            found = self._table.get(key)
            return found is not None and found.get("v") == new  # the answer was lost, and botocore asked again
        return True

    def _page(
        self, pk: str, prefix: str, after: str, limit: int, attributes: Sequence[str]
    ) -> dict[Digest, Mapping[str, int]]:
        behind = prefix + after if after else None
        found = self._table.query(pk, prefix=prefix, after=behind, limit=limit, attributes=attributes)
        return {Digest(item["sk"].removeprefix(prefix)): item for item in found}
