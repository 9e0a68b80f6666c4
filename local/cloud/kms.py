"""KMS: keys of the spec ECC_NIST_P256 that sign, and their aliases."""

from __future__ import annotations

import base64
import sqlite3
import time
import uuid
from collections.abc import Mapping
from typing import Any

from local.cloud.database import Database
from local.cloud.errors import AwsError, validation

ACCOUNT = "000000000000"
MAX_MESSAGE = 4096  # bytes
_ALGORITHM = "ECDSA_SHA_256"


class Kms:
    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region
        self._loaded: dict[str, Any] = {}

    async def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        spec = request.get("KeySpec", "SYMMETRIC_DEFAULT")
        if (spec, request.get("KeyUsage", "ENCRYPT_DECRYPT")) != ("ECC_NIST_P256", "SIGN_VERIFY"):
            raise validation("The embedded KMS has keys of ECC_NIST_P256 for SIGN_VERIFY only.")
        _known(request, "KeySpec", "KeyUsage", "Description")
        key, now = str(uuid.uuid4()), int(time.time())
        private = _new_private_key()

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT INTO keys VALUES (?, ?, ?, ?)", (key, now, spec, private))

        await self._database.write(work)
        return {"KeyMetadata": self._metadata(key, now)}

    async def create_alias(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = str(request.get("AliasName", ""))
        if not name.startswith("alias/") or name.startswith("alias/aws/"):
            raise validation(f"An alias begins with alias/, and not with alias/aws/: {name!r}")
        key, _, _ = self._find(request.get("TargetKeyId"))

        def work(connection: sqlite3.Connection) -> None:
            if connection.execute("SELECT 1 FROM aliases WHERE name=?", (name,)).fetchone():
                raise AwsError("AlreadyExistsException", f"An alias with the name {name} already exists")
            connection.execute("INSERT INTO aliases VALUES (?, ?)", (name, key))

        await self._database.write(work)
        return {}

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        key, created, _ = self._find(request.get("KeyId"))
        return {"KeyMetadata": self._metadata(key, created)}

    def public_key(self, request: Mapping[str, Any]) -> dict[str, Any]:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        key, _, private = self._find(request.get("KeyId"))
        public = self._private_key(key, private).public_key()
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return {
            "KeyId": self._arn(key),
            "PublicKey": base64.b64encode(der).decode(),
            "KeySpec": "ECC_NIST_P256",
            "CustomerMasterKeySpec": "ECC_NIST_P256",
            "KeyUsage": "SIGN_VERIFY",
            "SigningAlgorithms": [_ALGORITHM],
        }

    def sign(self, request: Mapping[str, Any]) -> dict[str, Any]:
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
        from cryptography.hazmat.primitives.hashes import SHA256

        _known(request, "KeyId", "Message", "MessageType", "SigningAlgorithm")
        type_ = request.get("MessageType", "RAW")
        if type_ not in ("RAW", "DIGEST") or request.get("SigningAlgorithm") != _ALGORITHM:
            raise validation(f"The embedded KMS signs messages of the types RAW and DIGEST by {_ALGORITHM} only.")
        key, _, private = self._find(request.get("KeyId"))
        message = base64.b64decode(str(request.get("Message", "")))
        if not 0 < len(message) <= MAX_MESSAGE:
            raise validation(f"A message has between 1 and {MAX_MESSAGE} bytes")
        if type_ == "DIGEST" and len(message) != SHA256.digest_size:
            raise validation(f"Digest is invalid length for algorithm {_ALGORITHM}.")
        algorithm = ECDSA(Prehashed(SHA256()) if type_ == "DIGEST" else SHA256())
        signature = self._private_key(key, private).sign(message, algorithm)
        return {
            "KeyId": self._arn(key),
            "Signature": base64.b64encode(signature).decode(),
            "SigningAlgorithm": _ALGORITHM,
        }

    def _find(self, name: object) -> tuple[str, int, str]:
        """Id, creation and private key, by an id, an ARN or an alias. Raises AwsError."""
        reader = self._database.reader
        key = str(name)
        if key.startswith("arn:"):
            key = key.split(":", 5)[-1].removeprefix("key/")
        if key.startswith("alias/"):
            row = reader.execute("SELECT key FROM aliases WHERE name=?", (key,)).fetchone()
            key = row[0] if row else key
        row = reader.execute("SELECT id, created, private FROM keys WHERE id=?", (key,)).fetchone()
        if row is None:
            raise AwsError("NotFoundException", f"Key '{name}' does not exist")
        return row[0], row[1], row[2]

    def _private_key(self, key: str, private: str) -> Any:
        if key not in self._loaded:
            from cryptography.hazmat.primitives.serialization import load_pem_private_key

            self._loaded[key] = load_pem_private_key(private.encode(), None)
        return self._loaded[key]

    def _arn(self, key: str) -> str:
        return f"arn:aws:kms:{self._region}:{ACCOUNT}:key/{key}"

    def _metadata(self, key: str, created: int) -> dict[str, Any]:
        return {
            "AWSAccountId": ACCOUNT,
            "KeyId": key,
            "Arn": self._arn(key),
            "CreationDate": created,
            "Enabled": True,
            "KeyState": "Enabled",
            "KeyUsage": "SIGN_VERIFY",
            "KeyManager": "CUSTOMER",
            "Origin": "AWS_KMS",
            "KeySpec": "ECC_NIST_P256",
            "CustomerMasterKeySpec": "ECC_NIST_P256",
            "SigningAlgorithms": [_ALGORITHM],
            "MultiRegion": False,
        }


def _new_private_key() -> str:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = generate_private_key(SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _known(request: Mapping[str, Any], *names: str) -> None:
    if unknown := sorted(request.keys() - {*names}):
        raise validation(f"The embedded KMS does not have {', '.join(unknown)}.")
