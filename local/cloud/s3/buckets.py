"""Buckets: made, listed from, and what they tell of new objects."""

from __future__ import annotations

import json
import re
import sqlite3
import time
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from local.cloud.database import Database
from local.cloud.errors import AwsError, not_emulated
from local.cloud.http import Response
from local.cloud.s3.messages import S3Request, document, element, elements, iso_time, parsed, text_of
from local.cloud.sqs import enqueue, queue_of

ACCOUNT = "000000000000"
PAGE = 1000  # keys
CREATED = "s3:ObjectCreated:"
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_MISSING = {
    "policy": ("NoSuchBucketPolicy", "The bucket policy does not exist"),
    "publicAccessBlock": (
        "NoSuchPublicAccessBlockConfiguration",
        "The public access block configuration was not found",
    ),
    "encryption": (
        "ServerSideEncryptionConfigurationNotFoundError",
        "The server side encryption configuration was not found",
    ),
}


class Buckets:
    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    def check(self, name: str) -> None:
        """Raises AwsError unless the bucket exists."""
        row = self._database.reader.execute("SELECT 1 FROM buckets WHERE name=?", (name,)).fetchone()
        if row is None:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404, BucketName=name)

    async def put(self, request: S3Request) -> Response:
        """CreateBucket, or one of a bucket's settings."""
        if "notification" in request.query:
            request.check_query("notification")
            return await self._notify(request)
        request.check_query()
        name = request.bucket
        if not _NAME.fullmatch(name):
            raise AwsError("InvalidBucketName", "The specified bucket is not valid.", 400, BucketName=name)
        body = await request.body()
        if body:
            where = text_of(parsed(body, "CreateBucketConfiguration"), "LocationConstraint", "us-east-1")
            if where != self._region:
                raise AwsError(
                    "IllegalLocationConstraintException", f"The {where} location constraint is incompatible."
                )

        def work(connection: sqlite3.Connection) -> None:
            made = connection.execute("INSERT OR IGNORE INTO buckets VALUES (?, ?, '[]')", (name, _now()))
            if not made.rowcount:
                raise AwsError("BucketAlreadyOwnedByYou", "You already have this bucket.", 409, BucketName=name)

        await self._database.write(work)
        return Response(200, (("location", f"/{name}"),))

    def head(self, request: S3Request) -> Response:
        request.check_query()
        self.check(request.bucket)
        return Response(200, (("x-amz-bucket-region", self._region),))

    def get(self, request: S3Request) -> Response:
        """A listing, or one of a bucket's settings."""
        self.check(request.bucket)
        query = request.query
        if "uploads" in query:
            return self._uploads(request)
        if "versioning" in query:
            request.check_query("versioning")
            return document("VersioningConfiguration")
        if "notification" in query:
            request.check_query("notification")
            return document("NotificationConfiguration", *(_queue(one) for one in self._notifications(request.bucket)))
        for name, (code, message) in _MISSING.items():
            if name in query:
                raise AwsError(code, message, 404, BucketName=request.bucket)
        if query.get("list-type") != "2":
            raise not_emulated("ListObjects of version 1 in S3")
        return self._list(request)

    def announce(self, connection: sqlite3.Connection, bucket: str, key: str, size: int, etag: str, kind: str) -> bool:
        """Within a transaction: tell the bucket's queues of a new object; whether there were any."""
        (text,) = connection.execute("SELECT notifications FROM buckets WHERE name=?", (bucket,)).fetchone()
        told = False
        for one in json.loads(text):
            if not key.startswith(one["prefix"]) or not ({f"{CREATED}*", f"{CREATED}{kind}"} & {*one["events"]}):
                continue
            record = self._record(one["id"], bucket, key, size, etag, kind)
            body = json.dumps({"Records": [record]}, separators=(",", ":"))
            enqueue(connection, queue_of(one["queue"]), str(uuid.uuid4()), body)
            told = True
        return told

    def _record(self, configuration: str, bucket: str, key: str, size: int, etag: str, kind: str) -> dict[str, Any]:
        """ "Event message structure" of the S3 User Guide."""
        return {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": self._region,
            "eventTime": iso_time(_now()),
            "eventName": f"ObjectCreated:{kind}",
            "userIdentity": {"principalId": "local"},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {"x-amz-request-id": uuid.uuid4().hex[:16].upper()},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": configuration,
                "bucket": {
                    "name": bucket,
                    "ownerIdentity": {"principalId": "local"},
                    "arn": f"arn:aws:s3:::{bucket}",
                },
                "object": {
                    "key": quote_plus(key, safe="/"),
                    "size": size,
                    "eTag": etag,
                    "sequencer": f"{time.time_ns():016X}",
                },
            },
        }

    async def _notify(self, request: S3Request) -> Response:
        self.check(request.bucket)
        root = await request.document("NotificationConfiguration")
        made = []
        for one in root:
            if one.tag != "QueueConfiguration":
                raise not_emulated(f"{one.tag} for the notifications of a bucket in S3")
            made.append(_configuration(one))
        known = {name for (name,) in self._database.reader.execute("SELECT name FROM queues").fetchall()}
        if any(queue_of(one["queue"]) not in known for one in made):
            raise AwsError("InvalidArgument", "Unable to validate the following destination configurations")
        await self._database.write(
            lambda connection: connection.execute(
                "UPDATE buckets SET notifications=? WHERE name=?", (json.dumps(made), request.bucket)
            )
        )
        return Response(200)

    def _notifications(self, bucket: str) -> list[dict[str, Any]]:
        row = self._database.reader.execute("SELECT notifications FROM buckets WHERE name=?", (bucket,)).fetchone()
        found: list[dict[str, Any]] = json.loads(row[0])
        return found

    def _list(self, request: S3Request) -> Response:
        request.check_query("list-type", "prefix", "max-keys", "continuation-token", "start-after", "encoding-type")
        query = request.query
        prefix, most = query.get("prefix", ""), _number(query.get("max-keys", str(PAGE)))
        after = query.get("continuation-token", query.get("start-after", "")).encode()
        low = prefix.encode()
        rows = self._database.reader.execute(
            "SELECT key, size, etag, modified FROM objects WHERE bucket=? AND key>? AND key>=? AND key<? "
            "ORDER BY key LIMIT ?",
            (request.bucket, after, low, low + b"\xff", most + 1),
        ).fetchall()
        shown = rows[:most]
        encode = quote if query.get("encoding-type") == "url" else str
        contents = [
            elements(
                "Contents",
                {
                    "Key": encode(key.decode()),
                    "LastModified": iso_time(modified),
                    "ETag": f'"{etag}"',
                    "Size": size,
                    "StorageClass": "STANDARD",
                },
            )
            for key, size, etag, modified in shown
        ]
        fields = {
            "Name": request.bucket,
            "Prefix": encode(prefix),
            "KeyCount": len(shown),
            "MaxKeys": most,
            "IsTruncated": str(len(rows) > most).lower(),
            **({"EncodingType": "url"} if "encoding-type" in query else {}),
            **({"ContinuationToken": query["continuation-token"]} if "continuation-token" in query else {}),
            **({"NextContinuationToken": shown[-1][0].decode()} if len(rows) > most and shown else {}),
        }
        return document("ListBucketResult", *(element(name, value) for name, value in fields.items()), *contents)

    def _uploads(self, request: S3Request) -> Response:
        request.check_query("uploads", "prefix", "max-uploads", "encoding-type")
        low = request.query.get("prefix", "").encode()
        rows = self._database.reader.execute(
            "SELECT id, key, created FROM uploads WHERE bucket=? AND key>=? AND key<? ORDER BY key, created LIMIT ?",
            (request.bucket, low, low + b"\xff", PAGE + 1),
        ).fetchall()
        if len(rows) > PAGE:
            raise not_emulated(f"a second page of more than {PAGE} multipart uploads in S3")
        encode = quote if request.query.get("encoding-type") == "url" else str
        uploads = [
            elements(
                "Upload",
                {"Key": encode(key.decode()), "UploadId": identifier, "Initiated": iso_time(created)},
            )
            for identifier, key, created in rows
        ]
        fields = {"Bucket": request.bucket, "MaxUploads": PAGE, "IsTruncated": "false"}
        if "encoding-type" in request.query:
            fields["EncodingType"] = "url"
        return document("ListMultipartUploadsResult", *(element(*one) for one in fields.items()), *uploads)


def _configuration(one: ET.Element) -> dict[str, Any]:
    prefix = ""
    for rule in one.iter("FilterRule"):
        if text_of(rule, "Name").lower() != "prefix":
            raise not_emulated("filters of notifications by suffix in S3")
        prefix = text_of(rule, "Value")
    events = [event.text or "" for event in one.iter("Event")]
    if any(not event.startswith(CREATED) for event in events):
        raise not_emulated("notifications of anything but s3:ObjectCreated in S3")
    return {
        "id": text_of(one, "Id", uuid.uuid4().hex),
        "queue": text_of(one, "Queue"),
        "events": events,
        "prefix": prefix,
    }


def _queue(one: Mapping[str, Any]) -> str:
    rule = elements("FilterRule", {"Name": "prefix", "Value": one["prefix"]})
    events = "".join(element("Event", event) for event in one["events"])
    content = element("Id", one["id"]) + element("Queue", one["queue"]) + events
    return f"<QueueConfiguration>{content}<Filter><S3Key>{rule}</S3Key></Filter></QueueConfiguration>"


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 2**31:
        raise AwsError("InvalidArgument", "Provided max-keys not an integer or within integer range")
    return min(int(text), PAGE)


def _now() -> int:
    return int(time.time() * 1000)
