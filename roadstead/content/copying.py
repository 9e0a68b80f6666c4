"""Copying an artifact to another repository, with its children and what belongs to it.

Nothing is copied but manifests: blobs are mounted, each in a transaction, and each manifest is committed by `Push`
after what it needs. A copy goes as far as its time lets it, and begins again at the top: it looks at source and target
anew, writes what is missing, and knows of what it did before only which parts need not be looked at again.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from roadstead.conflicts import Conflict, retry_conflicts
from roadstead.content.accessories import is_accessory
from roadstead.content.blob_index import BlobIndex, BlobLink
from roadstead.content.manifest_document import Manifest, parse_manifest
from roadstead.content.manifest_index import MAX_TAGS_PER_COMMIT, ManifestIndex
from roadstead.content.manifests import Manifests, needed_by
from roadstead.content.push import Push, TagsMoved
from roadstead.content.relatives import cosign_tags
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.names import Reference, RepositoryName, Tag
from roadstead.parallel import each
from roadstead.trail.entries import Actor, Operation
from roadstead.trail.events import EventMaker

MAX_MANIFESTS = 10_000  # of one copy: what is known of them fits into the checkpoint of an execution
MAX_DEPTH = 16  # of indexes in indexes, and of what belongs to what belongs to an artifact
_AT_ONCE = 64  # blobs between two looks at the time
_KNOWN = 6  # bytes of a digest by which a copy knows it: two of 10,000 are the same once in five million copies


class NothingUploaded:
    """`Adopting` for a `Push` of what is in another repository: nothing was uploaded for it."""

    def adopt_all(
        self, repository: RepositoryName, digests: Collection[Digest], actor: Actor
    ) -> Mapping[Digest, BlobLink]:
        return {}


class Done:
    """The manifests that a copy is done with: everything below them, and everything that belongs to them, too."""

    def __init__(self, text: str = "") -> None:
        """`text` is what `as_text` returned."""
        known = base64.b64decode(text)
        self._known = {known[at : at + _KNOWN]: None for at in range(0, len(known), _KNOWN)}

    def __contains__(self, digest: Digest) -> bool:
        return _short(digest) in self._known

    def __len__(self) -> int:
        return len(self._known)

    def add(self, digest: Digest) -> None:
        self._known[_short(digest)] = None

    def discard(self, digest: Digest) -> None:
        self._known.pop(_short(digest), None)

    def as_text(self) -> str:
        return base64.b64encode(b"".join(self._known)).decode()


def _short(digest: Digest) -> bytes:
    return bytes.fromhex(digest.hex[: 2 * _KNOWN])


@dataclass(frozen=True, slots=True)
class CopyRequest:
    """What is copied, where to, for whom. `asked` is when, in ms: tags of `target` that were set later stay."""

    source: RepositoryName
    digest: Digest
    target: RepositoryName
    actor: Actor
    asked: int


@dataclass(slots=True)
class Copied:
    """What a copy came to. `complete` if it did not stop before its time; `kept` are tags that others had set since."""

    done: Done
    complete: bool = False
    manifests: int = 0  # committed now
    blobs: int = 0  # mounted now
    tags: int = 0  # set now
    kept: list[Tag] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)  # a log for people


class _Late(Exception):
    """The time is over."""


class Copying:
    def __init__(
        self,
        *,
        manifests: Manifests,
        index: ManifestIndex,
        blobs: BlobIndex,
        push: Push,
        events: EventMaker,
    ) -> None:
        self._manifests = manifests
        self._index = index
        self._blobs = blobs
        self._push = push
        self._events = events

    def ask(self, source: RepositoryName, reference: Reference, target: RepositoryName, actor: Actor) -> CopyRequest:
        """Say what a copy is of: the manifest that a tag points to now. One read. Raises MANIFEST_UNKNOWN."""
        digest = self._manifests.head(source, reference).digest
        return CopyRequest(source, digest, target, actor, self._events.now_ms())

    def copy(self, asked: CopyRequest, *, done: Done | None = None, go_on: Callable[[], bool] = lambda: True) -> Copied:
        """Copy an artifact with its tags, children and accessories, until `go_on` says no. Access was checked before.

        Idempotent, and may run beside itself. With `done` it goes on where an earlier call stopped. Tags that
        are in the target move, as with a push, unless somebody has set them since. Nothing is written where a rule
        refuses the artifact itself. Raises MANIFEST_UNKNOWN, UNSUPPORTED (400) for more than MAX_MANIFESTS or
        MAX_DEPTH, and what `Push.push` does.

        Costs about six calls for each manifest to look at it and five to write it, two for each blob that the target
        does not have, eight at a time, and one for each 100 blobs.
        """
        copied = Copied(done if done is not None else Done())
        run = _Run(self, asked, copied, go_on)
        try:
            if done is None:
                run.check()
            tags = [tag for tag in self._index.find_tags_of(asked.source, asked.digest) if not is_accessory(tag)]
            run.copy(asked.digest, tags, depth=0)
        except _Late:
            return copied
        copied.complete = True
        return copied


class _Run:
    """One call of `Copying.copy`: what it reads, it reads for itself."""

    def __init__(self, parts: Copying, asked: CopyRequest, copied: Copied, go_on: Callable[[], bool]) -> None:
        self._manifests, self._index, self._blobs = parts._manifests, parts._index, parts._blobs
        self._pushes, self._events = parts._push, parts._events
        self._source, self._target, self._actor = asked.source, asked.target, asked.actor
        self._asked, self._copied, self._go_on = asked, copied, go_on
        self._begun: set[Digest] = set()
        self._later: dict[Digest, list[Tag]] = {}  # tags for what is being copied already

    def check(self) -> None:
        """Raises RuleRefused if the target's rules refuse the artifact itself, before anything is written."""
        digest = self._asked.digest
        entry, body = self._manifests.get(self._source, digest)
        tags = [tag for tag in self._index.find_tags_of(self._source, digest) if not is_accessory(tag)]
        for start in range(0, max(1, len(tags)), MAX_TAGS_PER_COMMIT):
            self._look_at_the_time()
            movable, _ = self._movable(digest, tags[start : start + MAX_TAGS_PER_COMMIT])
            self._pushes.check(
                self._target, digest, body, content_type=entry.media_type, tags=list(movable), actor=self._actor
            )

    def copy(self, digest: Digest, tags: Sequence[Tag], *, depth: int) -> None:
        """Copy a manifest behind its children, and before what belongs to it."""
        if digest in self._begun:
            self._later.setdefault(digest, []).extend(tags)
            return
        if digest in self._copied.done:
            self._set_tags(digest, tags)
            return
        if depth > MAX_DEPTH or len(self._copied.done) + len(self._begun) >= MAX_MANIFESTS:
            raise _too_large()
        self._look_at_the_time()
        self._begun.add(digest)
        try:
            entry, body = self._manifests.get(self._source, digest)
        except RegistryError:
            if depth:  # it was deleted since it was seen
                return
            raise
        manifest = parse_manifest(body, entry.media_type)
        absent = self._copy_children(manifest, depth)
        self._commit(digest, manifest, body, tags, absent)
        self._copy_accessories(digest, depth)
        self._set_tags(digest, self._later.pop(digest, ()))
        self._copied.done.add(digest)
        self._begun.discard(digest)

    def _copy_children(self, manifest: Manifest, depth: int) -> set[Digest]:
        """Copy children and mount blobs; return the children that the source does not have as manifests.

        Those may be blobs there, or absent from a mirror.
        """
        children = list(dict.fromkeys(one.digest for one in manifest.children))
        own = self._index.read_contents(self._source, blobs=(), manifests=children).manifests if children else {}
        there = self._index.read_contents(self._target, blobs=(), manifests=list(own)).manifests if own else {}
        for child in children:
            if child in own and not (child in there and child in self._copied.done):
                if child not in there:
                    self._copied.done.discard(child)
                self.copy(child, (), depth=depth + 1)
        self._mount([digest for digest in needed_by(manifest) if digest not in own])
        return {child for child in children if child not in own}

    def _mount(self, digests: Sequence[Digest]) -> None:
        if self._source == self._target or not digests:
            return
        there = self._index.read_contents(self._target, blobs=list(digests), manifests=()).links

        def mount(digest: Digest) -> bool:
            event = self._events.make(
                Operation.MOUNT, self._actor, self._target, digest=digest, source_repository=str(self._source)
            )
            return self._blobs.mount(self._source, self._target, digest, event=event) is not None

        wanted = [digest for digest in digests if digest not in there]
        for start in range(0, len(wanted), _AT_ONCE):
            self._look_at_the_time()
            self._copied.blobs += sum(each(mount, wanted[start : start + _AT_ONCE]))

    def _commit(
        self, digest: Digest, manifest: Manifest, body: bytes, tags: Sequence[Tag], absent: Collection[Digest]
    ) -> None:
        found = self._index.read_snapshot(self._target, digest, (), blobs=(), manifests=())
        standing = found.stands
        there = set(self._index.find_tags_of(self._target, digest, era=found.since)) if standing and tags else set()
        wanted = [tag for tag in tags if tag not in there]
        if standing and not wanted:
            return
        for start in range(0, max(1, len(wanted)), MAX_TAGS_PER_COMMIT):
            self._look_at_the_time()
            self._push(digest, manifest, body, wanted[start : start + MAX_TAGS_PER_COMMIT], absent)
        self._copied.manifests += not standing

    def _push(
        self, digest: Digest, manifest: Manifest, body: bytes, tags: Sequence[Tag], absent: Collection[Digest]
    ) -> None:
        retry_conflicts(lambda: self._try_to_push(digest, manifest, body, tags, absent), f"{self._target}'s tags")

    def _try_to_push(
        self, digest: Digest, manifest: Manifest, body: bytes, tags: Sequence[Tag], absent: Collection[Digest]
    ) -> None:
        """Attempt it once. Raises Conflict if a tag moves meanwhile."""
        movable, kept = self._movable(digest, tags)
        try:
            self._pushes.push(
                self._target,
                digest,
                body,
                content_type=manifest.media_type,
                tags=list(movable),
                actor=self._actor,
                movable={tag: one for tag, one in movable.items() if one is not None},
                absent=absent,
            )
        except TagsMoved as error:
            raise Conflict(str(error)) from error
        self._copied.tags += len(movable)
        self._copied.kept += kept
        said = f" with the tags {', '.join(movable)}" if movable else ""
        self._copied.lines.append(f"{digest}{said}")
        self._copied.lines += [f"{self._target}:{tag} was set by somebody else since, and stays" for tag in kept]

    def _movable(self, digest: Digest, tags: Sequence[Tag]) -> tuple[dict[Tag, Digest | None], list[Tag]]:
        """Return the tags that may be set, with what they point to now, and those that were set since it was asked."""
        movable: dict[Tag, Digest | None] = {}
        kept: list[Tag] = []
        times: dict[Digest, Mapping[Tag, int]] = {}
        for tag in tags:
            entry = self._index.find_tag(self._target, tag)
            if entry is None or entry.digest == digest:
                movable[tag] = None
                continue
            if entry.digest not in times:
                times[entry.digest] = self._index.find_tag_times(self._target, entry.digest)
            if times[entry.digest].get(tag, 0) > self._asked.asked:
                kept.append(tag)
            else:
                movable[tag] = entry.digest
        return movable, kept

    def _copy_accessories(self, digest: Digest, depth: int) -> None:
        for referrer in self._index.list_referrers(self._source, digest, after=""):
            if referrer.digest not in self._copied.done:
                self.copy(referrer.digest, (), depth=depth + 1)
        for name, _ in cosign_tags(digest):
            tag = self._index.find_tag(self._source, name)
            if tag is not None:
                self.copy(tag.digest, [name], depth=depth + 1)

    def _set_tags(self, digest: Digest, tags: Sequence[Tag]) -> None:
        """Set tags of a manifest that was copied before, as what belongs to another one."""
        if not tags:
            return
        found = self._index.read_snapshot(self._target, digest, (), blobs=(), manifests=())
        if found.stands and set(tags) <= set(self._index.find_tags_of(self._target, digest, era=found.since)):
            return
        try:
            entry, body = self._manifests.get(self._source, digest)
        except RegistryError:
            return
        manifest = parse_manifest(body, entry.media_type)
        self._push(digest, manifest, body, tags, {one.digest for one in manifest.children})

    def _look_at_the_time(self) -> None:
        if not self._go_on():
            raise _Late


def _too_large() -> RegistryError:
    return RegistryError(
        ErrorCode.UNSUPPORTED,
        f"a copy has at most {MAX_MANIFESTS} manifests, nested {MAX_DEPTH} deep: copy this with a client, such as "
        "skopeo copy --all",
        status=400,
    )
