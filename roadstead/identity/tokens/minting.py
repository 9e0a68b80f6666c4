"""Creates access tokens, and keeps them short.

The request line and the headers of a request share 10,240 bytes at an HTTP API. A token has at most MAX_TOKEN
characters, because every claim in it has a limit (`roadstead.identity.tokens.granted` has those of the access granted).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from roadstead.identity.access import Access
from roadstead.identity.tokens import jose
from roadstead.identity.tokens.certificates import Signing
from roadstead.identity.tokens.granted import Granted
from roadstead.trail.entries import ActorKind

MAX_TOKEN = 7_168  # characters; 3 KB of the request line and headers are left for everything else


@dataclass(frozen=True, slots=True)
class Minted:
    """A token; times in seconds."""

    token: str = field(repr=False)
    token_id: str
    issued_at: int
    expires_in: int


class TokenMinter:
    """Mints tokens for one service, each valid for `lifetime` seconds, at most `jose.TOKEN_LIFETIME`."""

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

    def mint(self, subject: str, kind: ActorKind, access: Iterable[Access] | Granted, *, subject_id: int = 0) -> Minted:
        """Return a token that grants `access`, which must fit, to `subject` ("" for an anonymous caller).

        `subject_id` goes into the audit trail where a name may be given out again: for robots.
        """
        now = int(self._clock())
        expires = now + self._lifetime
        key = self._signing.key(expires)
        token_id = secrets.token_urlsafe(16)
        claims = {
            "iss": self._issuer,
            "aud": self._service,
            "sub": subject,
            "kind": kind,
            **({"sub_id": subject_id} if subject_id else {}),
            "iat": now,
            "nbf": now,
            "exp": expires,
            "jti": token_id,
            **(access if isinstance(access, Granted) else Granted.of(access)).as_claims(),
        }
        return Minted(jose.compact_under(key.header, claims, key.sign), token_id, now, self._lifetime)
