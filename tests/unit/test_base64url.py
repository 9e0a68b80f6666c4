"""base64url without padding."""

from __future__ import annotations

import pytest

from roadstead import base64url


@pytest.mark.parametrize("data", [b"", b"a", b"ab", b"abc", b"\xfb\xff\xfe"])
def test_decoding_returns_the_encoded_bytes(data: bytes) -> None:
    text = base64url.encode(data)
    assert "=" not in text
    assert base64url.decode(text) == data


@pytest.mark.parametrize("text", ["YQ==", "YQ=", "a", "+/+/", "YW J", "é", "YR"])
def test_any_other_text_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        base64url.decode(text)
