"""Who asks: Basic credentials, a token as a bearer, a session's cookie, or nobody.

An Authorization header always decides; a wrong one is 401, even beside a valid cookie. There is never a
`WWW-Authenticate: Basic` in a response: browsers would open a dialog and keep the password.
"""

from __future__ import annotations

import base64
import binascii
import logging
from dataclasses import dataclass, field, replace

from functions.hosting import observation
from functions.hosting.viewer import origin
from functions.management import audit
from functions.management.call import Caller
from functions.management.errors import ManagementCode, ManagementError
from functions.management.services import Services
from roadstead.http import Request
from roadstead.identity.directory import Identity, Session, User, UserName
from roadstead.identity.people import RETRY_AFTER, ProviderFailed
from roadstead.identity.providers.onboarding import NotOnboarded
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.robots.robot_sign_in import RobotRefused
from roadstead.identity.robots.robots import Robot
from roadstead.identity.sign_in.access_tokens import is_access_token
from roadstead.identity.sign_in.attempts import TooManyAttempts
from roadstead.identity.sign_in.login import WrongPassword
from roadstead.identity.sign_in.sessions import is_csrf_token, session_hash, session_user
from roadstead.identity.sign_in.token_sign_in import TokenRejected
from roadstead.identity.sign_in.ways_in import Credentials as WayIn
from roadstead.identity.sign_in.ways_in import Password, PersonalToken, Refresh, RobotSecret, parse_credentials
from roadstead.names import ProjectName
from roadstead.trail.entries import ActorKind

COOKIE, SECURE_PREFIX = "roadstead", "__Host-"
CSRF_HEADER = "X-Harbor-CSRF-Token"
_log = logging.getLogger(__name__)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_DOTS = 2  # of a signed token in compact form (RFC 7515)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request brings. At most one of `password`, `id_token` and `session` is set; none for an anonymous one."""

    user: UserName | None = None  # whom the session's token names
    name: str = ""  # beside the password, as it was typed
    password: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)  # of a provider, not verified
    session: str | None = field(default=None, repr=False)  # the token in the cookie


def credentials_of(request: Request) -> Credentials:
    """Read the credentials without looking at the store. Raises 401 for a malformed or unsupported header."""
    header = request.header("authorization")
    if header is not None:
        return _in_header(header)
    token = session_token(request)
    user = session_user(token) if token is not None else None
    return Credentials(user, session=token) if user is not None else Credentials()


def authenticate(
    services: Services, request: Request, credentials: Credentials, projects: tuple[ProjectName, ...] = ()
) -> tuple[Caller, Identity]:
    """Return the caller, and what the store knows of `projects`. Costs one read of the store, for an id token two.

    Raises 401 for wrong credentials, 403 for a session that changes something without its CSRF token, 429 after too
    many failures. A session that is no longer valid makes the caller anonymous: a public page still opens.
    """
    if credentials.password is not None:
        return _by_secret(services, request, credentials.name, credentials.password, projects)
    if credentials.id_token is not None:
        return _by_id_token(services, request, credentials.id_token, projects)
    session_key = session_hash(credentials.session) if credentials.session is not None else None
    identity = services.directory.read(credentials.user, projects, session=session_key)
    user, session = identity.user, identity.session
    if user is None or session is None or not services.sessions.is_live(session, user):
        return Caller(origin(request)), replace(identity, user=None, roles={}, session=None)
    if request.method not in SAFE_METHODS:
        given = request.header(CSRF_HEADER.lower())
        if not is_csrf_token(credentials.session or "", given):
            message = f"a session that changes something needs its {CSRF_HEADER}, which every response carries"
            raise ManagementError(ManagementCode.FORBIDDEN, message)
    services.sessions.touch(session)
    return caller_of(request, user, session), identity


def _by_secret(
    services: Services, request: Request, name: str, secret: str, projects: tuple[ProjectName, ...]
) -> tuple[Caller, Identity]:
    match _way_in(services, name, secret):
        case RobotSecret(login, robot):
            found, identity = _sign_in_robot(services, request, login, robot, secret, projects)
            actor = replace(origin(request), name=login, kind=ActorKind.ROBOT, id=found.id)
            return Caller(actor, robot=found), identity
        case PersonalToken(login, token):
            return _by_token(services, request, login, token, projects)
        case Refresh():
            raise _unauthorized("a refresh token gets a registry token, and nothing here: use the password")
    user, identity = sign_in(services, request, name, secret, projects)
    return caller_of(request, user), identity


def _way_in(services: Services, name: str, secret: str) -> WayIn:
    return parse_credentials(name, secret, lambda: services.configuration.read().text("robot_name_prefix"))


def _by_token(
    services: Services, request: Request, login: str, token: str, projects: tuple[ProjectName, ...]
) -> tuple[Caller, Identity]:
    try:
        user, identity = services.access_tokens.sign_in(login, token, projects)
    except TokenRejected as rejected:
        audit.log_failed_token(origin(request), token)
        raise _unauthorized(str(rejected)) from rejected
    actor = replace(origin(request), name=user.name, kind=ActorKind.USER)
    return Caller(actor, user, access_token=identity.access_token), identity


def _by_id_token(
    services: Services, request: Request, token: str, projects: tuple[ProjectName, ...]
) -> tuple[Caller, Identity]:
    from roadstead.identity.sign_in.id_token_sign_in import IdTokenLogin, IdTokenRejected

    login = IdTokenLogin(services.directory, services.oidc(), services.configuration, clock=services.clock)
    try:
        user, identity = login.sign_in(token, projects)
    except IdTokenRejected as rejected:
        audit.log_failed_id_token(origin(request), rejected.provider, rejected.user)
        raise _unauthorized(str(rejected)) from rejected
    except ProviderFailed as error:
        raise provider_failed(error) from error
    return replace(caller_of(request, user), by_id_token=True), identity


def _sign_in_robot(
    services: Services,
    request: Request,
    login: str,
    robot: RobotName | None,
    secret: str,
    projects: tuple[ProjectName, ...],
) -> tuple[Robot, Identity]:
    where = origin(request)
    try:
        return services.robots.sign_in(robot, secret, projects, address=where.source_ip)
    except RobotRefused as refused:
        actor = replace(where, name=login, kind=ActorKind.ROBOT) if robot is not None else where
        audit.log_failed_robot(actor, refused.locks, refused.proof)
        raise _unauthorized(str(refused)) from refused
    except TooManyAttempts as error:
        raise _too_many(error) from error
    except ProviderFailed as error:
        raise provider_failed(error) from error


def sign_in(
    services: Services, request: Request, name: str, password: str, projects: tuple[ProjectName, ...] = ()
) -> tuple[User, Identity]:
    """Return the user of a name and a password, and what the store has of them and of `projects`.

    Costs one read, a failure two writes. Raises 401, 429, 503. A secret of a robot, or a token, is no password: it is
    refused, and no provider sees it.
    """
    where = origin(request)
    if not isinstance(_way_in(services, name, password), Password | None):
        audit.log_failed_login(where, name, ())
        raise _unauthorized("sign in with a user name and a password: robots and tokens begin no session")
    try:
        return services.login.sign_in(name, password, projects, source=where)
    except WrongPassword as wrong:
        audit.log_failed_login(where, name, wrong.locks)
        raise _unauthorized(str(wrong)) from wrong
    except TooManyAttempts as error:
        raise _too_many(error) from error
    except NotOnboarded as refused:
        audit.log_failed_login(where, name, ())
        raise _unauthorized(str(refused)) from refused
    except ProviderFailed as error:
        raise provider_failed(error) from error


def provider_failed(error: ProviderFailed) -> ManagementError:
    """Return the response while a provider cannot be asked. Its log has the reason, which is not for everybody."""
    observation.current().count("ProviderFailures")
    _log.error("the provider could not be asked: %s: %s", error.step, error)
    message = "the provider that knows this account cannot be asked at the moment; try again in a moment"
    headers = [("Retry-After", str(RETRY_AFTER))]
    return ManagementError(ManagementCode.UNAVAILABLE, message, headers=headers)


def caller_of(request: Request, user: User, session: Session | None = None) -> Caller:
    return Caller(replace(origin(request), name=user.name, kind=ActorKind.USER), user, session)


def session_token(request: Request) -> str | None:
    """Return the token in the session's cookie."""
    return named_cookie(request, COOKIE)


def named_cookie(request: Request, name: str) -> str | None:
    """Return the value of a cookie of ours. The insecure name counts on plain HTTP only."""
    wanted = f"{SECURE_PREFIX if request.scheme == 'https' else ''}{name}"
    cookies = (cookie.strip().partition("=") for cookie in (request.header("cookie") or "").split(";"))
    return next((value for found, equals, value in cookies if found == wanted and equals and value), None)


def _in_header(header: str) -> Credentials:
    scheme, _, rest = header.strip().partition(" ")
    match scheme.lower(), rest.strip():
        case "bearer", token if is_access_token(token):
            return Credentials(password=token)
        case "bearer", token if token.count(".") == _DOTS:
            return Credentials(id_token=token)
        case "basic", encoded:
            return _basic(encoded)
    raise _unauthorized("this API takes Basic credentials, an access token or an id token as a bearer, or a session")


def _basic(encoded: str) -> Credentials:
    try:
        name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise _unauthorized("the Basic credentials are malformed") from error
    if not colon:
        raise _unauthorized("the Basic credentials have no colon between name and password")
    return Credentials(name=name, password=password)


def _too_many(error: TooManyAttempts) -> ManagementError:
    observation.current().count("LoginsDelayed")
    headers = [("Retry-After", str(error.retry_after))]
    return ManagementError(ManagementCode.TOO_MANY_REQUESTS, str(error), headers=headers)


def _unauthorized(message: str) -> ManagementError:
    return ManagementError(ManagementCode.UNAUTHORIZED, message)
