"""The keys that sign tokens: a key in memory with a certificate for an hour, or the configured key itself.

A KMS signature costs money, counts against the account's quota and takes milliseconds. In mode `certified`, KMS signs a
certificate every three quarters of an hour. The certificate holds the public key of a key pair that exists only in this
process, and that key pair signs the tokens. In mode `direct`, KMS signs every token.

Do not use SnapStart for a function that holds a CertifiedSigning: it would clone the key.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec

from roadstead.identity.tokens import jose
from roadstead.identity.tokens.signing import PublicKeys, Signer, raw_signature


class Mode(StrEnum):
    CERTIFIED = "certified"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key for tokens. `header` is the first segment of each; no token may live longer than `expires` (seconds, or
    None)."""

    header: str
    sign: Callable[[bytes], bytes] = field(repr=False)
    expires: int | None = None


class Signing(Protocol):
    def key(self, until: int) -> SigningKey:
        """Return a key whose tokens may live until `until` (seconds since the epoch, at most half an hour from now)."""
        ...


class TrustedKey:
    """The configured key, which signs certificates or tokens."""

    def __init__(self, key_id: str, signer: Signer, public_keys: PublicKeys) -> None:
        self._key_id = key_id
        self._signer = signer
        self._public_keys = public_keys
        self._kid: str | None = None

    def header(self, type_: str) -> dict[str, str]:
        if self._kid is None:
            self._kid = jose.thumbprint(self._public_keys.public_key(self._key_id))
        return {"alg": jose.ALGORITHM, "typ": type_, "kid": self._kid}

    def sign(self, message: bytes) -> bytes:
        return self._signer.sign(self._key_id, message)


class DirectSigning:
    """Signs every token with the configured key."""

    def __init__(self, trusted: TrustedKey) -> None:
        self._trusted = trusted

    def key(self, until: int) -> SigningKey:
        return SigningKey(jose.segment(self._trusted.header(jose.TOKEN_TYPE)), self._trusted.sign)


class CertifiedSigning:
    """Signs tokens with a key in memory. Replaces the key when its certificate would expire before the next token."""

    def __init__(
        self, trusted: TrustedKey, *, issuer: str, service: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._trusted = trusted
        self._issuer = issuer
        self._service = service
        self._clock = clock
        self._current: SigningKey | None = None

    def key(self, until: int) -> SigningKey:
        current = self._current
        if current is None or current.expires is None or current.expires < until:
            current = self._current = self._certify()
        return current

    def _certify(self) -> SigningKey:
        private = ec.generate_private_key(ec.SECP256R1())
        public = private.public_key()
        now = int(self._clock())
        expires = now + jose.CERTIFICATE_LIFETIME
        claims = {
            "iss": self._issuer,
            "aud": self._service,
            "iat": now,
            "exp": expires,
            "cnf": {"jwk": jose.public_jwk(public)},
        }
        certificate = jose.compact(self._trusted.header(jose.CERTIFICATE_TYPE), claims, self._trusted.sign)
        header = {
            "alg": jose.ALGORITHM,
            "typ": jose.TOKEN_TYPE,
            "kid": jose.thumbprint(public),
            jose.CERTIFICATE: certificate,
        }

        def sign(message: bytes) -> bytes:
            return raw_signature(private.sign(message, jose.ES256))

        return SigningKey(jose.segment(header), sign, expires)
