"""`LabelStore` on the index table.

labels#                <project id>#<id>, of ten digits each    name, description, color, created, updated
labels#<project id>    name#<name>                              id
labelled#<repository>  <digest>                                 ids (a list in order), as text

All labels are in one partition, so that a search reads them together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from roadstead.aws import id_claims
from roadstead.aws.content.index_items import event_write, labelled_key, manifest_item_key
from roadstead.aws.table import Item, Key, Table, TransactionFailed, Write, check, delete, put
from roadstead.catalog.labels import Label, NameTaken
from roadstead.conflicts import Conflict
from roadstead.digest import Digest
from roadstead.ids import IdKind, clock_id
from roadstead.names import RepositoryName
from roadstead.trail.entries import Event

_ALL = "labels#"
_ABSENT, _PRESENT = "attribute_not_exists(pk)", "attribute_exists(pk)"
_SAME = "#name = :name AND description = :description AND color = :color AND updated = :updated"


class DynamoLabels:
    def __init__(self, table: Table) -> None:
        self._table = table

    def create_label(self, label: Label, *, event: Event) -> Label:
        def writes(id_: int) -> list[Write]:
            made = replace(label, id=id_)
            return [
                put(_name_key(made), {"id": id_}, _ABSENT),
                put(_key(label.project_id, id_), _item(made)),
                event_write(event),
            ]

        try:
            id_ = id_claims.create(self._table, IdKind.LABEL, clock_id(label.created), str(label.project_id), writes)
        except TransactionFailed as error:
            raise NameTaken(label.name) from error
        return replace(label, id=id_)

    def find_label(self, id_: int) -> Label | None:
        scope = id_claims.find_named(self._table, IdKind.LABEL, id_)
        item = self._table.get(_key(int(scope), id_)) if scope is not None else None
        return _label(item) if item is not None else None

    def list_labels(self, project_id: int) -> tuple[Label, ...]:
        return tuple(_label(item) for item in self._table.query(_ALL, prefix=_prefix(project_id)))

    def list_all_labels(self) -> tuple[Label, ...]:
        return tuple(_label(item) for item in self._table.query(_ALL))

    def update_label(self, label: Label, *, replaces: Label, event: Event) -> None:
        writes = [put(_key(label.project_id, label.id), _item(label), **_unchanged(replaces)), event_write(event)]
        if label.name != replaces.name:
            writes += [put(_name_key(label), {"id": label.id}, _ABSENT), delete(_name_key(replaces))]
        try:
            self._table.transact(writes)
        except TransactionFailed as error:
            if 0 not in error.failed:
                raise NameTaken(label.name) from error
            raise

    def delete_label(self, label: Label, *, event: Event) -> None:
        gone = delete(_key(label.project_id, label.id), **_unchanged(label))
        self._table.transact([gone, delete(_name_key(label)), event_write(event)])

    def find_assigned(self, repository: RepositoryName, digests: Collection[Digest]) -> Mapping[Digest, frozenset[int]]:
        found = self._table.batch_get([labelled_key(repository, digest) for digest in digests])
        return {Digest(item["sk"]): _ids(item["ids"]) for item in found.values()}

    def list_assigned(self, repository: RepositoryName) -> Mapping[Digest, frozenset[int]]:
        found = self._table.query(labelled_key(repository, "")[0])
        return {Digest(item["sk"]): _ids(item["ids"]) for item in found}

    def assign(
        self,
        repository: RepositoryName,
        digest: Digest,
        ids: frozenset[int],
        *,
        replaces: frozenset[int],
        event: Event,
    ) -> None:
        key = labelled_key(repository, digest)
        condition, values = ("ids = :ids", {":ids": _text(replaces)}) if replaces else (_ABSENT, {})
        change = put(key, {"ids": _text(ids)}, condition, values) if ids else delete(key, condition, values)
        there = check(manifest_item_key(repository, digest), _PRESENT)
        try:
            self._table.transact([change, there, event_write(event)])
        except TransactionFailed as error:
            raise Conflict(digest) from error


def _prefix(project_id: int) -> str:
    return f"{project_id:010d}#"


def _key(project_id: int, id_: int) -> Key:
    return _ALL, f"{_prefix(project_id)}{id_:010d}"


def _name_key(label: Label) -> Key:
    return f"labels#{label.project_id}", f"name#{label.name}"


def _item(label: Label) -> dict[str, Any]:
    return {
        "name": label.name,
        "description": label.description,
        "color": label.color,
        "created": label.created,
        "updated": label.updated,
    }


def _label(item: Item) -> Label:
    project_id, id_ = map(int, item["sk"].split("#"))
    texts = (item["name"], item["description"], item["color"])
    return Label(id_, project_id, *texts, item["created"], item["updated"])


def _unchanged(label: Label) -> dict[str, Any]:
    return {
        "condition": _SAME,
        "values": {
            ":name": label.name,
            ":description": label.description,
            ":color": label.color,
            ":updated": label.updated,
        },
        "names": {"#name": "name"},
    }


def _text(ids: frozenset[int]) -> str:
    return ",".join(str(one) for one in sorted(ids))


def _ids(text: str) -> frozenset[int]:
    return frozenset(int(one) for one in text.split(","))
