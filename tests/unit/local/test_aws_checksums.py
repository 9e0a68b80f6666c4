from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

import pytest
from ministack.services import s3

from local.aws_checksums import accept_sha512

BODY = b"a layer"
SHA512 = base64.b64encode(hashlib.sha512(BODY).digest()).decode()


@pytest.fixture(autouse=True)
def taught() -> Iterator[None]:
    before = (s3._compute_s3_checksum, s3._S3_CHECKSUM_HEADERS)
    accept_sha512()
    accept_sha512()
    yield
    s3._compute_s3_checksum, s3._S3_CHECKSUM_HEADERS = before


def test_a_sha512_checksum_is_kept_with_the_object() -> None:
    checksums, error = s3._resolve_object_checksums(BODY, {"x-amz-checksum-sha512": SHA512})
    assert (checksums, error) == ({"SHA512": SHA512}, None)
    stored = s3._build_object_record(BODY, {}, checksums=checksums)
    headers = s3._object_response_headers(stored, include_checksums=True)
    assert (headers["x-amz-checksum-sha512"], headers["x-amz-checksum-type"]) == (SHA512, "FULL_OBJECT")


def test_a_wrong_sha512_checksum_is_refused() -> None:
    _, error = s3._resolve_object_checksums(b"other", {"x-amz-checksum-sha512": SHA512})
    assert error[0] == 400
    assert b"BadDigest" in error[2]


def test_the_other_checksums_are_verified_as_before() -> None:
    sha256 = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    assert s3._resolve_object_checksums(BODY, {"x-amz-checksum-sha256": sha256}) == ({"SHA256": sha256}, None)
    assert s3._resolve_object_checksums(b"other", {"x-amz-checksum-sha256": sha256})[1][0] == 400
