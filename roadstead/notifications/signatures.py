"""Signatures, by which a receiver recognises our notifications (Standard Webhooks 1.0).

The header `webhook-signature` is `v1,` and the base64 of HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`.
The key is the base64 after `whsec_` in the secret. docs/notifications.md shows how to verify a signature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

PREFIX = "whsec_"
MIN_KEY, MAX_KEY = 24, 64  # bytes, from the specification


def new_secret() -> str:
    """Return a secret with a new random key."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode("ascii")


def key_of(secret: str) -> bytes:
    """Return the key in a secret. Raises ValueError with a sentence for a person that does not repeat the secret."""
    problem = f"a signing secret is {PREFIX} and {MIN_KEY} to {MAX_KEY} bytes in base64"
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(problem) from None
    if not secret.startswith(PREFIX) or not MIN_KEY <= len(key) <= MAX_KEY:
        raise ValueError(problem)
    return key


def signature_headers(secret: str, delivery: str, at: int, body: bytes) -> dict[str, str]:
    """Return the three headers. `at` is the time of this attempt in seconds, so a receiver can refuse old messages."""
    signed = f"{delivery}.{at}.".encode() + body
    mac = hmac.new(key_of(secret), signed, hashlib.sha256).digest()
    return {
        "webhook-id": delivery,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(mac).decode('ascii')}",
    }
