"""Signing in to the console, and out; one's own sessions, and ending those on other machines."""

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
from functions.management.errors import ManagementCode, ManagementError, not_found
from functions.management.harbor.paging import page_response, requested_page
from functions.management.harbor.shapes import timestamp
from functions.management.route import OWN, Anybody, Nothing, Person, route
from roadstead.http import Request, Response
from roadstead.identity.directory import Session, User
from roadstead.identity.sign_in.sessions import NoSuchSession, csrf_token

_JSON = "application/json"
_LOOPBACK = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?")


def get(call: Call) -> Response:
    """Who is signed in; `{"user": null}` for an anonymous caller."""
    return Response.json(200, user_document(call.caller))


def begin(call: Call) -> Response:
    """Sign in with `{"name", "password"}`: the response sets the session's cookie. Raises 401, 429."""
    refuse_cross_site(call.request)
    require_https(call.request)
    document = call.document()
    user, _ = sign_in(call.services, call.request, text(document, "name"), text(document, "password"))
    caller = caller_of(call.request, user)
    actor = caller.actor
    token = call.services.sessions.begin(user, address=actor.source_ip, user_agent=actor.user_agent)
    audit.log_session(actor)
    headers = [("Set-Cookie", session_cookie(call.request, token)), (CSRF_HEADER, csrf_token(token))]
    return Response.json(201, user_document(caller), headers)


def end(call: Call) -> Response:
    """Sign out: the session ends and its cookie goes. Does nothing for a caller without a session."""
    token = session_token(call.request)
    if token is not None and call.caller.session is not None:
        call.services.sessions.end(token)
    return Response(204, (("Set-Cookie", session_cookie(call.request, "", gone=True)),))


def list_own(call: Call) -> Response:
    """List the caller's sessions that count now, the newest first. Costs one Query."""
    page, user = requested_page(call.request), _self(call)
    found = call.services.sessions.live_sessions(user)
    documents = [_session_document(one, call.caller.session) for one in page.of(found)]
    return page_response(call.request, page, len(found), documents)


def end_own(call: Call, session: str) -> Response:
    """End one of the caller's sessions. Raises 404."""
    try:
        call.services.sessions.end_one(_self(call), session, by=call.actor)
    except NoSuchSession as error:
        raise not_found(str(error)) from error
    return Response(200)


def end_others(call: Call) -> Response:
    """End all sessions of the caller but the one that asks."""
    call.services.sessions.end_others(_self(call), call.caller.session, by=call.actor)
    return Response(200)


def _self(call: Call) -> User:
    if call.caller.user is None:
        raise ManagementError(ManagementCode.FORBIDDEN, "only a user has sessions")
    return call.caller.user


def _session_document(session: Session, current: Session | None) -> dict[str, Any]:
    return {
        "id": session.id,
        "current": current is not None and session.hash == current.hash,
        "creation_time": timestamp(session.created),
        "last_used": timestamp(session.seen),
        "expires_at": session.expires,
        "provider": session.provider,
        "address": session.address,
        "user_agent": session.user_agent,
    }


def user_document(caller: Caller) -> dict[str, Any]:
    user = caller.user
    return {"user": {"name": user.name, "admin": user.admin} if user is not None else None}


def require_https(request: Request) -> None:
    """Raises 403 for a sign-in in plain text, except on a loopback address."""
    if request.scheme != "https" and _LOOPBACK.fullmatch(request.host) is None:
        message = "signing in needs HTTPS, except on a loopback address"
        raise ManagementError(ManagementCode.FORBIDDEN, message)


def refuse_cross_site(request: Request) -> None:
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


_OWN_SESSIONS = f"{OWN}/users/current/sessions"
ROUTES = (
    route("getSession", "GET", f"{OWN}/session", Anybody(), get),
    route("beginSession", "POST", f"{OWN}/session", Nothing(), begin),
    route("endSession", "DELETE", f"{OWN}/session", Anybody(), end),
    route("listOwnSessions", "GET", _OWN_SESSIONS, Person(), list_own),
    route("endOtherSessions", "DELETE", _OWN_SESSIONS, Person(), end_others),
    route("endOwnSession", "DELETE", f"{_OWN_SESSIONS}/{{session}}", Person(), end_own),
)
