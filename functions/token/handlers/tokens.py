"""`/token`: the Docker registry's token specification ("Token Authentication Specification" for GET, "Token OAuth2
Specification" for POST).

GET takes credentials from Basic authentication, or is anonymous; POST takes them from a form. `account` is ignored: the
credentials identify the caller.
"""

from __future__ import annotations

import base64
import binascii
import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from functions.hosting import observation
from functions.hosting.viewer import origin
from functions.token import audit
from functions.token.services import TokenServices
from roadstead.errors import ErrorCode, ErrorEntry
from roadstead.http import Request, Response
from roadstead.identity.access import Access, parse_scopes
from roadstead.identity.people import RETRY_AFTER, ProviderFailed
from roadstead.identity.sign_in.attempts import TooManyAttempts
from roadstead.identity.sign_in.ways_in import Credentials, Refresh
from roadstead.identity.tokens.tokens import IssuedToken, Reason, TokenRefused, TokenRequest

MAX_FORM = 64 * 1024  # bytes: the scopes of 500 repositories take 36 KB
_MAX_FIELDS = 1_000
_FORM = "application/x-www-form-urlencoded"
_HARBORS = "harbor-registry"  # what scripts for Harbor ask for; the token is for our own service all the same
_NO_STORE = ("Cache-Control", "no-store")
Parameters = Mapping[str, tuple[str, ...]]

_log = logging.getLogger(__name__)


def get_token(services: TokenServices, request: Request) -> Response:
    """Respond with a token for the Basic credentials, or an anonymous one."""
    credentials: Credentials = None
    try:
        parameters = _grouped(request.query)
        credentials = _basic(services, request.header("authorization"))
        issued = _issue(services, request, parameters, credentials)
    except TokenRefused as refused:
        audit.log_refused(origin(request), credentials, refused)
        return _refusal(services, refused, {})
    except (TooManyAttempts, ProviderFailed) as error:
        return _delayed(error, {})
    return Response.json(200, _answer(issued), [_NO_STORE])


def post_token(services: TokenServices, request: Request) -> Response:
    """Respond with a token for the credentials in the form, `grant_type=password` or `refresh_token`."""
    credentials: Credentials = None
    try:
        parameters = _form(request)
        credentials = _granted_by(services, parameters)
        issued = _issue(services, request, parameters, credentials)
    except TokenRefused as refused:
        audit.log_refused(origin(request), credentials, refused)
        return _refusal(services, refused, {"error": refused.reason.value, "error_description": str(refused)})
    except (TooManyAttempts, ProviderFailed) as error:
        return _delayed(error, {"error": "temporarily_unavailable"})
    scope = " ".join(access.scope() for access in issued.access if access.actions)
    return Response.json(200, {**_answer(issued), "scope": scope}, [_NO_STORE])


def _issue(services: TokenServices, request: Request, parameters: Parameters, credentials: Credentials) -> IssuedToken:
    if any(service not in ("", services.service, _HARBORS) for service in parameters.get("service", ())):
        raise TokenRefused(Reason.INVALID_REQUEST, f"tokens are issued for the service {services.service!r} only")
    client_id = _single(parameters, "client_id") or ""
    asked = TokenRequest(
        credentials,
        _scopes(parameters),
        client_id,
        _wants_refresh_token(parameters),
        source=origin(request),
        creates_projects=not _is_from_a_browser(request),
    )
    issued = services.tokens.issue(asked)
    audit.log_issued(asked, issued)
    return issued


def _is_from_a_browser(request: Request) -> bool:
    """Whether a browser sent the request: no registry client sends these headers (Fetch Metadata; RFC 6454).

    Another site may make a browser send it, with credentials that the browser remembers.
    """
    return request.header("sec-fetch-site") is not None or request.header("origin") is not None


def _scopes(parameters: Parameters) -> tuple[Access, ...]:
    try:
        return parse_scopes(parameters.get("scope", ()))
    except ValueError as error:
        raise TokenRefused(Reason.INVALID_SCOPE, str(error)) from error


def _basic(services: TokenServices, header: str | None) -> Credentials:
    """Return the credentials in a Basic header (RFC 7617); no header is anonymous. Raises TokenRefused."""
    if header is None:
        return None
    scheme, _, encoded = header.strip().partition(" ")
    if scheme.lower() != "basic":
        raise TokenRefused(Reason.INVALID_GRANT, "a token needs Basic credentials; a bearer token is not accepted")
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise TokenRefused(Reason.INVALID_GRANT, "the Basic credentials are malformed") from error
    if not colon:
        raise TokenRefused(Reason.INVALID_GRANT, "the Basic credentials are malformed")
    return services.tokens.credentials(user, password)


def _form(request: Request) -> Parameters:
    media_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if media_type != _FORM:
        raise TokenRefused(Reason.INVALID_REQUEST, f"the body must be a form, {_FORM}")
    if len(request.body) > MAX_FORM:
        raise TokenRefused(Reason.INVALID_REQUEST, f"the form has more than {MAX_FORM} bytes")
    try:
        fields = parse_qsl(request.body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise TokenRefused(Reason.INVALID_REQUEST, "the form is malformed") from error
    return _grouped(fields)


def _granted_by(services: TokenServices, parameters: Parameters) -> Credentials:
    match _single(parameters, "grant_type"):
        case "password":
            user, password = _single(parameters, "username"), _single(parameters, "password")
            if user is None or password is None:
                raise TokenRefused(Reason.INVALID_REQUEST, "grant_type=password needs username and password")
            return services.tokens.credentials(user, password)
        case "refresh_token":
            token = _single(parameters, "refresh_token")
            if not token:
                raise TokenRefused(Reason.INVALID_REQUEST, "grant_type=refresh_token needs refresh_token")
            return Refresh(token)
        case None:
            raise TokenRefused(Reason.INVALID_REQUEST, "grant_type is missing: password or refresh_token")
        case other:
            raise TokenRefused(
                Reason.UNSUPPORTED_GRANT_TYPE, f"grant_type {other[:40]!r} is not password or refresh_token"
            )


def _grouped(fields: Iterable[tuple[str, str]]) -> Parameters:
    grouped: dict[str, tuple[str, ...]] = {}
    for name, value in fields:
        grouped[name] = (*grouped.get(name, ()), value)
    return grouped


def _single(parameters: Parameters, name: str) -> str | None:
    values = parameters.get(name, ())
    if len(values) > 1:
        raise TokenRefused(Reason.INVALID_REQUEST, f"{name} is given {len(values)} times")
    return values[0] if values else None


def _wants_refresh_token(parameters: Parameters) -> bool:
    """Whether a refresh token is requested: GET uses `offline_token`, POST `access_type`; both accept both."""
    offline_token = _single(parameters, "offline_token") or ""
    return offline_token.lower() in ("true", "1") or _single(parameters, "access_type") == "offline"


def _answer(issued: IssuedToken) -> dict[str, Any]:
    minted = issued.minted
    answer: dict[str, Any] = {
        "token": minted.token,
        "access_token": minted.token,
        "expires_in": minted.expires_in,
        "issued_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(minted.issued_at)),  # RFC 3339
    }
    if issued.refresh_token is not None:
        answer["refresh_token"] = issued.refresh_token
    return answer


def _delayed(error: TooManyAttempts | ProviderFailed, oauth: Mapping[str, str]) -> Response:
    """Return 429 after too many failures, 503 while a provider cannot be asked, with Retry-After.

    The trail has a lock already, so a flood of these leaves nothing more. The reason of a provider is for the log.
    """
    if isinstance(error, TooManyAttempts):
        observation.current().count("LoginsDelayed")
        status, code, message, retry_after = 429, ErrorCode.TOOMANYREQUESTS, str(error), error.retry_after
    else:
        observation.current().count("ProviderFailures")
        _log.error("the provider could not be asked: %s: %s", error.step, error)
        message = "the provider that knows this account cannot be asked at the moment; try again in a moment"
        status, code, retry_after = 503, ErrorCode.UNKNOWN, RETRY_AFTER
    described = {"error_description": message} if oauth else {}
    body = {"errors": [ErrorEntry(code, message).as_json()], "details": message, **oauth, **described}
    return Response.json(status, body, [_NO_STORE, ("Retry-After", str(retry_after))])


def _refusal(services: TokenServices, refused: TokenRefused, oauth: Mapping[str, str]) -> Response:
    """Return an error response that all clients can show: `errors`, and `details`, which Docker reads."""
    wrong_credentials = refused.reason is Reason.INVALID_GRANT
    code, status = (ErrorCode.UNAUTHORIZED, 401) if wrong_credentials else (ErrorCode.UNSUPPORTED, 400)
    challenge = ("WWW-Authenticate", f'Basic realm="{services.service}", charset="UTF-8"')
    body = {"errors": [ErrorEntry(code, str(refused)).as_json()], "details": str(refused), **oauth}
    return Response.json(status, body, [_NO_STORE, challenge] if wrong_credentials else [_NO_STORE])
