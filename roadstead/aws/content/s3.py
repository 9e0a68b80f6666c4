"""`Objects` and `BlobUrls` on S3."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from botocore.exceptions import ClientError, IncompleteReadError, ReadTimeoutError, ResponseStreamingError

from roadstead.aws.clients import Deferred, error_code
from roadstead.aws.content.presigned import Presigner, place_of
from roadstead.content.objects import LISTED, MultipartGone, ObjectInfo
from roadstead.content.uploads.sessions import Part
from roadstead.digest import Digest

_CHECKSUM = {"sha256": "ChecksumSHA256", "sha512": "ChecksumSHA512"}
_ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
_GONE = frozenset({"NoSuchUpload", "InvalidPart", "InvalidPartOrder"})
_BROKEN = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
DELETE_BATCH = 1_000
READS = 3  # attempts to read an object to its end


class S3Objects:
    """One bucket. `url_seconds` is how long presigned URLs are valid.

    A presigned URL expires with the credentials that signed it. A Lambda's role session lasts for hours and is replaced
    with its environment, so 15 minutes are safe; more than an hour is not.
    """

    def __init__(self, client: Any, bucket: str, *, url_seconds: int = 900) -> None:
        self._client = client
        self._bucket = bucket
        self._url_seconds = url_seconds
        # A client that is not made yet is the environment's, and need not be made for a URL.
        place = place_of(bucket) if isinstance(client, Deferred) else None
        self._presigner = Presigner(place, seconds=url_seconds) if place is not None else None

    def put(self, key: str, data: bytes, *, digest: Digest | None = None, metadata: Mapping[str, str]) -> None:
        checksum = {}
        if digest is not None:
            checksum[_CHECKSUM[digest.algorithm]] = _base64(bytes.fromhex(digest.hex))
        self._client.put_object(Bucket=self._bucket, Key=key, Body=data, Metadata=dict(metadata), **checksum)

    def get(self, key: str) -> bytes | None:
        return self._read(Key=key)

    def get_range(self, key: str, start: int, size: int) -> bytes | None:
        return self._read(Key=key, Range=f"bytes={start}-{start + size - 1}")

    def _read(self, **wanted: str) -> bytes | None:
        attempt = 1
        while True:
            try:
                response = self._client.get_object(Bucket=self._bucket, **wanted)
                body: bytes = response["Body"].read()
                return body
            except ClientError as error:
                if error_code(error) in _ABSENT:
                    return None
                raise
            except _BROKEN:
                # The client repeats a request by itself, but not once the response's body has begun.
                if attempt == READS:
                    raise
                attempt += 1

    def find(self, key: str) -> ObjectInfo | None:
        try:
            response = self._client.head_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if error_code(error) in _ABSENT:
                return None
            raise
        digests = set()
        for algorithm, field in _CHECKSUM.items():
            # A composite checksum (of a multipart upload) ends in -<parts> and proves nothing about the whole.
            if (text := response.get(field)) and "-" not in text and response.get("ChecksumType") != "COMPOSITE":
                digests.add(Digest(f"{algorithm}:{base64.b64decode(text).hex()}"))
        return ObjectInfo(response["ContentLength"], frozenset(digests), response.get("Metadata", {}))

    def list(self, prefix: str) -> tuple[str, ...]:
        response = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=LISTED)
        return tuple(entry["Key"] for entry in response.get("Contents", []))

    def delete(self, keys: Iterable[str]) -> None:
        pending = list(keys)
        if len(pending) == 1:
            self._client.delete_object(Bucket=self._bucket, Key=pending[0])
            return
        for start in range(0, len(pending), DELETE_BATCH):
            batch = [{"Key": key} for key in pending[start : start + DELETE_BATCH]]
            self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": batch, "Quiet": True})

    def presign(self, key: str, *, digest: Digest, method: str = "GET", at: str = "") -> str:
        """Return S3's own URL, which cannot name the digest."""
        if self._presigner is not None:
            return self._presigner.url(method, key)
        url: str = self._client.generate_presigned_url(
            "head_object" if method == "HEAD" else "get_object",
            Params={"Bucket": self._bucket, "Key": key},
            ExpiresIn=self._url_seconds,
        )
        return url

    def begin(self, key: str, *, metadata: Mapping[str, str]) -> str:
        response = self._client.create_multipart_upload(
            Bucket=self._bucket, Key=key, Metadata=dict(metadata), ChecksumAlgorithm="SHA256"
        )
        multipart_id: str = response["UploadId"]
        return multipart_id

    def put_part(self, key: str, multipart_id: str, number: int, data: bytes) -> Part:
        checksum = _base64(sha256(data).digest())
        try:
            response = self._client.upload_part(
                Bucket=self._bucket,
                Key=key,
                UploadId=multipart_id,
                PartNumber=number,
                Body=data,
                ChecksumSHA256=checksum,
            )
        except ClientError as error:
            if error_code(error) in _GONE:
                raise MultipartGone(multipart_id) from error
            raise
        return Part(number, response["ETag"], checksum, len(data))

    def complete(self, key: str, multipart_id: str, parts: Sequence[Part]) -> None:
        listed = [{"PartNumber": part.number, "ETag": part.etag, "ChecksumSHA256": part.checksum} for part in parts]
        try:
            self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=key, UploadId=multipart_id, MultipartUpload={"Parts": listed}
            )
        except ClientError as error:
            # The key belongs to this upload alone: an object under it is from an earlier call whose response was lost.
            if error_code(error) in _GONE:
                info = self.find(key)
                if info is not None and info.size == sum(part.size for part in parts):
                    return
                raise MultipartGone(multipart_id) from error
            raise

    def abort(self, key: str, multipart_id: str) -> None:
        try:
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=multipart_id)
        except ClientError as error:
            if error_code(error) not in _GONE:
                raise


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
