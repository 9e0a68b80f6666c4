"""Which key signs a token, and how long it may."""

from __future__ import annotations

import json
from typing import Any

import pytest

from roadstead.identity import jose
from roadstead.identity.access import Access, parse_scopes
from roadstead.identity.certificates import CertifiedSigning, TrustedKey
from roadstead.identity.directory import MAX_USER_NAME
from roadstead.identity.minting import MAX_ACCESS, MAX_LIFETIME, MAX_TOKEN, fits
from roadstead.names import MAX_SERVICE_NAME
from roadstead.trail.entries import ActorKind
from tests.memory.signing import MemoryKeys
from tests.unit.identity.parts import NOON, Clock, Harbour


def header(token: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(jose.decode_bytes(token.partition(".")[0]))
    return document


def payload(token: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(jose.decode_bytes(token.split(".")[1]))
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
    assert signing.key(NOON + MAX_LIFETIME) is signing.key(NOON + 1800 + MAX_LIFETIME)
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
def test_the_longest_token_stays_under_4_kb(direct: bool) -> None:
    harbour = Harbour(direct=direct, issuer="i" * MAX_SERVICE_NAME, service="s" * MAX_SERVICE_NAME, lifetime=1800)
    filled = _access_of(MAX_ACCESS)
    assert fits(filled)
    token = harbour.minter.mint("u" * MAX_USER_NAME, ActorKind.ANONYMOUS, filled).token
    assert len(token) < MAX_TOKEN


def _access_of(size: int) -> tuple[Access, ...]:
    """One entry, that many bytes as a claim."""
    empty = len(_claim((Access("x", "y", frozenset({""})),)))
    access = (Access("x", "y", frozenset({"z" * (size - empty)})),)
    assert len(_claim(access)) == size
    return access


def _claim(access: tuple[Access, ...]) -> str:
    return json.dumps([entry.as_claim() for entry in access], separators=(",", ":"))


def test_one_more_byte_does_not_fit() -> None:
    assert fits(_access_of(MAX_ACCESS))
    assert not fits(_access_of(MAX_ACCESS + 1))


def test_a_star_counts_as_all_that_it_may_become() -> None:
    access = (Access("repository", "n" * (MAX_ACCESS - 60), frozenset({"*"})),)
    assert len(_claim(access)) <= MAX_ACCESS
    assert not fits(access)


def test_what_fits_is_read_at_once() -> None:
    """The shortest entries that name different projects: the store reads two items for each, and two more, of 100."""
    scopes = [f"repository:{first}{second}/a:" for first in "abcdefghij" for second in "abcdefghij"]
    most = max(count for count in range(100) if fits(parse_scopes(scopes[:count])))
    assert 20 < most <= 49
