"""What the collector asks and writes about blobs' objects and about uploads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from roadstead.content.uploads.sessions import UploadState
from roadstead.digest import Digest
from roadstead.names import RepositoryName


@dataclass(frozen=True, slots=True)
class BlobRecord:
    """The object that holds a digest's bytes. Every new link changes `version`; nothing links a condemned record."""

    digest: Digest
    key: str
    size: int
    version: str
    condemned: bool = False


class BlobRecords(Protocol):
    """All reads are strongly consistent."""

    def find(self, digests: Collection[Digest]) -> Mapping[Digest, BlobRecord]:
        """Return the records that exist: one read for each 100."""
        ...

    def is_linked(self, digest: Digest) -> bool:
        """Return whether any repository has a link to the blob: one read."""
        ...

    def condemn(self, records: Sequence[BlobRecord]) -> Sequence[BlobRecord]:
        """Condemn the records that still have the version they were read with, and return those.

        From then on adoptions and mounts treat them as absent: a new object replaces the key.
        """
        ...

    def forget(self, records: Sequence[BlobRecord]) -> None:
        """Remove the records that are condemned and still name the same object."""
        ...


@dataclass(frozen=True, slots=True)
class UploadMark:
    """What is stored of an upload; `expires` is in seconds since the epoch, 0 for never."""

    id: str
    state: UploadState
    repository: RepositoryName
    digest: Digest | None
    expires: int

    @property
    def is_over(self) -> bool:
        """Whether nothing can be made of the upload any more."""
        return self.state in (UploadState.CONSUMED, UploadState.CANCELLED)


class UploadMarks(Protocol):
    """All reads are strongly consistent."""

    def find(self, upload_ids: Collection[str]) -> Mapping[str, UploadMark]:
        """Return the uploads that are stored: one read for each 100."""
        ...

    def cancel(self, upload_id: str, repository: RepositoryName, digest: Digest | None = None) -> bool:
        """End an upload, so that no blob is ever made of it; return False if it is over already. Kept without end.

        `digest` is what it was finished as, which leads to its marker.
        """
        ...

    def expire(self, marks: Sequence[UploadMark], at: int) -> None:
        """Let marks of uploads that are over go at `at` (seconds since the epoch): their objects are gone."""
        ...
