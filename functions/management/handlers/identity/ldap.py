"""LDAP directories: test the settings, look for people and groups, and create accounts before the first sign-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from functions.management.authentication import provider_failed
from functions.management.call import Call
from functions.management.errors import ManagementError, bad_request, not_found
from functions.management.harbor.ldap import group_document, settings_from, user_document
from functions.management.route import HARBOR, SystemAdmin, route
from roadstead.http import Response
from roadstead.identity.people import ProviderFailed
from roadstead.identity.providers.directories import MAX_NAME, LdapSettings
from roadstead.identity.providers.ldap_provider import LdapProvider
from roadstead.identity.providers.onboarding import NotOnboarded

MAX_IMPORTED = 100  # people in one request

T = TypeVar("T")


def ping(call: Call) -> Response:
    """Test the configured settings, or those of the body. The response is 200 either way, and says what failed."""
    provider = _provider(call)
    settings = provider.settings()
    if call.request.body:
        settings = settings_from(call.document(), settings)
    try:
        provider.ldap.ping(settings)
    except ProviderFailed as error:
        return Response.json(200, {"success": False, "message": f"{error.step}: {error}"})
    return Response.json(200, {"success": True, "message": ""})


def search_users(call: Call) -> Response:
    """Find people by their name in the directory; without one, list up to 100. Raises 400, 503."""
    provider, settings = _configured(call)
    name = _text(call, "username")
    return Response.json(200, list(map(user_document, _asked(lambda: provider.ldap.find_people(settings, name)))))


def search_groups(call: Call) -> Response:
    """Find groups by name, or one by its DN. Raises 400, 503, and 404 if there is none."""
    provider, settings = _configured(call)
    name, dn = _text(call, "groupname"), _text(call, "groupdn", most=1_024)
    found = _asked(lambda: provider.ldap.find_groups(settings, name, dn))
    if not found:
        raise not_found("the directory has no such group below ldap_group_base_dn")
    return Response.json(200, list(map(group_document, found)))


def import_users(call: Call) -> Response:
    """Create accounts for people of the directory. Raises 400, 503; 404 lists those for whom it failed, and why."""
    provider, settings = _configured(call)
    names = call.document().get("ldap_uid_list")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise bad_request("ldap_uid_list must be a list of names")
    if len(names) > MAX_IMPORTED:
        raise bad_request(f"ldap_uid_list has {len(names)} names; at most {MAX_IMPORTED} are accepted")
    failed = []
    for name in dict.fromkeys(names):
        error = _import(call, provider, settings, name)
        if error:
            failed.append({"uid": name, "error": error})
    return Response.json(404, failed) if failed else Response(200)


def _import(call: Call, provider: LdapProvider, settings: LdapSettings, name: str) -> str:
    """Create one account. Return what went wrong, or ""."""
    if len(name) > MAX_NAME:
        return f"a name has at most {MAX_NAME} characters"
    found = [
        one for one in _asked(lambda: provider.ldap.find_people(settings, name)) if one.name.lower() == name.lower()
    ]
    if len(found) != 1:
        return "the directory has nobody of that name" if not found else "the directory has several people of that name"
    if call.services.onboarding.find(found[0]) is not None:
        return "has an account already"
    try:
        call.services.onboarding.create(found[0], call.actor)
    except NotOnboarded as error:
        return str(error)
    return ""


def _provider(call: Call) -> LdapProvider:
    provider = call.services.ldap()
    if provider is None:
        raise bad_request("this deployment has no function that asks directories: set LDAP_FUNCTION")
    call.services.configuration.refresh()
    return provider


def _configured(call: Call) -> tuple[LdapProvider, LdapSettings]:
    provider = _provider(call)
    settings = provider.settings()
    if not settings.url:
        raise bad_request("no directory is configured: set ldap_url and the keys beside it in the configuration")
    return provider, settings


def _asked(ask: Callable[[], T]) -> T:
    """Return the answer. Raises 503 that tells an administrator which step failed."""
    try:
        return ask()
    except ProviderFailed as error:
        failed = provider_failed(error)
        raise ManagementError(failed.code, f"{error.step}: {error}", headers=failed.headers) from error


def _text(call: Call, name: str, *, most: int = MAX_NAME) -> str:
    value = call.request.parameter(name) or ""
    if len(value) > most:
        raise bad_request(f"{name} has more than {most} characters")
    return value


_LDAP = f"{HARBOR}/ldap"

ROUTES = (
    route("pingLdap", "POST", f"{_LDAP}/ping", SystemAdmin(), ping),
    route("searchLdapUser", "GET", f"{_LDAP}/users/search", SystemAdmin(), search_users),
    route("importLdapUser", "POST", f"{_LDAP}/users/import", SystemAdmin(), import_users),
    route("searchLdapGroup", "GET", f"{_LDAP}/groups/search", SystemAdmin(), search_groups),
)
