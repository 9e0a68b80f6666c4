"""Somebody whom a provider has confirmed chooses the name of the account: where `oidc_auto_onboard` is off.

Until then nothing of the account exists. What the provider said is kept for ten minutes, under a secret in a cookie of
the browser that signed in.
"""

from __future__ import annotations

import re
import secrets

from functions.hosting.viewer import origin
from functions.management import audit
from functions.management.authentication import CSRF_HEADER, caller_of, named_cookie
from functions.management.call import Call, text
from functions.management.errors import ManagementCode, ManagementError, bad_request, conflict
from functions.management.handlers.identity.sessions import (
    cookie,
    refuse_cross_site,
    require_https,
    session_cookie,
    user_document,
)
from functions.management.route import OWN, Nothing, route
from roadstead import base64url
from roadstead.http import Response
from roadstead.identity.directory import MAX_USER_NAME, UserName
from roadstead.identity.people import Person
from roadstead.identity.providers.oidc_settings import NotSignedIn, configured, provider_of
from roadstead.identity.providers.onboarding import NameTaken, NotOnboarded
from roadstead.identity.providers.sign_ins import CHOOSING_SECONDS, MAX_KEPT, Newcomer
from roadstead.identity.sign_in.sessions import csrf_token

PAGE = "/ui/choose-name"
_COOKIE = "roadstead-newcomer"


def greet(call: Call, person: Person, back_to: str) -> Response:
    """Send the browser to the page where its person chooses a name. Raises NotSignedIn. Costs one write."""
    secret = base64url.encode(secrets.token_bytes(32))
    newcomer = Newcomer(person, back_to, int(call.services.clock()) + CHOOSING_SECONDS)
    if len(newcomer.as_text()) > MAX_KEPT:
        raise NotSignedIn("you are in too many groups: an administrator of the registry has to set a group filter")
    call.services.states.keep_newcomer(secret, newcomer)
    kept = ("Set-Cookie", cookie(call.request, _COOKIE, secret, seconds=CHOOSING_SECONDS))
    return Response(302, (("Location", PAGE), kept))


def get(call: Call) -> Response:
    """Who chooses a name, and one that they could have. Raises 401 where nobody does. Costs one read."""
    newcomer, provider = _newcomer(call)
    person = newcomer.person
    return Response.json(
        200,
        {
            "provider": configured(call.services.configuration.read())[provider],
            "real_name": person.real_name,
            "email": person.email,
            "name": _suggestion(person.name),
        },
    )


def choose(call: Call) -> Response:
    """Create the account under a name, and begin a session. Raises 400, 401, 403, 409.

    Costs two reads and three writes. A repetition signs in to the account that is there.
    """
    request, services = call.request, call.services
    refuse_cross_site(request)
    require_https(request)
    newcomer, provider = _newcomer(call)
    name = text(call.document(), "name")
    try:
        UserName.parse(name)
        user = services.onboarding.create(newcomer.person, origin(request), name=name, by_themselves=True)
    except NameTaken as error:
        raise conflict(str(error)) from error
    except (NotOnboarded, ValueError) as error:
        raise bad_request(str(error)) from error
    if user.disabled:
        message = "your account is disabled here: ask an administrator of the registry"
        raise ManagementError(ManagementCode.FORBIDDEN, message)
    caller = caller_of(request, user)
    where = caller.actor
    token = services.sessions.begin(
        user, provider=newcomer.person.provider, address=where.source_ip, user_agent=where.user_agent
    )
    audit.log_session(where, audit.by_oidc(provider))
    services.states.remove_newcomer(_secret(call))
    headers = [("Set-Cookie", session_cookie(request, token)), _gone(call), (CSRF_HEADER, csrf_token(token))]
    return Response.json(201, {**user_document(caller), "back_to": newcomer.back_to}, headers)


def forget(call: Call) -> Response:
    """Forget who signed in: somebody else may. Does nothing where nobody did."""
    secret = _secret(call)
    if secret:
        call.services.states.remove_newcomer(secret)
    return Response(204, (_gone(call),))


def _newcomer(call: Call) -> tuple[Newcomer, str]:
    """Return whom the browser's cookie names, and the id of their provider."""
    secret, services = _secret(call), call.services
    found = services.states.find_newcomer(secret) if secret else None
    if found is not None and services.clock() < found.until:
        provider = provider_of(services.configuration.read(), found.person.subject.partition("\n")[0])
        if provider is not None:
            return found, provider
    message = "nobody is choosing a name in this browser, or ten minutes are over: sign in again"
    raise ManagementError(ManagementCode.UNAUTHORIZED, message)


def _secret(call: Call) -> str:
    value = named_cookie(call.request, _COOKIE) or ""
    return value if len(value) <= 64 else ""


def _gone(call: Call) -> tuple[str, str]:
    return "Set-Cookie", cookie(call.request, _COOKIE, "", seconds=0)


def _suggestion(name: str) -> str:
    """Return the provider's name as one that an account can have, or ""; it may be taken."""
    made = re.sub(r"[^a-z0-9._+@-]+", "-", name.lower())[:MAX_USER_NAME].strip("._+@-")
    try:
        return UserName.parse(made)
    except ValueError:
        return ""


_NEWCOMER = f"{OWN}/sign-in/newcomer"

ROUTES = (
    route("getNewcomer", "GET", _NEWCOMER, Nothing(), get),
    route("chooseName", "POST", _NEWCOMER, Nothing(), choose),
    route("forgetNewcomer", "DELETE", _NEWCOMER, Nothing(), forget),
)
