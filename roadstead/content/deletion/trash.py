"""What was deleted and can be restored: units of the trash.

A unit is what one deletion removed, and what comes back together. The deletion's own transaction writes it, with what
restoring a manifest takes: its digest, generation and object. The uses of that generation stay, so for the collector
the manifest still needs its blobs, until the unit expires; a client that deletes such a blob is not refused.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from roadstead.digest import Digest
from roadstead.names import ProjectName, RepositoryName, Tag

DEFAULT_GRACE = 7 * 86_400  # seconds
MAX_GRACE = 90 * 86_400
MAX_TAGS_OF_UNIT = 2_000  # of the tags that are deleted with a manifest, so many come back with it


class UnitKind(StrEnum):
    TAG = "tag"
    MANIFEST = "manifest"
    ARTIFACT = "artifact"  # a manifest, and what is there for it alone
    REPOSITORY = "repository"


@dataclass(frozen=True, slots=True)
class Unit:
    """`id` is `<ms of the deletion>-<random>`. Times are in ms; after `expires` it cannot be restored.

    A tag's unit has the tag and the digest that it pointed to. A manifest's has the manifest and the tags that went
    with it; so has an artifact's, and other manifests name the unit, as all of a repository's do.
    """

    id: str
    kind: UnitKind
    repository: RepositoryName
    at: int
    expires: int
    by: str
    digest: Digest | None = None
    tags: tuple[Tag, ...] = ()
    media_type: str = ""
    size: int = 0

    @property
    def project(self) -> ProjectName:
        return self.repository.project


@dataclass(frozen=True, slots=True)
class Trashed:
    """A manifest in the trash: one generation of it, the object with its bytes, and the tags that went with it."""

    repository: RepositoryName
    digest: Digest
    generation: str
    key: str
    media_type: str
    unit: str
    expires: int
    tags: tuple[Tag, ...] = ()


class TrashGrace(Protocol):
    def find_grace(self, project: ProjectName) -> int:
        """Return for how many seconds the project's deletions can be undone; 0 for never. One read."""
        ...


def unit_id(at: int) -> str:
    """Return the id of a unit that is deleted at `at` (ms)."""
    return f"{at:013d}-{secrets.token_hex(8)}"
