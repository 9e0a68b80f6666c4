"""Which key signs a token, and how long it may."""

from __future__ import annotations

import json
from typing import Any

import pytest

from roadstead import base64url
from roadstead.documents import compact
from roadstead.identity.access import Access
from roadstead.identity.directory import MAX_USER_NAME
from roadstead.identity.tokens import jose
from roadstead.identity.tokens.certificates import CertifiedSigning, TrustedKey
from roadstead.identity.tokens.granted import MAX_ACCESS, MAX_SETS
from roadstead.identity.tokens.jose import TOKEN_LIFETIME
from roadstead.identity.tokens.minting import MAX_TOKEN
from roadstead.names import MAX_SERVICE_NAME
from roadstead.trail.entries import ActorKind
from tests.memory.signing import MemoryKeys
from tests.unit.identity.parts import NOON, Clock, Harbour


def header(token: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(base64url.decode(token.partition(".")[0]))
    return document


def by_name(size: int) -> tuple[Access, ...]:
    """One entry, that many bytes as a claim."""
    empty = len(compact([Access("x", "y", frozenset({""})).as_claim()]))
    access = (Access("x", "y", frozenset({"z" * (size - empty)})),)
    assert len(compact([access[0].as_claim()])) == size
    return access


def as_sets(size: int) -> tuple[Access, ...]:
    """As many repositories as fit, in one project."""
    return tuple(Access.to(f"acme/repository-{number}", "pull", "push") for number in range((size - 16) * 3 // 16))


def payload(token: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(base64url.decode(token.split(".")[1]))
    return document


def test_one_signature_of_the_trusted_key_serves_many_tokens() -> None:
    harbour = Harbour()
    for _ in range(10):
        assert harbour.caller(None).kind is ActorKind.ANONYMOUS
    assert harbour.keys.signatures == 1


def test_a_certificate_is_made_when_it_is_first_needed() -> None:
    assert Harbour().keys.signatures == 0


def test_the_certificate_says_what_rfc_7800_has_it_say() -> None:
    harbour = Harbour()
    token = harbour.issue(None).minted.token
    certificate = header(token)["crt"]
    kid = jose.thumbprint(harbour.keys.public_key("one"))
    assert header(certificate) == {"alg": "ES256", "typ": "roadstead-key+jwt", "kid": kid}
    claims = payload(certificate)
    assert (claims["iss"], claims["aud"]) == ("roadstead", "roadstead")
    assert (claims["iat"], claims["exp"]) == (NOON, NOON + 3600)
    assert header(token)["kid"] == jose.thumbprint(jose.key_from_jwk(claims["cnf"]["jwk"])) != kid


def test_no_token_outlives_its_certificate() -> None:
    harbour = Harbour(lifetime=900)
    for minute in range(200):
        harbour.clock.now = NOON + 60 * minute
        token = harbour.issue(None).minted.token
        assert payload(token)["exp"] == harbour.clock.now + 900 <= payload(header(token)["crt"])["exp"]
        assert harbour.verifier.verify(token)
    # A certificate is used for the 45 minutes that leave its last token 15.
    assert harbour.keys.signatures == 5


def test_the_longest_lifetime_leaves_a_certificate_in_use_for_half_an_hour() -> None:
    signing = CertifiedSigning(
        TrustedKey("one", keys := MemoryKeys("one"), keys), issuer="roadstead", service="roadstead", clock=Clock()
    )
    assert signing.key(NOON + TOKEN_LIFETIME) is signing.key(NOON + 1800 + TOKEN_LIFETIME)
    assert signing.key(NOON + 3600) is not signing.key(NOON + 3601)


def test_a_new_certificate_is_for_a_new_key() -> None:
    harbour = Harbour()
    first = header(harbour.issue(None).minted.token)["kid"]
    harbour.clock.now += 3600
    assert header(harbour.issue(None).minted.token)["kid"] != first


def test_each_process_has_a_key_of_its_own() -> None:
    first, second = Harbour(), Harbour()
    assert header(first.issue(None).minted.token)["kid"] != header(second.issue(None).minted.token)["kid"]


def test_in_direct_mode_the_trusted_key_signs_every_token() -> None:
    harbour = Harbour(direct=True)
    for _ in range(3):
        token = harbour.issue(None).minted.token
        assert harbour.verifier.verify(token)
    assert header(token) == {
        "alg": "ES256",
        "typ": "JWT",
        "kid": jose.thumbprint(harbour.keys.public_key("one")),
    }
    assert harbour.keys.signatures == 3


def test_the_first_of_several_trusted_keys_signs() -> None:
    harbour = Harbour(direct=True, trusted=("two", "one"))
    kid = header(harbour.issue(None).minted.token)["kid"]
    assert kid == jose.thumbprint(harbour.keys.public_key("two"))


@pytest.mark.parametrize("direct", [False, True], ids=["certified", "direct"])
@pytest.mark.parametrize("access", [by_name(MAX_ACCESS), as_sets(MAX_SETS)], ids=["by-name", "as-sets"])
def test_the_longest_token_has_7168_characters(access: tuple[Access, ...], direct: bool) -> None:
    harbour = Harbour(direct=direct, issuer="i" * MAX_SERVICE_NAME, service="s" * MAX_SERVICE_NAME, lifetime=1800)
    token = harbour.minter.mint("u" * 2 * MAX_USER_NAME, ActorKind.ANONYMOUS, access).token
    assert len(token) <= MAX_TOKEN
