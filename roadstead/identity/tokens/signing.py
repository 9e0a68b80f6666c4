"""Keys that never leave their store: signing with them, and reading their public keys."""

from __future__ import annotations

from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


def raw_signature(der: bytes) -> bytes:
    """Convert a P-256 signature from DER to the form of JWS, R||S in 64 bytes (RFC 7518 section 3.4)."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class UnusableKey(Exception):
    """A configured key is absent, disabled or not a P-256 signing key. The operator must repair it."""


class Signer(Protocol):
    """Signs with keys by their ids."""

    def sign(self, key_id: str, message: bytes) -> bytes:
        """Return the ECDSA P-256 signature over SHA-256 of `message`: 64 bytes, R||S (RFC 7518 section 3.4).

        Raises UnusableKey.
        """
        ...


class PublicKeys(Protocol):
    """Reads public keys by their ids."""

    def public_key(self, key_id: str) -> EllipticCurvePublicKey:
        """Return the public key of a P-256 key. Costs one call per process and key. Raises UnusableKey."""
        ...
