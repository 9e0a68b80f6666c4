"""Personal access tokens: everybody's own, and for system administrators anybody's.

A token makes no access tokens: who has stolen one could outlive its end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from functions.management.authorization import identity_of
from functions.management.call import Call, text
from functions.management.errors import ManagementCode, ManagementError, bad_request, conflict, not_found
from functions.management.handlers.identity.users import found_user
from functions.management.harbor.paging import page_response, requested_page
from functions.management.harbor.shapes import timestamp
from functions.management.route import OWN, Person, SystemAdmin, route
from roadstead.http import Response
from roadstead.identity.directory import AccessToken, TokenLevel, User
from roadstead.identity.sign_in.token_accounts import (
    MAX_NAME,
    MAX_PROJECTS,
    NoSuchToken,
    TokenAccounts,
    TokenExists,
    TokenRuleBroken,
)
from roadstead.names import ProjectName


def list_own_tokens(call: Call) -> Response:
    return _listed(call, _self(call))


def create_token(call: Call) -> Response:
    """Make a token `{"name", "access", "projects", "duration"}`; only this response has it. Raises 400, 409."""
    document = call.document()
    level, days = document.get("access"), document.get("duration")
    if level not in tuple(TokenLevel):
        raise bad_request("access must be read, write or admin")
    if not isinstance(days, int) or isinstance(days, bool):
        raise bad_request("duration must be a number of days, or -1 for no expiry")
    name, projects = text(document, "name", most=MAX_NAME), _projects(document.get("projects", []))
    identity = identity_of(call.services, call.caller, projects)
    token, secret = _refused(lambda: _accounts(call).create(identity, name, TokenLevel(level), projects, days))
    location = f"{OWN}/users/current/tokens/{token.id}"
    return Response.json(201, {**_document(token), "token": secret}, [("Location", location)])


def revoke_own_token(call: Call, token: str) -> Response:
    _refused(lambda: _accounts(call).revoke(_self(call), token))
    return Response(200)


def list_tokens(call: Call, user: str) -> Response:
    return _listed(call, found_user(call, user))


def revoke_token(call: Call, user: str, token: str) -> Response:
    found = found_user(call, user)
    _refused(lambda: _accounts(call).revoke(found, token))
    return Response(200)


def revoke_tokens(call: Call, user: str) -> Response:
    """Revoke all tokens of a user, after a leak."""
    _accounts(call).revoke_all(found_user(call, user))
    return Response(200)


def _self(call: Call) -> User:
    if call.caller.user is None:
        raise ManagementError(ManagementCode.FORBIDDEN, "only a user has access tokens")
    return call.caller.user


def _accounts(call: Call) -> TokenAccounts:
    return TokenAccounts(call.services.directory, actor=call.actor, clock=call.services.clock)


def _listed(call: Call, user: User) -> Response:
    page = requested_page(call.request)
    found = _accounts(call).tokens(user)
    return page_response(call.request, page, len(found), [_document(one) for one in page.of(found)])


def _document(token: AccessToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "access": str(token.level),
        "projects": [name for name, _ in token.projects],
        "creation_time": timestamp(token.created),
        "expires_at": token.expires,
        "last_used": timestamp(token.used) if token.used else None,
    }


def _projects(names: object) -> tuple[ProjectName, ...]:
    if not isinstance(names, list) or len(names) > MAX_PROJECTS or not all(isinstance(name, str) for name in names):
        raise bad_request(f"projects must list up to {MAX_PROJECTS} names of projects")
    try:
        return tuple(ProjectName.parse(name) for name in names)
    except ValueError as error:
        raise bad_request(str(error)) from error


def _refused(change: Callable[[], Any]) -> Any:
    try:
        return change()
    except TokenExists as error:
        raise conflict(str(error)) from error
    except NoSuchToken as error:
        raise not_found(str(error)) from error
    except TokenRuleBroken as error:
        raise bad_request(str(error)) from error


_OWN_TOKENS, _TOKENS = f"{OWN}/users/current/tokens", f"{OWN}/users/{{user}}/tokens"
ROUTES = (
    route("listOwnTokens", "GET", _OWN_TOKENS, Person(), list_own_tokens),
    route("createToken", "POST", _OWN_TOKENS, Person(), create_token),
    route("revokeOwnToken", "DELETE", f"{_OWN_TOKENS}/{{token}}", Person(), revoke_own_token),
    route("listTokens", "GET", _TOKENS, SystemAdmin(), list_tokens),
    route("revokeTokens", "DELETE", _TOKENS, SystemAdmin(), revoke_tokens),
    route("revokeToken", "DELETE", f"{_TOKENS}/{{token}}", SystemAdmin(), revoke_token),
)
