from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from roadstead import base64url
from roadstead.identity.tokens.jose import key_from_jwk, public_jwk, thumbprint, trusted_keys
from tests.memory.signing import MemoryKeys

# RFC 7515 appendix A.3.1, without its private half.
JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}


def test_a_key_survives_its_jwk() -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert key_from_jwk(public_jwk(key)) == key
    assert public_jwk(key_from_jwk(JWK)) == JWK


def test_the_thumbprint_of_a_known_key() -> None:
    # SHA-256 over the required members in lexicographic order, without white space (RFC 7638 section 3).
    canonical = f'{{"crv":"P-256","kty":"EC","x":"{JWK["x"]}","y":"{JWK["y"]}"}}'
    assert base64url.decode(thumbprint(key_from_jwk(JWK))) == hashlib.sha256(canonical.encode()).digest()
    assert thumbprint(key_from_jwk(JWK)) == "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"


@pytest.mark.parametrize(
    "jwk",
    [
        None,
        "a string",
        {},
        {**JWK, "kty": "RSA"},
        {**JWK, "crv": "P-384"},
        {**JWK, "x": 5},
        {key: value for key, value in JWK.items() if key != "y"},
        {**JWK, "x": JWK["x"][:-4]},
        {**JWK, "x": "not base64url!"},
        {**JWK, "y": JWK["x"]},  # off the curve
    ],
)
def test_what_is_no_p256_key_is_refused(jwk: object) -> None:
    with pytest.raises(ValueError):
        key_from_jwk(jwk)


def test_trusted_keys_are_named_by_thumbprint() -> None:
    keys = MemoryKeys("one", "two")
    assert trusted_keys(keys, ["one", "two"]) == {
        thumbprint(keys.public_key("one")): keys.public_key("one"),
        thumbprint(keys.public_key("two")): keys.public_key("two"),
    }
