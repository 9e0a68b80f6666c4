"""The form of upload tokens, which the edge function reads too, and of their keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest

from roadstead.content.uploads.token import UploadKeys, UploadToken, decode_upload_token
from roadstead.names import RepositoryName

KEYS = UploadKeys("k1", {"k1": b"1" * 32})
TOKEN = UploadToken(RepositoryName("a/b"), "ab" * 16, "ada", "user", "t1", 1_800_000_000)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(payload: bytes, key: bytes = b"1" * 32) -> str:
    text = f"k1.{encoded(payload)}"
    return f"{text}.{encoded(hmac.new(key, text.encode(), hashlib.sha256).digest())}"


def decode(text: str) -> UploadToken:
    return decode_upload_token(text, KEYS, now=0, repository="a/b", upload_id="ab" * 16)


def test_a_token_has_the_documented_form() -> None:
    payload = {"r": "a/b", "i": "ab" * 16, "s": "ada", "k": "user", "j": "t1", "e": 1_800_000_000}
    assert TOKEN.encode(KEYS) == signed(json.dumps(payload, separators=(",", ":")).encode())


def test_flags_are_absent_unless_set() -> None:
    whole = UploadToken(
        **{name: getattr(TOKEN, name) for name in TOKEN.__slots__} | {"chunked": True, "algorithm": "sha512"}
    )
    payload = json.loads(base64.urlsafe_b64decode(whole.encode(KEYS).split(".")[1] + "=="))
    assert (payload["c"], payload["a"]) == (1, "sha512")
    assert decode(whole.encode(KEYS)) == whole


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"1", b"null", b"{}", b'{"r":"a/b"}', b"\xff"])
def test_a_signed_but_unreadable_token_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        decode(signed(payload))


@pytest.mark.parametrize(
    "text", ["", ".", "..", "k1", "k1.", "k1..", ".e30.x", "k2.e30.x", "\ud800.e30.x", "k1.e30.\ud800"]
)
def test_a_token_with_a_wrong_mac_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        decode(text)


def test_a_mac_by_the_zero_key_is_refused() -> None:
    text = f"unknown.{encoded(b'{}')}"
    mac = encoded(hmac.new(b"\0" * 32, text.encode(), hashlib.sha256).digest())
    with pytest.raises(ValueError, match="not made by this registry"):
        decode(f"{text}.{mac}")


def keys_of(**fields: Any) -> str:
    return json.dumps({"current": "k1", "keys": {"k1": base64.b64encode(b"1" * 32).decode()}, **fields})


def test_keys_are_read_from_json() -> None:
    assert UploadKeys.from_json(keys_of()) == KEYS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        keys_of(keys=[]),
        keys_of(keys={}),
        keys_of(keys={"k1": 1}),
        keys_of(keys={"k1": "!"}),
        keys_of(keys={"k1": base64.b64encode(b"1" * 31).decode()}),
        keys_of(current="k2"),
        keys_of(current=["k1"]),
        keys_of(current=None),
        # A dot parts the id from the payload: no token by such a key could ever be read.
        keys_of(current="k.1", keys={"k.1": base64.b64encode(b"1" * 32).decode()}),
        keys_of(current="", keys={"": base64.b64encode(b"1" * 32).decode()}),
    ],
)
def test_keys_of_another_shape_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="upload keys"):
        UploadKeys.from_json(text)


def test_the_repr_of_keys_hides_them() -> None:
    assert repr(KEYS) == "UploadKeys(current='k1', ids=['k1'])"
    assert "1111" not in f"{KEYS} {KEYS!r}"


def test_a_token_takes_bodies_for_less_long_than_it_lives() -> None:
    token = replace(TOKEN, bodies_until=TOKEN.expires - 100)
    read = decode(token.encode(KEYS))
    assert read == token
    assert [read.takes_body(now) for now in (TOKEN.expires - 101, TOKEN.expires - 100)] == [True, False]
    assert [TOKEN.takes_body(now) for now in (TOKEN.expires - 1, TOKEN.expires)] == [True, False]
