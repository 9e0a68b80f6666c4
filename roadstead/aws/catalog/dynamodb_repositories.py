"""`Repositories` on the index table.

repo#<repository>   meta          at (ms), era (ms, where it is not `at`); deleting (ms), while it is being deleted;
                                  since (0), once its deletion was given up: what has an earlier era stands, too
count#<repository>  artifacts#…   era (ms) of its last deletion: what stops commits that began before
deleting#<project>  <repository>  at (ms), and a DeletionMark, until everything is gone that was there then
deleted#<project>   <repository>  at (ms), until the collector forgets the repository
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from roadstead.aws.content.counts import era_writes
from roadstead.aws.content.index_items import (
    candidate_write,
    catalog_key,
    closed_key,
    era_of,
    era_when_set,
    event_write,
    meta_key,
    repository_pk,
    standing_key,
)
from roadstead.aws.lifecycle.trash_items import unit_write
from roadstead.aws.table import Key, Table, TransactionFailed, Write, delete, put, update
from roadstead.conflicts import Conflict
from roadstead.content.repositories import DeletionMark, PushedManifest, PushedTag, UnknownRepository
from roadstead.digest import Digest
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.trail.entries import Event


class DynamoRepositories:
    def __init__(self, table: Table) -> None:
        self._table = table

    def find_era(self, repository: RepositoryName) -> int | None:
        meta = self._table.get(meta_key(repository))
        return era_of(meta) if meta is not None and "deleting" not in meta else None

    def begin_deletion(self, repository: RepositoryName, mark: DeletionMark, *, event: Event) -> None:
        at, fields = mark.at, mark.as_fields()
        standing = "attribute_exists(pk) AND attribute_not_exists(deleting)"
        earlier = "(era < :at OR (attribute_not_exists(era) AND #at < :at))"
        meta = meta_key(repository)
        self._table.transact(
            [
                update(meta, "SET deleting = :at", f"{standing} AND {earlier}", {":at": at}, {"#at": "at"}),
                *era_writes(repository, at),
                delete(catalog_key(repository)),
                put(_emptying_key(repository), {"at": at, **fields}),
                put(_deleted_key(repository), {"at": at}),
                *([unit_write(mark.unit)] if mark.unit is not None else []),
                candidate_write(at, "repository", repository=repository, **fields),
                event_write(event),
            ]
        )

    def find_deletion(self, repository: RepositoryName) -> DeletionMark | None:
        item = self._table.get(_emptying_key(repository))
        if item is not None:
            return DeletionMark.from_fields(repository, item)
        meta = self._table.get(meta_key(repository))
        return DeletionMark(meta["deleting"]) if meta is not None and "deleting" in meta else None

    def list_manifests(
        self, repository: RepositoryName, *, after: Digest | None, limit: int
    ) -> Sequence[PushedManifest]:
        behind = None if after is None else f"manifest#{after}"
        found = self._table.query(
            repository_pk(repository), prefix="manifest#", after=behind, limit=limit, attributes=("at", "era")
        )
        return [PushedManifest(Digest(item["sk"].removeprefix("manifest#")), era_when_set(item)) for item in found]

    def list_pushed_tags(self, repository: RepositoryName, *, after: str, limit: int) -> Sequence[PushedTag]:
        wanted = ("digest", "at", "era")
        found = self._table.query(
            repository_pk(repository), prefix="tag#", after=f"tag#{after}", limit=limit, attributes=wanted
        )
        return [
            PushedTag(Tag(item["sk"].removeprefix("tag#")), Digest(item["digest"]), era_when_set(item))
            for item in found
        ]

    def is_emptying(self, project: ProjectName) -> bool:
        return next(self._table.query(f"deleting#{project}", limit=1), None) is not None

    def list_deleted(self, project: ProjectName) -> Sequence[RepositoryName]:
        return [RepositoryName(item["sk"]) for item in self._table.query(f"deleted#{project}", attributes=("at",))]

    def list_links(self, repository: RepositoryName) -> Sequence[Digest]:
        found = self._table.query(repository_pk(repository), prefix="blob#", attributes=("at",))
        return [Digest(item["sk"].removeprefix("blob#")) for item in found]

    def end_deletion(self, repository: RepositoryName, *, at: int) -> None:
        with contextlib.suppress(Conflict):
            self._table.write(_ended(repository, at))

    def give_up_deletion(self, repository: RepositoryName, *, at: int) -> None:
        meta, values = meta_key(repository), {":at": at, ":any": 0}
        stands = update(meta, "SET era = :at, since = :any REMOVE deleting", "deleting = :at", values)
        try:
            self._table.transact([stands, put(catalog_key(repository), {"at": at}), _ended(repository, at)])
        except Conflict:
            anew = "attribute_exists(pk) AND attribute_not_exists(deleting)"
            with contextlib.suppress(Conflict):  # it was given up already
                self._table.transact([update(meta, "SET since = :any", anew, {":any": 0}), _ended(repository, at)])

    def settle_deletion(self, repository: RepositoryName, *, at: int) -> bool:
        meta = self._table.get(meta_key(repository))
        if meta is None or meta.get("deleting") != at:
            return True
        if self.list_manifests(repository, after=None, limit=1):
            return False
        with contextlib.suppress(Conflict):  # it was made anew since
            gone = delete(meta_key(repository), "deleting = :at", {":at": at})
            self._table.transact([gone, delete(_deleted_key(repository))])
        return True

    def close_project(self, project: ProjectName, *, at: int) -> None:
        self._table.write(put(closed_key(project), {"at": at}))

    def open_project(self, project: ProjectName) -> None:
        self._table.write(delete(closed_key(project)))

    def forget_project(self, project: ProjectName) -> None:
        for pk in (f"rules#{project}", f"policy#{project}", f"pullsum#{project}"):
            for item in list(self._table.query(pk, attributes=("pk",))):
                self._table.write(delete((pk, item["sk"])))
        self._table.write(delete(standing_key(project)))

    def describe(self, repository: RepositoryName, description: str, *, event: Event) -> None:
        listed = catalog_key(repository)
        change = update(listed, "SET description = :description", "attribute_exists(pk)", {":description": description})
        try:
            self._table.transact([change, event_write(event)])
        except TransactionFailed as error:
            raise UnknownRepository(repository) from error


def _deleted_key(repository: RepositoryName) -> Key:
    return f"deleted#{repository.project}", repository


def _ended(repository: RepositoryName, at: int) -> Write:
    return delete(_emptying_key(repository), "#at = :at", {":at": at}, {"#at": "at"})


def _emptying_key(repository: RepositoryName) -> Key:
    return f"deleting#{repository.project}", repository
