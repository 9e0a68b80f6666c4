"""Personal access tokens: secrets that a user makes for programs, each with a name, a limit and an expiry.

Form: `rst_<user>.<secret><checksum>`, user and secret in base64url, the secret of 256 random bits, the checksum a
CRC-32 in six characters of base62. Secret scanners recognise it without asking us, and a mistyped token costs no read.
The user's name gives the token's record a key that is known at once, beside its user's. A plain SHA-256 of the whole
token is kept.

A token lives independently of its user's password and sessions. It is worth nothing while the account is disabled, and
ends with the account: a record counts only for the account with the same id.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from roadstead import base64url
from roadstead.identity.directory import AccessToken, Identity, TokenLevel, UserName
from roadstead.identity.sign_in.passwords import TOKEN_PREFIX
from roadstead.trail.entries import Event

MAX_LENGTH = 192  # characters; ours have at most 140
USED_SECONDS = 300  # a use is written down at most this often
_FORM = re.compile(r"rst_([A-Za-z0-9_-]{2,86})\.([A-Za-z0-9_-]{43})([A-Za-z0-9]{6})")
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_BYTES = 32


def new_access_token(user: UserName) -> str:
    body = f"{TOKEN_PREFIX}{base64url.encode(user.encode())}.{base64url.encode(secrets.token_bytes(_SECRET_BYTES))}"
    return body + _checksum(body)


def access_token_hash(token: str) -> str:
    """Return the hexadecimal SHA-256 of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def access_token_user(token: str) -> UserName | None:
    """Return the user that a token names, not yet verified, or None if it does not have the form of one."""
    found = _FORM.fullmatch(token) if len(token) <= MAX_LENGTH else None
    if found is None or _checksum(token[:-6]) != found[3]:
        return None
    try:
        return UserName.parse(base64url.decode(found[1]).decode())
    except ValueError:
        return None


def is_access_token(text: str) -> bool:
    """Whether `text` is meant as a token: it is never taken for a password, not even if it is mistyped."""
    return text.startswith(TOKEN_PREFIX)


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits


def limited(identity: Identity, token: AccessToken) -> Identity:
    """Return the identity of a user who came in by `token`: a system administrator only if the token is for that."""
    user = identity.user
    if user is not None and token.level is not TokenLevel.ADMIN:
        user = replace(user, admin=False, admin_by_group=False)
    return replace(identity, user=user, access_token=token)


class AccessTokens(Protocol):
    """The store of access tokens. A token itself is read by `Identities.read`, beside its user.

    Stores an `event` in the transaction of the change that it records.
    """

    def access_tokens(self, user: UserName) -> list[AccessToken]:
        """Return a user's tokens, in no order. Expired ones may be among them. Costs one Query."""
        ...

    def store_access_token(self, token: AccessToken, *, event: Event | None = None) -> None:
        """Costs one transaction. Raises UnknownUser unless the user with the token's `user_id` exists."""
        ...

    def set_access_token_used(self, token: AccessToken, at: int) -> None:
        """Record a use, in seconds. Costs one write. Raises Conflict if the token is gone or a later use recorded."""
        ...

    def remove_access_tokens(self, tokens: Iterable[AccessToken], *, event: Event | None = None) -> None:
        """Remove up to 50 tokens in one transaction. Those that are gone are not an error."""
        ...
