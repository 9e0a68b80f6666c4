"""Lists: tags, repositories, referrers (distribution-spec 1.1.1, end-8 and end-12; Docker's `_catalog`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from roadstead.content.manifest_document import parse_manifest
from roadstead.content.manifest_index import ManifestIndex, Referrer
from roadstead.content.objects import Objects
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.names import RepositoryName

MAX_PAGE = 1_000  # names in one response, whatever `n` asks for
MAX_REFERRERS_BYTES = 1024 * 1024  # of descriptors in one response; a larger descriptor is sent alone
# What one response may cost if a filter leaves most of it out: 64 manifests of 4 MiB are read in about ten seconds.
MAX_REFERRERS_LOOKED_AT = 10_000
MAX_MANIFESTS_READ = 64


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list. `last` is the name after which the next page begins, or None at the end."""

    names: tuple[str, ...]
    last: str | None


@dataclass(frozen=True, slots=True)
class Referrers:
    """Descriptors as the referrers API lists them. `last` is the digest after which the next page begins, or None."""

    descriptors: tuple[dict[str, Any], ...]
    last: Digest | None


class Lists:
    def __init__(self, *, manifests: ManifestIndex, objects: Objects) -> None:
        self._manifests = manifests
        self._objects = objects

    def tags(self, repository: RepositoryName, *, n: int | None, last: str) -> Page:
        """Return tags in byte order. One read, two for a repository without tags. Raises NAME_UNKNOWN."""
        size = _page_size(n)
        # One name more than is shown tells whether there is a next page, and for n=0 whether there are any tags.
        names = self._manifests.list_tags(repository, after=last, limit=size + 1)
        if not names and not self._manifests.repository_exists(repository):
            raise RegistryError(
                ErrorCode.NAME_UNKNOWN,
                f"there is no repository {repository}: it appears with its first manifest",
                detail={"name": str(repository)},
            )
        return _page(names, size)

    def repositories(self, *, n: int | None, last: str) -> Page:
        """Return every repository, in byte order. One read."""
        size = _page_size(n)
        return _page(self._manifests.list_repositories(after=last, limit=size + 1), size)

    def referrers(
        self, repository: RepositoryName, subject: Digest, *, artifact_type: str | None, last: str
    ) -> Referrers:
        """Return the manifests whose subject is `subject`, which need not exist. One read for each MB of descriptors.

        A page may be short or empty without being the last: what a filter leaves out is bounded too.
        """
        descriptors: list[dict[str, Any]] = []
        total, read, previous = 0, 0, None
        for place, referrer in enumerate(self._manifests.list_referrers(repository, subject, after=last)):
            read += referrer.descriptor is None
            if place == MAX_REFERRERS_LOOKED_AT or read > MAX_MANIFESTS_READ:
                return Referrers(tuple(descriptors), previous)
            descriptor = self._descriptor(referrer)
            if descriptor is not None and (not artifact_type or descriptor.get("artifactType") == artifact_type):
                size = len(json.dumps(descriptor))
                if descriptors and total + size > MAX_REFERRERS_BYTES:
                    return Referrers(tuple(descriptors), previous)
                descriptors.append(descriptor)
                total += size
            previous = referrer.digest
        return Referrers(tuple(descriptors), None)

    def _descriptor(self, referrer: Referrer) -> dict[str, Any] | None:
        """Return the descriptor from the list's item, or from the manifest's bytes if it was too large for the item."""
        if referrer.descriptor is not None:
            return dict(referrer.descriptor)
        data = self._objects.get(referrer.key)
        if data is None:
            return None
        return parse_manifest(data, referrer.media_type).referrer(referrer.digest, len(data))


def _page_size(n: int | None) -> int:
    return MAX_PAGE if n is None else min(n, MAX_PAGE)


def _page(names: Sequence[str], size: int) -> Page:
    shown = tuple(names[:size])
    return Page(shown, shown[-1] if shown and len(names) > size else None)
