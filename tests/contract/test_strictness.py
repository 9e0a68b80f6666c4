"""What S3 refuses, and how it answers: the strict S3 of the tests and the embedded one, which must not differ."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import hashlib
import http.client
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.cloud.errors import AwsError
from local.cloud.signatures import Credentials, Head, Verifier
from local.edge.storage import Signing
from tests import aws
from tests.strict_s3 import StrictS3
from tests.strict_s3.signatures import Owner, Refusal, SignedRequest, check

BODY = b"bytes"
MIB = 1024 * 1024
BUCKET = "strictness"


@pytest.fixture(scope="module", params=["strict", "embedded"])
def strict(request: pytest.FixtureRequest) -> StrictS3:
    """Either of them."""
    if request.param == "strict":
        running: StrictS3 = request.getfixturevalue("session_strict")
        return running
    endpoint = request.getfixturevalue("embedded_endpoint")
    access_key, secret_key = aws.CREDENTIALS.values()
    return StrictS3(endpoint, aws.REGION, access_key, secret_key)


@pytest.fixture(scope="module")
def s3(strict: StrictS3) -> Any:
    client = boto3.client(
        "s3",
        region_name=strict.region,
        endpoint_url=strict.endpoint,
        aws_access_key_id=strict.access_key,
        aws_secret_access_key=strict.secret_key,
        config=Config(
            retries={"max_attempts": 0},
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
        ),
    )
    where = {} if strict.region == "us-east-1" else {"LocationConstraint": strict.region}
    client.create_bucket(Bucket=BUCKET, **({"CreateBucketConfiguration": where} if where else {}))
    return client


@pytest.fixture
def url(s3: Any, strict: StrictS3) -> str:
    """Of an object that does not exist yet."""
    return f"{strict.endpoint}/{BUCKET}/blobs/{secrets.token_hex(4)}%20%2B%7E"


def send(method: str, url: str, headers: Mapping[str, str], body: Any = None) -> tuple[int, str]:
    """Status and S3's error code, "" without one."""
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    with contextlib.closing(http.client.HTTPConnection(parts.netloc, timeout=120)) as connection:
        connection.request(method, target, body, dict(headers))
        answer = connection.getresponse()
        found = re.search(r"<Code>(\w+)</Code>", answer.read().decode("latin-1"))
        return answer.status, found.group(1) if found else ""


def signing(strict: StrictS3, access_key: str = "", secret_key: str = "", region: str = "") -> Signing:
    return Signing(access_key or strict.access_key, secret_key or strict.secret_key, region or strict.region)


def claims(algorithm: str = "sha256", body: bytes = BODY) -> dict[str, str]:
    """The headers that the edge function makes of a digest."""
    digest = hashlib.new(algorithm, body)
    return {
        f"x-amz-checksum-{algorithm}": base64.b64encode(digest.digest()).decode(),
        "x-amz-content-sha256": digest.hexdigest() if algorithm == "sha256" else "UNSIGNED-PAYLOAD",
    }


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_it_takes_what_is_signed_and_of_its_checksum(strict: StrictS3, url: str, algorithm: str) -> None:
    assert send("PUT", url, signing(strict).sign("PUT", url, claims(algorithm)), BODY) == (200, "")
    assert send("GET", url, signing(strict).sign("GET", url, {})) == (200, "")


@pytest.mark.parametrize(
    "change, refusal",
    [
        ({"secret_key": "another"}, (403, "SignatureDoesNotMatch")),
        ({"access_key": "another"}, (403, "InvalidAccessKeyId")),
        ({"region": "eu-north-1"}, (400, "AuthorizationHeaderMalformed")),
    ],
)
def test_it_knows_its_owner(strict: StrictS3, url: str, change: dict[str, str], refusal: tuple[int, str]) -> None:
    assert send("PUT", url, signing(strict, **change).sign("PUT", url, claims()), BODY) == refusal


def test_it_refuses_whoever_does_not_sign(url: str) -> None:
    assert send("PUT", url, claims(), BODY) == (403, "AccessDenied")
    assert send("GET", url, {}) == (403, "AccessDenied")
    assert send("GET", url, {"Authorization": "Bearer token"}) == (400, "AuthorizationHeaderMalformed")


def test_it_holds_a_signature_to_all_that_it_covers(strict: StrictS3, url: str) -> None:
    signed = signing(strict).sign("PUT", url, claims() | {"x-amz-meta-actor": "ann"})
    mismatch = (403, "SignatureDoesNotMatch")
    assert send("PUT", url + "2", signed, BODY) == mismatch
    assert send("PUT", url + "?tagging", signed, BODY) == mismatch
    assert send("POST", url, signed, BODY) == mismatch
    assert send("PUT", url, signed | {"x-amz-meta-actor": "eve"}, BODY) == mismatch
    assert send("PUT", url, signed | claims("sha256", b"other"), b"other") == mismatch
    assert send("PUT", url, signed | {"x-amz-acl": "public-read"}, BODY) == (403, "AccessDenied")
    assert send("PUT", url, signed, BODY) == (200, "")


def test_it_compares_the_body_with_what_was_signed_and_with_the_checksum(strict: StrictS3, url: str) -> None:
    for headers, code in (
        (claims(), "XAmzContentSHA256Mismatch"),
        (claims() | {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, "BadDigest"),
        (claims("sha512"), "BadDigest"),
        ({"x-amz-checksum-sha512": "AAAA"}, "InvalidRequest"),
    ):
        assert send("PUT", url, signing(strict).sign("PUT", url, headers), b"other") == (400, code)
    assert send("GET", url, signing(strict).sign("GET", url, {})) == (404, "NoSuchKey")


def test_it_takes_no_body_of_unknown_length(strict: StrictS3, url: str) -> None:
    def pieces() -> Iterator[bytes]:
        yield BODY

    signed = signing(strict).sign("PUT", url, claims())
    assert send("PUT", url, signed, pieces()) == (501, "NotImplemented")


@pytest.mark.parametrize("late", [timedelta(minutes=16), timedelta(minutes=-16)])
def test_it_takes_no_request_of_another_time(strict: StrictS3, url: str, late: timedelta) -> None:
    then = (datetime.now(UTC) + late).timestamp()
    signing_then = dataclasses.replace(signing(strict), clock=lambda: then)
    assert send("GET", url, signing_then.sign("GET", url, {})) == (403, "RequestTimeTooSkewed")


def test_it_takes_one_kind_of_authorization_at_a_time(s3: Any) -> None:
    params = {"Bucket": BUCKET, "Key": "absent"}
    presigned = s3.generate_presigned_url("get_object", Params=params)
    assert send("GET", presigned, {"Authorization": "Basic c2VjcmV0"}) == (400, "InvalidArgument")


def test_it_completes_an_upload_once_whoever_asks_meanwhile(s3: Any) -> None:
    about: dict[str, Any] = {"Bucket": BUCKET, "Key": f"blobs/{secrets.token_hex(4)}"}
    about["UploadId"] = s3.create_multipart_upload(**about)["UploadId"]
    data = [bytes([number]) * 5 * MIB for number in (1, 2)]
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**about, PartNumber=number, Body=piece)["ETag"]}
        for number, piece in enumerate(data, 1)
    ]

    def complete(_: int) -> str:
        try:
            s3.complete_multipart_upload(**about, MultipartUpload={"Parts": parts})
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return ""

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(complete, range(3))) == ["", "NoSuchUpload", "NoSuchUpload"]
    assert s3.get_object(Bucket=BUCKET, Key=about["Key"])["Body"].read() == b"".join(data)


def test_a_part_before_the_last_has_five_mebibytes(s3: Any) -> None:
    about: dict[str, Any] = {"Bucket": BUCKET, "Key": f"blobs/{secrets.token_hex(4)}"}
    about["UploadId"] = s3.create_multipart_upload(**about)["UploadId"]
    sizes = (5 * MIB - 1, 1)
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**about, PartNumber=number, Body=bytes(size))["ETag"]}
        for number, size in enumerate(sizes, 1)
    ]
    assert refusal(lambda: s3.complete_multipart_upload(**about, MultipartUpload={"Parts": parts})) == "EntityTooSmall"
    turned = {"Parts": [parts[1], parts[0]]}
    assert refusal(lambda: s3.complete_multipart_upload(**about, MultipartUpload=turned)) == "InvalidPartOrder"
    other = {"Parts": [{"PartNumber": 1, "ETag": '"00"'}]}
    assert refusal(lambda: s3.complete_multipart_upload(**about, MultipartUpload=other)) == "InvalidPart"
    s3.complete_multipart_upload(**about, MultipartUpload={"Parts": parts[:1]})


@pytest.mark.parametrize(
    "wanted, status, found",
    [
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=7-99", 206, b"789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=-99", 206, b"0123456789"),
        ("bytes=0-1,4-5", 200, b"0123456789"),  # S3 has one range a request
        ("bytes=4-2", 200, b"0123456789"),
        ("bytes=10-", 416, None),
        ("bytes=-0", 416, None),
    ],
)
def test_ranges(s3: Any, wanted: str, status: int, found: bytes | None) -> None:
    s3.put_object(Bucket=BUCKET, Key="digits", Body=b"0123456789")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "digits"})
    parts = urlsplit(url)
    with contextlib.closing(http.client.HTTPConnection(parts.netloc, timeout=120)) as connection:
        connection.request("GET", f"{parts.path}?{parts.query}", headers={"Range": wanted})
        answer = connection.getresponse()
        body = answer.read()
    assert answer.status == status
    if found is None:
        assert b"<Code>InvalidRange</Code>" in body
    else:
        assert body == found
        assert answer.headers["Content-Length"] == str(len(found))
        assert (answer.headers["Content-Range"] is not None) == (status == 206)


def test_conditions(s3: Any) -> None:
    key = f"blobs/{secrets.token_hex(4)}"
    etag = s3.put_object(Bucket=BUCKET, Key=key, Body=BODY, IfNoneMatch="*")["ETag"]
    assert refusal(lambda: s3.put_object(Bucket=BUCKET, Key=key, Body=b"", IfNoneMatch="*")) == "PreconditionFailed"
    assert refusal(lambda: s3.get_object(Bucket=BUCKET, Key=key, IfMatch='"00"')) == "PreconditionFailed"
    assert refusal(lambda: s3.get_object(Bucket=BUCKET, Key=key, IfNoneMatch=etag)) == "304"
    assert s3.get_object(Bucket=BUCKET, Key=key, IfMatch=etag)["Body"].read() == BODY


def test_an_object_is_listed_page_by_page(s3: Any) -> None:
    prefix = f"pages/{secrets.token_hex(4)}/"
    keys = [f"{prefix}{number} +&" for number in range(5)]
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix, PaginationConfig={"PageSize": 2})
    assert [[one["Key"] for one in page["Contents"]] for page in pages] == [keys[:2], keys[2:4], keys[4:]]


def refusal(ask: Callable[[], object]) -> str:
    """The code of the error that S3 answers."""
    with pytest.raises(ClientError) as refused:
        ask()
    return str(refused.value.response["Error"]["Code"])


def test_signatures_are_checked_as_amazons_documentation_has_them() -> None:
    # "Signature Calculations for the Authorization Header", example: GET Object.
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    key = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")
    signed = (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )
    headers = {
        "host": "examplebucket.s3.amazonaws.com",
        "authorization": signed,
        "range": "bytes=0-9",
        "x-amz-content-sha256": empty,
        "x-amz-date": "20130524T000000Z",
    }
    now = datetime(2013, 5, 24, tzinfo=UTC)
    verifier = Verifier(Credentials(*key))
    assert check(SignedRequest("GET", "/test.txt", "", headers), Owner(*key), now) == empty
    verifier.check_headers(Head("GET", "/test.txt", "", headers), "s3", empty, now.timestamp())
    headers["range"] = "bytes=0-10"
    with pytest.raises(Refusal, match="does not match"):
        check(SignedRequest("GET", "/test.txt", "", headers), Owner(*key), now)
    with pytest.raises(AwsError, match="does not match"):
        verifier.check_headers(Head("GET", "/test.txt", "", headers), "s3", empty, now.timestamp())


def test_presigned_urls_are_checked_as_amazons_documentation_has_them() -> None:
    # "Authenticating Requests: Using Query Parameters", example: GET Object.
    query = (
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F"
        "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )
    key = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")
    head = Head("GET", "/test.txt", query, {"host": "examplebucket.s3.amazonaws.com"})
    day = datetime(2013, 5, 24, tzinfo=UTC).timestamp()
    Verifier(Credentials(*key)).check_presigned(head, day + 86_400)
    with pytest.raises(AwsError, match="expired"):
        Verifier(Credentials(*key)).check_presigned(head, day + 86_401)
