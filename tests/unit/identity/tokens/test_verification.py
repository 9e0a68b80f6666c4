"""A verifier believes what the issuing side signs, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import string
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from roadstead import base64url
from roadstead.identity.access import Access
from roadstead.identity.tokens import jose, verification
from roadstead.identity.tokens.granted import Granted
from roadstead.identity.tokens.jose import PublicKey, thumbprint
from roadstead.identity.tokens.signing import raw_signature
from roadstead.identity.tokens.verification import Caller, ExpiredToken, InvalidToken, TokenVerifier
from roadstead.trail.entries import ActorKind
from tests.unit.identity.parts import NOON, Clock, Harbour

Claims = dict[str, Any]
ACCESS = [Access.to("ships/galleon", "pull", "push")]


class Key:
    """A key pair that can sign anything."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.public = self.private.public_key()
        self.kid = thumbprint(self.public)

    def sign(self, message: bytes) -> bytes:
        return raw_signature(self.private.sign(message, ec.ECDSA(hashes.SHA256())))


TRUSTED, OTHER, STRANGER, SHORT = Key(), Key(), Key(), Key()


def claims(**changes: Any) -> Claims:
    """Good claims of a token; a change to None takes the claim away."""
    good = {
        "iss": "roadstead",
        "aud": "roadstead",
        "sub": "ada",
        "kind": "user",
        "iat": NOON,
        "nbf": NOON,
        "exp": NOON + 900,
        "jti": "id",
        "access": [access.as_claim() for access in ACCESS],
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def header(kid: str, /, **changes: Any) -> dict[str, Any]:
    good = {"alg": "ES256", "typ": "JWT", "kid": kid}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def direct(key: Key = TRUSTED, **changes: Any) -> str:
    return jose.compact(header(key.kid), claims(**changes), key.sign)


def certificate(
    by: Key = TRUSTED, for_: Key = SHORT, kid: str = "", typ: str = "roadstead-key+jwt", **changes: Any
) -> str:
    good = {
        "iss": "roadstead",
        "aud": "roadstead",
        "iat": NOON,
        "exp": NOON + 3600,
        "cnf": {"jwk": jose.public_jwk(for_.public)},
    }
    document = {name: value for name, value in {**good, **changes}.items() if value is not None}
    return jose.compact(header(kid or by.kid, typ=typ), document, by.sign)


def certified(crt: object, key: Key = SHORT, kid: str = "", **changes: Any) -> str:
    return jose.compact(header(kid or key.kid, crt=crt), claims(**changes), key.sign)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(clock: Clock) -> TokenVerifier:
    keys = {TRUSTED.kid: TRUSTED.public, OTHER.kid: OTHER.public}
    return TokenVerifier(lambda: keys, issuer="roadstead", service="roadstead", clock=clock)


CALLER = Caller("ada", ActorKind.USER, "id", Granted(tuple(ACCESS)), NOON + 900)


@pytest.mark.parametrize("key", [TRUSTED, OTHER], ids=["first", "second"])
def test_a_token_by_any_trusted_key_is_believed(verifier: TokenVerifier, key: Key) -> None:
    assert verifier.verify(direct(key)) == CALLER


@pytest.mark.parametrize("key", [TRUSTED, OTHER], ids=["first", "second"])
def test_a_token_by_a_certified_key_is_believed(verifier: TokenVerifier, key: Key) -> None:
    assert verifier.verify(certified(certificate(key))) == CALLER


def test_an_anonymous_token_is_nobodys(verifier: TokenVerifier) -> None:
    caller = verifier.verify(direct(sub="", kind="anonymous", access=[]))
    assert caller == Caller("", ActorKind.ANONYMOUS, "id", Granted(), NOON + 900)


def hs256_with_the_public_key() -> str:
    """The classic: the verifier's public key as the secret of a symmetric algorithm."""
    secret = TRUSTED.public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return jose.compact(
        header(TRUSTED.kid, alg="HS256"), claims(), lambda message: hmac.digest(secret, message, hashlib.sha256)
    )


def es384_certificate() -> str:
    """A certificate for a P-384 key."""
    numbers = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()
    jwk = {
        "kty": "EC",
        "crv": "P-384",
        "x": base64url.encode(numbers.x.to_bytes(48, "big")),
        "y": base64url.encode(numbers.y.to_bytes(48, "big")),
    }
    return certificate(cnf={"jwk": jwk})


def resigned(token: str, **changes: Any) -> str:
    """The token with other claims under its old signature."""
    head, _, signature = token.split(".")
    return f"{head}.{base64url.encode(json.dumps(claims(**changes)).encode())}.{signature}"


def stray(token: str) -> str:
    """The token with bits set that its last character has beyond the last byte of the signature."""
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) | 1]


FORGERIES: Mapping[str, Callable[[], str]] = {
    "empty": lambda: "",
    "no jws": lambda: "token",
    "two segments": lambda: direct().rpartition(".")[0],
    "five segments": lambda: direct() + ".a.b",
    "not ascii": lambda: "é.é.é",
    "not base64": lambda: "!." + direct().partition(".")[2],
    "header no object": lambda: f"{base64url.encode(b'[]')}.{direct().partition('.')[2]}",
    "header nested deeply": lambda: f"{base64url.encode(b'[' * 5000)}.a.b",
    "too long": lambda: direct(jti="x" * 8000),
    "alg none, no signature": lambda: jose.compact(header(TRUSTED.kid, alg="none"), claims(), lambda _: b""),
    "alg none, signed": lambda: jose.compact(header(TRUSTED.kid, alg="none"), claims(), TRUSTED.sign),
    "alg HS256 with the public key": hs256_with_the_public_key,
    "alg ES384": lambda: jose.compact(header(TRUSTED.kid, alg="ES384"), claims(), TRUSTED.sign),
    "alg absent": lambda: jose.compact(header(TRUSTED.kid, alg=None), claims(), TRUSTED.sign),
    "alg no string": lambda: jose.compact(header(TRUSTED.kid, alg=["ES256"]), claims(), TRUSTED.sign),
    "typ of a certificate": lambda: jose.compact(header(TRUSTED.kid, typ="roadstead-key+jwt"), claims(), TRUSTED.sign),
    "typ absent": lambda: jose.compact(header(TRUSTED.kid, typ=None), claims(), TRUSTED.sign),
    "crit": lambda: jose.compact(header(TRUSTED.kid, crit=["b64"], b64=True), claims(), TRUSTED.sign),
    "kid unknown": lambda: direct(STRANGER),
    "kid absent": lambda: jose.compact(header("", kid=None), claims(), TRUSTED.sign),
    "kid no string": lambda: jose.compact(header("", kid=7), claims(), TRUSTED.sign),
    "kid of a trusted key, signed by a stranger": lambda: jose.compact(header(TRUSTED.kid), claims(), STRANGER.sign),
    "kid of another trusted key": lambda: jose.compact(header(OTHER.kid), claims(), TRUSTED.sign),
    "key in the header": lambda: jose.compact(
        header(STRANGER.kid, jwk=jose.public_jwk(STRANGER.public)), claims(), STRANGER.sign
    ),
    "claims changed": lambda: resigned(direct(), sub="mallory"),
    "signature cut": lambda: direct()[:-4],
    "signature all zero": lambda: jose.compact(header(TRUSTED.kid), claims(), lambda _: bytes(64)),
    "signature in DER": lambda: jose.compact(
        header(TRUSTED.kid), claims(), lambda message: TRUSTED.private.sign(message, ec.ECDSA(hashes.SHA256()))
    ),
    "payload no object": lambda: jose.compact(header(TRUSTED.kid), [], TRUSTED.sign),  # type: ignore[arg-type]
    "payload no json": lambda: _signed(header(TRUSTED.kid), b"claims"),
    "payload nested deeply": lambda: _signed(header(TRUSTED.kid), b"[" * 5000),
    "iss wrong": lambda: direct(iss="somebody"),
    "iss absent": lambda: direct(iss=None),
    "aud wrong": lambda: direct(aud="another"),
    "aud absent": lambda: direct(aud=None),
    "aud a list": lambda: direct(aud=["roadstead", "another"]),
    "sub absent": lambda: direct(sub=None),
    "jti absent": lambda: direct(jti=None),
    "kind unknown": lambda: direct(kind="emperor"),
    "kind absent": lambda: direct(kind=None),
    "anonymous with a name": lambda: direct(kind="anonymous"),
    "user without a name": lambda: direct(sub=""),
    "exp absent": lambda: direct(exp=None),
    "exp a string": lambda: direct(exp=str(NOON + 900)),
    "exp true": lambda: direct(exp=True),
    "exp past": lambda: direct(iat=NOON - 900, exp=NOON - 60),
    "exp before iat": lambda: direct(iat=NOON + 30, exp=NOON + 30),
    "nbf absent": lambda: direct(nbf=None),
    "nbf in the future": lambda: direct(nbf=NOON + 61),
    "iat absent": lambda: direct(iat=None),
    "iat in the future": lambda: direct(iat=NOON + 61),
    "access absent": lambda: direct(access=None),
    "sets no list": lambda: direct(sets={"acme": "AAAA"}),
    "set of five members": lambda: direct(sets=[["acme", 3, "AAAAAA", ["ships/**"], 1]]),
    "set without a pattern": lambda: direct(sets=[["acme", 3, "AAAAAA", []]]),
    "exp more than half an hour after iat": lambda: direct(iat=NOON - 1, exp=NOON + 1800),
    "expires in a year": lambda: direct(exp=NOON + 365 * 86400),
    "forged beside an expired certificate": lambda: certified(
        certificate(iat=NOON - 3700, exp=NOON - 100), STRANGER, SHORT.kid
    ),
    "signature with stray bits": lambda: stray(direct()),
    "signature with padding": lambda: direct() + "==",
    "claims with stray bits": lambda: resigned(direct()).replace(".", "=.", 1),
    "certificate with stray bits": lambda: certified(stray(certificate())),
    "access no list": lambda: direct(access={"type": "repository"}),
    "access of strings": lambda: direct(access=["repository:a/b:pull"]),
    "access without actions": lambda: direct(access=[{"type": "repository", "name": "a/b"}]),
    "certificate by a stranger": lambda: certified(certificate(STRANGER)),
    "certificate by a stranger in a trusted name": lambda: certified(certificate(STRANGER, kid=TRUSTED.kid)),
    "certificate signed by the key that it certifies": lambda: certified(certificate(SHORT)),
    "certificate of typ JWT": lambda: certified(certificate(typ="JWT")),
    "kid of another key than the certificate's": lambda: certified(certificate(), kid=OTHER.kid),
    "certificate for another key": lambda: certified(certificate(for_=OTHER)),
    "certificate for another key, named by the kid": lambda: certified(certificate(for_=OTHER), kid=OTHER.kid),
    "certificate for a key of another curve": lambda: certified(es384_certificate()),
    "certificate without cnf": lambda: certified(certificate(cnf=None)),
    "certificate with cnf of another form": lambda: certified(certificate(cnf={"kid": SHORT.kid})),
    "certificate expired": lambda: certified(certificate(iat=NOON - 3600, exp=NOON - 60), exp=NOON - 60, iat=NOON - 90),
    "certificate expires before the token": lambda: certified(certificate(exp=NOON + 899)),
    "certificate from the future": lambda: certified(certificate(iat=NOON + 61)),
    "certificate longer than an hour": lambda: certified(certificate(exp=NOON + 3601)),
    "certificate expires before it was issued": lambda: certified(
        certificate(iat=NOON + 30, exp=NOON + 20), exp=NOON + 10
    ),
    "certificate of another issuer": lambda: certified(certificate(iss="somebody")),
    "certificate for another service": lambda: certified(certificate(aud="another")),
    "certificate no string": lambda: certified({"jwk": jose.public_jwk(SHORT.public)}),
    "certificate empty": lambda: certified(""),
    "a token as the certificate": lambda: certified(direct(cnf={"jwk": jose.public_jwk(SHORT.public)})),
    "a certificate as the token": certificate,
    "certificate by a certified key": lambda: certified(certificate(SHORT, for_=STRANGER), STRANGER),
}


def _signed(head: Mapping[str, Any], payload: bytes) -> str:
    signed = f"{base64url.encode(json.dumps(head).encode())}.{base64url.encode(payload)}"
    return f"{signed}.{base64url.encode(TRUSTED.sign(signed.encode()))}"


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_is_refused(verifier: TokenVerifier, forgery: str) -> None:
    # The genuine ones first, so that no cache can be what refuses, nor what lets through.
    assert verifier.verify(certified(certificate())) == verifier.verify(direct())
    with pytest.raises(InvalidToken):
        verifier.verify(FORGERIES[forgery]())


def test_every_changed_character_of_a_token_is_noticed(verifier: TokenVerifier) -> None:
    token = direct()
    for place in range(len(token) - 1):  # the last character has bits that base64url does not use
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(InvalidToken):
            verifier.verify(changed)


def test_clocks_may_differ_by_a_minute(verifier: TokenVerifier, clock: Clock) -> None:
    token, by_certificate = direct(), certified(certificate(exp=NOON + 900))
    for now, is_good in ((NOON - 61, False), (NOON - 60, True), (NOON + 959, True), (NOON + 960, False)):
        clock.now = now
        for each in (token, by_certificate):
            if is_good:
                assert verifier.verify(each).subject == "ada"
            else:
                with pytest.raises(InvalidToken):
                    verifier.verify(each)


def test_a_cached_certificate_still_expires(verifier: TokenVerifier, clock: Clock) -> None:
    crt = certificate()
    assert verifier.verify(certified(crt))
    clock.now = NOON + 3660
    with pytest.raises(InvalidToken):
        verifier.verify(certified(crt, iat=NOON + 3600, nbf=NOON + 3600, exp=NOON + 4500))


def test_the_certificates_that_verified_are_bounded_in_number(verifier: TokenVerifier) -> None:
    for number in range(300):
        assert verifier.verify(certified(certificate(jti=number)))
    assert len(verifier._certificates) == 256


def test_an_unverified_certificate_is_not_kept(verifier: TokenVerifier) -> None:
    for number in range(10):
        with pytest.raises(InvalidToken):
            verifier.verify(certified(certificate(STRANGER, jti=number)))
    assert verifier._certificates == {}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The JWS whose signatures were verified."""
    seen: list[str] = []
    real = verification._signed_claims

    def signed_claims(read: jose.Jws, key: PublicKey) -> dict[str, Any]:
        seen.append(f"{read.signed.decode()}.{base64url.encode(read.signature)}")
        return real(read, key)

    monkeypatch.setattr(verification, "_signed_claims", signed_claims)
    return seen


def test_a_token_that_verified_is_known_until_it_expires(
    verifier: TokenVerifier, clock: Clock, counted: list[str]
) -> None:
    token = direct()
    for now in (NOON, NOON + 1, NOON + 959):
        clock.now = now
        assert verifier.verify(token) == CALLER
    assert counted == [token]
    clock.now = NOON + 960
    for _ in range(2):
        with pytest.raises(ExpiredToken):
            verifier.verify(token)


def test_a_known_token_is_not_good_before_its_time_when_the_clock_is_set_back(
    verifier: TokenVerifier, clock: Clock
) -> None:
    token = direct(nbf=NOON + 600)
    clock.now = NOON + 600
    assert verifier.verify(token)
    clock.now = NOON + 539
    with pytest.raises(InvalidToken, match="not valid yet"):
        verifier.verify(token)


def test_a_refused_token_is_refused_anew_each_time(verifier: TokenVerifier, counted: list[str]) -> None:
    token = direct(aud="somebody else")
    for _ in range(3):
        with pytest.raises(InvalidToken, match="another service"):
            verifier.verify(token)
    assert counted == [token] * 3


def test_the_tokens_that_verified_are_bounded_in_number(verifier: TokenVerifier, counted: list[str]) -> None:
    first = direct()
    for token in [first, *(direct(jti=str(number)) for number in range(512))]:
        assert verifier.verify(token)
    assert len(counted) == 513
    assert verifier.verify(first) == CALLER
    assert len(counted) == 514


class Provider:
    """Answers the keys, after a failure if one is wanted; counts."""

    def __init__(self, *, failures: int = 0) -> None:
        self.failures = failures
        self.calls = 0

    def __call__(self) -> Mapping[str, PublicKey]:
        self.calls += 1
        if self.calls <= self.failures:
            raise ConnectionError("KMS is away")
        return {TRUSTED.kid: TRUSTED.public}


def test_the_keys_are_asked_for_once_and_not_before_they_are_needed() -> None:
    provider = Provider()
    verifier = TokenVerifier(provider, issuer="roadstead", service="roadstead", clock=Clock())
    assert provider.calls == 0
    for _ in range(3):
        verifier.verify(direct())
        verifier.verify(certified(certificate()))
    assert provider.calls == 1


def test_unknown_keys_are_no_reason_to_ask_again() -> None:
    provider = Provider()
    verifier = TokenVerifier(provider, issuer="roadstead", service="roadstead", clock=Clock())
    for key in (STRANGER, OTHER, STRANGER):
        with pytest.raises(InvalidToken):
            verifier.verify(direct(key))
    assert provider.calls == 1


def test_nonsense_asks_for_no_keys() -> None:
    provider = Provider()
    verifier = TokenVerifier(provider, issuer="roadstead", service="roadstead", clock=Clock())
    for nonsense in ("", "a.b.c", hs256_with_the_public_key()):
        with pytest.raises(InvalidToken):
            verifier.verify(nonsense)
    assert provider.calls == 0


def test_a_failure_to_get_the_keys_passes_through_and_is_not_remembered() -> None:
    provider = Provider(failures=1)
    verifier = TokenVerifier(provider, issuer="roadstead", service="roadstead", clock=Clock())
    with pytest.raises(ConnectionError):
        verifier.verify(direct())
    assert verifier.verify(direct()) == CALLER
    assert provider.calls == 2


def test_a_kid_is_a_thumbprint_of_32_bytes() -> None:
    head = json.loads(base64.urlsafe_b64decode(direct().partition(".")[0] + "=="))
    assert len(base64url.decode(head["kid"])) == 32


@pytest.mark.parametrize("is_direct", [False, True], ids=["certified", "direct"])
def test_a_token_stays_good_through_a_rotation_of_the_signing_key(is_direct: bool) -> None:
    before = Harbour(direct=is_direct, trusted=("one",))
    old = before.issue(None).minted.token
    during = Harbour(direct=is_direct, keys=before.keys, trusted=("two", "one"))
    new = during.issue(None).minted.token
    after = Harbour(direct=is_direct, keys=before.keys, trusted=("two",))

    assert during.verifier.verify(old) and during.verifier.verify(new) and after.verifier.verify(new)
    with pytest.raises(InvalidToken):
        after.verifier.verify(old)
    with pytest.raises(InvalidToken):
        before.verifier.verify(new)


def test_verifying_loads_nothing_of_the_issuing_side() -> None:
    program = "import sys, roadstead.identity.tokens.verification; print(*sorted(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    ours = {name.removeprefix("roadstead.identity.") for name in modules if name.startswith("roadstead.identity.")}
    tokens = {f"tokens.{name}" for name in ("granted", "jose", "signing", "verification")}
    assert ours == {"access", "limits", "tokens"} | tokens
    assert not {"boto3", "botocore"} & set(modules)
