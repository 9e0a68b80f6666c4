"""Signing in by OpenID Connect: to the provider and back, the provider's logout, and the test button.

What a sign-in has to remember is in a cookie of the browser that began it, and worth nothing in another one. Its state
is used up when the provider sends the browser back, so no response of the provider counts twice. Browsers come here, so
a refusal is a page. Each provider sends browsers back to a path of its own, so none can pass on a response to another
(RFC 9700 section 4.4).
"""

from __future__ import annotations

import hmac
import html
import json
import secrets
from typing import Any
from urllib.parse import urlencode, urlsplit

from functions.hosting.viewer import origin
from functions.management import audit
from functions.management.authentication import caller_of, named_cookie, provider_failed, session_token
from functions.management.call import Call, text
from functions.management.errors import ManagementCode, ManagementError, bad_request, not_found
from functions.management.handlers.identity.newcomers import greet
from functions.management.handlers.identity.sessions import cookie, require_https, session_cookie
from functions.management.route import HARBOR, OWN, Anybody, Nothing, SystemAdmin, route
from roadstead import base64url
from roadstead.http import Request, Response
from roadstead.identity.people import ProviderFailed
from roadstead.identity.providers.oidc_settings import (
    FIRST,
    NotSignedIn,
    OidcSettings,
    configured,
    is_configured,
    provider_of,
)
from roadstead.identity.providers.onboarding import NotOnboarded

LOGIN, CALLBACK = "/c/oidc/login", "/c/oidc/callback"
SIGN_IN_SECONDS = 600  # from the first redirect to the last
HOME = "/ui"
_COOKIE = "roadstead-oidc"
_MAX_PATH = 1_024


def login(call: Call) -> Response:
    """Send the browser to the provider, from the one host name that the provider knows.

    `provider` is the id of one beside the first, `redirect_url` a path of ours to come back to. Raises 400, 403, 404.
    A provider that cannot be asked is a page.
    """
    elsewhere = _to_external_host(call)
    if elsewhere is not None:
        return elsewhere
    require_https(call.request)
    settings = _settings(call, call.request.parameter("provider") or FIRST)
    state, nonce, verifier = (base64url.encode(secrets.token_bytes(32)) for _ in range(3))
    kept = {
        "provider": settings.id,
        "state": state,
        "nonce": nonce,
        "verifier": verifier,
        "to": _path(call.request.parameter("redirect_url")),
        "until": int(call.services.clock()) + SIGN_IN_SECONDS,
    }
    try:
        url = call.services.oidc().authorization_url(
            settings, redirect_uri=_callback(call, settings.id), state=state, nonce=nonce, verifier=verifier
        )
    except ProviderFailed as error:
        return _unavailable(error)
    value = base64url.encode(json.dumps(kept).encode())
    return _redirect(url, ("Set-Cookie", cookie(call.request, _COOKIE, value, seconds=SIGN_IN_SECONDS)))


def callback(call: Call, provider: str = FIRST) -> Response:
    """Take the provider's response: begin a session, and send the browser on. A refusal is a page."""
    require_https(call.request)
    gone = ("Set-Cookie", cookie(call.request, _COOKIE, "", seconds=0))
    known = provider if provider in call.services.configuration.read().further else FIRST  # the path may say anything
    try:
        response = _signed_in(call, provider)
    except NotSignedIn as refused:
        audit.log_failed_oidc(origin(call.request), known)
        response = _page(403, "You are not signed in", str(refused))
    except NotOnboarded as refused:
        audit.log_failed_oidc(origin(call.request), known)
        response = _page(403, "You have no account here", str(refused))
    except ProviderFailed as error:
        response = _unavailable(error)
    return response.with_headers(gone)


def _signed_in(call: Call, provider: str) -> Response:
    request, services = call.request, call.services
    kept = _kept(request)
    now = services.clock()
    state = request.parameter("state") or ""
    if kept is None or not hmac.compare_digest(kept["state"].encode(), state.encode("utf-8", "replace")):
        raise NotSignedIn("this browser did not begin this sign-in, or it is over: begin again")
    if now >= kept["until"] or not services.states.use_state(state, expires=int(now) + 2 * SIGN_IN_SECONDS):
        raise NotSignedIn("the sign-in has taken too long, or was used already: begin again")
    if kept["provider"] != provider:
        raise NotSignedIn("the response is of another provider")
    configuration = services.configuration.read()
    if not is_configured(configuration.provider(provider)):
        raise NotSignedIn("the provider is not configured any more: begin again")
    settings = _settings(call, provider)
    error, code = request.parameter("error"), request.parameter("code")
    if error or not code:
        raise NotSignedIn(f"the provider refused the sign-in ({(error or 'without a reason')[:100]})")
    issuer, found = request.parameter("iss"), services.oidc().metadata(settings.endpoint)
    if issuer != found.issuer and (issuer is not None or found.names_itself):
        raise NotSignedIn("the response is of another provider")  # RFC 9207 section 2.4
    person = services.oidc().exchange(
        settings, code, redirect_uri=_callback(call, provider), nonce=kept["nonce"], verifier=kept["verifier"]
    )
    user = services.onboarding.find(person)
    if user is None and not configuration.provider(provider).flag("oidc_auto_onboard"):
        return greet(call, person, kept["to"])
    user = services.onboarding.sign_in(person, origin(request), known=user)
    if user.disabled:
        raise NotSignedIn("your account is disabled here: ask an administrator of the registry")
    actor = caller_of(request, user).actor
    token = services.sessions.begin(
        user, provider=person.provider, address=actor.source_ip, user_agent=actor.user_agent
    )
    audit.log_session(actor, audit.by_oidc(provider))
    return _redirect(kept["to"], ("Set-Cookie", session_cookie(request, token)))


def logout(call: Call) -> Response:
    """End the session here and, with `oidc_logout`, send the browser to end the provider's. Raises 403, 503."""
    request, services = call.request, call.services
    if request.header("sec-fetch-site") not in (None, "same-origin", "none"):
        raise ManagementError(ManagementCode.FORBIDDEN, "sign out from the registry's own pages")
    token, session, user = session_token(request), call.caller.session, call.caller.user
    if token is not None and session is not None:
        services.sessions.end(token)
    to = HOME
    configuration = services.configuration.read()
    # The subject names the issuer, so the person goes to the provider that signed them in.
    issuer = user.subject.partition("\n")[0] if user is not None and session is not None else ""
    provider = provider_of(configuration, issuer) if issuer and session and session.provider == "oidc" else None
    if provider is not None and configuration.provider(provider).flag("oidc_logout"):
        try:
            settings = OidcSettings.of(configuration.provider(provider), "", provider)
            to = services.oidc().end_session_url(settings, back_to=f"{_base(call)}{HOME}") or HOME
        except ProviderFailed:
            to = HOME  # signed out here all the same
    return _redirect(to, ("Set-Cookie", session_cookie(request, "", gone=True)))


def ping(call: Call) -> Response:
    """Test a provider: its description and its keys. Raises 400 that says which step failed."""
    url = text(call.document(), "url")
    try:
        call.services.oidc().test(url)
    except ProviderFailed as error:
        raise bad_request(f"{error.step}: {error}") from error
    return Response(200)


def list_providers(call: Call) -> Response:
    """The providers by which people can sign in, the first one first: what the sign-in page has buttons for.

    Costs one read.
    """
    found = configured(call.services.further_providers.current())
    documents = [
        {"id": id_, "name": name, "url": LOGIN + (f"?{urlencode({'provider': id_})}" if id_ else "")}
        for id_, name in found.items()
    ]
    return Response.json(200, documents)


def _settings(call: Call, id_: str) -> OidcSettings:
    services = call.services
    own = services.configuration.read().provider(id_)
    if not is_configured(own) and id_:
        raise not_found("there is no such provider; go back to the sign-in page")
    if not is_configured(own):
        raise bad_request("OpenID Connect is not configured: set oidc_endpoint and oidc_client_id")
    return OidcSettings.of(own, services.configuration.secret("oidc_client_secret", id_), id_)


def _to_external_host(call: Call) -> Response | None:
    """Return what sends the browser to the registry's one external URL, or None where it is there.

    Providers know that one alone, and cookies do not cross hosts, so a sign-in begins there. Raises 400 for a browser
    that was sent there and did not arrive: it would be sent round in circles.
    """
    request, external = call.request, call.services.external_url
    if not external or request.base_url.lower() == external.lower():
        return None
    if request.parameter("moved"):
        raise bad_request(
            f"sign-ins begin at {external}, and this request came by {request.base_url[:200]}: "
            "the distribution must pass on its own host name, or EXTERNAL_URL is wrong"
        )
    kept = [(name, value) for name, value in request.query if name in ("provider", "redirect_url")]
    return _redirect(f"{external}{LOGIN}?{urlencode([*kept, ('moved', '1')], errors='replace')}")


def _kept(request: Request) -> dict[str, Any] | None:
    value = named_cookie(request, _COOKIE)
    try:
        kept = json.loads(base64url.decode(value)) if value and len(value) <= 4_096 else None
    except (ValueError, RecursionError):
        return None
    texts = ("provider", "state", "nonce", "verifier", "to")
    if not isinstance(kept, dict) or not all(isinstance(kept.get(name), str) for name in texts):
        return None
    if not isinstance(kept.get("until"), int) or _path(kept["to"]) != kept["to"]:
        return None
    return kept


def _path(wanted: str | None) -> str:
    """Return a path of ours; anything else is the console."""
    if not wanted or len(wanted) > _MAX_PATH or not wanted.isascii() or not wanted.isprintable():
        return HOME
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or not wanted.startswith("/") or wanted.startswith(("//", "/\\")) or "\\" in wanted:
        return HOME
    return wanted


def _base(call: Call) -> str:
    return call.services.external_url or call.request.base_url


def _callback(call: Call, provider: str) -> str:
    return f"{_base(call)}{CALLBACK}" + (f"/{provider}" if provider else "")


def _unavailable(error: ProviderFailed) -> Response:
    failed = provider_failed(error)
    return _page(503, "The provider cannot be asked", str(failed)).with_headers(*failed.headers)


def _redirect(url: str, *headers: tuple[str, str]) -> Response:
    return Response(302, (("Location", url), *headers))


def _page(status: int, title: str, sentence: str) -> Response:
    body = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<h1>{html.escape(title)}</h1><p>{html.escape(sentence)}</p>"
        f'<p><a href="{HOME}">Back</a></p></html>'
    )
    return Response(status, (("Content-Type", "text/html; charset=utf-8"),), body.encode())


ROUTES = (
    route("oidcLogin", "GET", LOGIN, Nothing(), login),
    route("oidcCallback", "GET", CALLBACK, Nothing(), callback),
    route("oidcCallbackOfProvider", "GET", f"{CALLBACK}/{{provider}}", Nothing(), callback),
    route("oidcLogout", "GET", "/c/log_out", Anybody(), logout),
    route("pingOIDC", "POST", f"{HARBOR}/system/oidc/ping", SystemAdmin(), ping),
    route("listSignInProviders", "GET", f"{OWN}/sign-in/providers", Nothing(), list_providers),
)
