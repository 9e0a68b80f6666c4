"""The error table and the bodies made of it."""

from __future__ import annotations

import json

import pytest

from roadstead.errors import ErrorCode, ErrorEntry, RegistryError, error_body

# distribution-spec 1.1.1, "Error Codes" (code-1 to code-15), and what this registry answers to each by default.
SPECIFIED = {
    "BLOB_UNKNOWN": 404,
    "BLOB_UPLOAD_INVALID": 400,
    "BLOB_UPLOAD_UNKNOWN": 404,
    "DIGEST_INVALID": 400,
    "MANIFEST_BLOB_UNKNOWN": 404,
    "MANIFEST_INVALID": 400,
    "MANIFEST_UNKNOWN": 404,
    "NAME_INVALID": 400,
    "NAME_UNKNOWN": 404,
    "SIZE_INVALID": 400,
    "UNAUTHORIZED": 401,
    "DENIED": 403,
    "UNSUPPORTED": 405,
    "TOOMANYREQUESTS": 429,
}


def test_the_codes_are_the_specifications_and_three_of_distribution() -> None:
    table = {code.code: code.status for code in ErrorCode}
    assert table == {**SPECIFIED, "TAG_INVALID": 400, "UNKNOWN": 500}
    assert all(code.code == code.name for code in ErrorCode)


def test_an_error_has_its_codes_status_unless_given_another() -> None:
    assert RegistryError(ErrorCode.DENIED, "no").status == 403
    assert RegistryError(ErrorCode.DENIED, "no", status=413).status == 413


def test_several_entries_are_one_error_with_the_status_of_the_first() -> None:
    entries = [ErrorEntry(ErrorCode.MANIFEST_BLOB_UNKNOWN, "one"), ErrorEntry(ErrorCode.DENIED, "two")]
    error = RegistryError.several(iter(entries))
    assert (error.entries, error.status, str(error)) == (tuple(entries), 404, "one")


def test_added_headers_follow_the_first_ones() -> None:
    error = RegistryError(ErrorCode.UNSUPPORTED, "no", headers=[("Allow", "GET")])
    error.add_headers(("X", "y"))
    assert error.headers == (("Allow", "GET"), ("X", "y"))


@pytest.mark.parametrize("detail", [None, {"digest": "sha256:x", "n": 1}])
def test_an_error_body_has_the_specifications_shape(detail: dict[str, object] | None) -> None:
    body = error_body([ErrorEntry(ErrorCode.DENIED, "no “entry”", detail)])
    expected = {"code": "DENIED", "message": "no “entry”", **({"detail": detail} if detail else {})}
    assert json.loads(body) == {"errors": [expected]}
