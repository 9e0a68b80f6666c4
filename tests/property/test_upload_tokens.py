"""Upload tokens: what was signed is read, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadstead.content.uploads.token import UploadKeys, UploadToken, decode_upload_token, is_upload_id
from roadstead.names import RepositoryName

KEYS = UploadKeys("one", {"one": b"1" * 32, "two": b"2" * 32})
ids = st.text("0123456789abcdef", min_size=32, max_size=32)
tokens = st.builds(
    UploadToken,
    repository=st.sampled_from([RepositoryName("a"), RepositoryName("ships/galleon")]),
    upload_id=ids,
    actor_name=st.text(max_size=20),
    actor_kind=st.sampled_from(["user", "robot", "anonymous"]),
    token_id=st.text(max_size=20),
    expires=st.integers(1, 2**40),
    chunked=st.booleans(),
    algorithm=st.sampled_from([None, "sha256", "sha512"]),
)


def decoded(text: str, token: UploadToken, keys: UploadKeys = KEYS, *, now: float = 0) -> UploadToken:
    return decode_upload_token(text, keys, now=now, repository=token.repository, upload_id=token.upload_id)


@given(tokens)
def test_a_token_is_read_as_it_was_written(token: UploadToken) -> None:
    text = token.encode(KEYS)
    assert decoded(text, token) == token
    assert all(character.isascii() and (character.isalnum() or character in "-_.") for character in text)


@given(tokens, st.integers(0), st.integers(0, 7))
def test_a_token_with_any_flipped_bit_is_refused(token: UploadToken, place: int, bit: int) -> None:
    data = bytearray(token.encode(KEYS).encode())
    data[place % len(data)] ^= 1 << bit
    with pytest.raises(ValueError, match="upload"):
        decoded(data.decode("latin-1"), token)


@given(tokens, st.integers(0), st.text("abcAZ019-_.=", min_size=1, max_size=3))
def test_a_token_with_any_insertion_is_refused(token: UploadToken, place: int, more: str) -> None:
    text = token.encode(KEYS)
    place %= len(text) + 1
    with pytest.raises(ValueError, match="upload"):
        decoded(text[:place] + more + text[place:], token)


@given(tokens, st.integers(0))
def test_a_part_of_a_token_is_refused(token: UploadToken, place: int) -> None:
    text = token.encode(KEYS)
    with pytest.raises(ValueError, match="upload"):
        decoded(text[: place % len(text)], token)


@given(tokens, st.text(max_size=80))
def test_any_other_text_is_refused_with_a_message(token: UploadToken, text: str) -> None:
    with pytest.raises(ValueError, match="upload"):
        decoded(text, token)


@given(tokens)
def test_a_token_is_valid_until_its_expiry(token: UploadToken) -> None:
    text = token.encode(KEYS)
    assert decoded(text, token, now=token.expires - 1) == token
    with pytest.raises(ValueError, match="expired"):
        decoded(text, token, now=token.expires)


@given(tokens, tokens)
def test_a_token_is_valid_for_its_repository_and_upload_only(token: UploadToken, other: UploadToken) -> None:
    if (token.repository, token.upload_id) != (other.repository, other.upload_id):
        with pytest.raises(ValueError, match="another upload"):
            decoded(token.encode(KEYS), other)


@given(tokens)
def test_a_previous_key_is_trusted_until_it_is_removed(token: UploadToken) -> None:
    text = token.encode(KEYS)
    assert decoded(text, token, UploadKeys("two", KEYS.keys)) == token
    with pytest.raises(ValueError, match="not made by this registry"):
        decoded(text, token, UploadKeys("two", {"two": b"2" * 32}))
    with pytest.raises(ValueError, match="not made by this registry"):
        decoded(text, token, UploadKeys("one", {"one": b"2" * 32}))


@given(ids | st.text(max_size=40))
def test_upload_ids_are_32_lower_case_hex_digits(text: str) -> None:
    assert is_upload_id(text) == (len(text) == 32 and set(text) <= set("0123456789abcdef"))
