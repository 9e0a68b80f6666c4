"""Our reading of tokens accepts what PyJWT accepts, in the one spelling that we write, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import example, given
from hypothesis import strategies as st

from roadstead import base64url
from roadstead.identity.tokens.jose import Jws, compact
from roadstead.identity.tokens.signing import raw_signature

PRIVATE = ec.generate_private_key(ec.SECP256R1())
PUBLIC = PRIVATE.public_key()
ANOTHER = ec.generate_private_key(ec.SECP256R1()).public_key()
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
PYJWT = jwt.PyJWS(algorithms=["ES256"])

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
claims = st.dictionaries(st.text(max_size=12), values, max_size=6)


def sign(message: bytes) -> bytes:
    return raw_signature(PRIVATE.sign(message, ec.ECDSA(hashes.SHA256())))


def token(document: dict[str, Any]) -> str:
    return compact({"alg": "ES256", "typ": "JWT", "kid": "k"}, document, sign)


def ours(text: str, key: ec.EllipticCurvePublicKey = PUBLIC) -> bytes | None:
    """The payload, if it is signed."""
    try:
        read = Jws.read(text)
    except ValueError:
        return None
    return read.payload if read.is_signed_by(key) else None


def theirs(text: str, key: ec.EllipticCurvePublicKey = PUBLIC) -> bytes | None:
    try:
        payload: bytes = PYJWT.decode(text, key, algorithms=["ES256"])
    except (jwt.PyJWTError, ValueError):
        return None
    return payload


@given(claims)
def test_what_we_sign_both_read(document: dict[str, Any]) -> None:
    text = token(document)
    assert ours(text) == theirs(text) is not None
    assert json.loads(ours(text) or b"") == document
    assert ours(text, ANOTHER) is theirs(text, ANOTHER) is None


@given(claims, st.data())
def test_a_token_with_any_character_changed_is_refused(document: dict[str, Any], data: st.DataObject) -> None:
    text = token(document)
    place = data.draw(st.integers(0, len(text) - 1))
    character = data.draw(st.characters(min_codepoint=32, max_codepoint=0x17F).filter(lambda one: one != text[place]))
    assert ours(text[:place] + character + text[place + 1 :]) is None


@given(st.text(alphabet="eyJhbGciOi.-_=+/ A0", max_size=80))
@example("..")
@example("e30..")
@example("W10.e30.AA")
@example(base64url.encode(b"[" * 100_000) + ".e30.AA")
def test_what_we_accept_of_nonsense_is_nothing(text: str) -> None:
    assert ours(text) is None


@given(claims, st.binary(max_size=80))
@example({}, bytes(64))
@example({}, bytes(32) + (1).to_bytes(32, "big"))
@example({}, ORDER.to_bytes(32, "big") * 2)
@example({}, b"\xff" * 64)
def test_a_signature_that_is_none_is_refused_by_both(document: dict[str, Any], signature: bytes) -> None:
    text = f"{token(document).rpartition('.')[0]}.{base64url.encode(signature)}"
    assert ours(text) is theirs(text) is None


@given(claims)
def test_the_other_value_of_s_is_a_signature_too(document: dict[str, Any]) -> None:
    """ECDSA has two for each message. Neither is secret, and nothing here takes a signature for an identity."""
    text = token(document)
    signed, _, encoded = text.rpartition(".")
    signature = base64url.decode(encoded)
    other = signature[:32] + (ORDER - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")
    assert ours(f"{signed}.{base64url.encode(other)}") == theirs(f"{signed}.{base64url.encode(other)}") is not None
