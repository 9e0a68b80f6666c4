"""`BucketWalk` on S3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from roadstead.lifecycle.bucket_audit import Stored


class S3Walk:
    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def walk(self) -> Iterator[Stored]:
        token: dict[str, str] = {}
        while True:
            response = self._client.list_objects_v2(Bucket=self._bucket, **token)
            for entry in response.get("Contents", []):
                yield Stored(entry["Key"], entry["Size"], int(entry["LastModified"].timestamp()))
            if not response.get("IsTruncated"):
                return
            token = {"ContinuationToken": response["NextContinuationToken"]}
