"""The floor for a blob: the same bytes put into the same S3 and fetched from it, with nothing in between."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from boto3.s3.transfer import TransferConfig

from bench.content import MIB, Blob, Image
from bench.streams import at_once, request, send_file

BUCKET = "bench-bare"
# As the relay sends them.
_PARTS = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB, max_concurrency=3)
_CHECKED = {"ChecksumAlgorithm": "SHA256"}


class BareS3:
    """One bucket. S3 checks bodies as it does for the registry: by the SHA-256 of the whole or of each part."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def put(self, image: Image) -> None:
        """Put each blob with one PUT to a presigned URL, by the client that pushes to registries."""
        at_once(self._put, image.blobs)

    def put_parts(self, image: Image) -> None:
        """Put each blob by boto3's multipart upload."""
        at_once(self._put_parts, image.blobs)

    def get(self, image: Image) -> None:
        at_once(self._get, image.blobs)

    def _put(self, blob: Blob) -> None:
        checksum = base64.b64encode(bytes.fromhex(blob.digest.partition(":")[2])).decode()
        parameters = {"Bucket": BUCKET, "Key": blob.digest, "ChecksumSHA256": checksum}
        url = self._client.generate_presigned_url("put_object", Params=parameters, ExpiresIn=3600)
        send_file("PUT", url, {"x-amz-checksum-sha256": checksum}, blob.path, expect=200)

    def _put_parts(self, blob: Blob) -> None:
        self._client.upload_file(str(blob.path), BUCKET, blob.digest, ExtraArgs=dict(_CHECKED), Config=_PARTS)

    def _get(self, blob: Blob) -> None:
        parameters = {"Bucket": BUCKET, "Key": blob.digest}
        request("GET", self._client.generate_presigned_url("get_object", Params=parameters), {}, expect=(200,))


def empty(client: Any, *buckets: str) -> None:
    """Delete every object and every multipart upload."""
    for bucket in buckets:
        for keys in _keys(client, bucket):
            client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True})
        for one in client.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
            client.abort_multipart_upload(Bucket=bucket, Key=one["Key"], UploadId=one["UploadId"])


def _keys(client: Any, bucket: str) -> Iterator[list[str]]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        if keys := [entry["Key"] for entry in page.get("Contents", [])]:
            yield keys
