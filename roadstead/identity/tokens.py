"""Issuing tokens: who asks, what they may have, and the token that says so (the Docker registry's token specification).

A request costs one read of the identity store. A push by a system administrator to a project that does not exist
creates it; a refresh token that was asked for is one query and one write more.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol

from roadstead.conflicts import Conflict
from roadstead.identity.access import Access
from roadstead.identity.directory import (
    Identities,
    Identity,
    Project,
    Projects,
    RefreshToken,
    RefreshTokens,
    UserName,
    Users,
)
from roadstead.identity.granted import MAX_PROJECTS, fits
from roadstead.identity.grants import grant, projects_of
from roadstead.identity.minting import Minted, TokenMinter
from roadstead.identity.passwords import PasswordVerifier
from roadstead.identity.refresh_tokens import (
    MAX_CLIENT,
    new_refresh_token,
    refresh_token_hash,
    refresh_token_user,
    surplus,
)
from roadstead.names import ProjectName
from roadstead.trail.entries import Actor, ActorKind, Operation
from roadstead.trail.events import EventMaker


class Reason(Enum):
    """Why a request is refused, by the names of RFC 6749 section 5.2."""

    INVALID_REQUEST = "invalid_request"
    INVALID_SCOPE = "invalid_scope"
    INVALID_GRANT = "invalid_grant"  # wrong credentials
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"


class TokenRefused(Exception):
    """No token; the message is a sentence for a person. Having fewer rights than asked for is no refusal."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Password:
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refresh:
    token: str = field(repr=False)


_SOMEWHERE = Actor("", ActorKind.ANONYMOUS)
Credentials = Password | Refresh | None  # None: nobody in particular


@dataclass(frozen=True, slots=True)
class TokenRequest:
    credentials: Credentials
    scopes: tuple[Access, ...] = ()
    client_id: str = ""
    offline: bool = False  # a refresh token is wanted too
    source: Actor = _SOMEWHERE  # its address, User-Agent and ids; the caller is not known yet
    creates_projects: bool = True  # whether a push may create its project


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """`access` has an entry for each resource asked for; `user` is None for nobody."""

    minted: Minted
    user: UserName | None
    access: tuple[Access, ...]
    refresh_token: str | None = field(default=None, repr=False)


class IdentityStore(Identities, RefreshTokens, Users, Projects, Protocol):
    """The roles of the identity store that issuing needs."""


class TokenService:
    """Issues tokens. `refresh_lifetime` in seconds."""

    def __init__(
        self,
        store: IdentityStore,
        passwords: PasswordVerifier,
        minter: TokenMinter,
        *,
        refresh_lifetime: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._minter = minter
        self._refresh_lifetime = refresh_lifetime
        self._clock = clock
        self._events = EventMaker(clock)

    def issue(self, request: TokenRequest) -> IssuedToken:
        """Raises TokenRefused."""
        if not fits(request.scopes):
            raise TokenRefused(
                Reason.INVALID_SCOPE,
                "these scopes do not fit into one token, which holds about 500 repositories in up to "
                f"{MAX_PROJECTS} projects: request fewer",
            )
        if len(request.client_id) > MAX_CLIENT:
            raise TokenRefused(Reason.INVALID_REQUEST, f"a client_id has at most {MAX_CLIENT} characters")
        identity = self._authenticate(request.credentials, projects_of(request.scopes))
        user = identity.user
        grants = grant(request.scopes, identity, creates_projects=request.creates_projects)
        for project in grants.missing_projects:
            self._create_project(project, replace(request.source, name=user.name if user else "", kind=ActorKind.USER))
        kind = ActorKind.USER if user else ActorKind.ANONYMOUS
        minted = self._minter.mint(user.name if user else "", kind, grants.access)
        refresh_token = self._refresh_token(request, identity) if request.offline else None
        return IssuedToken(minted, user.name if user else None, grants.access, refresh_token)

    def _authenticate(self, credentials: Credentials, projects: tuple[ProjectName, ...]) -> Identity:
        """What the store knows of the caller and the projects; `user` is None for nobody. Raises TokenRefused."""
        match credentials:
            case None:
                return self._store.read(None, projects)
            case Password(user, password):
                return self._by_password(user, password, projects)
            case Refresh(token):
                return self._by_refresh_token(token, projects)

    def _by_password(self, name: str, password: str, projects: tuple[ProjectName, ...]) -> Identity:
        identity = self._store.read(_user_name(name), projects)
        user = identity.user
        is_right = self._passwords.verify(name, password, user.password if user else None)
        if user is None or not is_right or user.disabled:
            raise TokenRefused(Reason.INVALID_GRANT, "the user name or the password is wrong")
        renewed = self._passwords.renewed(password, user.password)
        if renewed is not None:
            # A conflict is somebody who has renewed or changed it meanwhile.
            with contextlib.suppress(Conflict):
                self._store.replace_password(user.name, user.password, renewed)
        return identity

    def _by_refresh_token(self, token: str, projects: tuple[ProjectName, ...]) -> Identity:
        name = refresh_token_user(token)
        identity = self._store.read(name, projects, refresh_token_hash(token)) if name is not None else Identity()
        user, kept = identity.user, identity.refresh_token
        if user is None or kept is None or user.disabled or kept.epoch != user.epoch or kept.expires <= self._clock():
            raise TokenRefused(Reason.INVALID_GRANT, "the refresh token is unknown, expired or revoked: log in again")
        return identity

    def _create_project(self, name: ProjectName, creator: Actor) -> None:
        # A conflict is somebody who has created it meanwhile: it is there, which is all that matters.
        with contextlib.suppress(Conflict):
            project = Project(name, False, int(self._clock()), creator.name)
            event = self._events.make(Operation.CREATE_PROJECT, creator, "", project=name, detail="public=false")
            self._store.create_project(project, event=event)

    def _refresh_token(self, request: TokenRequest, identity: Identity) -> str | None:
        user = identity.user
        if user is None:
            return None
        if isinstance(request.credentials, Refresh):
            return request.credentials.token
        token = new_refresh_token(user.name)
        now = int(self._clock())
        kept = RefreshToken(
            user=user.name,
            hash=refresh_token_hash(token),
            client=request.client_id,
            epoch=user.epoch,
            created=now,
            expires=now + self._refresh_lifetime,
        )
        self._store.store_refresh_token(kept, surplus(self._store.refresh_tokens(user.name), kept))
        return token


def _user_name(text: str) -> UserName | None:
    try:
        return UserName.parse(text)
    except ValueError:
        return None
