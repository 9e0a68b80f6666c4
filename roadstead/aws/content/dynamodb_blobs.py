"""`BlobIndex` on the index table."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from roadstead.aws.content.index_items import (
    blob_pk,
    candidate_write,
    event_write,
    link_key,
    repository_pk,
    upload_key,
)
from roadstead.aws.table import Item, Key, Table, Write, check, delete, put, update
from roadstead.conflicts import Conflict, UploadConsumed, retry_conflicts
from roadstead.content.blob_index import BlobLink, StoredObject, Use
from roadstead.content.uploads.sessions import UploadState
from roadstead.digest import Digest
from roadstead.names import RepositoryName
from roadstead.trail.entries import Event

_LIVE, _CONDEMNED = "live", "condemned"
_SPENT = (UploadState.CONSUMED, UploadState.CANCELLED)


def link_from(item: Item) -> BlobLink:
    return BlobLink(
        Digest(item["sk"].removeprefix("blob#")), item["size"], item["key"], item.get("data"), item.get("marked")
    )


class DynamoBlobIndex:
    """Links under `repo#<name>`, objects and inverses under `blob#<digest>`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find_link(self, repository: RepositoryName, digest: Digest) -> BlobLink | None:
        item = self._table.get(link_key(repository, digest))
        return link_from(item) if item else None

    def link_object(
        self,
        repository: RepositoryName,
        digest: Digest,
        stored: StoredObject,
        *,
        upload_id: str,
        mark_expires: int | None,
        event: Event,
    ) -> BlobLink:
        link, meta, upload = link_key(repository, digest), _meta_key(digest), upload_key(upload_id)

        def attempt() -> BlobLink:
            found = self._table.batch_get([link, meta, upload])
            state = found.get(upload, {}).get("state")
            if state in _SPENT:
                done = state == UploadState.CONSUMED and link in found and found[upload].get("digest") == digest
                if done and ("marked" not in found[link] or remove_mark(self._table, link, None)):
                    return replace(link_from(found[link]), marked=None)
                raise UploadConsumed(upload_id)
            if link in found:
                # The repository has the blob already: only consume the upload and cancel a pending removal.
                keep = update(link, "REMOVE marked", "attribute_exists(pk)")
                writes = [keep, event_write(event)]
                linked = replace(link_from(found[link]), marked=None)
            else:
                backing, write_meta = _backing(found.get(meta), digest, stored)
                linked = BlobLink(digest, backing.size, backing.key, backing.data)
                writes = [*_new_link(repository, digest, backing, event.at), write_meta, event_write(event)]
            surplus = linked.key != stored.key
            writes.append(_consumption(repository, digest, upload_id, mark_expires if surplus else None))
            if surplus:
                writes.append(candidate_write(event.at, "object", key=stored.key, upload=upload_id))
            self._table.transact(writes)
            return linked

        return retry_conflicts(attempt, digest)

    def find_spent_uploads(self, upload_ids: Collection[str]) -> frozenset[str]:
        keys = {upload_key(upload_id): upload_id for upload_id in upload_ids}
        found = self._table.batch_get(keys, ("state",))
        return frozenset(keys[key] for key, item in found.items() if item["state"] in _SPENT)

    def find_object_key(self, digest: Digest) -> str | None:
        item = self._table.get(_meta_key(digest))
        return item["key"] if item is not None and item["state"] == _LIVE else None

    def consume(self, repository: RepositoryName, digest: Digest, *, upload_id: str, key: str, at: int) -> bool:
        watch = candidate_write(at, "object", key=key, upload=upload_id)
        try:
            self._table.transact([_consumption(repository, digest, upload_id, None), watch])
        except Conflict:
            return False
        return True

    def mount(self, source: RepositoryName, target: RepositoryName, digest: Digest, *, event: Event) -> BlobLink | None:
        source_link, target_link, meta = link_key(source, digest), link_key(target, digest), _meta_key(digest)

        def attempt() -> BlobLink | None:
            found = self._table.batch_get([source_link, target_link, meta])
            if source_link not in found or found.get(meta, {}).get("state") != _LIVE:
                return None
            readable = check(source_link, "attribute_exists(pk)")
            if target_link in found:
                if source == target:
                    return link_from(found[target_link])
                writes = [readable, update(target_link, "REMOVE marked", "attribute_exists(pk)"), event_write(event)]
                linked = replace(link_from(found[target_link]), marked=None)
            else:
                origin = found[source_link]
                stored = StoredObject(origin["key"], origin["size"], origin.get("data"))
                backing, write_meta = _backing(found[meta], digest, stored)
                writes = [readable, *_new_link(target, digest, backing, event.at), write_meta, event_write(event)]
                linked = BlobLink(digest, backing.size, backing.key, backing.data)
            self._table.transact(writes)
            return linked

        return retry_conflicts(attempt, digest)

    def mark_link(self, repository: RepositoryName, digest: Digest, mark: str) -> BlobLink | None:
        try:
            item = self._table.write(
                update(link_key(repository, digest), "SET marked = :mark", "attribute_exists(pk)", {":mark": mark})
            )
        except Conflict:
            return None
        return link_from(item) if item else None

    def unmark_link(self, repository: RepositoryName, digest: Digest, mark: str | None = None) -> bool:
        return remove_mark(self._table, link_key(repository, digest), mark)

    def find_uses(self, repository: RepositoryName, digest: Digest, *, after: Use | None = None) -> tuple[Use, ...]:
        prefix = f"use#{digest}#"
        behind = f"{prefix}{after.manifest}#{after.generation}" if after else None
        items: Iterator[Item] = self._table.query(repository_pk(repository), prefix=prefix, after=behind, limit=100)
        return tuple(_use(item) for item in islice(items, 100))

    def unlink(self, repository: RepositoryName, digest: Digest, *, mark: str, event: Event) -> None:
        self._table.transact(
            [
                delete(link_key(repository, digest), "marked = :mark", {":mark": mark}),
                delete((blob_pk(digest), repository_pk(repository))),
                candidate_write(event.at, "blob", digest=digest),
                event_write(event),
            ]
        )


def _consumption(repository: RepositoryName, digest: Digest, upload_id: str, expires: int | None) -> Write:
    """Return the write that consumes an upload; `expires` in seconds since the epoch."""
    item: dict[str, Any] = {"state": UploadState.CONSUMED, "repository": repository, "digest": digest}
    if expires is not None:
        item["expires"] = expires
    return put(
        upload_key(upload_id),
        item,
        "attribute_not_exists(pk) OR #state IN (:open, :closing, :finished)",
        {":open": UploadState.OPEN, ":closing": UploadState.CLOSING, ":finished": UploadState.FINISHED},
        {"#state": "state"},
    )


def remove_mark(table: Table, key: Key, mark: str | None) -> bool:
    """Remove a mark from a link or manifest; return whether the item exists and is now unmarked."""
    condition, values = ("attribute_exists(pk)", {}) if mark is None else ("marked = :mark", {":mark": mark})
    try:
        table.write(update(key, "REMOVE marked", condition, values))
    except Conflict:
        return False
    return True


def _meta_key(digest: Digest) -> Key:
    return (blob_pk(digest), "meta")


def _backing(meta: Item | None, digest: Digest, stored: StoredObject) -> tuple[StoredObject, Write]:
    """Return the object that the digest's links are to point to, and the write that creates or confirms it.

    Every new link changes the version of `meta`, so that a collector that condemns the object notices.
    """
    key, version = _meta_key(digest), secrets.token_hex(8)
    if meta is not None and meta["state"] == _LIVE:
        confirm = update(
            key,
            "SET version = :new",
            "version = :old AND #state = :live",
            {":new": version, ":old": meta["version"], ":live": _LIVE},
            {"#state": "state"},
        )
        return StoredObject(meta["key"], meta["size"], meta.get("data")), confirm
    item: dict[str, Any] = {"key": stored.key, "size": stored.size, "state": _LIVE, "version": version}
    if stored.data is not None:
        item["data"] = stored.data
    if meta is None:
        return stored, put(key, item, "attribute_not_exists(pk)")
    return stored, put(key, item, "version = :old", {":old": meta["version"]})


def _new_link(repository: RepositoryName, digest: Digest, backing: StoredObject, at: int) -> list[Write]:
    item: dict[str, Any] = {"size": backing.size, "key": backing.key, "at": at}
    if backing.data is not None:
        item["data"] = backing.data
    return [
        put(link_key(repository, digest), item, "attribute_not_exists(pk)"),
        put((blob_pk(digest), repository_pk(repository)), {"at": at}),
        candidate_write(at, "link", repository=repository, digest=digest),
    ]


def _use(item: Item) -> Use:
    _, _, manifest, generation = item["sk"].split("#")
    return Use(Digest(manifest), generation, item["at"])
