"""Passwords: the rules for them, how they are stored, and how they are verified without revealing which users exist.

A password has at least 12 characters and at most 512 bytes of UTF-8, after Unicode NFC, so that the same password typed
on two systems has the same bytes (RFC 8265). There are no rules of composition: they make passwords worse
(NIST SP 800-63B). The rules apply when a password is set, never at a login.

The stored form is the PHC string of Argon2id with the first parameters of OWASP's "Password Storage Cheat Sheet":
19 MiB, two passes, one lane.
"""

from __future__ import annotations

import hmac
import os
import time
import unicodedata
from collections.abc import Callable
from typing import Protocol

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

MIN_CHARACTERS = 12
MAX_BYTES = 512
TOKEN_PREFIX = "rst_"  # of personal access tokens

MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
_SALT, _HASH = 16, 32  # bytes

_PREFIX = f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$"
# Verified in place of an absent user: the same work, against a hash of no known password.
NOBODY = f"{_PREFIX}{'A' * 22}${'A' * 43}"

CACHE_SECONDS = 60
CACHE_ENTRIES = 1024


class WeakPassword(ValueError):
    """The password breaks a rule above. The message is a sentence for a person."""


def check_password(password: str) -> None:
    """Check a new password by the rules above. Raises WeakPassword."""
    if len(password) < MIN_CHARACTERS:
        raise WeakPassword(f"a password has at least {MIN_CHARACTERS} characters; this one has {len(password)}")
    if password.startswith(TOKEN_PREFIX):
        raise WeakPassword(f"a password does not begin with {TOKEN_PREFIX}, as access tokens do")
    if len(_normal(password)) > MAX_BYTES:
        raise WeakPassword(f"a password has at most {MAX_BYTES} bytes in UTF-8")


class Hasher(Protocol):
    def hash(self, password: str) -> str:
        """Return the PHC string of a checked password, with today's parameters and a new salt."""
        ...

    def verify(self, password: str, phc: str) -> bool:
        """Return whether `phc` is the hash of `password`. Costs one Argon2id computation, whatever the length."""
        ...

    def is_current(self, phc: str) -> bool:
        """Return whether `phc` has today's parameters."""
        ...


class Argon2Hasher:
    """Hasher with OpenSSL's Argon2id."""

    def hash(self, password: str) -> str:
        kdf = Argon2id(salt=os.urandom(_SALT), length=_HASH, iterations=PASSES, lanes=LANES, memory_cost=MEMORY_KIB)
        return kdf.derive_phc_encoded(_normal(password))

    def verify(self, password: str, phc: str) -> bool:
        data = _normal(password)
        fits = len(data) <= MAX_BYTES
        try:
            Argon2id.verify_phc_encoded(data[:MAX_BYTES], phc)
        except InvalidKey:
            return False
        return fits

    def is_current(self, phc: str) -> bool:
        return phc.startswith(_PREFIX)


class PasswordVerifier:
    """Verifies passwords. Remembers correct ones for a minute, so that a build with many pulls computes Argon2id once.

    An entry is a MAC over user, stored hash and password with a key of this process; no password is kept. After a
    change of the stored hash, the entry no longer matches.
    """

    def __init__(self, hasher: Hasher, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._hasher = hasher
        self._clock = clock
        self._key = os.urandom(32)
        self._known: dict[bytes, float] = {}  # MAC -> when it is forgotten, oldest first

    def verify(self, user: str, password: str, phc: str | None) -> bool:
        """Return whether `password` is right. If `phc` is None (an absent user), do the same work and return False."""
        if phc is None:
            self._hasher.verify(password, NOBODY)
            return False
        mac = self._mac(user, password, phc)
        expires = self._known.get(mac)
        if expires is not None and expires > self._clock():
            return True
        if not self._hasher.verify(password, phc):
            return False
        self._known.pop(mac, None)
        while len(self._known) >= CACHE_ENTRIES:
            self._known.pop(next(iter(self._known)), None)
        self._known[mac] = self._clock() + CACHE_SECONDS
        return True

    def renewed(self, password: str, phc: str) -> str | None:
        """Return a new hash of a password that was just verified, or None if `phc` has today's parameters."""
        return None if self._hasher.is_current(phc) else self._hasher.hash(password)

    def _mac(self, user: str, password: str, phc: str) -> bytes:
        # User names and PHC strings never hold a NUL, so the three parts stay apart.
        return hmac.digest(self._key, b"\0".join((user.encode(), phc.encode(), _normal(password))), "sha256")


def _normal(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
