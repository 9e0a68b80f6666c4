"""Objects: put, get, head, delete."""

from __future__ import annotations

import base64
import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.cloud.database import Database
from local.cloud.errors import AwsError, Unavailable, not_emulated
from local.cloud.http import Response
from local.cloud.s3 import ranges
from local.cloud.s3.buckets import Buckets
from local.cloud.s3.checksums import PREFIX, Claims, etag_of, new_hash
from local.cloud.s3.files import Files, Incoming, Segment, segments_from, segments_text
from local.cloud.s3.messages import (
    S3Request,
    document,
    elements,
    http_time,
    malformed,
    no_such_key,
    parsed,
    text_of,
)
from local.cloud.sqs import Sqs

PUT_LIMIT = 5 * 1024**3  # bytes
DELETE_BATCH = 1_000
METADATA_LIMIT = 2 * 1024  # bytes of names and values
_META = "x-amz-meta-"
_MEANINGLESS = (PREFIX, _META, "x-amz-cf-")  # of their own, or of none: CloudFront signs its headers along
_KEPT = ("content-type", "content-disposition", "content-encoding", "content-language", "cache-control", "expires")
_HARMLESS = frozenset(
    {"x-amz-date", "x-amz-content-sha256", "x-amz-sdk-checksum-algorithm", "x-amz-user-agent", "x-amz-checksum-mode"}
)
_OVERRIDES = tuple(f"response-{name}" for name in _KEPT)
_FORGET = "SELECT segments, etag FROM objects WHERE bucket=? AND key=?"


@dataclass(frozen=True, slots=True)
class Stored:
    """An object. `headers` are answered as they are; `modified` in milliseconds; `composite` of its checksums."""

    size: int
    etag: str
    modified: int
    headers: Mapping[str, str]
    checksums: Mapping[str, str]
    segments: tuple[Segment, ...]

    @property
    def composite(self) -> bool:
        return any("-" in value for value in self.checksums.values())


class Objects:
    def __init__(self, database: Database, files: Files, buckets: Buckets, sqs: Sqs) -> None:
        self._database = database
        self._files = files
        self._buckets = buckets
        self._sqs = sqs

    async def put(self, request: S3Request) -> Response:
        request.check_query()
        self._buckets.check(request.bucket)
        headers = kept_headers(request.headers)
        claims = Claims.of(request.headers)
        incoming, digests = await self.receive(request, claims)
        stored = Stored(
            incoming.size,
            etag_of(digests),
            int(time.time() * 1000),
            headers,
            claims.texts(),
            (Segment(incoming.name, incoming.size),),
        )
        try:
            await self.place(request, stored, "Put")
        except Unavailable:
            raise  # whether the row is there is known when the database is opened again; `sweep` deletes the file then
        except AwsError:
            await incoming.discard()
            raise
        checksums = [(PREFIX + name, value) for name, value in stored.checksums.items()]
        if checksums:
            checksums.append(("x-amz-checksum-type", "FULL_OBJECT"))
        return Response(200, (("etag", f'"{stored.etag}"'), *checksums))

    async def receive(self, request: S3Request, claims: Claims) -> tuple[Incoming, dict[str, bytes]]:
        """The body in a file, synced and held to what is claimed of it, and its digests. Raises AwsError."""
        length = _length(request.headers)
        incoming = self._files.incoming(claims.algorithms)
        try:
            async for piece in request.request.pieces():
                await incoming.write(piece)
            if incoming.size != length:
                raise AwsError("IncompleteBody", "The request body terminated unexpectedly")
            digests = await incoming.finish()
            claims.check(digests)
        except BaseException:
            await incoming.discard()
            raise
        return incoming, digests

    async def place(self, request: S3Request, stored: Stored, kind: str, work: Any = None) -> None:
        """Make an object of what is stored, in place of what has its key. `work` is done in the same transaction."""
        bucket, key = request.bucket, request.key

        def write(connection: sqlite3.Connection) -> tuple[str, bool]:
            row = connection.execute(_FORGET, (bucket, key.encode())).fetchone()
            ranges.check_write(request.headers, row[1] if row else None)
            if work is not None:
                work(connection)
            connection.execute(
                "INSERT OR REPLACE INTO objects (bucket, key, size, etag, modified, headers, checksums, segments) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    bucket,
                    key.encode(),
                    stored.size,
                    stored.etag,
                    stored.modified,
                    json.dumps(stored.headers),
                    json.dumps(stored.checksums),
                    segments_text(stored.segments),
                ),
            )
            told = self._buckets.announce(connection, bucket, key, stored.size, stored.etag, kind)
            return (row[0] if row else "[]"), told

        replaced, told = await self._database.write(write)
        self._files.remove(segment.file for segment in segments_from(replaced))
        if told:
            self._sqs.notify()

    def find(self, request: S3Request) -> Stored:
        """Raises AwsError."""
        row = self._database.reader.execute(
            "SELECT size, etag, modified, headers, checksums, segments FROM objects WHERE bucket=? AND key=?",
            (request.bucket, request.key_bytes),
        ).fetchone()
        if row is None:
            self._buckets.check(request.bucket)
            raise no_such_key(request.key)
        size, etag, modified, headers, checksums, segments = row
        return Stored(size, etag, modified, json.loads(headers), json.loads(checksums), segments_from(segments))

    def get(self, request: S3Request) -> Response:
        """GetObject and HeadObject."""
        request.check_query(*_OVERRIDES)
        stored = self.find(request)
        if ranges.check_conditions(request.headers, stored.etag, stored.modified):
            return Response(304, _described(request, stored, whole=False))
        wanted = request.headers.get("range")
        if "if-range" in request.headers and request.headers["if-range"].strip('"') != stored.etag:
            wanted = None
        part = ranges.part(wanted, stored.size)
        start, length = part or (0, stored.size)
        headers = _described(request, stored, whole=part is None)
        if part is not None:
            headers.append(("content-range", f"bytes {start}-{start + length - 1}/{stored.size}"))
        status = 200 if part is None else 206
        if request.request.method == "HEAD" or not length:
            return Response(status, headers, b"", length)
        return Response(status, headers, self._files.read(stored.segments, start, length), length)

    async def delete(self, request: S3Request) -> Response:
        request.check_query()
        self._buckets.check(request.bucket)
        await self._delete(request.bucket, [request.key], request.headers)
        return Response(204)

    async def delete_batch(self, request: S3Request) -> Response:
        request.check_query("delete")
        self._buckets.check(request.bucket)
        if not any(name == "content-md5" or name.startswith(PREFIX) for name in request.headers):
            raise AwsError(
                "InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"
            )
        body = await request.body()
        root = parsed(body, "Delete")
        entries = root.findall("Object")
        keys = [text_of(one, "Key") for one in entries]
        if not 0 < len(keys) <= DELETE_BATCH or not all(keys):
            raise malformed()
        if any(len(one) != 1 for one in entries):
            raise not_emulated("versions and conditions in DeleteObjects in S3")
        await self._delete(request.bucket, keys, {})
        quiet = text_of(root, "Quiet") == "true"
        return document("DeleteResult", *([] if quiet else [elements("Deleted", {"Key": key}) for key in keys]))

    async def _delete(self, bucket: str, keys: Sequence[str], headers: Mapping[str, str]) -> None:
        def work(connection: sqlite3.Connection) -> list[str]:
            gone = []
            for key in keys:
                row = connection.execute(_FORGET, (bucket, key.encode())).fetchone()
                if headers:
                    ranges.check_write(headers, row[1] if row else None)
                if row is not None:
                    connection.execute("DELETE FROM objects WHERE bucket=? AND key=?", (bucket, key.encode()))
                    gone += [segment.file for segment in segments_from(row[0])]
            return gone

        self._files.remove(await self._database.write(work))


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that an object keeps. Raises AwsError for those that mean something that is not emulated."""
    for name in headers:
        if name.startswith("x-amz-") and name not in _HARMLESS and not name.startswith(_MEANINGLESS):
            raise not_emulated(f"the header {name} in S3")
    meta = {name: value for name, value in headers.items() if name.startswith(_META)}
    size = sum(len(name.removeprefix(_META)) + len(value.encode("latin-1")) for name, value in meta.items())
    if size > METADATA_LIMIT:
        raise AwsError(
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
            Size=size,
            MaxSizeAllowed=METADATA_LIMIT,
        )
    return {**{name: headers[name] for name in _KEPT if name in headers}, **meta}


def composite(checksums: Sequence[bytes], algorithm: str) -> str:
    """The checksum of parts' checksums, as S3 has it of a multipart object."""
    one = new_hash(algorithm)
    for checksum in checksums:
        one.update(checksum)
    return f"{base64.b64encode(one.digest()).decode()}-{len(checksums)}"


def _length(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise AwsError("NotImplemented", "A header you provided implies functionality that is not implemented", 501)
    text = headers.get("content-length")
    if text is None:
        raise AwsError("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)
    if int(text) > PUT_LIMIT:
        raise AwsError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size")
    return int(text)


def _described(request: S3Request, stored: Stored, *, whole: bool) -> list[tuple[str, str]]:
    kept = {"content-type": "binary/octet-stream", **stored.headers}
    kept |= {name.removeprefix("response-"): value for name, value in request.query.items()}
    if any("\r" in value or "\n" in value for value in request.query.values()):
        raise AwsError("InvalidArgument", "A header cannot have a line break.")
    headers = [
        ("etag", f'"{stored.etag}"'),
        ("last-modified", http_time(stored.modified)),
        ("accept-ranges", "bytes"),
        *kept.items(),
    ]
    if whole and stored.checksums and request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
        headers += [(PREFIX + name, value) for name, value in stored.checksums.items()]
        headers.append(("x-amz-checksum-type", "COMPOSITE" if stored.composite else "FULL_OBJECT"))
    return headers
