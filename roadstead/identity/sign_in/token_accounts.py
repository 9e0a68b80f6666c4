"""Making and revoking personal access tokens: one's own, and a system administrator anybody's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from roadstead.identity.directory import AccessToken, Identity, TokenLevel, User
from roadstead.identity.rights import permissions_in
from roadstead.identity.robots.robots import DAY, NEVER
from roadstead.identity.sign_in.access_tokens import AccessTokens, access_token_hash, new_access_token
from roadstead.identity.stores import UnknownUser
from roadstead.names import ProjectName
from roadstead.trail.entries import Actor, Event, Operation
from roadstead.trail.events import EventMaker

PER_USER = 50  # valid ones
MAX_NAME = 64  # characters
MAX_DAYS = 3_650
MAX_PROJECTS = 40  # that one token names


class TokenRuleBroken(ValueError):
    """The token cannot be. The message is a sentence for a person."""


class TokenExists(TokenRuleBroken):
    """The user has a token of that name."""


class NoSuchToken(TokenRuleBroken):
    """The user has no such token."""


class TokenAccounts:
    """Makes and revokes tokens, and keeps an event by `actor` with every change. Raises TokenRuleBroken."""

    def __init__(self, store: AccessTokens, *, actor: Actor, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._actor = actor
        self._clock = clock
        self._events = EventMaker(clock)

    def tokens(self, user: User) -> list[AccessToken]:
        """Return the user's valid tokens, the newest first. Costs one Query."""
        now = self._clock()
        found = [
            token
            for token in self._store.access_tokens(user.name)
            if token.user_id == user.id and not token.has_expired(now)
        ]
        return sorted(found, key=lambda token: (-token.created, token.name))

    def create(
        self, identity: Identity, name: str, level: TokenLevel, projects: Iterable[ProjectName], days: int
    ) -> tuple[AccessToken, str]:
        """Make a token for the user of `identity`, which has the projects. Return it with its secret.

        `days` from now, NEVER for no expiry. Costs a Query and a transaction.
        """
        user = identity.user
        if user is None:
            raise TokenRuleBroken("only a user has access tokens")
        self._check(user, name, level, days)
        now, secret = int(self._clock()), new_access_token(user.name)
        token = AccessToken(
            user=user.name,
            user_id=user.id,
            hash=access_token_hash(secret),
            name=name,
            level=level,
            projects=_reachable(identity, level, tuple(dict.fromkeys(projects))),
            created=now,
            expires=NEVER if days == NEVER else now + days * DAY,
        )
        try:
            self._store.store_access_token(token, event=self._event(Operation.CREATE_ACCESS_TOKEN, user, _said(token)))
        except UnknownUser as error:
            raise TokenRuleBroken(f"there is no user {user.name} any more") from error
        return token, secret

    def revoke(self, user: User, id_: str) -> None:
        """Revoke one token. A registry token that was issued for it lives until it expires."""
        found = next((token for token in self._store.access_tokens(user.name) if token.id == id_), None)
        if found is None:
            raise NoSuchToken(f"{user.name} has no access token {id_[:20]!r}")
        event = self._event(Operation.DELETE_ACCESS_TOKEN, user, _said(found))
        self._store.remove_access_tokens([found], event=event)

    def revoke_all(self, user: User) -> None:
        """Revoke every token of a user. Costs a Query and a transaction for each 50, which leaves an event each."""
        found = self._store.access_tokens(user.name)
        for start in range(0, len(found), PER_USER):
            some = found[start : start + PER_USER]
            event = self._event(Operation.DELETE_ACCESS_TOKEN, user, f"tokens={len(some)}")
            self._store.remove_access_tokens(some, event=event)

    def _check(self, user: User, name: str, level: TokenLevel, days: int) -> None:
        if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
            raise TokenRuleBroken(f"the name of a token has 1 to {MAX_NAME} printable characters")
        if days != NEVER and not 1 <= days <= MAX_DAYS:
            raise TokenRuleBroken(f"a token is valid for 1 to {MAX_DAYS} days, or -1 for no expiry")
        if level is TokenLevel.ADMIN and not user.admin:
            raise TokenRuleBroken("only a system administrator can make a token for system administration")
        existing = self.tokens(user)
        if len(existing) >= PER_USER:
            raise TokenRuleBroken(f"{user.name} has {PER_USER} access tokens, which is the limit: revoke some first")
        if any(token.name == name for token in existing):
            raise TokenExists(f"{user.name} has an access token {name!r} already")

    def _event(self, operation: Operation, user: User, detail: str) -> Event:
        return self._events.make(operation, self._actor, "", user=user.name, detail=detail)


def _reachable(
    identity: Identity, level: TokenLevel, names: tuple[ProjectName, ...]
) -> tuple[tuple[ProjectName, int], ...]:
    if names and level is TokenLevel.ADMIN:
        raise TokenRuleBroken("a token for system administration is not limited to projects")
    if len(names) > MAX_PROJECTS:
        raise TokenRuleBroken(f"a token is limited to at most {MAX_PROJECTS} projects")
    for name in names:
        if name not in identity.projects or not permissions_in(name, identity):
            raise TokenRuleBroken(f"there is no project {name}, or you have no role in it")
    return tuple((name, identity.projects[name].id) for name in names)


def _said(token: AccessToken) -> str:
    projects = ",".join(name for name, _ in token.projects) or "*"
    return f"token={token.id} name={token.name} access={token.level} projects={projects}"[:2_000]
