"""Which operation of S3 a request is."""

from __future__ import annotations

from local.cloud.database import Database
from local.cloud.errors import AwsError, not_emulated
from local.cloud.http import Response
from local.cloud.s3.buckets import Buckets
from local.cloud.s3.files import Files
from local.cloud.s3.messages import S3Request
from local.cloud.s3.multipart import Multipart
from local.cloud.s3.objects import Objects
from local.cloud.sqs import Sqs


class S3:
    """Addressed by path: `/bucket/key`."""

    def __init__(self, database: Database, files: Files, sqs: Sqs, region: str) -> None:
        self._buckets = Buckets(database, region)
        self._objects = Objects(database, files, self._buckets, sqs)
        self._multipart = Multipart(database, files, self._buckets, self._objects)

    async def answer(self, request: S3Request) -> Response:
        """Raises AwsError."""
        if not request.bucket:
            raise not_emulated("ListBuckets in S3")
        if not request.key:
            return await self._answer_bucket(request)
        method, query = request.request.method, request.query
        if method in ("GET", "HEAD"):
            return self._objects.get(request)
        if method == "PUT":
            return await (self._multipart.put_part(request) if "uploadId" in query else self._objects.put(request))
        if method == "DELETE":
            return await (self._multipart.abort(request) if "uploadId" in query else self._objects.delete(request))
        if method == "POST" and "uploads" in query:
            return await self._multipart.begin(request)
        if method == "POST" and "uploadId" in query:
            return await self._multipart.complete(request)
        raise _not_allowed()

    async def _answer_bucket(self, request: S3Request) -> Response:
        method = request.request.method
        if method == "PUT":
            return await self._buckets.put(request)
        if method == "HEAD":
            return self._buckets.head(request)
        if method == "GET":
            return self._buckets.get(request)
        if method == "POST" and "delete" in request.query:
            return await self._objects.delete_batch(request)
        if method == "DELETE":
            raise not_emulated("DeleteBucket in S3")
        raise _not_allowed()


def _not_allowed() -> AwsError:
    return AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", 405)
