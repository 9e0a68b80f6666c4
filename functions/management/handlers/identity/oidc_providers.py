"""The providers of OpenID Connect beside the first, which Harbor's configuration keys name."""

from __future__ import annotations

from typing import Any

from functions.management.call import Call
from functions.management.errors import bad_request, not_found
from functions.management.route import OWN, SystemAdmin, route
from roadstead.http import Response
from roadstead.identity.configuration import Configuration
from roadstead.identity.configuration_keys import KEYS, ConfigurationRefused, Kind
from roadstead.identity.providers.oidc_settings import SHOWN, NoSuchProvider

_PROVIDERS = f"{OWN}/oidc-providers"


def list_providers(call: Call) -> Response:
    """Each with its id and its values; secrets are left out. Costs one read."""
    found = call.services.further_providers.list()
    return Response.json(200, [_document(id_, own) for id_, own in found.items()])


def get_provider(call: Call, provider: str) -> Response:
    own = call.services.further_providers.list().get(provider)
    if own is None:
        raise _unknown(provider)
    return Response.json(200, _document(provider, own))


def put_provider(call: Call, provider: str) -> Response:
    """Create or replace a provider. Raises 400. A `client_secret` that is left out stays as it is."""
    try:
        call.services.further_providers.put(provider, call.document(), call.actor)
    except ConfigurationRefused as error:
        raise bad_request(str(error).removeprefix("oidc_")) from error
    return Response(200)


def delete_provider(call: Call, provider: str) -> Response:
    """Remove a provider: nobody signs in by it any more. Accounts, tokens and sessions of its people stay."""
    try:
        call.services.further_providers.remove(provider, call.actor)
    except NoSuchProvider as error:
        raise _unknown(provider) from error
    return Response(200)


def _document(id_: str, own: Configuration) -> dict[str, Any]:
    document: dict[str, Any] = {"id": id_}
    for name in SHOWN:
        value = own.flag(name) if KEYS[name].kind is Kind.FLAG else own.text(name)
        document[name.removeprefix("oidc_")] = value
    return {**document, "has_secret": bool(own.reference("oidc_client_secret"))}


def _unknown(provider: str) -> Exception:
    return not_found(f"there is no provider {provider[:32]!r}; the first one is in the configuration, as oidc_endpoint")


ROUTES = (
    route("listOidcProviders", "GET", _PROVIDERS, SystemAdmin(), list_providers),
    route("getOidcProvider", "GET", f"{_PROVIDERS}/{{provider}}", SystemAdmin(), get_provider),
    route("putOidcProvider", "PUT", f"{_PROVIDERS}/{{provider}}", SystemAdmin(), put_provider),
    route("deleteOidcProvider", "DELETE", f"{_PROVIDERS}/{{provider}}", SystemAdmin(), delete_provider),
)
