"""Multipart uploads. Completing one makes an object of its parts' files as they are."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
import sqlite3
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

from local.cloud.database import Database
from local.cloud.errors import AwsError, Unavailable, not_emulated
from local.cloud.http import Response
from local.cloud.s3.buckets import Buckets
from local.cloud.s3.checksums import PREFIX, SIZES, Claims, etag_of
from local.cloud.s3.files import Files, Segment
from local.cloud.s3.messages import S3Request, document, element, malformed, text_of
from local.cloud.s3.objects import Objects, Stored, composite, kept_headers

MIN_PART = 5 * 1024 * 1024  # bytes of every part but the last
MOST_PARTS = 10_000
_ALGORITHM = "x-amz-checksum-algorithm"


@dataclass(frozen=True, slots=True)
class _Part:
    number: int
    file: str
    size: int
    etag: str
    checksum: str


class Multipart:
    def __init__(self, database: Database, files: Files, buckets: Buckets, objects: Objects) -> None:
        self._database = database
        self._files = files
        self._buckets = buckets
        self._objects = objects

    async def begin(self, request: S3Request) -> Response:
        request.check_query("uploads")
        self._buckets.check(request.bucket)
        headers = {**request.headers}
        algorithm = headers.pop(_ALGORITHM, "").lower()
        kind = headers.pop("x-amz-checksum-type", "COMPOSITE")
        if (algorithm and algorithm not in SIZES) or kind != "COMPOSITE":
            raise not_emulated(f"{kind} checksums of {algorithm or 'no algorithm'} for multipart uploads in S3")
        kept = json.dumps(kept_headers(headers))
        identifier = secrets.token_urlsafe(48)
        row = (identifier, request.bucket, request.key_bytes, int(time.time() * 1000), kept, algorithm)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?)", row)

        await self._database.write(work)
        answer = document(
            "InitiateMultipartUploadResult",
            element("Bucket", request.bucket),
            element("Key", request.key),
            element("UploadId", identifier),
        )
        if algorithm:
            answer.headers = (*answer.headers, (_ALGORITHM, algorithm.upper()), ("x-amz-checksum-type", "COMPOSITE"))
        return answer

    async def put_part(self, request: S3Request) -> Response:
        request.check_query("partNumber", "uploadId")
        number = _number(request.query.get("partNumber", ""))
        identifier = request.query["uploadId"]
        algorithm = self._algorithm(request, identifier)
        claims = Claims.of(request.headers)
        if claims.checksums and algorithm and algorithm not in claims.checksums:
            raise AwsError("InvalidRequest", f"Checksum Type mismatch occurred, expected checksum Type: {algorithm}")
        kept_headers(request.headers)
        incoming, digests = await self._objects.receive(request, claims)
        texts, etag = claims.texts(), etag_of(digests)

        def work(connection: sqlite3.Connection) -> str | None:
            _upload(connection, request, identifier)
            row = connection.execute(
                "SELECT file FROM parts WHERE upload=? AND number=?", (identifier, number)
            ).fetchone()
            values = (
                identifier, number, incoming.name, incoming.size, etag, texts.get(algorithm, ""),
                int(time.time() * 1000),
            )  # fmt: skip
            connection.execute("INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?, ?)", values)
            return row[0] if row else None

        try:
            replaced = await self._database.write(work)
        except Unavailable:
            raise  # as in `Objects.put`
        except AwsError:
            await incoming.discard()
            raise
        if replaced is not None:
            self._files.remove([replaced])
        return Response(200, (("etag", f'"{etag}"'), *((PREFIX + name, value) for name, value in texts.items())))

    async def complete(self, request: S3Request) -> Response:
        request.check_query("uploadId")
        self._buckets.check(request.bucket)
        identifier = request.query["uploadId"]
        wanted = _listed(await request.document("CompleteMultipartUpload"))
        # Nothing of an upload that is not there may be said of its parts.
        self._algorithm(request, identifier)
        parts, left, headers, algorithm = self._chosen(request, identifier, wanted)
        checksums = [base64.b64decode(part.checksum) for part in parts if part.checksum]
        etags = hashlib.sha256("".join(part.etag for part in parts).encode()).hexdigest()[:32]
        complete = bool(algorithm) and len(checksums) == len(parts)
        stored = Stored(
            sum(part.size for part in parts),
            f"{etags}-{len(parts)}",
            int(time.time() * 1000),
            headers,
            {algorithm: composite(checksums, algorithm)} if complete else {},
            tuple(Segment(part.file, part.size) for part in parts),
        )

        def work(connection: sqlite3.Connection) -> None:
            _upload(connection, request, identifier)
            rows = connection.execute("SELECT number, file FROM parts WHERE upload=?", (identifier,)).fetchall()
            if not {(part.number, part.file) for part in parts} <= {*rows}:
                raise _invalid_part()  # one was sent again since
            connection.execute("DELETE FROM parts WHERE upload=?", (identifier,))
            connection.execute("DELETE FROM uploads WHERE id=?", (identifier,))

        await self._objects.place(request, stored, "CompleteMultipartUpload", work)
        self._files.remove(left)
        return document(
            "CompleteMultipartUploadResult",
            element("Location", f"/{request.bucket}/{request.key}"),
            element("Bucket", request.bucket),
            element("Key", request.key),
            element("ETag", f'"{stored.etag}"'),
            *(element(f"Checksum{name.upper()}", value) for name, value in stored.checksums.items()),
        )

    async def abort(self, request: S3Request) -> Response:
        request.check_query("uploadId")
        self._buckets.check(request.bucket)
        identifier = request.query["uploadId"]

        def work(connection: sqlite3.Connection) -> list[str]:
            _upload(connection, request, identifier)
            return forget(connection, identifier)

        self._files.remove(await self._database.write(work))
        return Response(204)

    def _algorithm(self, request: S3Request, identifier: str) -> str:
        """The algorithm of an upload's checksums, "" without. Raises AwsError when there is no such upload."""
        return str(_upload(self._database.reader, request, identifier)[1])

    def _chosen(
        self, request: S3Request, identifier: str, wanted: Sequence[tuple[int, str, str]]
    ) -> tuple[list[_Part], list[str], dict[str, str], str]:
        """The parts that become the object, the files of the others, the object's headers, the algorithm."""
        headers, algorithm = _upload(self._database.reader, request, identifier)
        rows = self._database.reader.execute(
            "SELECT number, file, size, etag, checksum FROM parts WHERE upload=?", (identifier,)
        ).fetchall()
        found = {row[0]: _Part(*row) for row in rows}
        parts = []
        for number, etag, checksum in wanted:
            part = found.get(number)
            if part is None or part.etag != etag:
                raise _invalid_part()
            if part.checksum and not checksum:
                raise AwsError(
                    "InvalidRequest",
                    f"The upload was created using a {algorithm} checksum. The complete request must include the "
                    f"checksum for each part. It was missing for part {number} in the request.",
                )
            if checksum and part.checksum != checksum:
                raise _invalid_part()
            parts.append(part)
        if any(part.size < MIN_PART for part in parts[:-1]):
            raise AwsError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
        used = {part.file for part in parts}
        return parts, [part.file for part in found.values() if part.file not in used], json.loads(headers), algorithm


def forget(connection: sqlite3.Connection, identifier: str) -> list[str]:
    """Within a transaction: delete an upload; the files of its parts."""
    rows = connection.execute("SELECT file FROM parts WHERE upload=?", (identifier,)).fetchall()
    connection.execute("DELETE FROM parts WHERE upload=?", (identifier,))
    connection.execute("DELETE FROM uploads WHERE id=?", (identifier,))
    return [file for (file,) in rows]


def _upload(connection: sqlite3.Connection, request: S3Request, identifier: str) -> tuple[str, str]:
    row = connection.execute(
        "SELECT headers, algorithm FROM uploads WHERE id=? AND bucket=? AND key=?",
        (identifier, request.bucket, request.key_bytes),
    ).fetchone()
    if row is None:
        raise AwsError(
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted "
            "or completed.",
            404,
        )
    return row[0], row[1]


def _listed(root: ET.Element) -> list[tuple[int, str, str]]:
    """Number, ETag and checksum of each part that is to be used. Raises AwsError."""
    found = []
    for one in root.findall("Part"):
        checksum = next((child.text or "" for child in one if child.tag.startswith("Checksum")), "")
        found.append((_number(text_of(one, "PartNumber")), text_of(one, "ETag").strip('"'), _normal(checksum)))
    if not found:
        raise malformed()
    numbers = [number for number, _, _ in found]
    if numbers != sorted(set(numbers)):
        raise AwsError(
            "InvalidPartOrder",
            "The list of parts was not in ascending order. The parts list must be specified in order by part number.",
        )
    return found


def _normal(checksum: str) -> str:
    try:
        return base64.b64encode(base64.b64decode(checksum, validate=True)).decode()
    except (binascii.Error, ValueError):
        raise _invalid_part() from None


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_PARTS:
        raise AwsError("InvalidArgument", f"Part number must be an integer between 1 and {MOST_PARTS}, inclusive")
    return int(text)


def _invalid_part() -> AwsError:
    return AwsError(
        "InvalidPart",
        "One or more of the specified parts could not be found. The part might not have been uploaded, or the "
        "specified entity tag might not have matched the part's entity tag.",
    )
