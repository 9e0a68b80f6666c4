"""`RetentionPolicies` and `RetentionView` on the index table.

retention#<project>  policy        document
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence

from roadstead.aws.catalog.dynamodb_pages import DynamoPages
from roadstead.aws.catalog.dynamodb_pulls import DynamoPullCounts
from roadstead.aws.content.index_items import BY_PUSH, event_write, manifest_item_key, repository_pk
from roadstead.aws.table import Item, Key, Table, delete, put
from roadstead.catalog.pages import Details
from roadstead.content.manifest_document import INDEX_TYPES, parse_manifest
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from roadstead.lifecycle.retention.rules import Policy
from roadstead.lifecycle.retention.verdicts import Candidate
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.trail.entries import Event


class DynamoRetention:
    def __init__(self, table: Table) -> None:
        self._table = table

    def find_policy(self, project: ProjectName) -> Policy | None:
        item = self._table.get(_policy_key(project))
        return Policy.from_json(item["document"]) if item is not None else None

    def find_policies(self, projects: Collection[ProjectName]) -> Mapping[ProjectName, Policy]:
        keys = {_policy_key(project): project for project in projects}
        found = self._table.batch_get(keys, ("document",))
        return {keys[key]: Policy.from_json(item["document"]) for key, item in found.items()}

    def put_policy(self, project: ProjectName, policy: Policy, *, replaces: Policy | None, event: Event) -> None:
        condition, values = "attribute_not_exists(pk)", {}
        if replaces is not None:
            condition, values = "document = :old", {":old": replaces.as_json()}
        write = put(_policy_key(project), {"document": policy.as_json()}, condition, values)
        self._table.transact([write, event_write(event)])

    def remove_policy(self, project: ProjectName, *, event: Event) -> None:
        self._table.transact([delete(_policy_key(project), "attribute_exists(pk)"), event_write(event)])


def _policy_key(project: str) -> Key:
    return f"retention#{project}", "policy"


class DynamoRetentionView:
    """Costs of the candidates: their items in the index by-push, the repository's pulls, indexes' summaries, and the
    manifests of indexes whose summaries do not name all children."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._pages = DynamoPages(table)
        self._pulls = DynamoPullCounts(table)

    def repositories(self, project: ProjectName, *, after: str, limit: int) -> Sequence[RepositoryName]:
        items = self._table.query("catalog", prefix=f"{project}/", after=after or None, limit=limit, attributes=("at",))
        return [RepositoryName(item["sk"]) for item in items]

    def all_repositories(self, *, after: str, limit: int) -> Sequence[RepositoryName]:
        items = self._table.query("catalog", after=after or None, limit=limit, attributes=("at",))
        return [RepositoryName(item["sk"]) for item in items]

    def candidates(self, repository: RepositoryName) -> Sequence[Candidate]:
        pk = repository_pk(repository)
        tags: dict[str, dict[Tag, int]] = {}
        for item in self._table.query(pk, prefix="t#", order=BY_PUSH):
            tags.setdefault(item["digest"], {})[Tag(item["sk"].removeprefix("tag#"))] = item["at"]
        manifests = {
            Digest(item["sk"].removeprefix("manifest#")): item
            for item in self._table.query(pk, prefix="m#", order=BY_PUSH)
        }
        pulls = {digest: one.last for digest, one in self._pulls.find(repository).items()}
        indexes = [digest for digest, item in manifests.items() if item["type"] in INDEX_TYPES]
        children = self._children(repository, indexes) if pulls and indexes else {}
        for digest, own in children.items():
            pulls[digest] = max(pulls.get(one, 0) for one in (digest, *own))
        return [
            Candidate(digest, item["type"], item["at"], tags.get(digest, {}), pulls.get(digest, 0))
            for digest, item in manifests.items()
        ]

    def last_pull(self, repository: RepositoryName, one: Candidate) -> int:
        digests = [one.digest]
        if one.media_type in INDEX_TYPES:
            digests += self._children_of(repository, one.digest)
        found = self._table.batch_get((f"pulls#{repository}", digest) for digest in digests)
        return max((int(item["last"]) for item in found.values()), default=0)

    def _children(self, repository: RepositoryName, indexes: Collection[Digest]) -> dict[Digest, list[Digest]]:
        """Return the children of each: what `_children_of` returns, by fewer reads."""
        details = self._pages.details(repository, indexes)
        found = {digest: _first_children(one) for digest, one in details.items()}
        cut = [digest for digest, one in details.items() if not _names_all_children(one)]
        items = self._table.batch_get([manifest_item_key(repository, digest) for digest in cut], ("type", "data"))
        for (_, place), item in items.items():
            if "data" in item:
                found[Digest(place.removeprefix("manifest#"))] = _parsed(item)
        return found

    def _children_of(self, repository: RepositoryName, index: Digest) -> list[Digest]:
        """Those of its manifest; of one that is not kept in the table the first, which its summary names."""
        item = self._table.get(manifest_item_key(repository, index))
        if item is None:
            return []
        return _parsed(item) if "data" in item else _first_children(self._pages.details(repository, [index])[index])


def _first_children(details: Details) -> list[Digest]:
    return [Digest(child.digest) for child in details.summary.children] if details.summary is not None else []


def _names_all_children(details: Details) -> bool:
    return details.summary is not None and details.summary.child_count <= len(details.summary.children)


def _parsed(item: Item) -> list[Digest]:
    with contextlib.suppress(RegistryError):  # an older version took it, and this one would not
        return [Digest(child.digest) for child in parse_manifest(item["data"], item["type"]).children]
    return []
