"""Ranges: of inline blobs, and of chunks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from functions.distribution.handlers.blobs import parse_range
from roadstead.content.uploads.uploads import upload_range
from roadstead.errors import RegistryError

numbers = st.integers(0, 30) | st.integers(0, 10**19 - 1)


@given(numbers, numbers, st.binary(max_size=20))
def test_a_range_equals_a_slice(first: int, last: int, data: bytes) -> None:
    expected = data[first : last + 1] if first <= last else b""
    try:
        found = parse_range(f"bytes={first}-{last}", len(data))
    except RegistryError as error:
        assert error.status == 416
        assert expected == b""
    else:
        assert found is not None
        assert data[found[0] : found[1] + 1] == expected != b""


@given(numbers, st.binary(max_size=20))
def test_an_open_range_is_the_rest_and_a_suffix_range_the_end(number: int, data: bytes) -> None:
    for text, expected in (
        (f"bytes={number}-", data[number:]),
        (f"bytes=-{number}", data[-number:] if number else b""),
    ):
        try:
            found = parse_range(text, len(data))
        except RegistryError as error:
            assert error.status == 416
            assert expected == b""
        else:
            assert found is not None
            assert data[found[0] : found[1] + 1] == expected != b""


@given(st.text() | st.text("bytes=0123456789-, "), st.integers(0, 100))
def test_any_header_is_a_range_of_the_blob_or_ignored_or_416(text: str, size: int) -> None:
    try:
        found = parse_range(text, size)
    except RegistryError as error:
        assert error.status == 416
    else:
        assert found is None or 0 <= found[0] <= found[1] < size


@given(st.integers(0, 2**63))
def test_an_uploads_range_ends_before_its_offset(offset: int) -> None:
    first, last = map(int, upload_range(offset).split("-"))
    assert first == 0
    assert last == (offset - 1 if offset else 0)
