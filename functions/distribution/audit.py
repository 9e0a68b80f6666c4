"""Audit entries that the registry logs itself: operations that change no table, and so write no event.

A pull is one entry, that of its manifest: the blobs of an image are counted in it, and have entries of their own with
`AUDIT_BLOBS=each` only. A HEAD is not a pull: by tag it is seen, which renews when an artifact was last wanted. A
blob's redirect is a pull, since the registry does not see what S3 sends. A token without the access that a request
needs is not logged as a refusal: that is how clients learn what to ask for. The token function logs what it does not
grant.
"""

from __future__ import annotations

import time

from functions.distribution.call import Call
from functions.distribution.settings import AuditBlobs
from functions.hosting import lines
from functions.hosting.observation import current
from functions.hosting.viewer import origin
from roadstead.content.manifest_document import named_blobs
from roadstead.content.manifest_index import ManifestEntry
from roadstead.digest import Digest
from roadstead.http import Request
from roadstead.identity.access import REPOSITORY, Access
from roadstead.names import Reference, RepositoryName
from roadstead.recent import Recent
from roadstead.trail.entries import AuditEntry, Operation, Outcome, entry_id, project_of

SEEN_SECONDS = 3_600
_SEEN: Recent[tuple[str, str], None] = Recent(SEEN_SECONDS, size=10_000)


def seen(call: Call, repository: RepositoryName, reference: Reference, digest: Digest) -> None:
    """Log that a tag was asked for without a pull, once an hour for each artifact in this process."""

    def log() -> None:
        lines.tell(
            AuditEntry(
                id=entry_id(),
                at=_now(),
                operation=Operation.SEE,
                actor=call.actor,
                project=repository.project,
                repository=repository,
                reference=reference,
                digest=digest,
            )
        )

    _SEEN.get((repository, digest), log)


def pulled(call: Call, repository: RepositoryName, reference: Reference, entry: ManifestEntry, data: bytes) -> None:
    """Log that a manifest was served, with number and bytes of the blobs that it names: one entry for a pull."""
    blobs, size = named_blobs(data)
    lines.tell(
        AuditEntry(
            id=entry_id(),
            at=_now(),
            operation=Operation.PULL,
            actor=call.actor,
            project=repository.project,
            repository=repository,
            reference=reference,
            digest=entry.digest,
            media_type=entry.media_type,
            size=entry.size,
            detail=f"blobs={blobs} blob_bytes={size}" if blobs else "",
        )
    )


def blob_pulled(call: Call, repository: RepositoryName, digest: Digest, size: int) -> None:
    """Count a blob that was served, in the request's own line; log it only if each blob shall have an entry."""
    seen_now = current()
    seen_now.count("BlobPulls")
    seen_now.count("PullBytes", size)
    if call.services.audit_blobs is not AuditBlobs.EACH:
        return
    lines.tell(
        AuditEntry(
            id=entry_id(),
            at=_now(),
            operation=Operation.PULL_BLOB,
            actor=call.actor,
            project=repository.project,
            repository=repository,
            reference=digest,
            digest=digest,
            size=size,
        )
    )


def token_refused(request: Request, needed: Access | None, reason: str) -> None:
    """Log an invalid bearer token. Nothing of its content is logged."""
    name = needed.name if needed is not None and needed.type == REPOSITORY else ""
    try:
        repository = str(RepositoryName.parse(name)) if name else ""
    except ValueError:
        repository = ""
    lines.tell(
        AuditEntry(
            id=entry_id(),
            at=_now(),
            operation=Operation.PERMISSION_REFUSED,
            outcome=Outcome.FAILURE,
            actor=origin(request),
            project=project_of(repository),
            repository=repository,
            detail=reason,
        )
    )


def _now() -> int:
    return int(time.time() * 1000)
