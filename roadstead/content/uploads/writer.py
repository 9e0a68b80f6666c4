"""Turning a stream of bytes into parts of an S3 upload, with a bounded amount of memory.

S3 accepts a part below 5 MiB only as the last. So bytes are gathered until there are `part_bytes`; the rest of a
request is kept in the session (up to 64 KiB) or in an object of its own (a *parked chunk*), and begins the next part.
If a whole upload is in one parked chunk, that object is the blob.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Executor, Future
from dataclasses import replace

from roadstead.content.objects import MAX_PARTS, MIN_PART, MultipartGone, Objects, streamed_key
from roadstead.content.uploads.hashing import RunningHash
from roadstead.content.uploads.sessions import Chunk, Part, UploadSession
from roadstead.errors import ErrorCode, RegistryError

MAX_TAIL = 64 * 1024  # bytes kept in the session item; DynamoDB charges its write by the KB


class UploadWriter:
    """Adds one request's bytes to a session. Nothing counts until the session that it returns is saved."""

    def __init__(
        self,
        session: UploadSession,
        objects: Objects,
        *,
        metadata: Mapping[str, str],
        part_bytes: int = MIN_PART,
        max_bytes: int,
        executor: Executor | None = None,
        parallel: int = 1,
    ) -> None:
        """`executor` sends up to `parallel` parts at once; at most `parallel + 2` parts are held in memory."""
        self._session = session
        self._objects = objects
        self._metadata = metadata
        self._part_bytes = part_bytes
        self._max_bytes = max_bytes
        self._executor = executor
        self._parallel = parallel
        self._hashes = {name: RunningHash(name, state or None) for name, state in session.hashes.items()}
        self._buffer = bytearray(session.tail)
        self._chunks = session.chunks
        self._chunk_bytes = sum(chunk.size for chunk in session.chunks)
        self._offset = session.offset
        self._multipart_id = session.multipart_id
        self._key = session.key
        self._number = session.parts
        self._parts: list[Part] = []
        self._sending: deque[Future[Part]] = deque()
        self.spent: list[str] = []  # keys of parked chunks that went into parts; deleted once that is saved

    @property
    def offset(self) -> int:
        """Bytes of the whole upload so far."""
        return self._offset

    @property
    def is_multipart(self) -> bool:
        return self._multipart_id is not None

    def write(self, data: bytes) -> None:
        """Add bytes. Raises RegistryError (DENIED, 413) above the registry's limit for a blob."""
        self._offset += len(data)
        if self._offset > self._max_bytes:
            raise RegistryError(
                ErrorCode.DENIED,
                f"a blob has at most {self._max_bytes} bytes here; the registry's operator can raise MAX_BLOB_BYTES",
                status=413,
            )
        for running in self._hashes.values():
            running.update(data)
        view = memoryview(data)
        while view:
            taken = min(len(view), max(1, self._part_bytes - self._chunk_bytes - len(self._buffer)))
            self._buffer += view[:taken]
            view = view[taken:]
            if self._chunk_bytes + len(self._buffer) >= self._part_bytes:
                self._send(self._take())

    @property
    def session(self) -> UploadSession:
        """The session as it was last saved."""
        return self._session

    def pause(self) -> tuple[UploadSession, tuple[Part, ...]]:
        """Return the current session and its new parts, to be saved together; more bytes may follow."""
        if len(self._buffer) > MAX_TAIL:
            if self._chunk_bytes + len(self._buffer) >= MIN_PART:
                self._send(self._take())
            else:
                self._park()
        return self._snapshot()

    def finish(self) -> tuple[UploadSession, tuple[Part, ...]]:
        """Send the remaining bytes as the last part; return session and new parts. Only for a multipart upload."""
        if self._buffer or self._chunks:
            self._send(self._take())
        return self._snapshot()

    @property
    def is_with_s3(self) -> bool:
        """Whether the upload's object exists: it is multipart, or every byte is in one parked chunk."""
        return self.is_multipart or (len(self._chunks) == 1 and not self._buffer)

    def gather(self) -> bytes:
        """Return every byte of an upload that is not multipart: fewer than `part_bytes`."""
        return self._take(keep=True)

    def discard(self) -> None:
        """Abort the multipart upload that this writer began, unless it was saved. Waits for parts in flight."""
        for sending in self._sending:
            sending.exception()
        if self._multipart_id is not None and self._session.multipart_id is None and self._key is not None:
            self._objects.abort(self._key, self._multipart_id)

    def digest(self, algorithm: str) -> str | None:
        """Return the digest of all bytes so far, or None if the session does not keep that algorithm."""
        running = self._hashes.get(algorithm)
        return running.digest() if running is not None else None

    def held(self, session: UploadSession) -> None:
        """Continue on `session`, of which only `busy_until` was saved, with all that is not saved yet."""
        self._session = session

    def saved(self, session: UploadSession) -> None:
        """Continue from `session`, as it was saved; delete the parked chunks that went into its parts."""
        self._session = session
        self._parts.clear()
        self._objects.delete(self.spent)
        self.spent.clear()

    def _snapshot(self) -> tuple[UploadSession, tuple[Part, ...]]:
        while self._sending:
            self._parts.append(self._sending.popleft().result())
        session = replace(
            self._session,
            offset=self._offset,
            hashes={name: running.state() for name, running in self._hashes.items()},
            tail=bytes(self._buffer),
            chunks=self._chunks,
            multipart_id=self._multipart_id,
            key=self._key,
            parts=self._number,
            busy_until=0,
        )
        return session, tuple(self._parts)

    def _take(self, *, keep: bool = False) -> bytes:
        """Return the bytes that are not in parts, in order: parked chunks (read back), then the buffer."""
        pieces = []
        for chunk in self._chunks:
            piece = self._objects.get(chunk.key)
            if piece is None or len(piece) != chunk.size:
                raise MultipartGone(chunk.key)  # another request used it for a part, or closed the upload
            pieces.append(piece)
        data = b"".join((*pieces, self._buffer)) if pieces else bytes(self._buffer)
        if not keep:
            self.spent += [chunk.key for chunk in self._chunks]
            self._buffer = bytearray()
            self._chunks, self._chunk_bytes = (), 0
        return data

    def _park(self) -> None:
        """Write the buffer to an object of its own."""
        data = bytes(self._buffer)
        key = streamed_key(self._session.id, f"{self._offset - len(data)}-{secrets.token_hex(8)}")
        self._objects.put(key, data, metadata=self._metadata)
        self._chunks += (Chunk(key, len(data)),)
        self._chunk_bytes += len(data)
        self._buffer = bytearray()

    def _send(self, data: bytes) -> None:
        if self._multipart_id is None or self._key is None:
            self._key = streamed_key(self._session.id, f"parts-{secrets.token_hex(8)}")
            self._multipart_id = self._objects.begin(self._key, metadata=self._metadata)
        self._number += 1
        if self._number > MAX_PARTS:
            raise RegistryError(
                ErrorCode.DENIED,
                f"this upload needs more than the {MAX_PARTS} parts that S3 allows; send larger chunks",
                status=413,
            )
        arguments = (self._key, self._multipart_id, self._number, data)
        if self._executor is None:
            self._parts.append(self._objects.put_part(*arguments))
            return
        if len(self._sending) >= self._parallel:
            self._parts.append(self._sending.popleft().result())
        self._sending.append(self._executor.submit(self._objects.put_part, *arguments))
