"""Committing a manifest (distribution-spec 1.1.1, end-7): what it needs exists, and stays while the manifest does.

The order of steps ensures this beside deletions and the collector: write the uses, read the links once more, commit. A
deletion first marks a link and then reads its uses, so one of the two sees the other.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from roadstead.conflicts import Conflict, TooManyWriters, retry_conflicts
from roadstead.content.accessories import is_listed
from roadstead.content.blob_index import BlobIndex, BlobLink
from roadstead.content.commit_rules import Proposed
from roadstead.content.manifest_document import Descriptor, Manifest, parse_manifest
from roadstead.content.manifest_index import (
    MAX_INLINE_MANIFEST,
    MAX_TAGS_PER_COMMIT,
    Commit,
    CommitSnapshot,
    Contents,
    ManifestEntry,
    ManifestIndex,
    Referrer,
)
from roadstead.content.manifests import manifest_unknown, needed_by
from roadstead.content.objects import Objects, manifest_object_key
from roadstead.content.uploads.provenance import object_metadata
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, ErrorEntry, RegistryError
from roadstead.names import Reference, RepositoryName, Tag
from roadstead.trail.entries import Actor, Operation
from roadstead.trail.events import EventMaker

_MAX_TAGS_TEXT = 1_000  # bytes of tags in an object's metadata, which S3 limits to 2 KB


class TagExists(RegistryError):
    """There is a tag of that name, and it was not to be moved."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.TAG_INVALID, message, status=409)


class Adopting(Protocol):
    """The part of `Adoption` that a push needs."""

    def adopt_all(
        self, repository: RepositoryName, digests: Collection[Digest], actor: Actor
    ) -> Mapping[Digest, BlobLink]:
        """Return the links of those among `digests` that were uploaded and not recorded yet."""
        ...


class TagsMoved(Exception):
    """`tags` point to other manifests, and the push was not to move them. Nothing was committed."""

    def __init__(self, tags: Iterable[Tag]) -> None:
        self.tags = tuple(tags)
        super().__init__(f"{', '.join(self.tags)} points to something else")


class IndexChildren(StrEnum):
    """Which children of an index must exist. `none` is for mirrors that hold sparse indexes."""

    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Pushed:
    """What the response reports: the digest, the tags that now point to it, and the subject, if any."""

    digest: Digest
    tags: tuple[Tag, ...]
    subject: Digest | None


@dataclass(slots=True)
class _Push:
    """A push in progress. `prepared` is its manifest once the uses and the bytes are written.

    `movable` are the tags that may move, with the manifests to which they may point now; None: all may. `absent` are
    the children of an index that need not be there; None: what the registry's setting says.
    """

    repository: RepositoryName
    digest: Digest
    tags: tuple[Tag, ...]
    body: bytes
    manifest: Manifest
    actor: Actor
    movable: Mapping[Tag, Digest] | None = None
    absent: Collection[Digest] | None = None
    prepared: ManifestEntry | None = None
    reserved: bool = False  # whether bytes are reserved for it

    @property
    def needed(self) -> set[Digest]:
        """Every digest that the manifest references as a blob or child; a child may be stored as either."""
        return {descriptor.digest for descriptor in (*self.manifest.blobs, *self.manifest.children)}

    @property
    def children(self) -> set[Digest]:
        return {descriptor.digest for descriptor in self.manifest.children}


class Push:
    def __init__(
        self,
        *,
        manifests: ManifestIndex,
        blobs: BlobIndex,
        objects: Objects,
        adoption: Adopting,
        events: EventMaker,
        index_children: IndexChildren = IndexChildren.ALL,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._manifests = manifests
        self._blobs = blobs
        self._objects = objects
        self._adoption = adoption
        self._events = events
        self._index_children = index_children
        self._sleep = sleep

    def push(
        self,
        repository: RepositoryName,
        reference: Reference,
        body: bytes,
        *,
        content_type: str | None,
        tags: Iterable[Tag] = (),
        actor: Actor,
        movable: Mapping[Tag, Digest] | None = None,
        absent: Collection[Digest] | None = None,
    ) -> Pushed:
        """Commit a manifest under a digest or a tag, and under `tags` as well.

        Idempotent: if the manifest exists, only tags move. Raises MANIFEST_INVALID, DIGEST_INVALID,
        MANIFEST_BLOB_UNKNOWN with an entry for everything that is missing, or RuleRefused; with `movable` also
        TagsMoved if a tag points to a manifest from which it may not move. Children in `absent` need not be there.
        """
        manifest = parse_manifest(body, content_type)
        all_tags = tuple(dict.fromkeys((*((reference,) if isinstance(reference, Tag) else ()), *tags)))
        if len(all_tags) > MAX_TAGS_PER_COMMIT:
            raise RegistryError(
                ErrorCode.TAG_INVALID,
                f"one push sets at most {MAX_TAGS_PER_COMMIT} tags; push again for more",
                status=414,
            )
        if isinstance(reference, Tag):
            digest = Digest.of(body)
        elif reference.matches(body):
            digest = reference
        else:
            raise RegistryError(
                ErrorCode.DIGEST_INVALID,
                f"the manifest hashes to {Digest.of(body, reference.algorithm)}, not to the digest of the URL",
                detail={"digest": str(reference)},
            )
        push = _Push(repository, digest, all_tags, body, manifest, actor, movable, absent)
        self._commit(push)
        return Pushed(digest, all_tags, manifest.subject.digest if manifest.subject else None)

    def tag(self, repository: RepositoryName, digest: Digest, tag: Tag, *, actor: Actor) -> None:
        """Have a new tag point to a manifest that is there. Raises MANIFEST_UNKNOWN, TagExists, RuleRefused.

        A tag that is left from before the deletion of its repository is new.
        """
        retry_conflicts(lambda: self._try_to_tag(repository, digest, tag, actor), repository, sleep=self._sleep)

    def _try_to_tag(self, repository: RepositoryName, digest: Digest, tag: Tag, actor: Actor) -> None:
        """Attempt it once. Raises Conflict if the manifest was deleted or the tag set meanwhile."""
        found = self._manifests.read_snapshot(repository, digest, (tag,), blobs=(), manifests=())
        entry = found.manifest
        if entry is None:
            raise manifest_unknown(repository, digest)
        if tag in found.tags and found.tags[tag].era >= found.since:
            raise TagExists(f"{repository} has a tag {tag} already: delete it first, or push under it")
        moved = _moved(found, (tag,), digest)
        anew = not found.repository_exists
        self._manifests.commit_rules.check_commit(
            Proposed(repository, digest, (tag,), actor, found.governing, moved, makes_repository=anew)
        )
        event = self._events.make(
            Operation.TAG,
            actor,
            repository,
            digest=digest,
            tags=(tag,),
            media_type=entry.media_type,
            size=entry.size,
        )
        self._manifests.commit(Commit(repository, entry, (tag,), found, None, event))

    def check(
        self,
        repository: RepositoryName,
        digest: Digest,
        body: bytes,
        *,
        content_type: str | None,
        tags: Collection[Tag],
        actor: Actor,
    ) -> None:
        """Raises RuleRefused if a push of this manifest with these tags would be refused now. A batch read."""
        push = _Push(repository, digest, tuple(tags), body, parse_manifest(body, content_type), actor)
        found = self._manifests.read_snapshot(repository, digest, push.tags, blobs=push.needed, manifests=push.children)
        self._manifests.commit_rules.check_commit(_proposed(push, found))

    def check_upload(self, repository: RepositoryName, actor: Actor) -> None:
        """Raises QuotaExceeded if no push of new blobs to the repository's project could be committed."""
        self._manifests.commit_rules.check_upload(repository, actor)

    def _commit(self, push: _Push) -> None:
        """Commit the manifest, or only its tags if it exists.

        Uses are removed only if the manifest is known not to have been committed. After any other exception it may
        exist and need them, because a response may have been lost. Uses that nothing needs lapse by themselves.
        """
        try:
            retry_conflicts(lambda: self._try_to_commit(push), push.repository, sleep=self._sleep)
        except (RegistryError, TooManyWriters, TagsMoved):
            self._withdraw(push)
            raise

    def _try_to_commit(self, push: _Push) -> None:
        """Attempt it once. Raises Conflict if what it read has changed."""
        found = self._manifests.read_snapshot(
            push.repository, push.digest, push.tags, blobs=push.needed, manifests=push.children
        )
        if push.movable is not None:
            from_ = push.movable
            moved = [tag for tag, one in found.tags.items() if one.digest not in (push.digest, from_.get(tag))]
            if moved:
                raise TagsMoved(moved)
        proposed = _proposed(push, found)
        self._manifests.commit_rules.check_commit(proposed)
        if found.manifest is None:
            self._commit_new(push, found, proposed)
        elif push.prepared is None or found.manifest.generation != push.prepared.generation:
            self._manifests.commit(self._as_commit(push, found.manifest, found))
            self._withdraw(push)
        elif not found.stands:
            # An earlier attempt went through, although its response was lost, and the repository was deleted since.
            self._manifests.commit(self._as_commit(push, found.manifest, found))
        # Otherwise an earlier attempt went through.

    def _commit_new(self, push: _Push, found: CommitSnapshot, proposed: Proposed) -> None:
        self._complete(push, found.contents)
        if push.prepared is None:
            push.prepared = self._prepare(push)
        retry_conflicts(lambda: self._look_again(push), f"what {push.digest} needs")
        push.reserved = self._manifests.commit_rules.reserve(proposed, push.prepared.generation)
        self._manifests.commit(self._as_commit(push, push.prepared, found))

    def _withdraw(self, push: _Push) -> None:
        if push.prepared is not None and push.reserved:
            self._manifests.commit_rules.unreserve(push.repository, push.prepared.generation)
        if push.prepared is not None:
            self._manifests.remove_uses(
                push.repository, push.digest, push.prepared.generation, needed_by(push.manifest)
            )

    def _complete(self, push: _Push, contents: Contents) -> None:
        """Adopt what is missing, compare sizes with the descriptors, cancel pending removals. Raises what push does."""
        manifests = contents.manifests
        adopted = self._adoption.adopt_all(push.repository, self._missing(push, contents), push.actor)
        links = {**contents.links, **adopted}
        self._require(push, Contents(links, manifests))
        for digest, link in links.items():
            if link.marked is not None:
                self._blobs.unmark_link(push.repository, digest)
        for digest, child in manifests.items():
            if child.marked is not None:
                self._manifests.unmark_manifest(push.repository, digest)

    def _missing(self, push: _Push, contents: Contents) -> list[Digest]:
        optional = push.children if self._index_children is IndexChildren.NONE else set()
        if push.absent is not None:
            optional = set(push.absent)
        there = contents.links.keys() | contents.manifests.keys() | optional
        return [digest for digest in needed_by(push.manifest) if digest not in there]

    def _require(self, push: _Push, contents: Contents) -> None:
        for descriptor in (*push.manifest.blobs, *push.manifest.children):
            size = _stored_size(descriptor, push.children, contents)
            if size is not None and size != descriptor.size:
                raise RegistryError(
                    ErrorCode.MANIFEST_INVALID,
                    f"the descriptor of {descriptor.digest} says {descriptor.size} bytes, but it has {size}",
                    detail={"digest": str(descriptor.digest)},
                )
        if missing := self._missing(push, contents):
            raise RegistryError.several(
                ErrorEntry(
                    ErrorCode.MANIFEST_BLOB_UNKNOWN,
                    f"{push.repository} does not have {digest}, which the manifest needs: push it first",
                    {"digest": str(digest)},
                )
                for digest in missing
            )

    def _prepare(self, push: _Push) -> ManifestEntry:
        """Write the uses of a new generation, with a candidate that names its object, and then the bytes."""
        generation = secrets.token_hex(16)
        key = manifest_object_key(push.repository, push.digest, generation)
        entry = ManifestEntry(
            digest=push.digest,
            media_type=push.manifest.media_type,
            size=len(push.body),
            generation=generation,
            key=key,
            data=push.body if len(push.body) <= MAX_INLINE_MANIFEST else None,
            subject=push.manifest.subject.digest if push.manifest.subject else None,
        )
        now = self._events.now_ms()
        needed = needed_by(push.manifest)
        self._manifests.write_uses(push.repository, push.digest, generation, needed, at=now, key=key)
        metadata = {**object_metadata(push.repository, push.actor), "tags": _written(push.tags)}
        self._objects.put(
            key, push.body, digest=push.digest if push.digest.algorithm == "sha256" else None, metadata=metadata
        )
        return entry

    def _look_again(self, push: _Push) -> None:
        """Read what the manifest needs once more, now that its uses are written. Raises Conflict after any change.

        A new mark is removed. What vanished counts as missing, unless it was uploaded again: nobody has looked for the
        new object while the link was being removed.
        """
        contents = self._manifests.read_contents(push.repository, blobs=push.needed, manifests=push.children)
        if self._missing(push, contents) or _any_marked(contents):
            self._complete(push, contents)
            raise Conflict(f"something that {push.digest} needs is being deleted")

    def _as_commit(self, push: _Push, entry: ManifestEntry, found: CommitSnapshot) -> Commit:
        manifest = push.manifest
        referrer = None
        if manifest.subject is not None:
            descriptor = manifest.referrer(push.digest, len(push.body))
            referrer = Referrer(push.digest, descriptor, entry.key, manifest.media_type)
        operation = Operation.PUSH if found.manifest is None else Operation.TAG
        event = self._events.make(
            operation,
            push.actor,
            push.repository,
            digest=push.digest,
            tags=push.tags,
            media_type=manifest.media_type,
            size=len(push.body),
        )
        reserved = push.reserved and found.manifest is None
        return Commit(push.repository, entry, push.tags, found, referrer, event, reserved)


def _proposed(push: _Push, found: CommitSnapshot) -> Proposed:
    moved = _moved(found, push.tags, push.digest)
    proposed = Proposed(
        push.repository,
        push.digest,
        push.tags,
        push.actor,
        found.governing,
        moved,
        makes_repository=not found.repository_exists,
    )
    if found.manifest is not None:
        return proposed
    manifest, there = push.manifest, found.contents.manifests
    blobs = (*manifest.blobs, *(child for child in manifest.children if child.digest not in there))
    return replace(
        proposed,
        size=len(push.body),
        blobs={one.digest: one.size for one in blobs},
        makes_artifact=is_listed(has_subject=manifest.subject is not None, tags=push.tags, is_needed=False),
    )


def _moved(found: CommitSnapshot, tags: tuple[Tag, ...], digest: Digest) -> tuple[Tag, ...]:
    """Return those of `tags` that point to another digest than they are about to."""
    return tuple(tag for tag in tags if tag in found.tags and found.tags[tag].digest != digest)


def _written(tags: tuple[Tag, ...]) -> str:
    """Return the tags for an object's metadata: as many of the first as fit."""
    text = ",".join(tags)
    return text if len(text) <= _MAX_TAGS_TEXT else text[: text.rindex(",", 0, _MAX_TAGS_TEXT + 1)]


def _stored_size(descriptor: Descriptor, children: set[Digest], contents: Contents) -> int | None:
    """Return the stored size. An index's child may be a manifest or a blob (BuildKit's cache); all else is a blob."""
    if descriptor.digest in children and (child := contents.manifests.get(descriptor.digest)) is not None:
        return child.size
    link = contents.links.get(descriptor.digest)
    return link.size if link is not None else None


def _any_marked(contents: Contents) -> bool:
    marks = [*(link.marked for link in contents.links.values()), *(m.marked for m in contents.manifests.values())]
    return any(mark is not None for mark in marks)
