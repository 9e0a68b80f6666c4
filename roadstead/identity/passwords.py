"""Passwords: what is accepted as one, how it is kept, and how it is verified without telling who exists.

A password has at least 12 characters and at most 512 bytes of UTF-8, after Unicode's NFC (the same password typed on
two systems is the same bytes, RFC 8265). Nothing else is demanded of it: rules of composition make passwords worse
(NIST SP 800-63B). A user's own choice is checked when it is made, never at a login.

It is kept as the PHC string of Argon2id with the parameters that OWASP's "Password Storage Cheat Sheet" names first:
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

MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
_SALT, _HASH = 16, 32  # bytes

_PREFIX = f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$"
# What is verified in place of a user that does not exist: the same work, and a hash that nothing is known to have.
NOBODY = f"{_PREFIX}{'A' * 22}${'A' * 43}"

CACHE_SECONDS = 60
CACHE_ENTRIES = 1024


class WeakPassword(ValueError):
    """A password outside the rules above; the message is a sentence for a person."""


def check_password(password: str) -> None:
    """Raises WeakPassword."""
    if len(password) < MIN_CHARACTERS:
        raise WeakPassword(f"a password has at least {MIN_CHARACTERS} characters; this one has {len(password)}")
    if len(_normal(password)) > MAX_BYTES:
        raise WeakPassword(f"a password has at most {MAX_BYTES} bytes in UTF-8")


class Hasher(Protocol):
    def hash(self, password: str) -> str:
        """The PHC string of a password that was checked, with today's parameters and a new salt."""
        ...

    def verify(self, password: str, phc: str) -> bool:
        """Whether `phc` was made of `password`: always one computation of Argon2id, however long the password."""
        ...

    def is_current(self, phc: str) -> bool:
        """Whether `phc` was made with today's parameters."""
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
    """Verifies passwords, and remembers for a minute which were right, so that a build of many pulls pays once.

    It remembers no password: an entry is a MAC, by a key of this process, over the user, the stored hash and the
    password. A changed hash therefore misses.
    """

    def __init__(self, hasher: Hasher, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._hasher = hasher
        self._clock = clock
        self._key = os.urandom(32)
        self._known: dict[bytes, float] = {}  # MAC -> when it is forgotten, oldest first

    def verify(self, user: str, password: str, phc: str | None) -> bool:
        """Whether `password` is right; with `phc` None (no such user) the same work, and no."""
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
        """The hash of a password that was just verified by `phc`, if the parameters have changed since."""
        return None if self._hasher.is_current(phc) else self._hasher.hash(password)

    def _mac(self, user: str, password: str, phc: str) -> bytes:
        # Neither a user's name nor a PHC string has a NUL, so the three parts cannot run into each other.
        return hmac.digest(self._key, b"\0".join((user.encode(), phc.encode(), _normal(password))), "sha256")


def _normal(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
