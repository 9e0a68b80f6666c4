"""Issues tokens: authenticates the caller, decides what to grant, and mints the token (Docker registry token
specification).

A request costs one read of the identity store, and once a minute one of the configuration. A system administrator's
push to a project that does not exist creates it, with the quota that new projects get. A new refresh token costs a
query and a write; using one costs a write now and then, which moves on its idle time.
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
from roadstead.identity.configuration import Configuration, ConfigurationReader
from roadstead.identity.directory import Identity, Project
from roadstead.identity.grants import grant, projects_of
from roadstead.identity.providers.onboarding import NotOnboarded
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.robots.robot_sign_in import RobotLogin, RobotRefused
from roadstead.identity.sign_in.attempts import Scope
from roadstead.identity.sign_in.login import PasswordLogin, WrongPassword
from roadstead.identity.sign_in.token_sign_in import TokenLogin, TokenRejected
from roadstead.identity.sign_in.ways_in import (
    Credentials,
    Password,
    PersonalToken,
    Refresh,
    RobotSecret,
    parse_credentials,
)
from roadstead.identity.stores import Identities, Projects, RefreshTokens, Users
from roadstead.identity.tokens.granted import MAX_PROJECTS, Granted, fits
from roadstead.identity.tokens.minting import Minted, TokenMinter
from roadstead.identity.tokens.refresh_tokens import (
    MAX_CLIENT,
    PER_USER,
    RefreshPolicy,
    expired,
    new_refresh_token,
    refresh_token_hash,
    refresh_token_user,
)
from roadstead.names import ProjectName
from roadstead.trail.entries import Actor, ActorKind, Operation
from roadstead.trail.events import EventMaker


class Reason(Enum):
    """Why a request is refused, with the names of RFC 6749 section 5.2."""

    INVALID_REQUEST = "invalid_request"
    INVALID_SCOPE = "invalid_scope"
    INVALID_GRANT = "invalid_grant"  # wrong credentials
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"


class TokenRefused(Exception):
    """No token is issued; the message is a sentence for a person. A token that grants less is not a refusal.

    `locks` are what this failed login has locked. `proof` is what the trail keeps of an identity token.
    """

    def __init__(self, reason: Reason, message: str, *, locks: tuple[Scope, ...] = (), proof: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.locks = locks
        self.proof = proof


StartQuota = Callable[[ProjectName, int, Actor], None]
_UNLIMITED = -1
_NOWHERE = Actor("", ActorKind.ANONYMOUS)


@dataclass(frozen=True, slots=True)
class TokenRequest:
    credentials: Credentials
    scopes: tuple[Access, ...] = ()
    client_id: str = ""
    offline: bool = False  # whether a refresh token is requested, too
    source: Actor = _NOWHERE  # its address, User-Agent and ids; the caller is not known yet
    creates_projects: bool = True  # whether a push may create its project


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a token is for: a user, a robot (by its full name, with its id) or nobody."""

    name: str = ""
    kind: ActorKind = ActorKind.ANONYMOUS
    id: int = 0


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """`access` has an entry for each requested resource; `subject` is "" for an anonymous caller.

    `proof` is what the trail keeps of the identity token that a robot sent in place of its secret.
    """

    minted: Minted
    subject: Subject
    access: tuple[Access, ...]
    refresh_token: str | None = field(default=None, repr=False)
    proof: str = ""


class IdentityStore(Identities, RefreshTokens, Users, Projects, Protocol):
    """The parts of the identity store that issuing needs."""


class TokenService:
    """Issues tokens. Without a `refresh` policy, refresh tokens are neither issued nor accepted.

    `configuration` says whether the registry is read-only, how robots are named, and how much a new project may hold;
    without it, defaults count. `start_quota` gives a project that has no policy its quota, in bytes.
    """

    def __init__(
        self,
        store: IdentityStore,
        login: PasswordLogin,
        robots: RobotLogin,
        access_tokens: TokenLogin,
        minter: TokenMinter,
        *,
        refresh: RefreshPolicy | None = None,
        configuration: ConfigurationReader | None = None,
        start_quota: StartQuota | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._login = login
        self._robots = robots
        self._access_tokens = access_tokens
        self._minter = minter
        self._refresh = refresh
        self._configuration = configuration
        self._start_quota = start_quota
        self._clock = clock
        self._events = EventMaker(clock)

    def credentials(self, user: str, password: str) -> Credentials:
        """Return the credentials in a user name and a password, by their form."""
        return parse_credentials(user, password, lambda: self._configured().text("robot_name_prefix"))

    def issue(self, request: TokenRequest) -> IssuedToken:
        """Issue a token. Raises TokenRefused, TooManyAttempts, ProviderFailed."""
        if not fits(request.scopes):
            raise TokenRefused(
                Reason.INVALID_SCOPE,
                "these scopes do not fit into one token, which holds about 500 repositories in up to "
                f"{MAX_PROJECTS} projects: request fewer",
            )
        if len(request.client_id) > MAX_CLIENT:
            raise TokenRefused(Reason.INVALID_REQUEST, f"a client_id has at most {MAX_CLIENT} characters")
        identity = self._authenticate(request, projects_of(request.scopes))
        subject = _subject(identity, request.credentials)
        read_only = self._configured().flag("read_only")
        grants = grant(request.scopes, identity, creates_projects=request.creates_projects, read_only=read_only)
        if grants.missing_projects:
            creator = replace(request.source, name=subject.name, kind=subject.kind, id=subject.id)
            for project in grants.missing_projects:
                self._create_project(project, creator)
        granted = Granted.of(grants.access, grants.parts)
        if not granted.fits:
            raise TokenRefused(
                Reason.INVALID_SCOPE,
                "these scopes and the patterns that limit your rights do not fit into one token: request fewer",
            )
        minted = self._minter.mint(subject.name, subject.kind, granted, subject_id=subject.id)
        refresh_token = self._refresh_token(request, identity) if request.offline else None
        return IssuedToken(minted, subject, grants.access, refresh_token, identity.proof)

    def _authenticate(self, request: TokenRequest, projects: tuple[ProjectName, ...]) -> Identity:
        """Return what the store has of the caller and the projects; neither user nor robot is an anonymous caller.

        Raises TokenRefused, TooManyAttempts, ProviderFailed.
        """
        match request.credentials:
            case None:
                return self._store.read(None, projects)
            case Password(user, password):
                return self._by_password(user, password, projects, request.source)
            case Refresh(token):
                return self._by_refresh_token(token, projects)
            case PersonalToken(login, token):
                return self._by_access_token(login, token, projects)
            case RobotSecret(_, robot, secret):
                return self._by_robot(robot, secret, projects, request.source.source_ip)

    def _by_password(self, name: str, password: str, projects: tuple[ProjectName, ...], source: Actor) -> Identity:
        try:
            return self._login.sign_in(name, password, projects, source=source)[1]
        except WrongPassword as wrong:
            raise TokenRefused(Reason.INVALID_GRANT, str(wrong), locks=wrong.locks) from wrong
        except NotOnboarded as refused:
            raise TokenRefused(Reason.INVALID_GRANT, str(refused)) from refused

    def _by_refresh_token(self, token: str, projects: tuple[ProjectName, ...]) -> Identity:
        policy, name = self._refresh, refresh_token_user(token)
        if policy is None:
            raise TokenRefused(
                Reason.INVALID_GRANT, "refresh tokens are disabled here: log in again with user name and password"
            )
        identity = self._store.read(name, projects, refresh_token_hash(token)) if name is not None else Identity()
        user, kept = identity.user, identity.refresh_token
        if user is None or kept is None or user.disabled or kept.epoch != user.epoch or kept.expires <= self._clock():
            raise TokenRefused(Reason.INVALID_GRANT, "the refresh token is unknown, expired or revoked: log in again")
        expires = policy.extended(kept, int(self._clock()))
        if expires is not None:
            # A conflict means that the token was removed meanwhile; it was valid when the request began.
            with contextlib.suppress(Conflict):
                self._store.extend_refresh_token(user.name, kept.hash, expires)
        return identity

    def _by_access_token(self, login: str, token: str, projects: tuple[ProjectName, ...]) -> Identity:
        try:
            return self._access_tokens.sign_in(login, token, projects)[1]
        except TokenRejected as rejected:
            raise TokenRefused(Reason.INVALID_GRANT, str(rejected)) from rejected

    def _by_robot(
        self, name: RobotName | None, secret: str, projects: tuple[ProjectName, ...], address: str
    ) -> Identity:
        try:
            return self._robots.sign_in(name, secret, projects, address=address)[1]
        except RobotRefused as refused:
            raise TokenRefused(
                Reason.INVALID_GRANT, str(refused), locks=refused.locks, proof=refused.proof
            ) from refused

    def _configured(self) -> Configuration:
        return self._configuration.read() if self._configuration is not None else Configuration()

    def _create_project(self, name: ProjectName, creator: Actor) -> None:
        """The quota first: a request that dies between the two is repeated, and finds no project yet."""
        storage = self._configured().number("storage_per_project")
        if self._start_quota is not None and storage != _UNLIMITED:
            self._start_quota(name, storage, creator)
        # A conflict means that the project was created meanwhile.
        with contextlib.suppress(Conflict):
            project = Project(name, False, int(self._clock()), creator.name)
            event = self._events.make(Operation.CREATE_PROJECT, creator, "", project=name, detail="public=false")
            self._store.create_project(project, event=event)

    def _refresh_token(self, request: TokenRequest, identity: Identity) -> str | None:
        user, policy = identity.user, self._refresh
        if user is None or policy is None or identity.access_token is not None:
            return None  # a refresh token would outlive the access token
        if isinstance(request.credentials, Refresh):
            return request.credentials.token
        now = int(self._clock())
        existing = self._store.refresh_tokens(user.name)
        ended = expired(existing, now)
        if len(existing) - len(ended) >= PER_USER:
            return None
        token = new_refresh_token(user.name)
        kept = policy.create(user.name, token, request.client_id, user.epoch, now)
        self._store.store_refresh_token(kept, ended)
        return token


def _subject(identity: Identity, credentials: Credentials) -> Subject:
    if identity.robot is not None and isinstance(credentials, RobotSecret):
        return Subject(credentials.login, ActorKind.ROBOT, identity.robot.id)
    return Subject(identity.user.name, ActorKind.USER) if identity.user is not None else Subject()
