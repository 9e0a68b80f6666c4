"""Identity tokens: what is accepted, and everything that only looks like it."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from roadstead import base64url
from roadstead.identity.providers import id_tokens
from roadstead.identity.providers.id_tokens import Expected, SigningKey, TokenInvalid, UnknownKey, parse_keys, verify
from tests.unit.identity.oidc_parts import CLIENT, ISSUER, RSA_KEY, Signer

NOW = 1_800_000_000
EXPECTED = Expected(ISSUER, CLIENT, "nonce")
CLAIMS: dict[str, Any] = {
    "iss": ISSUER, "sub": "1234", "aud": CLIENT, "iat": NOW, "exp": NOW + 300, "nonce": "nonce",
}  # fmt: skip
RS256 = Signer("RS256")


def keys(*signers: Signer, **more: Any) -> tuple[SigningKey, ...]:
    return parse_keys({"keys": [signer.jwk(**more) for signer in signers]})


def refused(token: str, known: tuple[SigningKey, ...] | None = None, expected: Expected = EXPECTED) -> str:
    with pytest.raises(TokenInvalid) as caught:
        verify(token, keys(RS256) if known is None else known, expected, NOW)
    return str(caught.value)


@pytest.mark.parametrize("algorithm", sorted(id_tokens.ALGORITHMS))
def test_each_algorithm_of_the_list_is_verified(algorithm: str) -> None:
    signer = Signer(algorithm)
    assert verify(signer.token(CLAIMS), keys(signer), EXPECTED, NOW)["sub"] == "1234"
    head, claims, signature = signer.token(CLAIMS).split(".")
    changed = base64url.encode(json.dumps({**CLAIMS, "sub": "root"}).encode())
    assert "signature" in refused(f"{head}.{changed}.{signature}", keys(signer))
    assert "signature" in refused(f"{head}.{claims}.{signature[:-8]}AAAAAAAA", keys(signer))
    assert "signature" in refused(f"{head}.{claims}.", keys(signer))


def test_no_signature_is_none() -> None:
    for algorithm in ("none", "None", "NONE", ""):
        head = base64url.encode(json.dumps({"alg": algorithm, "kid": "one"}).encode())
        body = base64url.encode(json.dumps(CLAIMS).encode())
        assert "algorithm" in refused(f"{head}.{body}.")


def test_a_public_key_is_not_a_secret_for_hmac() -> None:
    pem = RSA_KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    signed = ".".join(base64url.encode(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "one"}, CLAIMS))
    forged = f"{signed}.{base64url.encode(hmac.digest(pem, signed.encode(), 'sha256'))}"
    assert "algorithm" in refused(forged)


@pytest.mark.parametrize(("signs", "claims_to_be"), [("ES256", "RS256"), ("RS256", "ES256"), ("EdDSA", "RS256")])
def test_a_key_is_used_with_its_own_algorithms_only(signs: str, claims_to_be: str) -> None:
    signer = Signer(signs)
    with pytest.raises(UnknownKey):
        verify(signer.token(CLAIMS, alg=claims_to_be), keys(signer), EXPECTED, NOW)


def test_a_key_that_names_its_algorithm_has_no_other() -> None:
    pss = Signer("PS256")
    with pytest.raises(UnknownKey):
        verify(pss.token(CLAIMS), keys(RS256), EXPECTED, NOW)
    without = parse_keys({"keys": [{name: value for name, value in RS256.jwk().items() if name != "alg"}]})
    assert verify(pss.token(CLAIMS), without, EXPECTED, NOW)


@pytest.mark.parametrize(
    "header",
    [{"crit": ["exp"]}, {"cty": "JWT"}, {"enc": "A256GCM"}, {"alg": ["RS256"]}, {"alg": None}, {"alg": {"a": 1}}],
)
def test_nested_encrypted_and_odd_headers_are_refused(header: dict[str, Any]) -> None:
    refused(RS256.token(CLAIMS, **header))


def test_a_key_in_the_header_is_not_looked_at() -> None:
    mine = Signer("RS256", "mine", rsa.generate_private_key(65_537, 2_048))
    with pytest.raises(UnknownKey):
        verify(mine.token(CLAIMS, jwk=mine.jwk(), jku="https://attacker.example"), keys(RS256), EXPECTED, NOW)
    forged = Signer("RS256", "one", mine.key)
    assert "signature" in refused(forged.token(CLAIMS, jwk=mine.jwk()))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"iss": "https://other.example"}, "another issuer"),
        ({"iss": ISSUER + "/"}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"aud": "other"}, "not for"),
        ({"aud": []}, "not for"),
        ({"aud": None}, "not for"),
        ({"aud": {CLIENT: 1}}, "not for"),
        ({"aud": [CLIENT, "other"]}, "several"),
        ({"aud": [CLIENT, "other"], "azp": "other"}, "several"),
        ({"sub": ""}, "subject"),
        ({"sub": 1}, "subject"),
        ({"sub": "x" * 256}, "subject"),
        ({"exp": NOW - 60}, "expired"),
        ({"exp": None}, "exp"),
        ({"exp": "tomorrow"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": 1e300}, "exp"),
        ({"iat": NOW + 61}, "future"),
        ({"nbf": NOW + 61}, "future"),
        ({"nbf": "x"}, "nbf"),
        ({"iat": NOW - 86_400}, "more than a day"),
        ({"nonce": "other"}, "not of this sign-in"),
        ({"nonce": None}, "not of this sign-in"),
        ({"nonce": ["nonce"]}, "not of this sign-in"),
    ],
)
def test_a_claim_that_is_not_as_expected_is_named(change: dict[str, Any], words: str) -> None:
    assert words in refused(RS256.token({**CLAIMS, **change}))


@pytest.mark.parametrize(
    "change",
    [
        {"exp": NOW - 59},
        {"iat": NOW + 60},
        {"nbf": NOW + 60},
        {"aud": [CLIENT]},
        {"aud": [CLIENT, "other"], "azp": CLIENT},
        {"exp": NOW + 0.5},
    ],
)
def test_clocks_may_differ_by_a_minute(change: dict[str, Any]) -> None:
    assert verify(RS256.token({**CLAIMS, **change}), keys(RS256), EXPECTED, NOW)


def test_a_token_without_a_key_id_needs_a_set_of_one() -> None:
    token = RS256.token(CLAIMS, kid=None)
    assert verify(token, keys(RS256), EXPECTED, NOW)
    other = Signer("RS256", "two", rsa.generate_private_key(65_537, 2_048))
    assert "name its key" in refused(token, keys(RS256, other))


def test_large_and_deep_tokens_are_refused_before_anything_is_parsed() -> None:
    assert "characters" in refused(RS256.token({**CLAIMS, "more": "x" * 20_000}))
    deep = base64url.encode(("[" * 5_000 + "]" * 5_000).encode())
    head = base64url.encode(b'{"alg":"RS256"}')
    refused(f"{head}.{deep}.AAAA")
    refused(f"{deep}.{head}.AAAA")


def test_a_claim_that_stands_twice_is_refused() -> None:
    head = base64url.encode(b'{"alg":"RS256","kid":"one"}')
    body = base64url.encode(b'{"sub":"a","sub":"b"}')
    assert "signed token" in refused(f"{head}.{body}.AAAA")


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b", "a.b.c.d", "a.b.c.d.e", "ä.ö.ü", "====.====.====", "x" * 16_385]
)
def test_what_is_no_token_is_refused(token: str) -> None:
    refused(token)


@given(st.text(max_size=200))
def test_no_text_is_a_token_or_an_accident(text: str) -> None:
    with pytest.raises(TokenInvalid):
        verify(text, keys(RS256), EXPECTED, NOW)


_SIMPLE = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9)
_NAMES = st.sampled_from(["iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "azp", "x"])


@given(st.dictionaries(_NAMES, st.recursive(_SIMPLE, lambda one: st.lists(one, max_size=3))))
def test_signed_claims_of_any_shape_are_refused_by_a_sentence(claims: dict[str, Any]) -> None:
    signer = _ED25519
    with pytest.raises(TokenInvalid):
        verify(signer.token(claims), keys(signer), EXPECTED, NOW)


_ED25519 = Signer("EdDSA")


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "RSA", "n": base64url.encode(b"\x01" * 128), "e": "AQAB"},
        {"kty": "RSA", "n": base64url.encode(b"\xff" * 2_048), "e": "AQAB"},
        {"kty": "RSA", "n": "!", "e": "AQAB"},
        {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
        {"kty": "EC", "crv": "secp256k1", "x": "AAAA", "y": "AAAA"},
        {"kty": "OKP", "crv": "X25519", "x": base64.urlsafe_b64encode(b"x" * 32).decode()},
        {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
        {**RS256.jwk(), "use": "enc"},
        {**RS256.jwk(), "kid": 1},
        "key",
    ],
)
def test_keys_that_cannot_be_used_are_left_out(jwk: Any) -> None:
    assert [one.id for one in parse_keys({"keys": [jwk, RS256.jwk()]})] == ["one"]


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, {"keys": [{}] * 101}])
def test_what_is_no_set_of_keys_is_an_error(document: Any) -> None:
    with pytest.raises(ValueError, match="not a JWK set"):
        parse_keys(document)
