"""Signing in with a personal access token, as the token endpoint and the management API do."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from roadstead.conflicts import Conflict
from roadstead.identity.directory import LOCAL, Identity, User
from roadstead.identity.sign_in.access_tokens import (
    USED_SECONDS,
    AccessTokens,
    access_token_hash,
    access_token_user,
    limited,
)
from roadstead.identity.stores import Identities
from roadstead.names import ProjectName

BELIEVED_DAYS = 30  # how long a provider's last word on an account and its groups counts for tokens
BELIEVED_SECONDS = BELIEVED_DAYS * 86_400


class TokenRejected(Exception):
    """The token is worth nothing. The message is a sentence for a person."""


class TokenStore(Identities, AccessTokens, Protocol):
    """The parts of the identity store that signing in with a token needs."""


class TokenLogin:
    """Verifies personal access tokens. Costs one read, and a write every USED_SECONDS at most; a mistyped one nothing.

    A token of a user whom a provider knows is suspended once the provider has not confirmed the user for BELIEVED_DAYS,
    until the next sign-in there. Failures are not counted: nobody guesses 256 bits.
    """

    def __init__(self, store: TokenStore, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    def sign_in(self, login: str, token: str, projects: Iterable[ProjectName] = ()) -> tuple[User, Identity]:
        """Return the user, and what the store has of them and of `projects`, limited to what the token carries.

        `login` is the user name beside the token, if there is one. Raises TokenRejected.
        """
        name = access_token_user(token)
        if name is None:
            raise TokenRejected("this is not an access token of this registry, or it is mistyped")
        if login not in ("", name):
            raise TokenRejected("the access token belongs to another user: log in with that user's name")
        identity = self._store.read(name, projects, access_token=access_token_hash(token))
        user, kept, now = identity.user, identity.access_token, self._clock()
        if user is None or kept is None or kept.user_id != user.id or user.disabled or kept.has_expired(now):
            raise TokenRejected("the access token is unknown, expired or revoked: make another one")
        if user.provider != LOCAL and now - user.confirmed > BELIEVED_SECONDS:
            raise TokenRejected(
                f"the access token is suspended, because the account was not confirmed for {BELIEVED_DAYS} days: "
                "sign in once with your password, or in the browser"
            )
        if now - kept.used >= USED_SECONDS:
            # A conflict means that it was revoked, or a later use recorded, meanwhile.
            with contextlib.suppress(Conflict):
                self._store.set_access_token_used(kept, int(now))
        within = limited(identity, kept)
        return within.user or user, within
