"""Refresh tokens: opaque, kept as a hash, good until they expire or their user's epoch moves on.

Form: `rsrt_<user>.<secret>`, both in base64url; the user's name is there so that the token's record has a key that is
known at once, beside its user's. The secret has 256 bits, so a plain SHA-256 of the whole is hash enough.

They are not rotated when used: `docker login` keeps one where a password would be, and many clients read it from there
at the same time. Instead their number is capped, and the oldest goes.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable

from roadstead import base64url
from roadstead.identity.directory import RefreshToken, UserName

PER_CLIENT = 10  # of one user and client_id: that many machines may be logged in with `docker login`
PER_USER = 50
MAX_LENGTH = 256  # characters; ours have at most 136
MAX_CLIENT = 128  # characters of a client_id

_PREFIX = "rsrt_"


def new_refresh_token(user: UserName) -> str:
    return f"{_PREFIX}{base64url.encode(user.encode())}.{secrets.token_urlsafe(32)}"


def refresh_token_hash(token: str) -> str:
    """Hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def refresh_token_user(token: str) -> UserName | None:
    """Whom a refresh token claims to be for; None when it has not the form of one."""
    name, dot, secret = token.removeprefix(_PREFIX).partition(".")
    if len(token) > MAX_LENGTH or not (token.startswith(_PREFIX) and dot and secret and token.isascii()):
        return None
    try:
        return UserName.parse(base64url.decode(name).decode())
    except ValueError:
        return None


def surplus(existing: Iterable[RefreshToken], new: RefreshToken) -> list[str]:
    """The hashes of those that must go when `new` comes: the expired, and the oldest above the caps."""
    oldest_first = sorted(existing, key=lambda token: (token.created, token.hash))
    expired = [token.hash for token in oldest_first if token.expires <= new.created]
    live = [token for token in oldest_first if token.expires > new.created and token.hash != new.hash]
    same_client = [token.hash for token in live if token.client == new.client]
    going = same_client[: max(0, len(same_client) - PER_CLIENT + 1)]
    staying = [token.hash for token in live if token.hash not in going]
    return expired + going + staying[: max(0, len(staying) - PER_USER + 1)]
