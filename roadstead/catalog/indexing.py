"""The indexer: derives what pages show from what is stored, whenever something may have changed.

Each `settle` is a fixed point: read what is derived, read what it is derived from, write the difference on a condition,
and look again until nothing differs. Whoever writes last has looked after the write, and a later change of the sources
comes with an event of its own; so no order, repetition or concurrency of events leaves a wrong value behind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from roadstead.catalog.derived import MAX_USAGE_CHANGES, DerivedIndex, KeptRepository
from roadstead.catalog.extraction import (
    CONFIG,
    MAX_READ,
    SBOM,
    chart_of,
    config_of,
    derived_key,
    facts_of,
    sbom_of,
    text_of_document,
    texts_of_chart,
)
from roadstead.catalog.models import MODEL_CONFIG, documents_of
from roadstead.catalog.summaries import Summary, summarize
from roadstead.conflicts import Conflict, Throttled
from roadstead.content.accessories import belongs_to, is_listed
from roadstead.content.blob_index import BlobIndex, Use
from roadstead.content.manifest_document import IMAGE_TYPES, Manifest, parse_manifest
from roadstead.content.manifest_index import ManifestEntry, ManifestIndex
from roadstead.content.manifests import needed_by
from roadstead.content.objects import Objects
from roadstead.content.relatives import find_accessories
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.trail.entries import Event, Operation

MAX_REFERRERS = 100  # accessories that a summary counts, and of which its flags are made
MAX_SIZED_CHILDREN = 64  # children whose layers are added up
# What fails in the same way at every attempt, as code does that somebody's manifest has surprised. Errors of AWS and of
# the network are not among these.
HOPELESS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_ATTEMPTS = 20
_OF_BLOBS = frozenset({Operation.DELETE_BLOB})  # what is uploaded or mounted counts once a manifest needs it
_OF_MANIFESTS = frozenset({Operation.PUSH, Operation.TAG, Operation.UNTAG, Operation.DELETE_MANIFEST})


@dataclass(frozen=True, slots=True)
class Target:
    """What an event hints at: a manifest, a blob, or (without a digest) a repository as a whole."""

    repository: RepositoryName
    digest: Digest | None = None
    is_blob: bool = False


def targets_of(event: Event) -> list[Target]:
    """Return what an event says may have changed. Raises ValueError for names that are not names."""
    if event.operation not in _OF_BLOBS | _OF_MANIFESTS:
        return []
    repository, digest = RepositoryName.parse(event.repository), Digest.parse(event.digest)
    if event.operation in _OF_BLOBS:
        return [Target(repository, digest, is_blob=True)]
    subjects = [subject for tag in event.tags if (subject := belongs_to(Tag.parse(tag))) is not None]
    return [Target(repository, one) for one in (digest, *subjects)] + [Target(repository)]


class Indexer:
    def __init__(self, *, derived: DerivedIndex, manifests: ManifestIndex, blobs: BlobIndex, objects: Objects) -> None:
        self._derived = derived
        self._manifests = manifests
        self._blobs = blobs
        self._objects = objects

    def settle(self, target: Target, *, at: int = 0) -> None:
        """Bring what is derived of a target up to date. `at` is the time of the event, in ms.

        Idempotent. Raises Throttled where others change it again and again.
        """
        if target.digest is None:
            self._until_settled(lambda: self._settle_repository(target.repository, at))
        elif target.is_blob:
            self.settle_blobs(target.repository.project, [target.digest])
        else:
            self.settle_manifest(target.repository, target.digest)

    def settle_manifest(self, repository: RepositoryName, digest: Digest) -> None:
        """Bring a manifest's summary and place in lists up to date, and those of its children and its subject.

        Children and subject come after the summary is kept, and before it is removed: once the manifest is gone, the
        summary is what leads to them.
        """
        manifest = self._until_settled(lambda: self._settle_summary(repository, digest))
        self._until_settled(lambda: self._settle_listing(repository, digest))
        if isinstance(manifest, Manifest):
            self._settle_relatives(repository, manifest)
            for part in _parts(needed_by(manifest)):
                self._until_settled(lambda part=part: self._settle_content(repository, digest, part))  # type: ignore[misc]

    def settle_blobs(self, project: ProjectName, digests: Collection[Digest]) -> None:
        """Count each blob once in its project's usage, while a manifest of the project needs it.

        Costs a read for all, four for each, and one transaction, which costs two write units for each and two more.
        """
        for part in _parts(digests):
            self._until_settled(lambda part=part: self._settle_usage(project, part))  # type: ignore[misc]

    def _settle_usage(self, project: ProjectName, digests: Collection[Digest]) -> bool:
        owned = self._derived.find_owned(project, digests)
        needs = {digest: self.find_need(project, digest) for digest in digests}
        needed = {digest: need[1] for digest, need in needs.items() if need is not None}
        own = {digest: size for digest, size in needed.items() if digest not in owned}
        disown = {digest: size for digest, size in owned.items() if size != needed.get(digest)}
        if own or disown:
            self._derived.change_usage(project, own=own, disown=disown)
        return bool(own or disown)

    def _settle_content(self, repository: RepositoryName, manifest: Digest, needed: Collection[Digest]) -> bool:
        """Count what a manifest needs: while it stands, that is all of it, and costs three reads and a transaction."""
        if self._manifests.find_manifest(repository, manifest) is None:
            return self._settle_usage(repository.project, needed)
        owned = self._derived.find_owned(repository.project, needed)
        blobs = {digest for digest in needed if digest not in owned}
        links = self._manifests.read_contents(repository, blobs=blobs, manifests=()).links if blobs else {}
        if links:
            own = {digest: link.size for digest, link in links.items()}
            self._derived.change_usage(repository.project, own=own, disown={})
        return bool(links)

    def find_need(self, project: ProjectName, digest: Digest) -> tuple[RepositoryName, int] | None:
        """Return the first repository of the project with a manifest that needs a blob, and the blob's size.

        None if no manifest needs it. Four reads for most.
        """
        for repository in self._derived.repositories_with_blob(project, digest):
            link = self._blobs.find_link(repository, digest)
            if link is not None and self._is_needed(repository, digest):
                return repository, link.size
        return None

    def _until_settled(self, step: Callable[[], _Step]) -> _Step:
        for _ in range(_ATTEMPTS):
            try:
                found = step()
            except Conflict:
                continue
            if found is not True:
                return found
        raise Throttled("it changes again and again")

    def _settle_summary(self, repository: RepositoryName, digest: Digest) -> Manifest | bool | None:
        """The manifest once its summary is right, None where there is none; True if something was written."""
        entry, kept = self._manifests.find_manifest(repository, digest), self._derived.find_summary(repository, digest)
        if entry is None:
            if kept is None:
                self._derived.forget_pulls(repository, digest)
                return None
            self._remove(repository, kept)
            return True
        body = entry.data if entry.data is not None else self._objects.get(entry.key)
        if body is None:
            raise Conflict(digest)  # deleted since
        try:
            manifest = parse_manifest(body, entry.media_type)
        except RegistryError:
            return None  # an older version took it, and this one would not
        summary = self._summary(repository, entry, manifest, body, kept)
        if summary == kept:
            return manifest
        self._derived.put_summary(repository, summary, replaces=kept)
        if kept is not None and kept.generation != summary.generation:
            self._remove_additions(repository, kept)
        return True

    def _summary(
        self, repository: RepositoryName, entry: ManifestEntry, manifest: Manifest, body: bytes, kept: Summary | None
    ) -> Summary:
        facts: dict[str, str] = {}
        additions: tuple[str, ...] = ()
        if kept is not None and kept.generation == entry.generation:
            facts, additions = dict(kept.facts), kept.additions
            sizes = {Digest(child.digest): child.size for child in kept.children}
            whole = kept.child_count == len(kept.children)
        else:
            facts, additions = self._extract(repository, entry, manifest, body)
            sizes, whole = {}, False
        if manifest.children and not whole:
            sizes = self._child_sizes(repository, manifest)
        return summarize(
            entry,
            manifest,
            body,
            child_sizes=sizes,
            facts=facts,
            additions=additions,
            accessories=find_accessories(self._manifests, repository, entry.digest, limit=MAX_REFERRERS),
        )

    def _extract(
        self, repository: RepositoryName, entry: ManifestEntry, manifest: Manifest, body: bytes
    ) -> tuple[dict[str, str], tuple[str, ...]]:
        """Facts of the configuration, and the names of the texts that were written to `derived/`."""
        if entry.media_type not in IMAGE_TYPES:
            return {}, ()
        facts: dict[str, str] = {}
        texts: dict[str, bytes] = {}
        config, chart = config_of(manifest), chart_of(manifest)
        if config is not None and (data := self._read_blob(repository, config.digest)) is not None:
            facts = facts_of(config.media_type, data)
            texts[CONFIG] = data
        if chart is not None and (data := self._read_blob(repository, chart.digest)) is not None:
            texts |= texts_of_chart(data)
        sbom = sbom_of(manifest)
        if sbom is not None and (data := self._read_blob(repository, sbom.digest)) is not None:
            texts[SBOM] = data
        if manifest.blobs[0].media_type == MODEL_CONFIG:
            texts |= self._texts_of_model(repository, body)
        for name, text in texts.items():
            self._objects.put(derived_key(repository, entry.digest, entry.generation, name), text, metadata={})
        return facts, tuple(sorted(texts))

    def _texts_of_model(self, repository: RepositoryName, body: bytes) -> dict[str, bytes]:
        """README and license, of layers that are small enough to read."""
        texts: dict[str, bytes] = {}
        for name, layer in documents_of(json.loads(body)).items():
            data = self._read_blob(repository, Digest(layer["digest"])) if layer["size"] <= MAX_READ else None
            text = text_of_document(layer["mediaType"], data) if data is not None else None
            if text is not None:
                texts[name] = text
        return texts

    def _read_blob(self, repository: RepositoryName, digest: Digest) -> bytes | None:
        link = self._blobs.find_link(repository, digest)
        if link is None:
            return None
        return link.data if link.data is not None else self._objects.get(link.key)

    def _child_sizes(self, repository: RepositoryName, manifest: Manifest) -> dict[Digest, int]:
        """What a pull of each child transfers; of the first MAX_SIZED_CHILDREN, and of those that are there."""
        sizes = {}
        for child in manifest.children[:MAX_SIZED_CHILDREN]:
            entry = self._manifests.find_manifest(repository, child.digest)
            body = entry.data if entry is not None else None
            if entry is None or body is None:
                continue
            try:
                blobs = {blob.digest: blob.size for blob in parse_manifest(body, entry.media_type).blobs}
            except RegistryError:
                continue
            sizes[child.digest] = entry.size + sum(blobs.values())
        return sizes

    def _remove(self, repository: RepositoryName, kept: Summary) -> None:
        manifest = self._manifest_of(kept)
        if manifest is not None:
            self._settle_relatives(repository, manifest)
            self.settle_blobs(repository.project, needed_by(manifest))
        self._remove_additions(repository, kept)
        self._derived.remove_summary(repository, kept)

    def _manifest_of(self, kept: Summary) -> Manifest | None:
        """A manifest that is gone, by its object; None once the collector has taken that."""
        body = self._objects.get(kept.key)
        if body is None:
            return None
        try:
            return parse_manifest(body, kept.media_type)
        except RegistryError:
            return None  # an older version took it, and this one would not

    def _remove_additions(self, repository: RepositoryName, kept: Summary) -> None:
        if kept.additions:
            keys = [derived_key(repository, kept.digest, kept.generation, name) for name in kept.additions]
            self._objects.delete(keys)

    def _settle_relatives(self, repository: RepositoryName, manifest: Manifest) -> None:
        for child in dict.fromkeys(child.digest for child in manifest.children):
            self._until_settled(lambda child=child: self._settle_listing(repository, child))  # type: ignore[misc]
        if manifest.subject is not None:
            subject = manifest.subject.digest
            self._until_settled(lambda: self._settle_summary(repository, subject))

    def _settle_listing(self, repository: RepositoryName, digest: Digest) -> bool:
        entry = self._manifests.find_manifest(repository, digest)
        if entry is None:
            return False
        listed = self.shows(repository, digest, has_subject=entry.subject is not None)
        if listed == entry.listed:
            return False
        self._derived.set_listed(repository, entry, listed)
        return True

    def shows(self, repository: RepositoryName, digest: Digest, *, has_subject: bool) -> bool:
        """Return whether lists show a manifest. No read if it has a subject, one if it has a tag, else up to three."""
        tags = () if has_subject else self._manifests.find_tags_of(repository, digest)
        needed = not tags and not has_subject and self._is_needed(repository, digest)
        return is_listed(has_subject=has_subject, tags=tags, is_needed=needed)

    def can_count(self, entry: ManifestEntry) -> bool:
        """Return whether a manifest can be summarized at all: its object is there, and this version understands it.

        One GET of the object where the index does not have the bytes.
        """
        body = entry.data if entry.data is not None else self._objects.get(entry.key)
        if body is None:
            return False
        try:
            parse_manifest(body, entry.media_type)
        except RegistryError:
            return False
        return True

    def _is_needed(self, repository: RepositoryName, digest: Digest) -> bool:
        """Whether a manifest that stands needs this blob, or has this manifest as a child."""
        after: Use | None = None
        while uses := self._blobs.find_uses(repository, digest, after=after):
            found = self._manifests.read_contents(repository, blobs=(), manifests={use.manifest for use in uses})
            if any(_stands(use, found.manifests.get(use.manifest)) for use in uses):
                return True
            after = uses[-1]
        return False

    def _settle_repository(self, repository: RepositoryName, at: int) -> bool:
        created, kept = self._derived.find_created(repository), self._derived.find_repository(repository)
        if created is None:
            if kept is not None:
                self._derived.remove_repository(repository)
            return kept is not None
        updated = max(created, at, kept.updated if kept is not None else 0)
        wanted = KeptRepository(created, updated, self._derived.count(repository))
        if wanted == kept:
            return False
        self._derived.put_repository(repository, wanted)
        return True


def _parts(digests: Collection[Digest]) -> Iterator[list[Digest]]:
    """Yield each digest once, in parts that one transaction can change."""
    ordered = list(dict.fromkeys(digests))
    for start in range(0, len(ordered), MAX_USAGE_CHANGES):
        yield ordered[start : start + MAX_USAGE_CHANGES]


_Step = bool | Manifest | None


def _stands(use: Use, entry: ManifestEntry | None) -> bool:
    return entry is not None and entry.generation == use.generation
