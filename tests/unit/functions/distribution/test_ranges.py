"""Ranges of inline blobs (RFC 9110 section 14)."""

from __future__ import annotations

import pytest

from functions.distribution.handlers.blobs import parse_range
from roadstead.errors import RegistryError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes=0-0", (0, 0)),
        ("bytes=500-1499", (500, 1499)),
        ("bytes=500-", (500, 1999)),
        ("bytes=-500", (1500, 1999)),
        ("bytes=-5000", (0, 1999)),
        ("bytes=0-1999", (0, 1999)),
        ("bytes=1000-5000", (1000, 1999)),
        (" bytes=1-2 ", (1, 2)),
    ],
)
def test_a_range_names_its_first_and_last_byte(text: str, expected: tuple[int, int]) -> None:
    assert parse_range(text, 2000) == expected


@pytest.mark.parametrize("text", ["bytes=2000-", "bytes=5000-10000", "bytes=500-0", "bytes=-0"])
def test_a_range_outside_the_blob_is_416_with_the_size(text: str) -> None:
    with pytest.raises(RegistryError) as error:
        parse_range(text, 2000)
    assert error.value.status == 416
    assert error.value.headers == (("Content-Range", "bytes */2000"),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bytes=",
        "bytes=-",
        "1-2",
        "bytes=0-1,3-4",
        "lines=0-1",
        "bytes=a-b",
        "bytes 0-1",
        "bytes=1--2",
        "bytes=\u0661-\u0662",
    ],
)
def test_anything_else_is_ignored(text: str) -> None:
    assert parse_range(text, 2000) is None


def test_the_empty_blob_has_no_range() -> None:
    for text in ("bytes=0-", "bytes=0-0", "bytes=-1"):
        with pytest.raises(RegistryError):
            parse_range(text, 0)
