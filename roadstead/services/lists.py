"""Lists: tags, repositories, referrers (distribution-spec 1.1.1, end-8 and end-12; Docker's `_catalog`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.manifest import parse_manifest
from roadstead.names import RepositoryName
from roadstead.stores.manifests import ManifestIndex, Referrer
from roadstead.stores.objects import Objects

MAX_PAGE = 1_000  # names in one answer, whatever `n` asks for
MAX_REFERRERS_BYTES = 1024 * 1024  # of descriptors in one answer; a single larger one still goes out alone


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list; `last` is where the next page begins, None at the end."""

    names: tuple[str, ...]
    last: str | None


@dataclass(frozen=True, slots=True)
class Referrers:
    """Descriptors as the referrers API lists them; `last` is the digest where the next page begins."""

    descriptors: tuple[dict[str, Any], ...]
    last: Digest | None


class Lists:
    def __init__(self, *, manifests: ManifestIndex, objects: Objects) -> None:
        self._manifests = manifests
        self._objects = objects

    def tags(self, repository: RepositoryName, *, n: int | None, last: str) -> Page:
        """Tags in byte order; one read (two for a repository without tags). Raises NAME_UNKNOWN."""
        size = _page_size(n)
        # One read more than is shown tells whether there is a next page, and for n=0 whether there is anything.
        names = self._manifests.list_tags(repository, after=last, limit=size + 1)
        if not names and not self._manifests.repository_exists(repository):
            raise RegistryError(
                ErrorCode.NAME_UNKNOWN,
                f"there is no repository {repository}: it appears with its first manifest",
                detail={"name": str(repository)},
            )
        return _page(names, size)

    def repositories(self, *, n: int | None, last: str) -> Page:
        """Every repository, in byte order; one read."""
        size = _page_size(n)
        return _page(self._manifests.list_repositories(after=last, limit=size + 1), size)

    def referrers(
        self, repository: RepositoryName, subject: Digest, *, artifact_type: str | None, last: str
    ) -> Referrers:
        """Manifests whose subject is `subject`, which itself need not exist; one read for each MB of descriptors."""
        descriptors: list[dict[str, Any]] = []
        total, previous = 0, None
        for referrer in self._manifests.list_referrers(repository, subject, after=last):
            descriptor = self._descriptor(referrer)
            if descriptor is None or (artifact_type and descriptor.get("artifactType") != artifact_type):
                continue
            size = len(json.dumps(descriptor))
            if descriptors and total + size > MAX_REFERRERS_BYTES:
                return Referrers(tuple(descriptors), previous)
            descriptors.append(descriptor)
            total, previous = total + size, referrer.digest
        return Referrers(tuple(descriptors), None)

    def _descriptor(self, referrer: Referrer) -> dict[str, Any] | None:
        """From the list's item, or from the manifest's bytes for one too large to be kept there."""
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
