"""`ManifestIndex` on the index table."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

from roadstead.aws.content.counts import ARTIFACTS, TAGS, artifact_write, count_writes
from roadstead.aws.content.dynamodb_blobs import link_from, remove_mark
from roadstead.aws.content.index_items import (
    candidate,
    candidate_write,
    catalog_key,
    closed_key,
    era_of,
    era_when_set,
    event_write,
    link_key,
    manifest_item_key,
    meta_key,
    pushed_manifest,
    pushed_tag,
    referrer_key,
    repository_pk,
    reserved_key,
    rules_key,
    standing_since,
    tag_key,
    tagged_key,
    usage_key,
    use_key,
)
from roadstead.aws.lifecycle.trash_items import (
    find_grace,
    trashed_from,
    trashed_key,
    trashed_writes,
    unit_key,
    unit_write,
)
from roadstead.aws.table import Item, Key, Table, TransactionFailed, Write, check, delete, put, update
from roadstead.conflicts import Conflict
from roadstead.content.accessories import is_accessory, is_listed
from roadstead.content.commit_rules import CommitRules
from roadstead.content.deletion.trash import Trashed, Unit, UnitKind
from roadstead.content.governing import Governing
from roadstead.content.manifest_index import Commit, CommitSnapshot, Contents, ManifestEntry, Referrer, TagEntry
from roadstead.content.repositories import CLOSED_MS, ProjectClosed
from roadstead.digest import Digest
from roadstead.documents import compact
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.trail.entries import Event
from roadstead.trail.events import EventMaker

MAX_INLINE_DESCRIPTOR = 32 * 1024  # bytes of JSON; a larger one is derived from the manifest whenever it is listed

_MANIFEST_ATTRIBUTES = ("type", "size", "generation", "key", "subject", "marked", "at", "era", "pushed")


class DynamoManifestIndex:
    """Everything of a repository in its own partition, `repo#<name>`; the list of repositories in `catalog`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @cached_property
    def commit_rules(self) -> CommitRules:
        # Imported only if it is used: a pull asks for no rules.
        from roadstead.aws.content.dynamodb_usage import DynamoProjectUsage
        from roadstead.lifecycle.policy.commit_rules import PolicyRules

        return PolicyRules(DynamoProjectUsage(self._table), EventMaker())

    def find_tag(self, repository: RepositoryName, tag: Tag) -> TagEntry | None:
        item = self._table.get(tag_key(repository, tag))
        return _tag(item) if item else None

    def find_governed(
        self, repository: RepositoryName, tags: Collection[Tag] = ()
    ) -> tuple[dict[Tag, TagEntry], Governing]:
        rules, usage = rules_key(repository.project), usage_key(repository.project)
        found = self._table.batch_get([rules, usage, *(tag_key(repository, tag) for tag in tags)])
        return _tags(repository, tags, found), _governing(repository, found)

    def find_manifest(self, repository: RepositoryName, digest: Digest) -> ManifestEntry | None:
        item = self._table.get(manifest_item_key(repository, digest))
        return _manifest(item) if item else None

    def read_snapshot(
        self,
        repository: RepositoryName,
        digest: Digest,
        tags: Collection[Tag],
        *,
        blobs: Collection[Digest],
        manifests: Collection[Digest],
    ) -> CommitSnapshot:
        own, meta = manifest_item_key(repository, digest), meta_key(repository)
        keys = [
            own,
            meta,
            rules_key(repository.project),
            usage_key(repository.project),
            *(tag_key(repository, tag) for tag in tags),
            *_content_keys(repository, blobs, manifests),
        ]
        found = self._table.batch_get(keys, (*_MANIFEST_ATTRIBUTES, "digest", "document", "bytes", "deleting", "since"))
        return CommitSnapshot(
            _manifest(found[own]) if own in found else None,
            _tags(repository, tags, found),
            meta in found and "deleting" not in found[meta],
            _contents(repository, found, blobs, manifests),
            _governing(repository, found),
            era_of(found.get(meta)),
            standing_since(found.get(meta)),
        )

    def read_contents(
        self, repository: RepositoryName, *, blobs: Collection[Digest], manifests: Collection[Digest]
    ) -> Contents:
        found = self._table.batch_get(_content_keys(repository, blobs, manifests), _MANIFEST_ATTRIBUTES)
        return _contents(repository, found, blobs, manifests)

    def unmark_manifest(self, repository: RepositoryName, digest: Digest, mark: str | None = None) -> bool:
        return remove_mark(self._table, manifest_item_key(repository, digest), mark)

    def write_uses(
        self,
        repository: RepositoryName,
        manifest: Digest,
        generation: str,
        needed: Collection[Digest],
        *,
        at: int,
        key: str,
    ) -> None:
        watch = candidate(at, "manifest", repository=repository, digest=manifest, generation=generation, key=key)
        uses: list[tuple[Key, dict[str, Any]]] = [
            (use_key(repository, digest, manifest, generation), {"at": at}) for digest in needed
        ]
        # The candidate first: the collector finds the uses by it if this stops half way.
        self._table.batch_write(puts=[watch, *uses])

    def remove_uses(
        self, repository: RepositoryName, manifest: Digest, generation: str, needed: Collection[Digest]
    ) -> None:
        self._table.batch_write(deletes=[use_key(repository, digest, manifest, generation) for digest in needed])

    def commit(self, commit: Commit) -> None:
        repository, entry, found, at = commit.repository, commit.entry, commit.found, commit.event.at
        own, by = manifest_item_key(repository, entry.digest), commit.event.actor.name
        era = found.era if found.repository_exists else max(at, found.era)
        counted = count_writes(repository, TAGS, _counted(tag for tag in commit.tags if tag not in found.tags), 1)
        listed = False
        if found.manifest is not None:
            # It exists. A write, not a mere check, so that a deletion at the same time collides with it.
            writes = [
                update(
                    own,
                    "SET tagged = :once, era = :era REMOVE marked",
                    "generation = :generation",
                    {":once": secrets.token_hex(4), ":era": era, ":generation": found.manifest.generation},
                )
            ]
        else:
            listed = is_listed(has_subject=entry.subject is not None, tags=commit.tags, is_needed=False)
            item = _manifest_item(entry, at, era, by)
            if listed:
                item["pushed"] = pushed_manifest(at, entry.digest)
            writes = [put(own, item, "attribute_not_exists(pk)")]
            if commit.referrer is not None and entry.subject is not None:
                writes.append(
                    put(referrer_key(repository, entry.subject, entry.digest), _referrer_item(commit.referrer))
                )
        for tag in commit.tags:
            writes += _move_tag(repository, tag, entry, found.tags.get(tag), at, era, by)
        if found.repository_exists:
            counted.append(artifact_write(repository, entry.digest, counted=listed, era=era))
        else:
            counted += count_writes(repository, ARTIFACTS, [entry.digest] if listed else [], 1)
            writes.append(_make_repository(repository, found.era, {"at": at, "by": by, "era": era}))
            writes.append(put(catalog_key(repository), {"at": at}))
            open_ = ("attribute_not_exists(pk) OR #at < :lapsed", {":lapsed": at - CLOSED_MS}, {"#at": "at"})
            writes.append(check(closed_key(repository.project), *open_))
        if commit.reserved:
            reserved = reserved_key(repository.project, entry.generation)
            writes.append(update(reserved, "REMOVE expires", "attribute_exists(pk)"))
        writes.append(event_write(commit.event))
        try:
            self._table.transact([*writes, *counted])
        except TransactionFailed as error:
            closed = closed_key(repository.project)
            if any(writes[place].key == closed for place in error.failed if place < len(writes)):
                raise ProjectClosed(repository.project) from error
            raise

    def delete_tag(
        self, repository: RepositoryName, tag: Tag, digest: Digest, *, event: Event, unit: Unit | None = None
    ) -> None:
        self._table.transact(
            [
                *_remove_tags(repository, [tag], digest),
                candidate_write(event.at, "manifest", repository=repository, digest=digest),
                event_write(event),
                *_unit(unit, UnitKind.TAG, digest),
            ]
        )

    def mark_manifest(self, repository: RepositoryName, digest: Digest, mark: str) -> ManifestEntry | None:
        try:
            item = self._table.write(
                update(
                    manifest_item_key(repository, digest), "SET marked = :mark", "attribute_exists(pk)", {":mark": mark}
                )
            )
        except Conflict:
            return None
        return _manifest(item) if item else None

    def find_tags_of(self, repository: RepositoryName, digest: Digest, *, era: int = 0) -> tuple[Tag, ...]:
        prefix = f"tagged#{digest}#"
        items = self._table.query(repository_pk(repository), prefix=prefix)
        return tuple(Tag(item["sk"].removeprefix(prefix)) for item in items if era_when_set(item) >= era)

    def find_tag_times(self, repository: RepositoryName, digest: Digest) -> Mapping[Tag, int]:
        prefix = f"tagged#{digest}#"
        items = self._table.query(repository_pk(repository), prefix=prefix)
        return {Tag(item["sk"].removeprefix(prefix)): item["at"] for item in items}

    def remove_tags(
        self,
        repository: RepositoryName,
        digest: Digest,
        tags: Collection[Tag],
        *,
        event: Event,
        unit: Unit | None = None,
        member: ManifestEntry | None = None,
        before: int | None = None,
    ) -> None:
        noted = trashed_writes(unit, member, unit.tags) if unit is not None and member is not None else []
        removed = _remove_tags(repository, tags, digest, before)
        self._table.transact([*removed, event_write(event), *_unit(unit, None, digest), *noted])

    def delete_manifest(
        self,
        repository: RepositoryName,
        entry: ManifestEntry,
        *,
        mark: str,
        event: Event,
        tags: Collection[Tag] = (),
        untag: Event | None = None,
        unit: Unit | None = None,
    ) -> None:
        own = manifest_item_key(repository, entry.digest)
        writes = _remove_tags(repository, tags, entry.digest)
        if untag is not None:
            writes.append(event_write(untag))
        shown = "attribute_exists(pushed)" if entry.listed else "attribute_not_exists(pushed)"
        writes.append(delete(own, f"marked = :mark AND {shown}", {":mark": mark}))
        if entry.listed:
            writes += count_writes(repository, ARTIFACTS, [entry.digest], -1)
        if entry.subject is not None:
            writes.append(delete(referrer_key(repository, entry.subject, entry.digest)))
        if unit is None:
            gone = {"repository": repository, "digest": entry.digest, "generation": entry.generation, "key": entry.key}
            writes.append(candidate_write(event.at, "manifest", **gone))
        else:
            writes += trashed_writes(unit, entry, unit.tags or tuple(tags))
            writes += _unit(unit, None, entry.digest)
        writes.append(event_write(event))
        self._table.transact(writes)

    def find_grace(self, project: ProjectName) -> int:
        return find_grace(self._table, project)

    def find_trashed(
        self, repository: RepositoryName, generations: Collection[tuple[Digest, str]]
    ) -> Mapping[tuple[Digest, str], Trashed]:
        found = self._table.batch_get(trashed_key(repository, *one) for one in generations)
        return {(one.digest, one.generation): one for one in map(trashed_from, found.values())}

    def forget_trashed(self, trashed: Trashed) -> None:
        self._table.write(delete(trashed_key(trashed.repository, trashed.digest, trashed.generation)))
        key = unit_key(trashed.repository.project, trashed.unit)
        with suppress(Conflict):
            # A repository's has other manifests; it goes by DynamoDB's expiry.
            self._table.write(delete(key, "kind <> :kind", {":kind": str(UnitKind.REPOSITORY)}))

    def repository_exists(self, repository: RepositoryName) -> bool:
        item = self._table.get(meta_key(repository))
        return item is not None and "deleting" not in item

    def list_tags(self, repository: RepositoryName, *, after: str, limit: int) -> tuple[Tag, ...]:
        items = self._list(repository_pk(repository), "tag#", after, limit)
        return tuple(Tag(item["sk"].removeprefix("tag#")) for item in items)

    def list_repositories(self, *, after: str, limit: int) -> tuple[RepositoryName, ...]:
        return tuple(RepositoryName(item["sk"]) for item in self._list("catalog", "", after, limit))

    def list_referrers(self, repository: RepositoryName, subject: Digest, *, after: str) -> Iterator[Referrer]:
        prefix = f"referrer#{subject}#"
        for item in self._table.query(repository_pk(repository), prefix=prefix, after=prefix + after):
            text = item.get("descriptor")
            yield Referrer(
                Digest(item["sk"].removeprefix(prefix)), json.loads(text) if text else None, item["key"], item["type"]
            )

    def _list(self, pk: str, prefix: str, after: str, limit: int) -> Iterable[Item]:
        if limit <= 0:
            return ()
        return self._table.query(pk, prefix=prefix, after=prefix + after, limit=limit, attributes=("at",))


def _content_keys(repository: str, blobs: Collection[Digest], manifests: Collection[Digest]) -> list[Key]:
    return [
        *(link_key(repository, digest) for digest in blobs),
        *(manifest_item_key(repository, digest) for digest in manifests),
    ]


def _contents(
    repository: str, found: dict[Key, Item], blobs: Collection[Digest], manifests: Collection[Digest]
) -> Contents:
    return Contents(
        {digest: link_from(found[key]) for digest in blobs if (key := link_key(repository, digest)) in found},
        {
            digest: _manifest(found[key])
            for digest in manifests
            if (key := manifest_item_key(repository, digest)) in found
        },
    )


def _governing(repository: RepositoryName, found: dict[Key, Item]) -> Governing:
    rules, usage = found.get(rules_key(repository.project), {}), found.get(usage_key(repository.project), {})
    return Governing(rules.get("document", ""), usage.get("bytes", 0))


def _tags(repository: str, tags: Collection[Tag], found: dict[Key, Item]) -> dict[Tag, TagEntry]:
    return {tag: _tag(found[key]) for tag in tags if (key := tag_key(repository, tag)) in found}


def _tag(item: Item) -> TagEntry:
    tag, digest = Tag(item["sk"].removeprefix("tag#")), Digest(item["digest"])
    return TagEntry(tag, digest, item["type"], item["size"], era_when_set(item))


def _manifest(item: Item) -> ManifestEntry:
    return ManifestEntry(
        digest=Digest(item["sk"].removeprefix("manifest#")),
        media_type=item["type"],
        size=item["size"],
        generation=item["generation"],
        key=item["key"],
        data=item.get("data"),
        subject=Digest(item["subject"]) if "subject" in item else None,
        marked=item.get("marked"),
        at=item["at"],
        era=era_when_set(item),
        listed="pushed" in item,
    )


def _make_repository(repository: str, found: int, item: Mapping[str, Any]) -> Write:
    """Return the write that makes a repository, or makes it anew while it is being deleted: `found` is its era then."""
    if not found:
        return put(meta_key(repository), item, "attribute_not_exists(pk)")
    return put(meta_key(repository), item, "deleting = :found", {":found": found})


def _manifest_item(entry: ManifestEntry, at: int, era: int, by: str) -> dict[str, Any]:
    item: dict[str, Any] = {
        "type": entry.media_type,
        "size": entry.size,
        "generation": entry.generation,
        "key": entry.key,
        "at": at,
        "era": era,
        "by": by,
    }
    if entry.data is not None:
        item["data"] = entry.data
    if entry.subject is not None:
        item["subject"] = entry.subject
    return item


def _referrer_item(referrer: Referrer) -> dict[str, Any]:
    item: dict[str, Any] = {"key": referrer.key, "type": referrer.media_type}
    text = compact(referrer.descriptor)
    if len(text.encode()) <= MAX_INLINE_DESCRIPTOR:
        item["descriptor"] = text
    return item


def _move_tag(
    repository: str, tag: Tag, entry: ManifestEntry, previous: TagEntry | None, at: int, era: int, by: str
) -> list[Write]:
    item = {"digest": entry.digest, "type": entry.media_type, "size": entry.size, "at": at, "era": era, "by": by}
    if not is_accessory(tag):
        item["pushed"] = pushed_tag(at, tag)
    key = tag_key(repository, tag)
    writes = [put(tagged_key(repository, entry.digest, tag), {"at": at, "era": era})]
    if previous is None:
        writes.append(put(key, item, "attribute_not_exists(pk)"))
    else:
        writes.append(put(key, item, "digest = :previous", {":previous": previous.digest}))
        if previous.digest != entry.digest:
            writes.append(delete(tagged_key(repository, previous.digest, tag)))
    return writes


def _remove_tags(repository: str, tags: Collection[Tag], digest: Digest, before: int | None = None) -> list[Write]:
    same, values, names = "digest = :digest", dict[str, Any]({":digest": digest}), dict[str, str]()
    if before is not None:
        same += " AND (era < :before OR (attribute_not_exists(era) AND #at < :before))"
        values, names = {**values, ":before": before}, {"#at": "at"}
    writes = count_writes(repository, TAGS, _counted(tags), -1)
    for tag in tags:
        writes.append(delete(tag_key(repository, tag), same, values, names))
        writes.append(delete(tagged_key(repository, digest, tag)))
    return writes


def _unit(unit: Unit | None, kind: UnitKind | None, digest: Digest) -> list[Write]:
    """Return the write of a unit with the deletion of what it is named for, not of what goes with that."""
    if unit is None or unit.digest != digest or kind not in (None, unit.kind):
        return []
    return [unit_write(unit)]


def _counted(tags: Iterable[Tag]) -> list[Tag]:
    return [tag for tag in tags if not is_accessory(tag)]
