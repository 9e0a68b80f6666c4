"""Keys that never leave their store: what signs, and what tells the public half."""

from __future__ import annotations

from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

MAX_MESSAGE = 4096  # bytes; what KMS takes with MessageType RAW


def raw_signature(der: bytes) -> bytes:
    """A P-256 signature as JWS wants it, R||S in 64 bytes (RFC 7518 section 3.4), from the DER that others answer."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class UnusableKey(Exception):
    """A configured key is not there, is disabled, or is no P-256 signing key: the operator's to repair."""


class Signer(Protocol):
    def sign(self, key_id: str, message: bytes) -> bytes:
        """The ECDSA P-256 signature over SHA-256 of `message`: 64 bytes, R||S (RFC 7518 section 3.4).

        Raises ValueError for a message above MAX_MESSAGE bytes, and UnusableKey.
        """
        ...


class PublicKeys(Protocol):
    def public_key(self, key_id: str) -> EllipticCurvePublicKey:
        """The public half of a P-256 key; asked of the store once per process and key. Raises UnusableKey."""
        ...
