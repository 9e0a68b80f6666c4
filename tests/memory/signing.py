"""Signing keys that live in memory, for tests: what KMS is to the functions, without a call."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from roadstead.identity.tokens.signing import UnusableKey, raw_signature


class MemoryKeys:
    """Signer and PublicKeys, with a new P-256 key for each of `key_ids`; counts its signatures."""

    def __init__(self, *key_ids: str) -> None:
        self._keys = {key_id: ec.generate_private_key(ec.SECP256R1()) for key_id in key_ids}
        self.signatures = 0

    def sign(self, key_id: str, message: bytes) -> bytes:
        key = self._key(key_id)
        self.signatures += 1
        return raw_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))

    def public_key(self, key_id: str) -> ec.EllipticCurvePublicKey:
        return self._key(key_id).public_key()

    def _key(self, key_id: str) -> ec.EllipticCurvePrivateKey:
        if key_id not in self._keys:
            raise UnusableKey(f"there is no key {key_id}")
        return self._keys[key_id]
