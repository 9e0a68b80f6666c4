"""`Walk` on the index table: everything in it, for a rebuild."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator, Mapping

from roadstead.aws.catalog.dynamodb_pages import CATALOG
from roadstead.aws.content.counts import ARTIFACTS, TAGS, counts_pk, shard_key
from roadstead.aws.content.index_items import own_key, repository_pk, usage_key
from roadstead.aws.table import Item, Key, Table, update
from roadstead.catalog.derived import Names
from roadstead.conflicts import Conflict
from roadstead.content.accessories import is_accessory
from roadstead.digest import Digest
from roadstead.names import ProjectName, RepositoryName, Tag

_NAMING = ("repo#", "artifact#", "own#", "usage#")  # partitions that end in a repository's or a project's name


def naming(project: str) -> tuple[tuple[str, str], ...]:
    """Return the partitions, and prefixes in them, that name a project's repositories of which something may count.

    They have to be read in this order: one that is deleted meanwhile is in the second before it leaves the first.
    """
    return (CATALOG, f"{project}/"), (f"deleted#{project}", ""), (f"reposum#{project}", "")


class DynamoWalk:
    def __init__(self, table: Table) -> None:
        self._table = table

    def names(self) -> Names:
        found = {tuple(pk.split("#", 1)) for pk, _ in self._table.scan_keys() if pk.startswith(_NAMING)}
        repositories = {RepositoryName(name) for kind, name in found if kind in ("repo", "artifact")}
        projects = {ProjectName(name) for kind, name in found if kind in ("own", "usage")}
        projects |= {repository.project for repository in repositories}
        return Names(tuple(sorted(repositories)), tuple(sorted(projects)))

    def manifests(self, repository: RepositoryName) -> Iterator[Digest]:
        return self._digests(repository_pk(repository), "manifest#")

    def summaries(self, repository: RepositoryName) -> Iterator[Digest]:
        yield from self._digests(f"artifact#{repository}", "")
        yield from self._digests(f"pulls#{repository}", "")

    def owned(self, project: ProjectName) -> Iterator[Digest]:
        return self._digests(f"own#{project}", "")

    def recount(self, repository: RepositoryName) -> bool:
        # The counts are read first: what changes behind that changes their versions too.
        found = {(item["pk"], item["sk"]): item for item in self._table.query(counts_pk(repository))}
        actual: Counter[Key] = Counter()
        pk = repository_pk(repository)
        for item in self._table.query(pk, prefix="tag#", attributes=("at",)):
            tag = Tag(item["sk"].removeprefix("tag#"))
            if not is_accessory(tag):
                actual[shard_key(repository, TAGS, tag)] += 1
        for item in self._table.query(pk, prefix="manifest#", attributes=("pushed",)):
            if "pushed" in item:
                actual[shard_key(repository, ARTIFACTS, item["sk"].removeprefix("manifest#"))] += 1
        wrong = [key for key in {*found, *actual} if found.get(key, {}).get("n", 0) != actual[key]]
        for key in wrong:
            self._correct(key, "n", actual[key], found.get(key))
        return not wrong

    def recount_usage(self, project: ProjectName) -> bool:
        key = usage_key(project)
        found = self._table.get(key)
        actual = sum(item["bytes"] for item in self._table.query(own_key(project, "")[0]))
        # What is being deleted counts until the indexer has come to it.
        pages = (self._table.query(pk, prefix=prefix, attributes=("at",)) for pk, prefix in naming(project))
        for repository in {item["sk"] for page in pages for item in page}:
            kept = self._table.query(f"artifact#{repository}", attributes=("bytes",))
            actual += sum(item["bytes"] for item in kept)
        if (found or {}).get("bytes", 0) == actual:
            return True
        self._correct(key, "bytes", actual, found)
        return False

    def _correct(self, key: Key, name: str, value: int, found: Mapping[str, object] | None) -> None:
        condition = "attribute_not_exists(pk)" if found is None else "v = :old"
        values = {":value": value, ":v": secrets.token_hex(4)} | ({} if found is None else {":old": found["v"]})
        try:
            self._table.write(update(key, "SET #name = :value, v = :v", condition, values, {"#name": name}))
        except Conflict:
            return  # it has changed since; the next comparison sees

    def _digests(self, pk: str, prefix: str) -> Iterator[Digest]:
        items: Iterator[Item] = self._table.query(pk, prefix=prefix, attributes=("at",))
        for item in items:
            yield Digest(item["sk"].removeprefix(prefix))
