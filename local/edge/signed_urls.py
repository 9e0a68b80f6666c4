"""CloudFront's check of signed URLs: canned policies, ECDSA keys, SHA-1 or SHA-256.

"Create a signed URL using a canned policy" and "When CloudFront checks expiration", Amazon CloudFront Developer Guide.
Custom policies and RSA keys are not emulated: nothing here uses them.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

_PARAMETERS = ("Expires=", "Signature=", "Key-Pair-Id=", "Hash-Algorithm=")
_HASHES = {"SHA1": SHA1, "SHA256": SHA256}  # by the parameter Hash-Algorithm; SHA1 is the default
_ALPHABET = str.maketrans("-_~", "+=/")


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """The trusted public keys in PEM, by CloudFront's key id. `origin` is the distribution's own URL."""

    origin: str
    keys: Mapping[str, str]
    clock: Callable[[], float] = time.time

    def refusal(self, path: str, query: str) -> str | None:
        """Return the reason for CloudFront's 403, or None if the URL is signed and has not expired."""
        parts = [part for part in query.split("&") if part]
        kept = "&".join(part for part in parts if not part.startswith(_PARAMETERS))
        values = {name: found[-1] for name, found in parse_qs(query).items()}
        if "Signature" not in values or "Key-Pair-Id" not in values:
            return "Missing Key-Pair-Id query parameter or cookie value"
        if values["Key-Pair-Id"] not in self.keys:
            return "Unknown Key"
        expires, hash_name = values.get("Expires", ""), values.get("Hash-Algorithm", "SHA1")
        if not expires.isdigit() or hash_name not in _HASHES:
            return "Malformed Policy"
        resource = f"{self.origin}{path}" + (f"?{kept}" if kept else "")
        policy = json.dumps(
            {"Statement": [{"Resource": resource, "Condition": {"DateLessThan": {"AWS:EpochTime": int(expires)}}}]},
            separators=(",", ":"),
        )
        key = load_pem_public_key(self.keys[values["Key-Pair-Id"]].encode())
        if not isinstance(key, EllipticCurvePublicKey):
            return "Unknown Key"
        try:
            signature = base64.b64decode(values["Signature"].translate(_ALPHABET), validate=True)
            key.verify(signature, policy.encode(), ECDSA(_HASHES[hash_name]()))
        except (InvalidSignature, binascii.Error, ValueError):
            return "Access denied"
        return "Access denied" if int(expires) <= self.clock() else None
