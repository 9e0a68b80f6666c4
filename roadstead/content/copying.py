"""Copying an artifact to another repository, with its children and what belongs to it.

Nothing is copied but manifests: blobs are mounted, each in a transaction, and each manifest is committed by `Push`
after what it needs. A copy that dies leaves blobs that nothing needs, which the collector takes; repeated, it goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import islice

from roadstead.content.accessories import is_accessory
from roadstead.content.blob_index import BlobIndex, BlobLink
from roadstead.content.manifest_document import Manifest, parse_manifest
from roadstead.content.manifest_index import MAX_TAGS_PER_COMMIT, ManifestIndex
from roadstead.content.manifests import Manifests, needed_by
from roadstead.content.objects import Objects
from roadstead.content.push import Push
from roadstead.content.relatives import cosign_tags
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.names import Reference, RepositoryName, Tag
from roadstead.parallel import each
from roadstead.trail.entries import Actor, Operation
from roadstead.trail.events import EventMaker

MAX_MANIFESTS = 100  # of one copy: with MAX_BLOBS what a request has the time for
MAX_BLOBS = 2_000
MAX_TAGS = 100


class NothingUploaded:
    """`Adopting` for a `Push` of what is in another repository: nothing was uploaded for it."""

    def adopt_all(
        self, repository: RepositoryName, digests: Collection[Digest], actor: Actor
    ) -> Mapping[Digest, BlobLink]:
        return {}


@dataclass(slots=True)
class _Plan:
    """What is to be copied: manifests with their tags, what each needs before it; and blobs."""

    manifests: dict[Digest, tuple[Manifest, bytes, list[Tag]]] = field(default_factory=dict)
    blobs: dict[Digest, None] = field(default_factory=dict)  # in order


class Copying:
    def __init__(
        self,
        *,
        manifests: Manifests,
        index: ManifestIndex,
        blobs: BlobIndex,
        objects: Objects,
        push: Push,
        events: EventMaker,
    ) -> None:
        self._manifests = manifests
        self._index = index
        self._blobs = blobs
        self._objects = objects
        self._push = push
        self._events = events

    def copy(self, source: RepositoryName, reference: Reference, target: RepositoryName, actor: Actor) -> Digest:
        """Copy an artifact with its tags, children and accessories; return its digest. Access was checked before.

        Idempotent. Tags that are in `target` move, as with a push. Raises MANIFEST_UNKNOWN, UNSUPPORTED (400) where the
        whole has more than MAX_MANIFESTS, MAX_BLOBS or MAX_TAGS, and what `Push.push` does.

        Costs about four calls for each manifest to read it and five to write it, two for each blob that `target` does
        not have, eight at a time, and one for each 100 blobs.
        """
        entry, _ = self._manifests.get(source, reference)
        plan = _Plan()
        tags = [tag for tag in self._index.find_tags_of(source, entry.digest) if not is_accessory(tag)]
        self._collect(plan, source, entry.digest, tags)
        self._mount(plan, source, target, actor)
        for digest, (manifest, body, own) in plan.manifests.items():
            for start in range(0, max(1, len(own)), MAX_TAGS_PER_COMMIT):
                self._push.push(
                    target,
                    digest,
                    body,
                    content_type=manifest.media_type,
                    tags=own[start : start + MAX_TAGS_PER_COMMIT],
                    actor=actor,
                )
        return entry.digest

    def _collect(self, plan: _Plan, source: RepositoryName, digest: Digest, tags: list[Tag]) -> None:
        """Add a manifest behind its children, and before what belongs to it."""
        if digest in plan.manifests:
            return
        entry, body = self._manifests.get(source, digest)
        manifest = parse_manifest(body, entry.media_type)
        for child in needed_by(manifest):
            if any(one.digest == child for one in manifest.children) and self._has(source, child):
                self._collect(plan, source, child, [])
            else:
                plan.blobs[child] = None
        plan.manifests[digest] = (manifest, body, tags)
        if len(plan.manifests) > MAX_MANIFESTS or len(plan.blobs) > MAX_BLOBS or len(tags) > MAX_TAGS:
            raise _too_large()
        for referrer in islice(self._index.list_referrers(source, digest, after=""), MAX_MANIFESTS + 1):
            self._collect(plan, source, referrer.digest, [])
        for name, _ in cosign_tags(digest):
            tag = self._index.find_tag(source, name)
            if tag is not None and tag.digest not in plan.manifests:
                self._collect(plan, source, tag.digest, [name])
            elif tag is not None:
                plan.manifests[tag.digest][2].append(name)

    def _has(self, source: RepositoryName, digest: Digest) -> bool:
        """Whether a child of an index is a manifest there. It may be a blob, or absent from a mirror."""
        return self._index.find_manifest(source, digest) is not None

    def _mount(self, plan: _Plan, source: RepositoryName, target: RepositoryName, actor: Actor) -> None:
        there = self._index.read_contents(target, blobs=list(plan.blobs), manifests=()).links

        def mount(digest: Digest) -> None:
            event = self._events.make(Operation.MOUNT, actor, target, digest=digest, source_repository=str(source))
            self._blobs.mount(source, target, digest, event=event)

        if source != target:
            each(mount, (digest for digest in plan.blobs if digest not in there))


def _too_large() -> RegistryError:
    return RegistryError(
        ErrorCode.UNSUPPORTED,
        f"a copy has at most {MAX_MANIFESTS} manifests, {MAX_BLOBS} blobs and {MAX_TAGS} tags; copy this with "
        "a client, such as skopeo copy --all",
        status=400,
    )
