"""What every bucket does; where an emulator is laxer than S3, `Bucket` says so and the others show it."""

from __future__ import annotations

import base64
import datetime
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws

from roadstead.aws.content.s3 import DELETE_BATCH, S3Objects
from roadstead.content.objects import MIN_PART, BlobUrls, MultipartGone, ObjectInfo, Objects
from roadstead.content.uploads.sessions import Part
from roadstead.digest import Digest
from tests import aws
from tests.contract.conftest import BACKENDS
from tests.memory.objects import MemoryObjects
from tests.strict_s3 import StrictS3

KEY = "blobs/uploads/ab/parts-1"
DIGEST = Digest.of(b"bytes")
WHO = {"repository": "ships/galleon", "subject": "ada"}


class Store(Objects, BlobUrls, Protocol):
    pass


Refused = (ClientError, ValueError)  # S3's client, and the bucket in memory


@dataclass(frozen=True, slots=True)
class Bucket:
    """What the backend does of what S3 does.

    `checks` is the algorithms whose checksums it compares with the bytes; `reports` those that it tells of an object;
    `composites` whether it marks the checksum of a multipart object as one of its parts' checksums; `min_part` whether
    it refuses small parts; `late_parts` whether it says what is wrong with using an aborted upload; `part_checksums`
    whether it compares those that completing an upload names; `serves` whether a presigned URL can be fetched.
    """

    objects: Store
    checks: frozenset[str] = frozenset({"sha256", "sha512"})
    reports: frozenset[str] = frozenset({"sha256", "sha512"})
    composites: bool = True
    min_part: bool = True
    late_parts: bool = True
    part_checksums: bool = True
    serves: bool = False
    client: Any = None


def _s3(client: Any) -> S3Objects:
    name = f"bucket-{uuid.uuid4().hex}"
    region = client.meta.region_name
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    client.create_bucket(Bucket=name, **where)
    return S3Objects(client, name, url_seconds=60)


@pytest.fixture(scope="module")
def moto_s3() -> Any:
    return aws.client("s3")


@pytest.fixture(scope="module")
def ministack_s3(ministack_endpoint: str) -> Any:
    return _signing_client(ministack_endpoint, aws.REGION)


@pytest.fixture(scope="module")
def embedded_client(embedded_endpoint: str) -> Any:
    return _signing_client(embedded_endpoint, aws.REGION, *aws.CREDENTIALS.values())


@pytest.fixture(scope="module")
def strict_client(strict: StrictS3) -> Any:
    return _signing_client(strict.endpoint, strict.region)


def _signing_client(endpoint: str, region: str, access_key: str = "test", secret_key: str = "test") -> Any:
    """With the keys by which signatures are checked."""
    return boto3.client(
        "s3",
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(
            retries={"mode": "standard", "max_attempts": 2},
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            # As `roadstead.aws.clients` has it: no checksum that was not asked for.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


@pytest.fixture(params=(*BACKENDS, "strict"))
def bucket(request: pytest.FixtureRequest) -> Iterator[Bucket]:
    if request.param == "memory":
        yield Bucket(MemoryObjects())
    elif request.param == "moto":
        with mock_aws():
            client = request.getfixturevalue("moto_s3")
            objects = _s3(client)
            none = frozenset[str]()
            yield Bucket(
                objects,
                checks=none,
                reports=none,
                composites=False,
                late_parts=False,
                part_checksums=False,
                client=client,
            )
    elif request.param in ("strict", "embedded"):
        client = request.getfixturevalue(f"{request.param}_client")
        objects = _s3(client)
        yield Bucket(objects, serves=True, client=client)
    else:
        client = request.getfixturevalue("ministack_s3")
        objects = _s3(client)
        yield Bucket(
            objects,
            checks=frozenset({"sha256"}),
            reports=frozenset({"sha256"}),
            min_part=False,
            serves=True,
            client=client,
        )


@pytest.fixture
def objects(bucket: Bucket) -> Objects:
    return bucket.objects


def upload(objects: Objects, *sizes: int, key: str = KEY) -> tuple[str, list[Part], bytes]:
    """A multipart upload whose parts are sent, not yet completed."""
    multipart_id = objects.begin(key, metadata=WHO)
    pieces = [bytes([number]) * size for number, size in enumerate(sizes, 1)]
    parts = [objects.put_part(key, multipart_id, number, piece) for number, piece in enumerate(pieces, 1)]
    return multipart_id, parts, b"".join(pieces)


def test_an_absent_object_is_none(objects: Objects) -> None:
    assert objects.get("absent") is None
    assert objects.find("absent") is None
    assert objects.list("absent") == ()


@pytest.mark.parametrize("data", [b"", b"\0\xff", b"x" * 100_000], ids=["empty", "binary", "large"])
def test_an_object_is_read_as_it_was_written(objects: Objects, data: bytes) -> None:
    objects.put("blobs/a", data, metadata=WHO)
    assert objects.get("blobs/a") == data
    found = objects.find("blobs/a")
    assert found is not None and (found.size, found.metadata) == (len(data), WHO)


@pytest.mark.parametrize(("start", "size"), [(0, 1), (0, 5), (1, 3), (4, 100), (0, 100)])
def test_a_range_of_an_object_ends_with_the_object(objects: Objects, start: int, size: int) -> None:
    objects.put(KEY, b"forty", metadata={})
    assert objects.get_range(KEY, start, size) == b"forty"[start : start + size]


def test_a_range_of_an_absent_object_is_none(objects: Objects) -> None:
    assert objects.get_range(f"{KEY}-absent", 0, 1) is None


def test_an_object_without_a_checksum_has_no_digest(objects: Objects) -> None:
    objects.put("blobs/a", b"bytes", metadata={})
    found = objects.find("blobs/a")
    assert found is not None and found.digests == frozenset()


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_the_digest_is_kept_as_the_objects_checksum(bucket: Bucket, algorithm: str) -> None:
    digest = Digest.of(b"bytes", algorithm)
    bucket.objects.put("blobs/a", b"bytes", digest=digest, metadata=WHO)
    expected = frozenset({digest} if algorithm in bucket.reports else ())
    assert bucket.objects.find("blobs/a") == ObjectInfo(5, expected, WHO)
    assert bucket.objects.get("blobs/a") == b"bytes"


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_bytes_with_another_digest_are_refused(bucket: Bucket, algorithm: str) -> None:
    digest = Digest.of(b"other", algorithm)
    if algorithm in bucket.checks:
        with pytest.raises(Refused):
            bucket.objects.put("blobs/a", b"bytes", digest=digest, metadata={})
        assert bucket.objects.find("blobs/a") is None
    else:
        # What is asserted is that the digest was sent: the emulator keeps what it does not check.
        sent: list[dict[str, str]] = []
        bucket.client.meta.events.register("before-call.s3.PutObject", lambda params, **_: sent.append(params))
        bucket.objects.put("blobs/a", b"bytes", digest=digest, metadata={})
        (request,) = sent
        headers: Any = request["headers"]
        assert f"x-amz-checksum-{algorithm}" in {name.lower() for name in headers}


def test_keys_are_listed_by_prefix_in_byte_order(objects: Objects) -> None:
    for key in ("blobs/b/2", "blobs/b/1", "blobs/a", "blobs/b", "blobs/bb/1"):
        objects.put(key, b"", metadata={})
    assert objects.list("blobs/b/") == ("blobs/b/1", "blobs/b/2")
    assert objects.list("blobs/b") == ("blobs/b", "blobs/b/1", "blobs/b/2", "blobs/bb/1")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_deleting_an_absent_object_is_not_an_error(objects: Objects, count: int) -> None:
    keys = [f"blobs/{number}" for number in range(count)]
    for key in keys:
        objects.put(key, b"", metadata={})
    objects.put("blobs/kept", b"", metadata={})
    objects.delete(iter(keys))
    objects.delete(iter(keys))
    assert objects.list("blobs/") == ("blobs/kept",)


def test_deletion_of_more_objects_than_a_request_takes_succeeds(bucket: Bucket) -> None:
    bucket.objects.put(f"blobs/{DELETE_BATCH}", b"", metadata={})
    bucket.objects.delete(f"blobs/{number}" for number in range(DELETE_BATCH + 1))
    assert bucket.objects.list("blobs/") == ()


def test_parts_become_one_object_in_order(bucket: Bucket) -> None:
    objects = bucket.objects
    multipart_id, parts, data = upload(objects, MIN_PART, MIN_PART + 1, 3)
    assert [part.size for part in parts] == [MIN_PART, MIN_PART + 1, 3]
    assert objects.find(KEY) is None
    objects.complete(KEY, multipart_id, parts)
    assert objects.get(KEY) == data
    found = objects.find(KEY)
    assert found is not None and (found.size, found.metadata) == (len(data), WHO)
    if bucket.composites:  # the checksum of parts' checksums is not a digest of the whole
        assert found.digests == frozenset()


def test_one_part_may_be_of_any_size(bucket: Bucket) -> None:
    multipart_id, parts, data = upload(bucket.objects, 1)
    bucket.objects.complete(KEY, multipart_id, parts)
    assert bucket.objects.get(KEY) == data
    found = bucket.objects.find(KEY)
    assert found is not None
    if bucket.composites:
        assert found.digests == frozenset()


def test_a_small_part_before_the_last_is_refused(bucket: Bucket) -> None:
    multipart_id, parts, data = upload(bucket.objects, MIN_PART - 1, 1)
    if bucket.min_part:
        with pytest.raises(Refused):
            bucket.objects.complete(KEY, multipart_id, parts)
        assert bucket.objects.find(KEY) is None
    else:
        bucket.objects.complete(KEY, multipart_id, parts)
        assert bucket.objects.get(KEY) == data


def test_completing_again_is_not_an_error(objects: Objects) -> None:
    multipart_id, parts, data = upload(objects, 4)
    objects.complete(KEY, multipart_id, parts)
    objects.complete(KEY, multipart_id, parts)
    assert objects.get(KEY) == data


def test_a_part_written_again_cannot_be_completed_as_the_first(objects: Objects) -> None:
    multipart_id, parts, _ = upload(objects, 4)
    objects.put_part(KEY, multipart_id, 1, b"evil")
    with pytest.raises(MultipartGone):
        objects.complete(KEY, multipart_id, parts)
    assert objects.find(KEY) is None


def test_a_part_with_another_checksum_cannot_be_completed(bucket: Bucket) -> None:
    objects = bucket.objects
    multipart_id, (part,), data = upload(objects, 4)
    other = Part(part.number, part.etag, base64.b64encode(bytes(32)).decode(), part.size)
    if bucket.part_checksums:
        with pytest.raises(MultipartGone):
            objects.complete(KEY, multipart_id, [other])
        assert objects.find(KEY) is None
    objects.complete(KEY, multipart_id, [part])
    assert objects.get(KEY) == data


def test_a_part_that_was_sent_again_replaces_the_first(objects: Objects) -> None:
    multipart_id, _, _ = upload(objects, 4)
    again = objects.put_part(KEY, multipart_id, 1, b"again")
    objects.complete(KEY, multipart_id, [again])
    assert objects.get(KEY) == b"again"


def test_aborting_again_is_not_an_error(bucket: Bucket) -> None:
    objects = bucket.objects
    multipart_id, parts, _ = upload(objects, 4)
    objects.abort(KEY, multipart_id)
    objects.abort(KEY, multipart_id)
    if bucket.late_parts:
        with pytest.raises(MultipartGone):
            objects.put_part(KEY, multipart_id, 2, b"late")
        with pytest.raises(MultipartGone):
            objects.complete(KEY, multipart_id, parts)
    assert objects.find(KEY) is None


def test_two_uploads_to_one_key_do_not_mix(objects: Objects) -> None:
    first, parts, data = upload(objects, 4)
    second = objects.begin(KEY, metadata={})
    assert first != second
    objects.put_part(KEY, second, 1, b"other")
    objects.complete(KEY, first, parts)
    assert objects.get(KEY) == data
    objects.abort(KEY, second)
    assert objects.get(KEY) == data


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_presigned_url_serves_its_object_until_it_expires(bucket: Bucket, method: str) -> None:
    bucket.objects.put("blobs/a", b"bytes", metadata={})
    url = bucket.objects.presign("blobs/a", digest=DIGEST, method=method)
    assert "blobs/a" in url
    if bucket.client is not None:
        assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url and "X-Amz-Expires=60" in url
    if bucket.serves:
        with urllib.request.urlopen(urllib.request.Request(url, method=method)) as answer:
            assert answer.read() == (b"bytes" if method == "GET" else b"")
            assert answer.headers["Content-Length"] == "5"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(url.replace("blobs/a", "blobs/b"), method=method))
        refused.value.close()
        assert refused.value.code == 403


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_presigned_url_is_valid_for_its_method_and_time_only(
    bucket: Bucket, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.objects.put("blobs/a", b"bytes", metadata={})
    url = bucket.objects.presign("blobs/a", digest=DIGEST, method=method)
    other = "GET" if method == "HEAD" else "HEAD"
    assert url != bucket.objects.presign("blobs/a", digest=DIGEST, method=other)
    if bucket.serves:
        a_minute_ago = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=62)
        monkeypatch.setattr("botocore.auth.get_current_datetime", lambda **_: a_minute_ago)
        expired = bucket.objects.presign("blobs/a", digest=DIGEST, method=method)
        longer = url.replace("X-Amz-Expires=60", "X-Amz-Expires=61")
        for sent, asked in ((expired, method), (longer, method), (url, other)):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(urllib.request.Request(sent, method=asked))
            refused.value.close()
            assert refused.value.code == 403


def test_a_presigned_url_serves_ranges(bucket: Bucket) -> None:
    bucket.objects.put("blobs/a", b"0123456789", metadata={})
    url = bucket.objects.presign("blobs/a", digest=DIGEST)
    assert url
    if bucket.serves:
        request = urllib.request.Request(url, headers={"Range": "bytes=3-5"})
        with urllib.request.urlopen(request) as answer:
            assert (answer.status, answer.read()) == (206, b"345")


def test_two_kilobytes_of_metadata_are_kept(bucket: Bucket) -> None:
    if bucket.client is None:  # the emulators take more; this is what holds the services to the limit
        with pytest.raises(Refused):
            bucket.objects.put("blobs/a", b"", metadata={"tags": "x" * 2_045})
    bucket.objects.put("blobs/a", b"", metadata={"tags": "x" * 2_044})
    found = bucket.objects.find("blobs/a")
    assert found is not None and len(found.metadata["tags"]) == 2_044


def test_presigning_makes_no_call(bucket: Bucket) -> None:
    calls = aws.record_calls(bucket.client) if bucket.client is not None else []
    assert bucket.objects.presign("blobs/a", digest=DIGEST) != bucket.objects.presign("blobs/b", digest=DIGEST)
    assert calls == []
