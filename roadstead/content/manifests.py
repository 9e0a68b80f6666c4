"""Reading and deleting manifests and tags (distribution-spec 1.1.1, end-3 and end-9)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial

from roadstead.conflicts import Conflict, retry_conflicts
from roadstead.content.accessories import is_accessory
from roadstead.content.blob_index import BlobIndex
from roadstead.content.blobs import still_needed
from roadstead.content.deletion.trash import MAX_TAGS_OF_UNIT, Unit, UnitKind, unit_id
from roadstead.content.deletion.uses import find_live_use
from roadstead.content.manifest_document import Manifest, parse_manifest
from roadstead.content.manifest_index import MAX_TAGS_PER_REMOVAL, ManifestEntry, ManifestIndex
from roadstead.content.objects import Objects
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.names import Reference, RepositoryName, Tag
from roadstead.trail.entries import Actor, Event, Operation
from roadstead.trail.events import EventMaker


@dataclass(frozen=True, slots=True)
class ManifestHead:
    """What the response to HEAD contains."""

    digest: Digest
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Look:
    """A manifest as somebody saw it: when it was pushed, and when each of its tags was last set to it (ms)."""

    at: int
    tags: Mapping[Tag, int]


class Changed(Exception):
    """The manifest was pushed or tagged again, or lost a tag, since it was looked at. It stays."""


class PushedSince(Changed):
    """The manifest was pushed or tagged again since the deletion of its repository began."""


@dataclass(slots=True)
class _Deletion:
    """The deletion of a manifest, over all attempts. `tags` are those that any of them saw, within the limit."""

    repository: RepositoryName
    digest: Digest
    actor: Actor
    unit: Unit | None
    look: Look | None = None
    before: int | None = None  # the era that the deletion of the whole repository has begun
    tags: tuple[Tag, ...] = ()

    def is_member(self, entry: ManifestEntry) -> bool:
        """Whether the manifest goes with another artifact, or with its repository: its own record keeps its tags."""
        unit = self.unit
        return unit is not None and (unit.kind is UnitKind.REPOSITORY or unit.digest not in (None, entry.digest))

    def unit_with(self, entry: ManifestEntry, tags: Collection[Tag]) -> Unit | None:
        self.tags = tuple(dict.fromkeys((*self.tags, *tags)))[:MAX_TAGS_OF_UNIT]
        if self.unit is None or self.is_member(entry):
            return replace(self.unit, tags=self.tags) if self.unit is not None else None
        return replace(self.unit, digest=entry.digest, tags=self.tags, media_type=entry.media_type, size=entry.size)


class Manifests:
    def __init__(
        self,
        *,
        manifests: ManifestIndex,
        blobs: BlobIndex,
        objects: Objects,
        events: EventMaker,
    ) -> None:
        self._manifests = manifests
        self._blobs = blobs
        self._objects = objects
        self._events = events

    def head(self, repository: RepositoryName, reference: Reference) -> ManifestHead:
        """Return a manifest's digest, type and size. One read. Raises MANIFEST_UNKNOWN."""
        if isinstance(reference, Tag):
            tag = self._manifests.find_tag(repository, reference)
            if tag is None:
                raise manifest_unknown(repository, reference)
            return ManifestHead(tag.digest, tag.media_type, tag.size)
        entry = self._get(repository, reference, reference)
        return ManifestHead(entry.digest, entry.media_type, entry.size)

    def get(self, repository: RepositoryName, reference: Reference) -> tuple[ManifestEntry, bytes]:
        """Return a manifest and its exact bytes. One read by digest, two by tag; and the object if it is not inline.

        If a tag moves between the two reads, the manifest that it pointed to may be gone: the tag is read again.
        """
        for last in (False, True):
            digest = self.head(repository, reference).digest if isinstance(reference, Tag) else reference
            entry = self._manifests.find_manifest(repository, digest)
            data = self._read(entry) if entry is not None else None
            if entry is not None and data is not None:
                return entry, data
            if last or not isinstance(reference, Tag):
                break
        raise manifest_unknown(repository, reference)

    def delete(
        self,
        repository: RepositoryName,
        reference: Reference,
        actor: Actor,
        *,
        unit: Unit | None = None,
        look: Look | None = None,
        before: int | None = None,
    ) -> None:
        """Remove a tag, or a manifest with all its tags; with `look` only if it is as it was then, or raise Changed.

        With `before`, the era that the deletion of the whole repository has begun, raises PushedSince for a manifest
        that was pushed or tagged in it or later.

        Raises MANIFEST_UNKNOWN, DENIED (405) for a needed child, RuleRefused if a tag is immutable: then all stay.
        What goes is in the trash as a unit of its own, or with the artifact's or repository's `unit`.
        """
        if unit is None:
            kind = UnitKind.TAG if isinstance(reference, Tag) else UnitKind.MANIFEST
            unit = self.new_unit(repository, kind, actor)
        if isinstance(reference, Tag):
            retry_conflicts(partial(self._delete_tag, repository, reference, actor, unit), reference)
        else:
            self._delete_as_looked_at(_Deletion(repository, reference, actor, unit, look, before))

    def _delete_as_looked_at(self, deletion: _Deletion) -> None:
        if deletion.look is None:
            retry_conflicts(partial(self._delete_manifest, deletion), deletion.digest)
            return
        try:
            self._delete_manifest(deletion)
        except Conflict as error:  # a commit came in between
            raise Changed(deletion.digest) from error

    def remove_older_tags(
        self,
        repository: RepositoryName,
        digest: Digest,
        tags: Collection[Tag],
        actor: Actor,
        *,
        unit: Unit | None,
        before: int,
    ) -> None:
        """Remove those of up to MAX_TAGS_PER_REMOVAL tags that still point to a manifest and were set before an era.

        The manifest stays; in a repository's `unit` it is noted with them. Raises RuleRefused. Four calls at most.
        """

        def attempt() -> None:
            found, governing = self._manifests.find_governed(repository, tags)
            older = tuple(tag for tag, one in found.items() if one.digest == digest and one.era < before)
            entry = self._manifests.find_manifest(repository, digest) if older else None
            if entry is None:
                return
            self._manifests.commit_rules.check_removal(repository, older, governing)
            deletion = _Deletion(repository, digest, actor, unit, before=before)
            self._remove_some(deletion, entry, older, self._unit_of_member(deletion, entry, older))

        retry_conflicts(attempt, digest)

    def _remove_some(self, deletion: _Deletion, entry: ManifestEntry, tags: tuple[Tag, ...], unit: Unit | None) -> None:
        """Remove tags ahead of their manifest, or without it. Raises Conflict."""
        event = self._events.make(
            Operation.UNTAG,
            deletion.actor,
            deletion.repository,
            digest=entry.digest,
            tags=tags,
            media_type=entry.media_type,
        )
        self._manifests.remove_tags(
            deletion.repository,
            entry.digest,
            tags,
            event=event,
            unit=unit,
            member=entry if deletion.is_member(entry) else None,
            before=deletion.before,
        )

    def _unit_of_member(self, deletion: _Deletion, entry: ManifestEntry, tags: Collection[Tag]) -> Unit | None:
        """Return the unit for a manifest with `tags` and, if it is a member, those that were noted with it before."""
        unit = deletion.unit
        if unit is not None and deletion.is_member(entry):  # an attempt that died had removed some
            kept = self._manifests.find_trashed(deletion.repository, [(entry.digest, entry.generation)])
            deletion.unit_with(entry, [tag for one in kept.values() if one.unit == unit.id for tag in one.tags])
        return deletion.unit_with(entry, tags)

    def new_unit(self, repository: RepositoryName, kind: UnitKind, actor: Actor) -> Unit | None:
        """Return the unit of the trash that a deletion makes; None in a project without a grace period. One read."""
        grace = self._manifests.find_grace(repository.project)
        if grace == 0:
            return None
        at = self._events.now_ms()
        return Unit(unit_id(at), kind, repository, at, at + grace * 1_000, actor.name)

    def _delete_tag(
        self, repository: RepositoryName, tag: Tag, actor: Actor, unit: Unit | None, digest: Digest | None = None
    ) -> None:
        """Attempt it once. Raises Conflict if the tag moved meanwhile."""
        tags, governing = self._manifests.find_governed(repository, (tag,))
        entry = tags.get(tag)
        if entry is None or digest not in (None, entry.digest):
            raise manifest_unknown(repository, tag)
        self._manifests.commit_rules.check_removal(repository, (tag,), governing)
        event = self._events.make(
            Operation.UNTAG, actor, repository, digest=entry.digest, tags=(tag,), media_type=entry.media_type
        )
        if unit is not None and unit.kind is UnitKind.TAG:
            unit = replace(unit, digest=entry.digest, tags=(tag,), media_type=entry.media_type, size=entry.size)
        self._manifests.delete_tag(repository, tag, entry.digest, event=event, unit=unit)

    def delete_tag_of(self, repository: RepositoryName, tag: Tag, digest: Digest, actor: Actor) -> None:
        """Remove a tag, if it points to `digest`. Raises what `delete` does."""
        unit = self.new_unit(repository, UnitKind.TAG, actor)
        retry_conflicts(partial(self._delete_tag, repository, tag, actor, unit, digest), tag)

    def delete_unneeded(
        self,
        repository: RepositoryName,
        digest: Digest,
        actor: Actor,
        *,
        unit: Unit | None = None,
        tags: Collection[Tag] = (),
    ) -> bool:
        """Remove a manifest that no tag points to and nothing needs; return whether it is gone.

        It goes to the trash with an artifact's `unit`, if there is one, and comes back with `tags`.
        """
        # Two that delete indexes with the same child would go on taking each other's mark without a pause.
        attempt = partial(self._delete_unneeded, repository, digest, actor, unit, tags)
        return retry_conflicts(attempt, digest, sleep=time.sleep)

    def _delete_unneeded(
        self, repository: RepositoryName, digest: Digest, actor: Actor, unit: Unit | None, tags: Collection[Tag]
    ) -> bool:
        """Attempt it once. Raises Conflict if it was tagged meanwhile, or its mark was removed."""
        mark = self._events.new_mark()
        entry = self._manifests.mark_manifest(repository, digest, mark)
        if entry is None:
            return True
        use = find_live_use(self._blobs, self._manifests, repository, digest, now_ms=self._events.now_ms())
        if use is not None or self._manifests.find_tags_of(repository, digest):
            self._manifests.unmark_manifest(repository, digest, mark)
            return False
        event = self._events.make(
            Operation.DELETE_MANIFEST, actor, repository, digest=digest, media_type=entry.media_type
        )
        member = replace(unit, tags=tuple(tags)) if unit is not None else None
        self._manifests.delete_manifest(repository, entry, mark=mark, event=event, unit=member)
        if unit is None:
            self._forget_uses(repository, entry)
        return True

    def _delete_manifest(self, deletion: _Deletion) -> None:
        """Attempt it once. Raises Conflict if the manifest was tagged or its mark was removed meanwhile."""
        repository, digest = deletion.repository, deletion.digest
        mark = self._events.new_mark()
        entry = self._manifests.mark_manifest(repository, digest, mark)
        if entry is None:
            raise manifest_unknown(repository, digest)
        if deletion.look is not None and self._has_changed(deletion, entry, deletion.look):
            self._manifests.unmark_manifest(repository, digest, mark)
            raise Changed(digest)
        if deletion.before is not None and entry.era >= deletion.before:
            self._manifests.unmark_manifest(repository, digest, mark)
            raise PushedSince(digest)
        use = find_live_use(self._blobs, self._manifests, repository, digest, now_ms=self._events.now_ms())
        if use is not None:
            self._manifests.unmark_manifest(repository, digest, mark)
            raise still_needed("manifest", digest, use.manifest)
        self._delete_with_tags(deletion, entry, mark)
        if deletion.unit is None:
            self._forget_uses(repository, entry)

    def _has_changed(self, deletion: _Deletion, entry: ManifestEntry, look: Look) -> bool:
        """Whether the marked manifest is another than `look`. What comes later removes the mark. Costs one Query."""
        times = self._manifests.find_tag_times(deletion.repository, deletion.digest)
        shown = {tag: at for tag, at in times.items() if not is_accessory(tag)}
        return (entry.at, shown) != (look.at, dict(look.tags))

    def _delete_with_tags(self, deletion: _Deletion, entry: ManifestEntry, mark: str) -> None:
        """Delete the manifest and its tags in one transaction, so that a deletion that fails has removed no tag.

        If there are more tags than a transaction takes, the first are removed before, in batches with an event each.
        Raises Conflict.
        """
        repository, actor = deletion.repository, deletion.actor

        def event(operation: Operation, tags: tuple[Tag, ...] = ()) -> Event:
            return self._events.make(
                operation, actor, repository, digest=entry.digest, tags=tags, media_type=entry.media_type
            )

        tags = self._manifests.find_tags_of(repository, entry.digest)
        if tags:
            self._check_removal(repository, entry, tags, mark)
        unit = self._unit_of_member(deletion, entry, tags)
        while len(tags) > MAX_TAGS_PER_REMOVAL:
            batch, tags = tags[:MAX_TAGS_PER_REMOVAL], tags[MAX_TAGS_PER_REMOVAL:]
            self._remove_some(deletion, entry, batch, unit)
        self._manifests.delete_manifest(
            repository,
            entry,
            mark=mark,
            event=event(Operation.DELETE_MANIFEST),
            tags=tags,
            untag=event(Operation.UNTAG, tags) if tags else None,
            unit=unit,
        )

    def _check_removal(
        self, repository: RepositoryName, entry: ManifestEntry, tags: tuple[Tag, ...], mark: str
    ) -> None:
        """Raises RuleRefused, and leaves the manifest as it was."""
        _, governing = self._manifests.find_governed(repository)
        try:
            self._manifests.commit_rules.check_removal(repository, tags, governing)
        except RegistryError:
            self._manifests.unmark_manifest(repository, entry.digest, mark)
            raise

    def _forget_uses(self, repository: RepositoryName, entry: ManifestEntry) -> None:
        """Remove the uses, so that the blobs can be deleted at once. Otherwise they lapse with the manifest."""
        data = self._read(entry)
        # A manifest that an older version accepted and this one would refuse is deleted too.
        with contextlib.suppress(RegistryError):
            needed = needed_by(parse_manifest(data, entry.media_type)) if data is not None else ()
            self._manifests.remove_uses(repository, entry.digest, entry.generation, needed)

    def _get(self, repository: RepositoryName, digest: Digest, reference: Reference) -> ManifestEntry:
        entry = self._manifests.find_manifest(repository, digest)
        if entry is None:
            raise manifest_unknown(repository, reference)
        return entry

    def _read(self, entry: ManifestEntry) -> bytes | None:
        return entry.data if entry.data is not None else self._objects.get(entry.key)


def needed_by(manifest: Manifest) -> list[Digest]:
    """Return every blob and child that a manifest needs, once each, in its order."""
    return list(dict.fromkeys(descriptor.digest for descriptor in (*manifest.blobs, *manifest.children)))


def manifest_unknown(repository: RepositoryName, reference: Reference) -> RegistryError:
    what = f"tag {reference}" if isinstance(reference, Tag) else f"manifest {reference}"
    return RegistryError(
        ErrorCode.MANIFEST_UNKNOWN, f"{repository} has no {what}", detail={"name": repository, "reference": reference}
    )
