"""Verifies bearer tokens, without a call to AWS once the trusted public keys are known.

A handful of keys is trusted, by thumbprint. A token is signed by one of them, or by a short-lived key whose certificate
(in the token's header) is; `tokens.jose` has the format of both. No claim is used before the signature over
it was verified with a key found that way, and the token never chooses the algorithm.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from roadstead.identity.tokens import jose
from roadstead.identity.tokens.granted import Granted
from roadstead.identity.tokens.jose import LEEWAY, Jws, PublicKey
from roadstead.recent import Recent
from roadstead.trail.entries import ActorKind

MAX_TOKEN = 8192  # characters; ours have at most 7,168
_CACHED_CERTIFICATES = 256  # one per environment of the token function in the last hour
_CACHED_TOKENS = 512  # a client sends one token with all requests of a pull or a push


class InvalidToken(Exception):
    """The token is invalid. The message is a sentence for a person."""


class ExpiredToken(InvalidToken):
    """The token, or its certificate, was valid and has expired."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified token's subject, and the access that it grants. `expires` is in seconds since the epoch."""

    subject: str  # the name of the user or robot, "" for an anonymous caller
    kind: ActorKind
    token_id: str
    granted: Granted
    expires: int
    subject_id: int = 0  # of a robot


@dataclass(frozen=True, slots=True)
class _Verified:
    caller: Caller
    begins: int  # seconds since the epoch: `iat`, or `nbf` if that is later


@dataclass(frozen=True, slots=True)
class _Certified:
    kid: str
    key: PublicKey
    issued: int
    expires: int


class TokenVerifier:
    """Verifies tokens for one service.

    `keys` returns the trusted public keys by `kid`. It is called once, at the first verification, and again only after
    it raised: a token with an unknown `kid` is invalid, never a reason to call again.
    """

    def __init__(
        self,
        keys: Callable[[], Mapping[str, PublicKey]],
        *,
        issuer: str,
        service: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._provide = keys
        self._issuer = issuer
        self._service = service
        self._clock = clock
        self._keys: Mapping[str, PublicKey] | None = None
        self._certificates: dict[str, _Certified] = {}
        self._verified: Recent[bytes, _Verified] = Recent(math.inf, _CACHED_TOKENS)

    def verify(self, token: str) -> Caller:
        """Return the token's caller. Raises InvalidToken, and what `keys` raises.

        A valid token is cached by its SHA-256 until it expires, which is no later than its certificate does; only the
        time is checked again. Invalid tokens are not cached.
        """
        if len(token) > MAX_TOKEN:
            raise InvalidToken("the token is too long")
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        verified = self._verified.get(digest, lambda: self._verify(token))
        now = self._clock()
        if verified.caller.expires + LEEWAY <= now:
            self._verified.forget(digest)
            raise ExpiredToken("the token has expired")
        if verified.begins > now + LEEWAY:
            raise InvalidToken("the token is not valid yet")
        return verified.caller

    def _verify(self, token: str) -> _Verified:
        read = _read(token, jose.TOKEN_TYPE)
        certificate = read.header.get(jose.CERTIFICATE)
        if certificate is None:
            claims = _signed_claims(read, self._trusted(read.header.get("kid")))
            return self._caller(claims, None)
        certified = self._certified(certificate)
        if read.header.get("kid") != certified.kid:
            raise InvalidToken("the token names another key than its certificate")
        claims = _signed_claims(read, certified.key)
        # After the signature: a forged token beside an expired certificate is a forgery, not an expired token.
        if certified.expires + LEEWAY <= self._clock():
            raise ExpiredToken("the token's certificate has expired")
        return self._caller(claims, certified.expires)

    def _caller(self, claims: Mapping[str, Any], latest: int | None) -> _Verified:
        self._check_origin(claims)
        issued, expires = self._check_times(claims)
        begins = max(issued, _number(claims, "nbf"))
        if begins > self._clock() + LEEWAY:
            raise InvalidToken("the token is not valid yet")
        if not 0 < expires - issued <= jose.TOKEN_LIFETIME:
            raise InvalidToken("the token expires before it was issued, or lives too long")
        if latest is not None and expires > latest:
            raise InvalidToken("the token outlives its certificate")
        subject, token_id = claims.get("sub"), claims.get("jti")
        if not (isinstance(subject, str) and isinstance(token_id, str)):
            raise InvalidToken("the token lacks sub or jti")
        try:
            kind = ActorKind(claims.get("kind", ""))
            granted = Granted.from_claims(claims)
        except ValueError as error:
            raise InvalidToken(f"the token's claims are malformed: {error}") from error
        if (kind is ActorKind.ANONYMOUS) != (subject == ""):
            raise InvalidToken("the token's claims are malformed")
        subject_id = _number(claims, "sub_id") if "sub_id" in claims else 0
        return _Verified(Caller(subject, kind, token_id, granted, expires, subject_id), begins)

    def _certified(self, certificate: object) -> _Certified:
        """Return the certified key. A certificate is verified once and cached; the caller checks its expiry."""
        if not isinstance(certificate, str):
            raise InvalidToken("the token's certificate is malformed")
        known = self._certificates.get(certificate)
        if known is None:
            known = self._verify_certificate(certificate)
            while len(self._certificates) >= _CACHED_CERTIFICATES:
                self._certificates.pop(next(iter(self._certificates)), None)
            self._certificates[certificate] = known
        return known

    def _verify_certificate(self, certificate: str) -> _Certified:
        read = _read(certificate, jose.CERTIFICATE_TYPE)
        claims = _signed_claims(read, self._trusted(read.header.get("kid")))
        self._check_origin(claims)
        issued, expires = _number(claims, "iat"), _number(claims, "exp")
        if issued > self._clock() + LEEWAY:
            raise InvalidToken("the token's certificate was issued in the future")
        if not 0 < expires - issued <= jose.CERTIFICATE_LIFETIME:
            raise InvalidToken("the token's certificate lives too long")
        confirmation = claims.get("cnf")
        try:
            key = jose.key_from_jwk(confirmation.get("jwk") if isinstance(confirmation, dict) else None)
        except ValueError as error:
            raise InvalidToken(f"the token's certificate is malformed: {error}") from error
        return _Certified(jose.thumbprint(key), key, issued, expires)

    def _trusted(self, kid: object) -> PublicKey:
        if self._keys is None:
            self._keys = dict(self._provide())
        key = self._keys.get(kid) if isinstance(kid, str) else None
        if key is None:
            raise InvalidToken("the token is signed by a key that is not trusted here")
        return key

    def _check_origin(self, claims: Mapping[str, Any]) -> None:
        if claims.get("iss") != self._issuer:
            raise InvalidToken("the token comes from another issuer")
        if claims.get("aud") != self._service:
            raise InvalidToken("the token is for another service")

    def _check_times(self, claims: Mapping[str, Any]) -> tuple[int, int]:
        """Return `iat` and `exp`. Raises ExpiredToken or InvalidToken unless now, with the leeway, is between them."""
        now = self._clock()
        issued, expires = _number(claims, "iat"), _number(claims, "exp")
        if expires + LEEWAY <= now:
            raise ExpiredToken("the token has expired")
        if issued > now + LEEWAY:
            raise InvalidToken("the token was issued in the future")
        return issued, expires


def _read(token: str, type_: str) -> Jws:
    """Return the JWS, whose unverified header only chooses among trusted keys."""
    if len(token) > MAX_TOKEN:
        raise InvalidToken("the token is too long")
    try:
        read = Jws.read(token)
    except ValueError as error:
        raise InvalidToken("the token is malformed") from error
    header = read.header
    if header.get("alg") != jose.ALGORITHM or header.get("typ") != type_ or "crit" in header or "b64" in header:
        raise InvalidToken("the token is of another kind than this registry accepts")
    return read


def _signed_claims(read: Jws, key: PublicKey) -> dict[str, Any]:
    if not read.is_signed_by(key):
        raise InvalidToken("the token's signature is wrong")
    try:
        claims = json.loads(read.payload)
    except (ValueError, RecursionError) as error:
        raise InvalidToken("the token is malformed") from error
    if not isinstance(claims, dict):
        raise InvalidToken("the token is malformed")
    return claims


def _number(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidToken(f"the token lacks {name}")
    return value
