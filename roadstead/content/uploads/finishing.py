"""What becomes of an upload whose bytes are proven and are in one object.

The registry function links it at once. The relay may not write links (its role has no permission on what repositories
serve), so it hands the object over: the registry links it when it is first asked for, as it does with objects that the
edge had sent to S3 whole (`adoption.py`). Adoption finds objects by their digest's prefix. A streamed
object's key does not have it, since its digest was not known when it was begun; so a *marker* is written there, an
empty object whose metadata names the streamed one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from roadstead.conflicts import Conflict, UploadConsumed
from roadstead.content.blob_index import MAX_INLINE_BLOB, BlobIndex, BlobLink, StoredObject
from roadstead.content.objects import Objects, is_whole_key, streamed_key, whole_key
from roadstead.content.uploads.provenance import object_metadata
from roadstead.content.uploads.sessions import UploadSession, UploadSessions, UploadState
from roadstead.content.uploads.token import UploadToken
from roadstead.digest import Digest
from roadstead.trail.entries import Actor, Operation
from roadstead.trail.events import EventMaker

STREAMED = "streamed"  # the marker's metadata; the edge function writes no such name


class Finish(Protocol):
    """How an upload ends."""

    def finish(
        self, token: UploadToken, session: UploadSession, digest: Digest, stored: StoredObject, actor: Actor
    ) -> BlobLink:
        """End the upload as the blob `digest`, whose bytes `stored` are proven. Idempotent. Raises UploadConsumed."""
        ...

    def finished(self, token: UploadToken, session: UploadSession, digest: Digest, actor: Actor) -> BlobLink | None:
        """Return the blob of an upload that ended as `digest` before; None if the registry no longer serves it."""
        ...


class Linking:
    """The registry's way: one transaction links the blob and consumes the upload."""

    def __init__(self, blobs: BlobIndex, objects: Objects, events: EventMaker) -> None:
        self._blobs = blobs
        self._objects = objects
        self._events = events

    def finish(
        self, token: UploadToken, session: UploadSession, digest: Digest, stored: StoredObject, actor: Actor
    ) -> BlobLink:
        event = self._events.make(
            Operation.UPLOAD, actor, token.repository, digest=digest, size=stored.size, detail="path=service"
        )
        # Adoption would find a surplus object under its digest's prefix again: its upload is remembered without end.
        found_again = is_whole_key(stored.key) or session.state is UploadState.FINISHED
        link = self._blobs.link_object(
            token.repository,
            digest,
            stored,
            upload_id=token.upload_id,
            mark_expires=None if found_again else session.expires,
            event=event,
        )
        if link.key != stored.key:
            self._objects.delete([stored.key])
        return link

    def finished(self, token: UploadToken, session: UploadSession, digest: Digest, actor: Actor) -> BlobLink | None:
        if session.state is UploadState.FINISHED and session.key is not None:
            data = self._objects.get(session.key) if session.offset <= MAX_INLINE_BLOB else None
            return self.finish(token, session, digest, StoredObject(session.key, session.offset, data), actor)
        link = self._blobs.find_link(token.repository, digest)
        # The response promises that the blob stays, so a pending removal is cancelled.
        if link is not None and (link.marked is None or self._blobs.unmark_link(token.repository, digest)):
            return link
        return None


class HandingOver:
    """The relay's way: mark the object as finished, for the registry to link. Writes only the upload's own item."""

    def __init__(self, sessions: UploadSessions, objects: Objects) -> None:
        self._sessions = sessions
        self._objects = objects

    def finish(
        self, token: UploadToken, session: UploadSession, digest: Digest, stored: StoredObject, actor: Actor
    ) -> BlobLink:
        if not is_whole_key(stored.key):
            metadata = {**object_metadata(token.repository, actor), STREAMED: stored.key}
            self._objects.put(whole_key(token.repository, digest, token.upload_id), b"", metadata=metadata)
        if session.version > 0:
            self._close(session, digest, stored)
        return BlobLink(digest, stored.size, stored.key)

    def _close(self, session: UploadSession, digest: Digest, stored: StoredObject) -> None:
        """Let nothing more be appended. An upload without a session has nothing to append to."""
        closed = replace(
            session,
            state=UploadState.FINISHED,
            digest=digest,
            key=stored.key,
            offset=stored.size,
            tail=b"",
            chunks=(),
            hashes={},
        )
        try:
            self._sessions.save(closed)
        except Conflict:
            current = self._sessions.find(session.id)
            if current is None or not current.ended_as(digest):
                raise UploadConsumed(session.id) from None

    def finished(self, token: UploadToken, session: UploadSession, digest: Digest, actor: Actor) -> BlobLink | None:
        return BlobLink(digest, session.offset, session.key or "")


def streamed_object(upload_id: str, metadata: Mapping[str, str]) -> str | None:
    """Return the key that a marker names; None if the object is not one. Raises ValueError for another upload's key."""
    key = metadata.get(STREAMED)
    if key is not None and not key.startswith(streamed_key(upload_id, "")):
        raise ValueError(f"the marker of upload {upload_id} names an object of another one")
    return key
