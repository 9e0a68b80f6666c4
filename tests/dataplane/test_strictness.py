"""What the strict S3 refuses. Were it as lax as other emulators, the rest of these tests would prove little."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import re
import secrets
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from local.edge.storage import Signing
from tests.dataplane.plane import MIB, Plane
from tests.strict_s3 import StrictS3
from tests.strict_s3.signatures import Owner, Refusal, SignedRequest, check

BODY = b"bytes"
SHA256 = hashlib.sha256(BODY)


@pytest.fixture
def url(registry: Plane, strict: StrictS3) -> str:
    """Of an object that does not exist yet."""
    return f"{strict.endpoint}/{registry.bucket}/blobs/{secrets.token_hex(4)}%20%2B%7E"


def send(method: str, url: str, headers: Mapping[str, str], body: Any = None) -> tuple[int, str]:
    """Status and S3's error code, "" without one."""
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    with contextlib.closing(http.client.HTTPConnection(parts.netloc, timeout=20)) as connection:
        connection.request(method, target, body, dict(headers))
        answer = connection.getresponse()
        found = re.search(r"<Code>(\w+)</Code>", answer.read().decode("latin-1"))
        return answer.status, found.group(1) if found else ""


def signing(strict: StrictS3, **change: str) -> Signing:
    return Signing(
        **{"access_key": strict.access_key, "secret_key": strict.secret_key, "region": strict.region} | change
    )


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
def test_it_takes_no_request_of_another_time(
    strict: StrictS3, url: str, late: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = (datetime.now(UTC) + late).replace(tzinfo=None)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda **_: then)
    assert send("GET", url, signing(strict).sign("GET", url, {})) == (403, "RequestTimeTooSkewed")


def test_it_takes_one_kind_of_authorization_at_a_time(registry: Plane, strict: StrictS3, url: str) -> None:
    params = {"Bucket": registry.bucket, "Key": "absent"}
    presigned = registry.s3.generate_presigned_url("get_object", Params=params)
    assert send("GET", presigned, {"Authorization": "Basic c2VjcmV0"}) == (400, "InvalidArgument")


def test_it_completes_an_upload_once_whoever_asks_meanwhile(registry: Plane) -> None:
    about: dict[str, Any] = {"Bucket": registry.bucket, "Key": f"blobs/{secrets.token_hex(4)}"}
    about["UploadId"] = registry.s3.create_multipart_upload(**about)["UploadId"]
    data = [bytes([number]) * 5 * MIB for number in (1, 2)]
    parts = [
        {"PartNumber": number, "ETag": registry.s3.upload_part(**about, PartNumber=number, Body=piece)["ETag"]}
        for number, piece in enumerate(data, 1)
    ]

    def complete(_: int) -> str:
        try:
            registry.s3.complete_multipart_upload(**about, MultipartUpload={"Parts": parts})
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return ""

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(complete, range(3))) == ["", "NoSuchUpload", "NoSuchUpload"]
    assert registry.s3.get_object(Bucket=registry.bucket, Key=about["Key"])["Body"].read() == b"".join(data)


def test_it_checks_signatures_as_amazons_documentation_has_them() -> None:
    # "Signature Calculations for the Authorization Header", example: GET Object.
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    owner = Owner("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")
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
    assert check(SignedRequest("GET", "/test.txt", "", headers), owner, now) == empty
    with pytest.raises(Refusal, match="does not match"):
        check(SignedRequest("GET", "/test.txt", "", headers | {"range": "bytes=0-10"}), owner, now)
