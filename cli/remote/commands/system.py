"""The registry as a whole."""

from __future__ import annotations

from cli.remote.shapes import HARBOR, Argument, Command, showing

COMMANDS: tuple[Command, ...] = (
    showing("system", "show what the registry says of itself", f"{HARBOR}/systeminfo", name="info"),
    showing("system", "show whether the registry works", f"{HARBOR}/health", name="health"),
    showing("system", "count projects and repositories", f"{HARBOR}/statistics", name="statistics"),
    Command(
        "system",
        "ping-ldap",
        "try the LDAP directory of the configuration",
        "POST",
        f"{HARBOR}/ldap/ping",
        body=lambda _: {},
    ),
    Command(
        "system",
        "ping-oidc",
        "try an OIDC provider",
        "POST",
        f"{HARBOR}/system/oidc/ping",
        (Argument("issuer", "the provider's URL"),),
        body=lambda o: {"url": o["issuer"], "verify_cert": True},
    ),
)
