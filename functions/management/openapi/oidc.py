"""Signing in by OpenID Connect."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import Described, Parameter, Schema, flag, obj, ref, text

_PAGE = text("a page for the browser")
SCHEMAS: Mapping[str, Schema] = {"OidcEndpoint": obj({"url": text()}, {"verify_cert": flag("without effect")})}

OPERATIONS: Mapping[str, Described] = {
    "oidcLogin": Described(
        "Send the browser to the provider",
        status=302,
        query=(Parameter("redirect_url", text(), "a path to come back to"),),
        also=(400, 403, 503),
        errors={503: _PAGE},
        errors_media_type="text/html",
    ),
    "oidcCallback": Described(
        "Take the provider's response and begin a session",
        status=302,
        query=tuple(Parameter(name, text()) for name in ("code", "state", "error", "iss")),
        also=(400, 403, 503),
        errors={403: _PAGE, 503: _PAGE},
        errors_media_type="text/html",
    ),
    "oidcLogout": Described("End the session, and the provider's with `oidc_logout`", status=302, also=(403,)),
    "pingOIDC": Described("Test a provider", body=ref("OidcEndpoint")),
}
