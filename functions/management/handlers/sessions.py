"""Signing in to the console, and out."""

from __future__ import annotations

import re
from typing import Any

from functions.management import audit
from functions.management.authentication import (
    COOKIE,
    CSRF_HEADER,
    SECURE_PREFIX,
    caller_of,
    session_token,
    sign_in,
)
from functions.management.call import Call, Caller, text
from functions.management.errors import ManagementCode, ManagementError
from functions.management.route import OWN, Anybody, Nothing, route
from roadstead.http import Request, Response
from roadstead.identity.sign_in.sessions import csrf_token

_JSON = "application/json"
_LOOPBACK = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?")


def get(call: Call) -> Response:
    """Who is signed in; `{"user": null}` for an anonymous caller."""
    return Response.json(200, _document(call.caller))


def begin(call: Call) -> Response:
    """Sign in with `{"name", "password"}`: the response sets the session's cookie. Raises 401, 429."""
    _refuse_cross_site(call.request)
    require_https(call.request)
    document = call.document()
    user, _ = sign_in(call.services, call.request, text(document, "name"), text(document, "password"))
    caller = caller_of(call.request, user)
    actor = caller.actor
    token = call.services.sessions.begin(user, address=actor.source_ip, user_agent=actor.user_agent)
    audit.log_session(actor)
    headers = [("Set-Cookie", session_cookie(call.request, token)), (CSRF_HEADER, csrf_token(token))]
    return Response.json(201, _document(caller), headers)


def end(call: Call) -> Response:
    """Sign out: the session ends and its cookie goes. Does nothing for a caller without a session."""
    token = session_token(call.request)
    if token is not None and call.caller.session is not None:
        call.services.sessions.end(token)
    return Response(204, (("Set-Cookie", session_cookie(call.request, "", gone=True)),))


def _document(caller: Caller) -> dict[str, Any]:
    user = caller.user
    return {"user": {"name": user.name, "admin": user.admin} if user is not None else None}


def require_https(request: Request) -> None:
    """Raises 403 for a sign-in in plain text, except on a loopback address."""
    if request.scheme != "https" and _LOOPBACK.fullmatch(request.host) is None:
        message = "signing in needs HTTPS, except on a loopback address"
        raise ManagementError(ManagementCode.FORBIDDEN, message)


def _refuse_cross_site(request: Request) -> None:
    """Another site must not sign a browser in as somebody else: it cannot send JSON without CORS, which is off."""
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    site = request.header("sec-fetch-site")
    if kind != _JSON or site not in (None, "same-origin", "none"):
        raise ManagementError(ManagementCode.FORBIDDEN, f"sign in by {_JSON} from the registry's own pages")


def session_cookie(request: Request, token: str, *, gone: bool = False) -> str:
    return cookie(request, COOKIE, token, seconds=0 if gone else None)


def cookie(request: Request, name: str, value: str, *, seconds: int | None = None) -> str:
    """Return a cookie for `seconds`, or until the browser ends; 0 removes it.

    A browser drops a `__Host-` cookie without Secure, so plain HTTP on a loopback address has another name.
    """
    secure = request.scheme == "https"
    attributes = [
        "Path=/",
        "HttpOnly",
        "SameSite=Lax",
        *(["Secure"] if secure else []),
        *([f"Max-Age={seconds}"] if seconds is not None else []),
    ]
    return "; ".join([f"{SECURE_PREFIX if secure else ''}{name}={value}", *attributes])


ROUTES = (
    route("getSession", "GET", f"{OWN}/session", Anybody(), get),
    route("beginSession", "POST", f"{OWN}/session", Nothing(), begin),
    route("endSession", "DELETE", f"{OWN}/session", Anybody(), end),
)
