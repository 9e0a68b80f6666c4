"""Who asks: Basic credentials, a session's cookie, or nobody.

An Authorization header always decides; a wrong one is 401, even beside a valid cookie. There is never a
`WWW-Authenticate: Basic` in a response: browsers would open a dialog and keep the password.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field, replace

from functions.hosting.viewer import origin
from functions.management.call import Caller
from functions.management.errors import ManagementCode, ManagementError
from functions.management.services import Services
from roadstead.http import Request
from roadstead.identity.directory import Identity, UserName
from roadstead.identity.sessions import is_csrf_token, session_hash, session_user
from roadstead.names import ProjectName
from roadstead.trail.entries import ActorKind

SECURE_COOKIE, LOOPBACK_COOKIE = "__Host-roadstead", "roadstead"
CSRF_HEADER = "X-Harbor-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request brings. At most one of `password` and `session` is set; neither for an anonymous caller."""

    user: UserName | None = None
    password: str | None = field(default=None, repr=False)
    session: str | None = field(default=None, repr=False)  # the token in the cookie


def credentials_of(request: Request) -> Credentials:
    """Read the credentials without looking at the store. Raises 401 for a malformed or unsupported header."""
    header = request.header("authorization")
    if header is not None:
        return _basic(header)
    token = session_token(request)
    user = session_user(token) if token is not None else None
    return Credentials(user, session=token) if user is not None else Credentials()


def authenticate(
    services: Services, request: Request, credentials: Credentials, projects: tuple[ProjectName, ...] = ()
) -> tuple[Caller, Identity]:
    """Return the caller, and what the store knows of `projects`. Costs one read of the store.

    Raises 401 for wrong credentials, 403 for a session that changes something without its CSRF token. A session that
    is no longer valid makes the caller anonymous: a public page still opens.
    """
    session_key = session_hash(credentials.session) if credentials.session is not None else None
    identity = services.directory.read(credentials.user, projects, session=session_key)
    user = identity.user
    where = origin(request)
    if credentials.password is not None:
        right = services.passwords.verify(
            credentials.user or "", credentials.password, user.password if user is not None else None
        )
        if user is None or not right or user.disabled:
            raise _unauthorized("the user name or the password is wrong")
        return Caller(replace(where, name=user.name, kind=ActorKind.USER), user), identity
    session = identity.session
    if user is None or session is None or not services.sessions.is_live(session, user):
        return Caller(where), replace(identity, user=None, roles={}, session=None)
    if request.method not in SAFE_METHODS:
        given = request.header(CSRF_HEADER.lower())
        if not is_csrf_token(credentials.session or "", given):
            message = f"a session that changes something needs its {CSRF_HEADER}, which every response carries"
            raise ManagementError(ManagementCode.FORBIDDEN, message)
    services.sessions.touch(session)
    return Caller(replace(where, name=user.name, kind=ActorKind.USER), user, session), identity


def session_token(request: Request) -> str | None:
    """Return the token in the session's cookie. The insecure name counts on plain HTTP only."""
    names = (SECURE_COOKIE,) if request.scheme == "https" else (LOOPBACK_COOKIE,)
    cookies = (cookie.strip().partition("=") for cookie in (request.header("cookie") or "").split(";"))
    return next((value for name, equals, value in cookies if name in names and equals and value), None)


def _basic(header: str) -> Credentials:
    scheme, _, encoded = header.strip().partition(" ")
    if scheme.lower() != "basic":
        raise _unauthorized("this API takes Basic credentials or a session")
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise _unauthorized("the Basic credentials are malformed") from error
    if not colon:
        raise _unauthorized("the Basic credentials have no colon between name and password")
    try:
        return Credentials(UserName.parse(name), password)
    except ValueError:
        return Credentials(None, password)  # no such user can exist: the same work and the same refusal follow


def _unauthorized(message: str) -> ManagementError:
    return ManagementError(ManagementCode.UNAUTHORIZED, message)
