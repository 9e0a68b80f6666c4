"""Signing in by OpenID Connect, and its providers."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import Described, Parameter, Schema, array, flag, nullable, obj, ref, text
from roadstead.identity.configuration_keys import KEYS, Kind
from roadstead.identity.providers.oidc_settings import SHOWN

_PAGE = text("a page for the browser")
_VALUES: Mapping[str, Schema] = {
    name.removeprefix("oidc_"): flag() if KEYS[name].kind is Kind.FLAG else text() for name in SHOWN
}
_REQUIRED = ("endpoint", "client_id")

SCHEMAS: Mapping[str, Schema] = {
    "OidcEndpoint": obj({"url": text()}, {"verify_cert": flag("without effect")}),
    "SignInProvider": obj(
        {"id": text("empty for the first"), "name": text("what its button says"), "url": text("where it begins")}
    ),
    "OidcProvider": obj({"id": text(), **_VALUES, "has_secret": flag("a client secret is kept")}),
    "OidcProviderChange": obj(
        {name: _VALUES[name] for name in _REQUIRED},
        {
            **{name: one for name, one in _VALUES.items() if name not in _REQUIRED},
            "client_secret": text("stays as it is where it is left out"),
        },
    ),
    "Newcomer": obj(
        {
            "provider": text("the provider's name"),
            "real_name": text(),
            "email": text(),
            "name": text("a name that the account could have, unless it is taken; may be empty"),
        }
    ),
    "ChosenName": obj({"name": text(maxLength=64)}),
    "Welcome": obj({"user": nullable(ref("SessionUser")), "back_to": text("the path to go to")}),
}

_CALLBACK = Described(
    "Take the provider's response and begin a session",
    status=302,
    query=tuple(Parameter(name, text()) for name in ("code", "state", "error", "iss")),
    also=(400, 403, 503),
    errors={403: _PAGE, 503: _PAGE},
    errors_media_type="text/html",
)

OPERATIONS: Mapping[str, Described] = {
    "oidcLogin": Described(
        "Send the browser to the provider",
        status=302,
        query=(
            Parameter("provider", text(), "the id of a provider beside the first"),
            Parameter("redirect_url", text(), "a path to come back to"),
            Parameter("moved", text(), "the browser was sent here from another host name"),
        ),
        also=(400, 403, 404, 503),
        errors={503: _PAGE},
        errors_media_type="text/html",
    ),
    "oidcCallback": _CALLBACK,
    "oidcCallbackOfProvider": _CALLBACK,
    "oidcLogout": Described("End the session, and the provider's with `oidc_logout`", status=302, also=(403,)),
    "pingOIDC": Described("Test a provider", body=ref("OidcEndpoint")),
    "listSignInProviders": Described("The providers that people can sign in by", array(ref("SignInProvider"))),
    "getNewcomer": Described("Who has to choose a name in this browser", ref("Newcomer"), also=(401,)),
    "chooseName": Described(
        "Create the account under a name, and begin a session",
        ref("Welcome"),
        201,
        ref("ChosenName"),
        also=(400, 401, 403, 409),
    ),
    "forgetNewcomer": Described("Forget who has to choose a name", status=204),
    "listOidcProviders": Described("List the providers beside the first", array(ref("OidcProvider"))),
    "getOidcProvider": Described("Show a provider beside the first", ref("OidcProvider")),
    "putOidcProvider": Described(
        "Create a provider beside the first, or replace it", body=ref("OidcProviderChange"), also=(400,)
    ),
    "deleteOidcProvider": Described("Remove a provider beside the first"),
}
