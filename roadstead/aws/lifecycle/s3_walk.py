"""`BucketWalk` on S3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from roadstead.lifecycle.bucket_audit.comparison import Stored


class S3Walk:
    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def page(self, after: str) -> Sequence[Stored]:
        response = self._client.list_objects_v2(Bucket=self._bucket, **({"StartAfter": after} if after else {}))
        return [
            Stored(entry["Key"], entry["Size"], int(entry["LastModified"].timestamp()))
            for entry in response.get("Contents", [])
        ]
