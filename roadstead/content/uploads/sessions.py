"""Upload sessions: what is kept between the requests of a chunked upload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from roadstead.digest import Digest
from roadstead.names import RepositoryName


class UploadState(StrEnum):
    OPEN = "open"
    CLOSING = "closing"  # all bytes are with S3, and the digest is known: the remaining steps can be repeated
    FINISHED = "finished"  # all bytes are in one object, which the registry has yet to link
    CONSUMED = "consumed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes kept in an object of their own until there are enough for a part."""

    key: str
    size: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the multipart upload as S3 stored it; `checksum` is its SHA-256 in base64, `etag` as S3 returned it."""

    number: int
    etag: str
    checksum: str
    size: int


@dataclass(frozen=True, slots=True)
class UploadSession:
    """A session that has bytes; one without bytes has no item. `version` 0 means that it was never saved.

    Its bytes, in order: the parts, then `chunks`, then `tail`; `offset` counts them all. `hashes` maps an
    algorithm to its running state: the one that the client named, or SHA-256. A request that has sent a body for some
    time holds the session until `busy_until`, in seconds since the epoch; nobody else may send one before.
    """

    id: str
    repository: RepositoryName
    expires: int
    state: UploadState = UploadState.OPEN
    offset: int = 0
    hashes: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    tail: bytes = field(default=b"", repr=False)
    chunks: tuple[Chunk, ...] = ()
    multipart_id: str | None = None
    parts: int = 0
    digest: Digest | None = None
    key: str | None = None
    busy_until: int = 0
    version: int = 0

    def ended_as(self, digest: Digest) -> bool:
        """Whether the upload became this blob, linked or yet to be linked."""
        return self.state in (UploadState.FINISHED, UploadState.CONSUMED) and self.digest == digest


class UploadSessions(Protocol):
    """All reads are strongly consistent."""

    def find(self, upload_id: str) -> UploadSession | None:
        """Return the session in any state, or None. One read."""
        ...

    def save(self, session: UploadSession, new_parts: Sequence[Part] = ()) -> UploadSession:
        """Write a session and its new parts, however many, atomically, if the stored version is the session's.

        Returns the session with its new version. Raises Conflict. The first save writes a candidate for the collector.
        """
        ...

    def find_parts(self, session: UploadSession) -> tuple[Part, ...]:
        """Return the parts of the session's multipart upload, in order, as far as the session counts them."""
        ...
