"""Signing with KMS: ECC_NIST_P256 keys, whose private keys cannot be read.

The whole message is sent (`MessageType=RAW`, at most 4,096 bytes) and hashed by KMS. Its signatures are in DER.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from roadstead.aws.clients import error_code
from roadstead.identity.signing import MAX_MESSAGE, UnusableKey, raw_signature

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
    """Signer and PublicKeys, by key id, ARN or alias."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._public: dict[str, EllipticCurvePublicKey] = {}

    def sign(self, key_id: str, message: bytes) -> bytes:
        if len(message) > MAX_MESSAGE:
            raise ValueError(f"KMS signs up to {MAX_MESSAGE} bytes; this message has {len(message)}")
        try:
            answer = self._client.sign(
                KeyId=key_id, Message=message, MessageType="RAW", SigningAlgorithm="ECDSA_SHA_256"
            )
        except ClientError as error:
            if error_code(error) in _UNUSABLE:
                raise UnusableKey(f"the KMS key {key_id} cannot sign: {error_code(error)}") from error
            raise
        return raw_signature(answer["Signature"])

    def public_key(self, key_id: str) -> EllipticCurvePublicKey:
        known = self._public.get(key_id)
        if known is not None:
            return known
        try:
            answer = self._client.get_public_key(KeyId=key_id)
        except ClientError as error:
            if error_code(error) in _UNUSABLE:
                raise UnusableKey(f"the KMS key {key_id} has no readable public key: {error_code(error)}") from error
            raise
        key = load_der_public_key(answer["PublicKey"])
        if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
            raise UnusableKey(f"the KMS key {key_id} is not an ECC_NIST_P256 key")
        self._public[key_id] = key
        return key
