"""Refresh tokens: opaque, stored as a hash, valid until they expire or their user's epoch changes.

Form: `rsrt_<user>.<secret>`, both in base64url. The user's name gives the token's record a key that is known at once,
beside its user's. The secret has 256 bits, so a plain SHA-256 of the whole token is enough.

A refresh token is not rotated: `docker login` stores it in place of the password, and many clients may read it from
there at the same time. It ends after a lifetime, or after a time without use, and is never revoked by a later login:
that would break jobs that run in parallel.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from roadstead import base64url
from roadstead.identity.directory import RefreshToken, UserName

PER_USER = 2_000  # valid ones; a login beyond gets an access token only
MAX_LENGTH = 256  # characters; ours have at most 136
MAX_CLIENT = 128  # characters of a client_id

_PREFIX = "rsrt_"
_EXTENSIONS = 10  # how often, at most, a use within the idle time is recorded


@dataclass(frozen=True, slots=True)
class RefreshPolicy:
    """How long refresh tokens are valid, in seconds: in all, and without being used."""

    lifetime: int
    idle: int

    def create(self, user: UserName, token: str, client: str, epoch: int, now: int) -> RefreshToken:
        """Return the record of a new token."""
        ends = now + self.lifetime
        return RefreshToken(user, refresh_token_hash(token), client, epoch, now, min(ends, now + self.idle), ends)

    def extended(self, kept: RefreshToken, now: int) -> int | None:
        """Return when a token that is used now expires, or None if that is recorded closely enough."""
        expires = min(kept.ends, now + self.idle)
        return expires if expires - kept.expires >= self.idle // _EXTENSIONS else None


def new_refresh_token(user: UserName) -> str:
    return f"{_PREFIX}{base64url.encode(user.encode())}.{secrets.token_urlsafe(32)}"


def refresh_token_hash(token: str) -> str:
    """Return the hexadecimal SHA-256 of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def refresh_token_user(token: str) -> UserName | None:
    """Return the user that a refresh token names, not yet verified, or None if it does not have the form of one."""
    name, dot, secret = token.removeprefix(_PREFIX).partition(".")
    if len(token) > MAX_LENGTH or not (token.startswith(_PREFIX) and dot and secret and token.isascii()):
        return None
    try:
        return UserName.parse(base64url.decode(name).decode())
    except ValueError:
        return None


def expired(tokens: Iterable[RefreshToken], now: float) -> list[str]:
    """Return the hashes of the tokens that have expired."""
    return [token.hash for token in tokens if token.expires <= now]
