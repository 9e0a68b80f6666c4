"""Deleting an artifact with all that is there for it alone: what belongs to it, and untagged children.

The OCI API deletes one manifest, and leaves the rest to its client. People mean the whole: an index with its images, an
image with its signatures. The artifact itself goes first, since it may be refused; what a deletion that died has left
behind goes when the deletion is repeated. All of it is one unit of the trash.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace

from roadstead.content.deletion.trash import Unit, UnitKind
from roadstead.content.manifest_document import INDEX_TYPES, parse_manifest
from roadstead.content.manifest_index import ManifestEntry, ManifestIndex
from roadstead.content.manifests import Look, Manifests, manifest_unknown
from roadstead.content.objects import Objects
from roadstead.content.relatives import cosign_tags
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from roadstead.names import Reference, RepositoryName, Tag
from roadstead.parallel import each
from roadstead.trail.entries import Actor

MAX_DEPTH = 4  # of what belongs to what belongs to an artifact


class Deletion:
    def __init__(self, manifests: Manifests, index: ManifestIndex, objects: Objects) -> None:
        self._manifests = manifests
        self._index = index
        self._objects = objects

    def delete(
        self, repository: RepositoryName, reference: Reference, actor: Actor, *, look: Look | None = None
    ) -> None:
        """Delete an artifact with its tags, its accessories, and those of its children that nothing else needs.

        Raises MANIFEST_UNKNOWN, DENIED (405) if an index needs it, RuleRefused if one of its tags is immutable; then
        all stays. With `look` the artifact goes only if it is as it was then; otherwise raises Changed.
        Costs about five calls for each manifest, eight manifests at a time.
        """
        digest = self._resolved(repository, reference)
        entry = self._index.find_manifest(repository, digest)
        if entry is None:
            if not self._delete_accessories(repository, digest, actor, None):
                raise manifest_unknown(repository, reference)
            return
        children = self._children(entry)
        unit = self._manifests.new_unit(repository, UnitKind.ARTIFACT, actor)
        if unit is not None:
            unit = replace(unit, digest=digest)
        self._manifests.delete(repository, digest, actor, unit=unit, look=look)
        self._delete_accessories(repository, digest, actor, unit)
        each(lambda child: self._delete_child(repository, child, actor, unit), children)

    def _resolved(self, repository: RepositoryName, reference: Reference) -> Digest:
        if not isinstance(reference, Tag):
            return reference
        tag = self._index.find_tag(repository, reference)
        if tag is None:
            raise manifest_unknown(repository, reference)
        return tag.digest

    def _children(self, entry: ManifestEntry) -> list[Digest]:
        if entry.media_type not in INDEX_TYPES:
            return []
        body = entry.data if entry.data is not None else self._objects.get(entry.key)
        with contextlib.suppress(RegistryError):  # an older version took it, and this one would not
            if body is not None:
                manifest = parse_manifest(body, entry.media_type)
                return list(dict.fromkeys(child.digest for child in manifest.children))
        return []

    def _delete_child(
        self, repository: RepositoryName, digest: Digest, actor: Actor, unit: Unit | None, depth: int = 0
    ) -> None:
        entry = self._index.find_manifest(repository, digest)
        if entry is None or not self._manifests.delete_unneeded(repository, digest, actor, unit=unit):
            return
        self._delete_accessories(repository, digest, actor, unit)
        if depth < MAX_DEPTH:
            for child in self._children(entry):
                self._delete_child(repository, child, actor, unit, depth + 1)

    def _delete_accessories(
        self, repository: RepositoryName, subject: Digest, actor: Actor, unit: Unit | None, depth: int = 0
    ) -> bool:
        """Delete what belongs to `subject`, and what belongs to that; whether there was any."""
        referrers = [one.digest for one in self._index.list_referrers(repository, subject, after="")]
        each(lambda one: self._delete_accessory(repository, one, actor, unit, depth), referrers)
        found = bool(referrers)
        for tag, _ in cosign_tags(subject):
            entry = self._index.find_tag(repository, tag)
            if entry is not None:
                found = True
                with contextlib.suppress(RegistryError):  # it has gone, or is immutable
                    self._manifests.delete(repository, tag, actor, unit=unit)
                self._manifests.delete_unneeded(repository, entry.digest, actor, unit=unit, tags=(tag,))
        return found

    def _delete_accessory(
        self, repository: RepositoryName, digest: Digest, actor: Actor, unit: Unit | None, depth: int
    ) -> None:
        try:
            self._manifests.delete(repository, digest, actor, unit=unit)
        except RegistryError:
            return  # it has gone, an index needs it, or it has an immutable tag
        if depth < MAX_DEPTH:
            self._delete_accessories(repository, digest, actor, unit, depth + 1)
