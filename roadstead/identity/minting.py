"""Making an access token: the claims, and a bound that keeps it short.

The request line and the headers of a request share 10,240 bytes at an HTTP API, and KMS signs at most 4,096: a token
stays under MAX_TOKEN, because its `access` stays within MAX_ACCESS and everything else in it has a limit too.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from roadstead.identity import jose
from roadstead.identity.access import ALL, DELETE, PULL, PUSH, Access
from roadstead.identity.certificates import Signing
from roadstead.trail.entries import ActorKind

MAX_TOKEN = 4096  # characters
MAX_ACCESS = 1900  # bytes of the `access` claim: about 25 repositories with names of 20 characters

MIN_LIFETIME, MAX_LIFETIME = 60, 1800  # seconds; the longest leaves a certificate half an hour of use


@dataclass(frozen=True, slots=True)
class Minted:
    """A token; times in seconds."""

    token: str = field(repr=False)
    token_id: str
    issued_at: int
    expires_in: int


def fits(requested: Iterable[Access]) -> bool:
    """Whether a token could hold all of `requested`, were it granted."""
    expanded = (
        Access(access.type, access.name, access.actions | {PULL, PUSH, DELETE}) if ALL in access.actions else access
        for access in requested
    )
    return len(json.dumps([access.as_claim() for access in expanded], separators=(",", ":"))) <= MAX_ACCESS


class TokenMinter:
    """Mints tokens for one service, each valid for `lifetime` seconds."""

    def __init__(
        self,
        signing: Signing,
        *,
        issuer: str,
        service: str,
        lifetime: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._signing = signing
        self._issuer = issuer
        self._service = service
        self._lifetime = lifetime
        self._clock = clock

    def mint(self, subject: str, kind: ActorKind, access: Iterable[Access]) -> Minted:
        """A token that grants `access` (which fits) to `subject`, "" for nobody."""
        now = int(self._clock())
        expires = now + self._lifetime
        key = self._signing.key(expires)
        token_id = secrets.token_urlsafe(16)
        claims = {
            "iss": self._issuer,
            "aud": self._service,
            "sub": subject,
            "kind": kind,
            "iat": now,
            "nbf": now,
            "exp": expires,
            "jti": token_id,
            "access": [entry.as_claim() for entry in access],
        }
        return Minted(jose.compact(key.header, claims, key.sign), token_id, now, self._lifetime)
