"""The keys that sign tokens: one in memory, certified by the signer's for an hour, or the signer's own.

A signature by KMS costs money, counts against the account's quota and takes milliseconds. In mode `certified` it is
made once in three quarters of an hour, over the public half of a key that exists in this process only; that key then
signs the tokens. In mode `direct` the signer signs every token.

A process must not be cloned with such a key in it: no SnapStart for a function that holds a CertifiedSigning.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from roadstead.identity import jose
from roadstead.identity.signing import PublicKeys, Signer, raw_signature


class Mode(StrEnum):
    CERTIFIED = "certified"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What signs a token now: the header that goes with it, and until when (seconds) tokens may live that it signs."""

    header: Mapping[str, str]
    sign: Callable[[bytes], bytes] = field(repr=False)
    expires: int | None = None


class Signing(Protocol):
    def key(self, until: int) -> SigningKey:
        """A key whose tokens may live `until` then (seconds since the epoch), at most half an hour from now."""
        ...


class TrustedKey:
    """The configured key that signs: certificates, or tokens."""

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
    """Signing with the trusted key itself."""

    def __init__(self, trusted: TrustedKey) -> None:
        self._trusted = trusted

    def key(self, until: int) -> SigningKey:
        return SigningKey(self._trusted.header(jose.TOKEN_TYPE), self._trusted.sign)


class CertifiedSigning:
    """Signing with a key in memory, replaced when its certificate would not outlive the next token."""

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
            return raw_signature(private.sign(message, ec.ECDSA(hashes.SHA256())))

        return SigningKey(header, sign, expires)
