"""Artifacts of a repository, as people list them and look at one.

A list by push reads one page of the index wherever the page is. Every other order, and every filter, looks through the
whole repository, up to MAX_EXAMINED artifacts (docs/adr/0015).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from roadstead.catalog.pages import MAX_DETAILS, ArtifactTag, Pages
from roadstead.catalog.summaries import Summary, summarize
from roadstead.content.manifest_document import parse_manifest
from roadstead.content.manifest_index import ManifestEntry, ManifestIndex
from roadstead.content.manifests import manifest_unknown
from roadstead.content.objects import Objects
from roadstead.content.relatives import Accessory, find_accessories
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from roadstead.names import Reference, RepositoryName, Tag
from roadstead.parallel import each
from roadstead.trail.pull_counts import Pulls

MAX_EXAMINED = 10_000  # artifacts, or tags, that a filter or an order looks through
MAX_REPOSITORIES = 200  # of a project that a filter or an order looks through
MAX_SHOWN_TAGS = 100  # tags of one artifact in a list; a page of 100 artifacts with them takes 2 MB
MAX_ACCESSORIES = 10_000  # of one artifact
_MAX_COMPUTED = 2_000  # summaries that one list computes because the indexer has not come to them: 3 s, eight at a time
_LISTED_ACCESSORIES = 100  # accessories of one artifact in a list


class TooMany(Exception):
    """More would have to be looked through than MAX_EXAMINED. The message is a sentence for a person."""


class BeingIndexed(Exception):
    """So much was pushed a moment ago that a list cannot be sorted or filtered yet. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """An artifact; `at` is when it was pushed, in ms. Tags, accessories and labels are there if they were asked for."""

    repository: RepositoryName
    digest: Digest
    at: int
    summary: Summary | None
    pulls: Pulls | None = None
    tags: tuple[ArtifactTag, ...] = ()
    accessories: tuple[Accessory, ...] = ()
    labels: frozenset[int] = frozenset()  # their ids

    @property
    def place(self) -> str:
        """The cursor behind which the next page by push begins."""
        return f"{self.at:013d}#{self.digest}"

    @property
    def known(self) -> Summary:
        """The summary, of an artifact that has it."""
        if self.summary is None:
            raise LookupError(f"{self.digest} has no summary")
        return self.summary


@dataclass(frozen=True, slots=True)
class WholeArtifact:
    """One artifact and its manifest's document."""

    artifact: Artifact
    document: Mapping[str, Any]


class Artifacts:
    def __init__(self, pages: Pages, manifests: ManifestIndex, objects: Objects) -> None:
        self._pages = pages
        self._manifests = manifests
        self._objects = objects

    def exists(self, repository: RepositoryName) -> bool:
        """One read."""
        return self._manifests.repository_exists(repository)

    def count(self, repository: RepositoryName) -> int:
        """Return how many artifacts lists show, exactly. One Query."""
        return self._pages.count(repository).artifacts

    def page(
        self, repository: RepositoryName, *, start: int, size: int, after: str | None, oldest_first: bool = False
    ) -> list[Artifact]:
        """Return a page by push, without summaries: behind the cursor `after`, or from the artifact number `start`.

        Costs one Query with a cursor, else one for each 3,000 artifacts before the page. Raises TooMany for a page that
        begins behind MAX_EXAMINED artifacts and has no cursor.
        """
        if after is None and start > MAX_EXAMINED:
            raise TooMany(
                f"page numbers reach {MAX_EXAMINED} artifacts deep: follow the Link header from page to page, or filter"
            )
        skipped = start if after is None else 0
        rows = self._pages.artifacts_by_push(repository, after=after, limit=skipped + size, oldest_first=oldest_first)
        return [Artifact(repository, row.digest, row.at, None) for row in rows[skipped:]]

    def examine(
        self,
        repository: RepositoryName,
        *,
        children: bool = False,
        summaries: bool = False,
        tags: bool = False,
        pulls: bool = False,
    ) -> list[Artifact]:
        """Return every artifact, the last pushed first, with what is asked for; with untagged `children` of indexes
        if they are asked for. Raises TooMany.

        Costs one Query for the number of artifacts, and for each MB of them, of their summaries, tags and pulls.
        """
        all_tags = self._all_tags(repository) if tags or children else {}
        if children:
            found = self._with_children(repository, all_tags)
        else:
            if self.count(repository) > MAX_EXAMINED:
                raise _too_many(repository, "artifacts")
            rows = self._pages.artifacts_by_push(repository, after=None, limit=MAX_EXAMINED)
            found = [Artifact(repository, row.digest, row.at, None) for row in rows]
            if summaries:
                known = {one.digest: one for one in self._pages.all_summaries(repository, limit=10 * MAX_EXAMINED)}
                found = self._filled(repository, [replace(one, summary=known.get(one.digest)) for one in found])
        if tags:
            found = [replace(one, tags=all_tags.get(one.digest, ())) for one in found]
        if pulls:
            all_pulls = self._pages.all_pulls(repository)
            found = [replace(one, pulls=all_pulls.get(one.digest)) for one in found]
        return found

    def named(self, repository: RepositoryName, reference: Reference, *, children: bool = False) -> list[Artifact]:
        """Return the artifact of a digest or tag as a list of one, if lists show it; else none. Two reads.

        With `children` untagged children of indexes are shown.
        """
        digest: Digest | None
        if isinstance(reference, Tag):
            tag = self._manifests.find_tag(repository, reference)
            digest = tag.digest if tag is not None else None
        else:
            digest = reference
        entry = self._manifests.find_manifest(repository, digest) if digest is not None else None
        if entry is None or not (entry.listed or (children and entry.subject is None)):
            return []
        return [Artifact(repository, entry.digest, entry.at, None)]

    def detailed(
        self, artifacts: Sequence[Artifact], *, tags: bool = False, accessories: bool = False
    ) -> list[Artifact]:
        """Return a page's artifacts with summaries and pulls, and what else is asked for.

        Costs for each repository one batch read for each MAX_DETAILS artifacts, and `Pages.tags_of` for tags. What the
        indexer has not come to is computed, and accessories beyond a summary's are read, each by itself.
        """
        found: list[Artifact] = []
        for repository in dict.fromkeys(one.repository for one in artifacts):
            own = [one for one in artifacts if one.repository == repository]
            found += self._detailed(repository, own, tags, accessories)
        places = {(one.repository, one.digest): place for place, one in enumerate(artifacts)}
        return sorted(found, key=lambda one: places[one.repository, one.digest])

    def find(
        self, repository: RepositoryName, reference: Reference, *, tags: bool = False, accessories: bool = False
    ) -> WholeArtifact:
        """Return one artifact, by a digest or tag, with summary and pulls. Raises MANIFEST_UNKNOWN.

        Costs one read, one more for a tag, one batch read, and a GET of a manifest that is not inline.
        """
        entry, body = self._read(repository, reference)
        artifact = Artifact(repository, entry.digest, entry.at, None)
        details = self._pages.details(repository, [entry.digest])[entry.digest]
        summary = details.summary
        if summary is None:
            found = find_accessories(self._manifests, repository, entry.digest, limit=_LISTED_ACCESSORIES)
            summary = self._summarized(entry, body, found)
        artifact = replace(artifact, summary=summary, pulls=details.pulls)
        if tags:
            shown = self._pages.tags_of(repository, [entry.digest], limit=MAX_SHOWN_TAGS)
            artifact = replace(artifact, tags=shown[entry.digest])
        if accessories:
            artifact = self._with_accessories(artifact)
        return WholeArtifact(artifact, _document(body))

    def digest_of(self, repository: RepositoryName, reference: Reference) -> Digest:
        """Return the digest of an existing artifact. One read. Raises MANIFEST_UNKNOWN."""
        if isinstance(reference, Tag):
            tag = self._manifests.find_tag(repository, reference)
            if tag is None:
                raise manifest_unknown(repository, reference)
            return tag.digest
        if self._manifests.find_manifest(repository, reference) is None:
            raise manifest_unknown(repository, reference)
        return reference

    def tags(self, repository: RepositoryName, digest: Digest) -> tuple[ArtifactTag, ...]:
        """Return all tags of an artifact by name. One Query. Raises TooMany for more than MAX_EXAMINED."""
        found = self._pages.tags_of(repository, [digest], limit=MAX_EXAMINED + 1)[digest]
        if len(found) > MAX_EXAMINED:
            raise TooMany(f"{digest} has more than {MAX_EXAMINED} tags, which is more than this list takes")
        return found

    def accessories(self, repository: RepositoryName, digest: Digest) -> list[Accessory]:
        """Return all accessories of an artifact. Costs what `find_accessories` does. Raises TooMany."""
        found = find_accessories(self._manifests, repository, digest, limit=MAX_ACCESSORIES + 1)
        if len(found) > MAX_ACCESSORIES:
            raise TooMany(f"{digest} has more than {MAX_ACCESSORIES} accessories, which is more than this list takes")
        return found

    def _all_tags(self, repository: RepositoryName) -> Mapping[Digest, tuple[ArtifactTag, ...]]:
        if self._pages.count(repository).tags > MAX_EXAMINED:
            raise _too_many(repository, "tags")
        return self._pages.all_tags(repository, limit=4 * MAX_EXAMINED)  # with those of cosign's for each

    def _with_children(
        self, repository: RepositoryName, tags: Mapping[Digest, tuple[ArtifactTag, ...]]
    ) -> list[Artifact]:
        """Everything but accessories. What the indexer has not come to is there if lists show it."""
        known = self._pages.all_summaries(repository, limit=MAX_EXAMINED + 1)
        if len(known) > MAX_EXAMINED:
            raise _too_many(repository, "manifests")
        hidden = {one.digest for one in known if one.subject} | {digest for digest, own in tags.items() if not own}
        found = {one.digest: Artifact(repository, one.digest, one.at, one) for one in known}
        rows = self._pages.artifacts_by_push(repository, after=None, limit=MAX_EXAMINED)
        for row in rows:
            found.setdefault(row.digest, Artifact(repository, row.digest, row.at, None))
        shown = [one for digest, one in found.items() if digest not in hidden]
        return sorted(self._filled(repository, shown), key=lambda one: one.place, reverse=True)

    def _detailed(
        self, repository: RepositoryName, artifacts: Sequence[Artifact], tags: bool, accessories: bool
    ) -> list[Artifact]:
        found: list[Artifact] = []
        for start in range(0, len(artifacts), MAX_DETAILS):
            part = artifacts[start : start + MAX_DETAILS]
            details = self._pages.details(repository, [one.digest for one in part])
            found += [
                replace(one, summary=details[one.digest].summary, pulls=details[one.digest].pulls) for one in part
            ]
        found = self._completed(repository, found)
        if tags and found:
            shown = self._pages.tags_of(repository, [one.digest for one in found], limit=MAX_SHOWN_TAGS)
            found = [replace(one, tags=shown[one.digest]) for one in found]
        return each(self._with_accessories, found) if accessories else found

    def _with_accessories(self, artifact: Artifact) -> Artifact:
        summary = artifact.known
        shown: Collection[Accessory] = summary.accessories
        if summary.accessory_count > len(shown):
            shown = find_accessories(self._manifests, artifact.repository, artifact.digest, limit=_LISTED_ACCESSORIES)
        return replace(artifact, accessories=tuple(shown))

    def _completed(self, repository: RepositoryName, artifacts: Sequence[Artifact]) -> list[Artifact]:
        """Compute the summaries of a page that are not there. What has been deleted meanwhile is left out."""
        return self._computed(
            repository,
            artifacts,
            lambda digest: find_accessories(self._manifests, repository, digest, limit=_LISTED_ACCESSORIES),
        )

    def _filled(self, repository: RepositoryName, artifacts: Sequence[Artifact]) -> list[Artifact]:
        """As `_completed`, without accessories: for filters and orders, of which none is about them.

        Costs one read for each that is computed. Raises BeingIndexed for more than _MAX_COMPUTED.
        """
        missing = sum(one.summary is None for one in artifacts)
        if missing > _MAX_COMPUTED:
            raise BeingIndexed(
                f"{missing} of the {len(artifacts)} artifacts of {repository} were pushed a moment ago and are being "
                "indexed: try again in some seconds, or list by push_time, which needs no index"
            )
        return self._computed(repository, artifacts, lambda _: [])

    def _computed(
        self,
        repository: RepositoryName,
        artifacts: Sequence[Artifact],
        accessories: Callable[[Digest], Sequence[Accessory]],
    ) -> list[Artifact]:
        def computed(digest: Digest) -> Summary | None:
            entry = self._manifests.find_manifest(repository, digest)
            body = self._body(entry) if entry is not None else None
            return (
                self._summarized(entry, body, accessories(digest)) if entry is not None and body is not None else None
            )

        missing = [one.digest for one in artifacts if one.summary is None]
        made = dict(zip(missing, each(computed, missing), strict=True))
        summed = [one if one.summary is not None else replace(one, summary=made[one.digest]) for one in artifacts]
        return [one for one in summed if one.summary is not None]

    def _summarized(self, entry: ManifestEntry, body: bytes, accessories: Sequence[Accessory]) -> Summary:
        """The summary without what is read from blobs, which only the indexer may do."""
        try:
            manifest = parse_manifest(body, entry.media_type)
        except RegistryError:  # an older version took it, and this one would not
            return Summary(
                entry.digest, entry.generation, entry.key, entry.media_type, entry.size, entry.size, at=entry.at
            )
        return summarize(entry, manifest, body, child_sizes={}, facts={}, additions=(), accessories=accessories)

    def _read(self, repository: RepositoryName, reference: Reference) -> tuple[ManifestEntry, bytes]:
        digest: Digest | None
        if isinstance(reference, Tag):
            tag = self._manifests.find_tag(repository, reference)
            digest = tag.digest if tag is not None else None
        else:
            digest = reference
        entry = self._manifests.find_manifest(repository, digest) if digest is not None else None
        body = self._body(entry) if entry is not None else None
        if entry is None or body is None:
            raise manifest_unknown(repository, reference)
        return entry, body

    def _body(self, entry: ManifestEntry) -> bytes | None:
        return entry.data if entry.data is not None else self._objects.get(entry.key)


def _document(body: bytes) -> Mapping[str, Any]:
    document = json.loads(body)
    return document if isinstance(document, dict) else {}


def examinable(counts: Sequence[tuple[RepositoryName, int]]) -> Sequence[RepositoryName]:
    """Return the names of repositories with their numbers of artifacts, if a list may look through them all.

    Raises TooMany for more than MAX_REPOSITORIES, or more than MAX_EXAMINED artifacts.
    """
    if len(counts) > MAX_REPOSITORIES:
        raise TooMany(
            f"a filter or an order looks through {MAX_REPOSITORIES} repositories, and these are {len(counts)}: "
            "narrow it with repository_name, or list a repository's artifacts"
        )
    if sum(count for _, count in counts) > MAX_EXAMINED:
        raise TooMany(
            f"these repositories have more than {MAX_EXAMINED} artifacts: narrow the filter with repository_name"
        )
    return [name for name, _ in counts]


def _too_many(repository: RepositoryName, what: str) -> TooMany:
    return TooMany(
        f"{repository} has more than {MAX_EXAMINED} {what}: narrow the filter to a digest or a whole tag, "
        "or list without a filter and sorted by push_time"
    )
