"""`DerivedIndex` on the index table.

artifact#<repository>  <digest>      document (a Summary), generation, bytes (of the manifest)
where#<digest>         <repository>  at
reposum#<project>      <repository>  created, updated, tags, artifacts
own#<project>          <digest>      bytes: a blob that is counted in the project's usage
usage#<project>        usage         bytes; v changes with every change of them
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping

from roadstead.aws.catalog.dynamodb_pages import pulls_key, read_counts, repository_summary_key, summary_key, where_key
from roadstead.aws.content.counts import ARTIFACTS, count_writes
from roadstead.aws.content.index_items import (
    blob_pk,
    labelled_key,
    manifest_item_key,
    meta_key,
    own_key,
    pushed_manifest,
    usage_key,
)
from roadstead.aws.table import Table, Write, check, delete, put, update
from roadstead.catalog.derived import KeptRepository
from roadstead.catalog.pages import Counts
from roadstead.catalog.summaries import Summary
from roadstead.content.manifest_index import ManifestEntry
from roadstead.digest import Digest
from roadstead.names import ProjectName, RepositoryName

ABSENT = "attribute_not_exists(pk)"


class DynamoDerivedIndex:
    def __init__(self, table: Table) -> None:
        self._table = table

    def find_summary(self, repository: RepositoryName, digest: Digest) -> Summary | None:
        item = self._table.get(summary_key(repository, digest))
        return Summary.from_json(item["document"]) if item else None

    def put_summary(self, repository: RepositoryName, summary: Summary, *, replaces: Summary | None) -> None:
        item = {
            "document": summary.to_json(),
            "generation": summary.generation,
            "bytes": summary.manifest_size,
        }
        key = summary_key(repository, summary.digest)
        if replaces is not None:
            self._table.write(put(key, item, "document = :document", {":document": replaces.to_json()}))
            return
        self._table.transact(
            [
                put(key, item, ABSENT),
                put(where_key(summary.digest, repository), {}),
                _used(repository.project, summary.manifest_size),
            ]
        )

    def remove_summary(self, repository: RepositoryName, summary: Summary) -> None:
        self._table.transact(
            [
                delete(
                    summary_key(repository, summary.digest), "document = :document", {":document": summary.to_json()}
                ),
                delete(where_key(summary.digest, repository)),
                _used(repository.project, -summary.manifest_size),
            ]
        )

    def forget_pulls(self, repository: RepositoryName, digest: Digest) -> None:
        unless_there = check(manifest_item_key(repository, digest), ABSENT)
        gone = [delete(pulls_key(repository, digest)), delete(labelled_key(repository, digest))]
        self._table.transact([unless_there, *gone])

    def set_listed(self, repository: RepositoryName, entry: ManifestEntry, listed: bool) -> None:
        key, values = manifest_item_key(repository, entry.digest), {":generation": entry.generation}
        if listed:
            values[":pushed"] = pushed_manifest(entry.at, entry.digest)
            condition = "generation = :generation AND attribute_not_exists(pushed)"
            change = update(key, "SET pushed = :pushed", condition, values)
        else:
            change = update(key, "REMOVE pushed", "generation = :generation AND attribute_exists(pushed)", values)
        self._table.transact([change, *count_writes(repository, ARTIFACTS, [entry.digest], 1 if listed else -1)])

    def count(self, repository: RepositoryName) -> Counts:
        return read_counts(self._table, repository)

    def find_created(self, repository: RepositoryName) -> int | None:
        item = self._table.get(meta_key(repository))
        return int(item["at"]) if item and "deleting" not in item else None

    def find_repository(self, repository: RepositoryName) -> KeptRepository | None:
        item = self._table.get(repository_summary_key(repository))
        if item is None:
            return None
        return KeptRepository(item["created"], item["updated"], Counts(item["tags"], item["artifacts"]))

    def put_repository(self, repository: RepositoryName, kept: KeptRepository) -> None:
        item = {
            "created": kept.created,
            "updated": kept.updated,
            "tags": kept.counts.tags,
            "artifacts": kept.counts.artifacts,
        }
        self._table.write(put(repository_summary_key(repository), item))

    def remove_repository(self, repository: RepositoryName) -> None:
        self._table.write(delete(repository_summary_key(repository)))

    def find_owned(self, project: ProjectName, digests: Collection[Digest]) -> Mapping[Digest, int]:
        found = self._table.batch_get([own_key(project, digest) for digest in digests])
        return {Digest(sk): int(item["bytes"]) for (_, sk), item in found.items()}

    def repositories_with_blob(self, project: ProjectName, digest: Digest) -> Iterator[RepositoryName]:
        for item in self._table.query(blob_pk(digest), prefix=f"repo#{project}/", attributes=("at",)):
            yield RepositoryName(item["sk"].removeprefix("repo#"))

    def change_usage(self, project: ProjectName, *, own: Mapping[Digest, int], disown: Mapping[Digest, int]) -> None:
        change = sum(own.values()) - sum(disown.values())
        self._table.transact(
            [
                *(put(own_key(project, digest), {"bytes": size}, ABSENT) for digest, size in own.items()),
                *(
                    delete(own_key(project, digest), "#bytes = :bytes", {":bytes": size}, {"#bytes": "bytes"})
                    for digest, size in disown.items()
                ),
                _used(project, change),
            ]
        )

    def used_bytes(self, project: ProjectName) -> int:
        item = self._table.get(usage_key(project))
        return int(item["bytes"]) if item else 0


def _used(project: str, size: int) -> Write:
    values = {":v": secrets.token_hex(4), ":bytes": size}
    return update(usage_key(project), "SET v = :v ADD #bytes :bytes", values=values, names={"#bytes": "bytes"})
