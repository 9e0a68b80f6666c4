"""Upload sessions (distribution-spec 1.1.1, "Pushing blobs"): start, append, close, cancel.

Starting writes nothing: the session is a signed token until its first byte. Its state is then kept in the index, so
that any environment can serve the next request. Closing takes steps that can each be repeated: prove the digest,
record that the upload is closing, complete the object, end the upload (`roadstead.content.uploads.finishing`).

Bytes are hashed as they arrive, by the algorithm that the client names when it starts the upload, or by SHA-256. The
bytes of a client that names none and closes with a SHA-512 digest are read back (ADR 27).
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from roadstead.conflicts import Conflict, UploadConsumed
from roadstead.content.blob_index import MAX_INLINE_BLOB, BlobLink, StoredObject
from roadstead.content.objects import MIN_PART, MultipartGone, Objects, whole_key
from roadstead.content.uploads.finishing import Finish
from roadstead.content.uploads.provenance import object_metadata
from roadstead.content.uploads.sessions import UploadSession, UploadSessions, UploadState
from roadstead.content.uploads.token import UploadToken
from roadstead.digest import DEFAULT_ALGORITHM, Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor

if TYPE_CHECKING:
    from roadstead.content.uploads.writer import UploadWriter

DAY = 86_400
# Of an upload whose digest has an algorithm that was not named. A function should read and hash it within the 30
# seconds that API Gateway waits (an estimate).
MAX_READ_BACK = 256 * 1024**2
READ_BACK_BYTES = 8 * 1024**2  # in memory at once
HOLD_AFTER = 10  # seconds of one body; most are over by then
HOLD_SECONDS = 120
BUSY_RETRY = 10  # seconds after which a client may try again
_UNKNOWN = "this upload is not known: it was closed, cancelled or has expired; start it again"


class BodyInterrupted(Exception):
    """Raised by a body's iterator when the client disconnected before the end."""


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """`lifetime` and `url_lifetime` in seconds from the POST: to the closing PUT, to the last body's start. Sizes in
    bytes."""

    lifetime: int = DAY
    url_lifetime: int = 1_800
    max_bytes: int = 50 * 1000**3
    part_bytes: int = MIN_PART
    checkpoint_bytes: int | None = None  # how much of one body a crash may lose; None: all of it
    parallel_parts: int = 1
    holds: bool = False  # whether a body that takes longer than HOLD_AFTER keeps other bodies of its upload away


class Uploads:
    """Upload sessions, for whole bodies (Lambda) and streams (relay): a body is an iterable of bytes."""

    def __init__(
        self,
        *,
        sessions: UploadSessions,
        objects: Objects,
        finish: Finish,
        limits: UploadLimits,
        clock: Callable[[], float] = time.time,
        executor: Executor | None = None,
    ) -> None:
        self._sessions = sessions
        self._objects = objects
        self._finish = finish
        self._limits = limits
        self._clock = clock
        self._executor = executor

    def start(self, repository: RepositoryName, actor: Actor, algorithm: str | None = None) -> UploadToken:
        """Return a new session's token; writes nothing. `algorithm` is of the digest that will close the upload."""
        now = int(self._clock())
        return UploadToken(
            repository=repository,
            upload_id=secrets.token_hex(16),
            actor_name=actor.name,
            actor_kind=actor.kind,
            token_id=actor.token_id,
            expires=now + self._limits.lifetime,
            algorithm=algorithm,
            bodies_until=now + min(self._limits.url_lifetime, self._limits.lifetime),
        )

    def offset(self, token: UploadToken) -> int:
        """Return how many bytes the session has. Raises BLOB_UPLOAD_UNKNOWN if it was closed or cancelled."""
        return self._open(token).offset

    def append(self, token: UploadToken, body: Iterable[bytes], *, actor: Actor, start: int | None = None) -> int:
        """Append a chunk; return the new offset. `start` is where the client says that the chunk begins.

        Raises 416 with the current `Range` if that is not the offset, or if another request was faster. If the client
        disconnects (BodyInterrupted), the bytes that arrived are kept and the exception is re-raised.
        """
        session = self._open(token)
        self._check_start(session, start)
        writer = self._writer(session, actor)
        try:
            unsaved = 0
            try:
                for data in self._holding(writer, body):
                    writer.write(data)
                    unsaved += len(data)
                    if self._limits.checkpoint_bytes is not None and unsaved >= self._limits.checkpoint_bytes:
                        self._save(writer, busy_until=self._held())
                        unsaved = 0
            except BodyInterrupted:
                self._save(writer)
                raise
            return self._save(writer).offset
        except (Conflict, MultipartGone) as error:
            writer.discard()
            raise self._overtaken(session, self._open(token), error) from None
        except RegistryError as error:
            writer.discard()
            if error.status == 413:
                # It can never be closed, so its bytes are dropped. If another request has closed it, that stands.
                with contextlib.suppress(RegistryError):
                    self.cancel(token)
            raise

    def close(
        self,
        token: UploadToken,
        digest: Digest,
        body: Iterable[bytes] = (),
        *,
        actor: Actor,
        start: int | None = None,
    ) -> BlobLink:
        """Close the upload, with a last chunk or none; return the blob's link.

        Idempotent: the same digest again succeeds while the blob exists. Raises DIGEST_INVALID, 416 or
        BLOB_UPLOAD_UNKNOWN. After a wrong digest the session is as it was before the request, unless its bytes had to
        be read back from parts: then it is cancelled.
        """
        session = self._sessions.find(token.upload_id) or self._new(token, only=digest.algorithm)
        if session.state is not UploadState.OPEN:
            return self._close_again(token, session, digest, actor)
        self._check_start(session, start)
        return self._close_open(token, session, digest, body, actor)

    def _close_open(
        self, token: UploadToken, session: UploadSession, digest: Digest, body: Iterable[bytes], actor: Actor
    ) -> BlobLink:
        """Read the last chunk and check the digest, unless that takes the completed object. Then store the bytes in
        memory, or complete the object in S3."""
        writer = self._writer(session, actor)
        try:
            for data in self._holding(writer, body):
                writer.write(data)
            _check_digest(writer, token, digest)
            if not writer.is_with_s3:
                return self._store(token, writer.session, digest, writer.gather(), actor)
            closing = self._begin_closing(writer, digest)
        except (Conflict, MultipartGone) as error:
            writer.discard()
            current = self._sessions.find(token.upload_id) or session
            if current.state is UploadState.OPEN:
                raise self._overtaken(session, current, error) from None
            return self._close_again(token, current, digest, actor)
        except (BodyInterrupted, RegistryError):
            writer.discard()
            if writer.session is not session:
                self._let_go(writer)
            raise
        return self._complete(token, closing, digest, actor)

    def _close_again(self, token: UploadToken, session: UploadSession, digest: Digest, actor: Actor) -> BlobLink:
        """Finish what another request began, or repeat what it returned. Raises BLOB_UPLOAD_UNKNOWN, DIGEST_INVALID."""
        match session.state:
            case UploadState.CLOSING if session.digest == digest:
                return self._complete(token, session, digest, actor)
            case UploadState.CLOSING:
                raise _digest_invalid(digest, f"this upload is being closed as {session.digest}")
            case UploadState.FINISHED | UploadState.CONSUMED if session.digest == digest:
                return self._closed(token, session, digest, actor)
            case _:
                raise RegistryError(ErrorCode.BLOB_UPLOAD_UNKNOWN, _UNKNOWN)

    def _closed(self, token: UploadToken, session: UploadSession, digest: Digest, actor: Actor) -> BlobLink:
        """Return the blob that the upload became. Raises BLOB_UPLOAD_UNKNOWN if it is gone."""
        with contextlib.suppress(UploadConsumed):
            link = self._finish.finished(token, session, digest, actor)
            if link is not None:
                return link
        raise RegistryError(ErrorCode.BLOB_UPLOAD_UNKNOWN, _UNKNOWN)

    def cancel(self, token: UploadToken) -> None:
        """Drop the session and its bytes; its token is invalid from now on. Raises BLOB_UPLOAD_UNKNOWN."""
        session = self._open(token)
        try:
            self._sessions.save(
                replace(session, state=UploadState.CANCELLED, tail=b"", chunks=(), hashes={}, expires=_after(token))
            )
        except Conflict:
            raise RegistryError(
                ErrorCode.BLOB_UPLOAD_INVALID, "another request is writing to this upload; cancel it again", status=409
            ) from None
        if session.multipart_id is not None and session.key is not None:
            self._objects.abort(session.key, session.multipart_id)
        self._objects.delete(chunk.key for chunk in session.chunks)

    def _open(self, token: UploadToken) -> UploadSession:
        session = self._sessions.find(token.upload_id) or self._new(token)
        if session.state is not UploadState.OPEN:
            raise RegistryError(ErrorCode.BLOB_UPLOAD_UNKNOWN, _UNKNOWN)
        return session

    def _new(self, token: UploadToken, only: str | None = None) -> UploadSession:
        algorithm = token.algorithm or only or DEFAULT_ALGORITHM
        return UploadSession(token.upload_id, token.repository, _after(token), hashes={algorithm: b""})

    def _writer(self, session: UploadSession, actor: Actor) -> UploadWriter:
        # Imported for the first body: it loads libcrypto, which a function that only serves pulls does not need.
        from roadstead.content.uploads.writer import UploadWriter

        return UploadWriter(
            session,
            self._objects,
            metadata=object_metadata(session.repository, actor),
            part_bytes=self._limits.part_bytes,
            max_bytes=self._limits.max_bytes,
            executor=self._executor,
            parallel=self._limits.parallel_parts,
        )

    def _save(self, writer: UploadWriter, *, busy_until: int = 0) -> UploadSession:
        """Save what the writer has. A session that is not saved as busy is free for the next body."""
        session, parts = writer.pause()
        saved = self._sessions.save(replace(session, busy_until=busy_until), parts)
        writer.saved(saved)
        return saved

    def _holding(self, writer: UploadWriter, body: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the body's pieces. Once that takes longer than HOLD_AFTER, hold the upload, for HOLD_SECONDS at a time.

        The hold is in the session, which is read and written for every body anyway, so a short body costs nothing more,
        and a long one a write each minute at most. Whoever dies holds nothing for longer than HOLD_SECONDS. Raises
        Conflict if another request has written to the upload, and RegistryError (503) if another one holds it. An empty
        body, which comes as one empty piece, is none: a held upload can be closed without a body (ADR 14).
        """
        found = writer.session.busy_until
        renew = self._clock() + HOLD_AFTER
        for data in filter(None, body):
            if found > self._clock():
                raise RegistryError(
                    ErrorCode.TOOMANYREQUESTS,
                    "another request is still sending to this upload; wait for its end, or start the upload again",
                    status=503,
                    headers=[("Retry-After", str(BUSY_RETRY))],
                )
            found = 0
            yield data
            if self._limits.holds and self._clock() >= renew:
                if writer.session.busy_until - self._clock() <= HOLD_SECONDS / 2:  # no checkpoint has renewed it
                    writer.held(self._sessions.save(replace(writer.session, busy_until=self._held())))
                renew = writer.session.busy_until - HOLD_SECONDS / 2

    def _let_go(self, writer: UploadWriter) -> None:
        """Free an upload that the writer's body held, as its request changed nothing else."""
        with contextlib.suppress(Conflict):
            self._sessions.save(replace(writer.session, busy_until=0))

    def _held(self) -> int:
        return int(self._clock()) + HOLD_SECONDS if self._limits.holds else 0

    def _store(self, token: UploadToken, session: UploadSession, digest: Digest, data: bytes, actor: Actor) -> BlobLink:
        """Write all bytes of the upload to an object of its own, and end the upload with it."""
        key = whole_key(session.repository, digest, session.id)
        self._objects.put(key, data, digest=digest, metadata=object_metadata(session.repository, actor))
        stored = StoredObject(key, len(data), data if len(data) <= MAX_INLINE_BLOB else None)
        link = self._end(token, session, digest, stored, actor)
        self._objects.delete(chunk.key for chunk in session.chunks)
        return link

    def _begin_closing(self, writer: UploadWriter, digest: Digest) -> UploadSession:
        """Record that all bytes are in S3 and hash to `digest`: from here on every step can be repeated.

        Without that, requests that find the upload open could change or remove its object. Raises Conflict.
        """
        closing, parts = writer.finish() if writer.is_multipart else writer.pause()
        saved = self._sessions.save(replace(closing, state=UploadState.CLOSING, digest=digest), parts)
        self._objects.delete(writer.spent)
        return saved

    def _complete(self, token: UploadToken, session: UploadSession, digest: Digest, actor: Actor) -> BlobLink:
        """Complete the object of a session that is closing, and end the upload with it."""
        if session.key is None or session.multipart_id is None:
            (chunk,) = session.chunks
            return self._end(token, session, digest, StoredObject(chunk.key, chunk.size), actor)
        try:
            self._objects.complete(session.key, session.multipart_id, self._sessions.find_parts(session))
            if digest.algorithm not in session.hashes:
                self._prove(session, session.key, digest)
        except MultipartGone:
            current = self._sessions.find(session.id)
            if current is not None and current.state is not UploadState.CLOSING:
                # Another request ended the upload, and its object was surplus or had another digest.
                return self._close_again(token, current, digest, actor)
            raise RegistryError(
                ErrorCode.BLOB_UPLOAD_INVALID,
                "parts of this upload were written by two requests at once; start it again",
            ) from None
        return self._end(token, session, digest, StoredObject(session.key, session.offset), actor)

    def _prove(self, session: UploadSession, key: str, digest: Digest) -> None:
        """Read the completed object of a session that is closing, and check its digest.

        Raises DIGEST_INVALID and ends the upload if it is another one: an object that is complete takes no more bytes.
        Raises MultipartGone if the object is gone: another request ended the upload.
        """
        running = hashlib.new(digest.algorithm)
        for start in range(0, session.offset, READ_BACK_BYTES):
            data = self._objects.get_range(key, start, READ_BACK_BYTES)
            if data is None:
                raise MultipartGone(key)
            running.update(data)
        if running.hexdigest() == digest.hex:
            return
        with contextlib.suppress(Conflict):
            self._sessions.save(replace(session, state=UploadState.CANCELLED, digest=None, hashes={}))
            self._objects.delete([key])
        actual = f"{digest.algorithm}:{running.hexdigest()}"
        raise _digest_invalid(digest, f"the {session.offset} bytes that arrived hash to {actual}; start it again")

    def _end(
        self, token: UploadToken, session: UploadSession, digest: Digest, stored: StoredObject, actor: Actor
    ) -> BlobLink:
        try:
            return self._finish.finish(token, session, digest, stored, actor)
        except UploadConsumed:
            raise RegistryError(ErrorCode.BLOB_UPLOAD_UNKNOWN, _UNKNOWN) from None

    def _check_start(self, session: UploadSession, start: int | None) -> None:
        if start is not None and start != session.offset:
            raise self._out_of_order(session.offset)

    def _overtaken(
        self, session: UploadSession, current: UploadSession, error: Conflict | MultipartGone
    ) -> RegistryError:
        """Return the error for a request that lost the race for this session, which is still open."""
        if isinstance(error, MultipartGone) and current.version == session.version:
            return RegistryError(ErrorCode.BLOB_UPLOAD_INVALID, "the parts of this upload are gone; start it again")
        return self._out_of_order(current.offset)

    @staticmethod
    def _out_of_order(offset: int) -> RegistryError:
        return RegistryError(
            ErrorCode.BLOB_UPLOAD_INVALID,
            f"the next chunk of this upload begins at byte {offset}; send it with Content-Range: {offset}-<last byte>",
            status=416,
            headers=[("Range", upload_range(offset))],
        )


def upload_range(offset: int) -> str:
    """Return the `Range` header of a session with `offset` bytes: inclusive, so `0-0` for none and for one."""
    return f"0-{max(0, offset - 1)}"


def _check_digest(writer: UploadWriter, token: UploadToken, digest: Digest) -> None:
    """Raises DIGEST_INVALID if the bytes hash to another digest, or cannot be hashed by its algorithm any more.

    Bytes in parts that were hashed by another algorithm are left to `_prove`: S3 shows no part before its object is
    complete.
    """
    actual = writer.digest(digest.algorithm)
    if actual is None:
        if token.algorithm:
            raise _digest_invalid(digest, f"this upload was started with digest-algorithm={token.algorithm}")
        if writer.is_multipart:
            if writer.offset > MAX_READ_BACK:
                raise _digest_invalid(
                    digest,
                    f"an upload of more than {MAX_READ_BACK} bytes is hashed by {DEFAULT_ALGORITHM}, unless it is "
                    f"started with ?digest-algorithm={digest.algorithm}; start it again with that",
                )
            return
        actual = Digest.of(writer.gather(), digest.algorithm)
    if actual != digest:
        raise _digest_invalid(digest, f"the {writer.offset} bytes that arrived hash to {actual}")


def _after(token: UploadToken) -> int:
    """Return when a session's items may expire: a day after its token does."""
    return token.expires + DAY


def _digest_invalid(digest: Digest, reason: str) -> RegistryError:
    return RegistryError(
        ErrorCode.DIGEST_INVALID, f"the upload is not {digest}: {reason}", detail={"digest": str(digest)}
    )
