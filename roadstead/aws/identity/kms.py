"""Signing with KMS: ECC_NIST_P256 keys, whose private keys cannot be read.

A message of up to 4,096 bytes is sent whole and hashed by KMS; of a longer one, the digest is sent. KMS returns
signatures in DER.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from roadstead.aws.clients import error_code
from roadstead.identity.tokens.signing import UnusableKey, raw_signature

MAX_RAW = 4096  # bytes of a message with MessageType RAW ("Sign", AWS KMS API reference)
_UNUSABLE = frozenset(
    {
        "NotFoundException",
        "DisabledException",
        "KMSInvalidStateException",
        "InvalidKeyUsageException",
        "UnsupportedOperationException",
        "ValidationException",
    }
)


class KmsKeys:
    """Signer and PublicKeys, by key id, ARN or alias.

    `points` are public keys that are known already: uncompressed points on P-256 (SEC 1). KMS is asked for others once.
    """

    def __init__(self, client: Any, points: Mapping[str, bytes] | None = None) -> None:
        self._client = client
        self._points = points or {}
        self._public: dict[str, EllipticCurvePublicKey] = {}

    def sign(self, key_id: str, message: bytes) -> bytes:
        whole = len(message) <= MAX_RAW
        signed = message if whole else sha256(message).digest()
        try:
            answer = self._client.sign(
                KeyId=key_id,
                Message=signed,
                MessageType="RAW" if whole else "DIGEST",
                SigningAlgorithm="ECDSA_SHA_256",
            )
        except ClientError as error:
            if error_code(error) in _UNUSABLE:
                raise UnusableKey(f"the KMS key {key_id} cannot sign: {error_code(error)}") from error
            raise
        return raw_signature(answer["Signature"])

    def public_key(self, key_id: str) -> EllipticCurvePublicKey:
        known = self._public.get(key_id)
        if known is None:
            known = self._public[key_id] = self._handed(key_id) or self._asked(key_id)
        return known

    def _handed(self, key_id: str) -> EllipticCurvePublicKey | None:
        point = self._points.get(key_id)
        if point is None:
            return None
        try:
            return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
        except ValueError as error:
            raise UnusableKey(f"the public key of {key_id} in the settings is not a point on P-256") from error

    def _asked(self, key_id: str) -> EllipticCurvePublicKey:
        try:
            answer = self._client.get_public_key(KeyId=key_id)
        except ClientError as error:
            if error_code(error) in _UNUSABLE:
                raise UnusableKey(f"the KMS key {key_id} has no readable public key: {error_code(error)}") from error
            raise
        # Imported only when a key is read: a module of many formats, which a pull does not need.
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        key = load_der_public_key(answer["PublicKey"])
        if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
            raise UnusableKey(f"the KMS key {key_id} is not an ECC_NIST_P256 key")
        return key
