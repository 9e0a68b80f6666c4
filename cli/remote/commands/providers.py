"""Who signs people in besides the registry itself: an LDAP directory, and a provider of OpenID Connect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cli.failures import USAGE, Failure
from cli.remote.shapes import HARBOR, OWN, Argument, Command, Given, Option, deleting, showing

_ALL = f"{HARBOR}/configurations"
_LDAP = f"{HARBOR}/ldap"
_FURTHER = f"{OWN}/oidc-providers"
_COLUMNS = {"KEY": "key", "VALUE": "value", "EDITABLE": "editable"}
_BOOLEANS = ("true", "false")


def _of(prefix: str) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """Return what picks the keys of a provider out of the configuration."""
    return lambda found: {key: one for key, one in sorted(found.items()) if key.startswith(prefix)}


def _rows(found: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [{"key": key, **one} for key, one in found.items()]


def _set(prefix: str, secret: str, options: Sequence[Option]) -> Callable[[Given], Mapping[str, Any]]:
    """Return what makes a document of the options that were given."""

    def body(given: Given) -> Mapping[str, Any]:
        changes: dict[str, Any] = {}
        for option in options:
            value = given[option.dest]
            if value is not None and option.kind != "optional-secret":
                key = prefix + _KEYS.get(option.dest, option.dest)
                changes[key] = value == "true" if tuple(option.choices) == _BOOLEANS else value
        if given["password_stdin"] is not None:
            changes[secret] = given["password_stdin"]
        if not changes:
            raise Failure("There is nothing to change: name an option.", USAGE)
        return changes

    return body


def _changed(given: Given) -> Mapping[str, Any]:
    """The whole provider with what changes: the API replaces it."""
    kept = {name: value for name, value in given["was"].items() if name not in ("id", "has_secret")}
    return {**kept, **_values(given)}


def _what_failed(document: Any) -> str:
    return "" if document.get("success") else f"The test failed: {document.get('message', '')}"


_KEYS = {"servers": "url"}  # where an option has another name than Harbor's key: every command has --url
_SCOPE = "0: the entry itself, 1: one level, 2: the whole subtree"
_LDAP_OPTIONS = (
    Option("servers", "the servers, separated by spaces, such as ldaps://ldap.example.com; empty turns LDAP off"),
    Option("base-dn", "where people are"),
    Option("filter", "a filter that people must match"),
    Option("uid", "the attribute with the name of a person"),
    Option("scope", _SCOPE, kind="number"),
    Option("search-dn", "the account that searches"),
    Option("password-stdin", "read the password of that account from standard input", kind="optional-secret"),
    Option("timeout", "seconds for a sign-in", kind="number"),
    Option("verify-cert", "whether certificates are verified", choices=_BOOLEANS),
    Option("group-base-dn", "where groups are"),
    Option("group-search-filter", "a filter that groups must match"),
    Option("group-attribute-name", "the attribute with the name of a group"),
    Option("group-search-scope", _SCOPE, kind="number"),
    Option("group-membership-attribute", "the attribute of a person that names their groups"),
    Option("group-admin-dn", "the group whose members are system administrators"),
)
_OIDC_OPTIONS = (
    Option("name", "what the button of the sign-in page says"),
    Option("endpoint", "the issuer, as the provider writes it; empty turns OpenID Connect off"),
    Option("client-id", "the id of the registry at the provider"),
    Option("password-stdin", "read the client's secret from standard input", kind="optional-secret"),
    Option("scope", "what is asked for, separated by commas"),
    Option("user-claim", "the claim with the name"),
    Option("auto-onboard", "whether the first sign-in creates the account", choices=_BOOLEANS),
    Option("groups-claim", "the claim with the groups"),
    Option("group-filter", "a regular expression that a group must match"),
    Option("admin-group", "the group whose members are system administrators"),
    Option("extra-redirect-parms", "more parameters of the authorisation request, as a JSON object"),
    Option("logout", "whether signing out ends the session of the provider, too", choices=_BOOLEANS),
)

_values = _set("", "client_secret", _OIDC_OPTIONS)  # of a provider beside the first
_PROVIDER = Argument("provider", "the id of a provider beside the first, such as corp")


def _settings(group: str, what: str, options: Sequence[Option], secret: str) -> tuple[Command, ...]:
    prefix = f"{group}_"
    return (
        Command(
            group,
            "show",
            f"show the settings of {what}",
            "GET",
            _ALL,
            columns=_COLUMNS,
            picks=_of(prefix),
            rows=_rows,
        ),
        Command(
            group,
            "set",
            f"change settings of {what}",
            "PUT",
            _ALL,
            (),
            options,
            _set(prefix, f"{prefix}{secret}", options),
        ),
    )


COMMANDS: tuple[Command, ...] = (
    *_settings("ldap", "the LDAP directory", _LDAP_OPTIONS, "search_password"),
    Command(
        "ldap",
        "ping",
        "test the settings, and say which step fails",
        "POST",
        f"{_LDAP}/ping",
        failing=_what_failed,
    ),
    Command(
        "ldap",
        "search",
        "look for people in the directory",
        "GET",
        f"{_LDAP}/users/search",
        (),
        (Option("name", "the name of one (default: all, up to 100)", query="username"),),
        columns={"NAME": "username", "REAL NAME": "realname", "EMAIL": "email"},
    ),
    Command(
        "ldap",
        "groups",
        "look for groups in the directory",
        "GET",
        f"{_LDAP}/groups/search",
        (),
        (Option("name", "a group's name", query="groupname"), Option("dn", "a group's DN", query="groupdn")),
        columns={"NAME": "group_name", "DN": "ldap_group_dn"},
    ),
    Command(
        "ldap",
        "import",
        "create accounts for people of the directory, before they sign in",
        "POST",
        f"{_LDAP}/users/import",
        (Argument("names", "their names in the directory", many=True),),
        body=lambda o: {"ldap_uid_list": o["names"]},
    ),
    *_settings("oidc", "the provider of OpenID Connect", _OIDC_OPTIONS, "client_secret"),
    Command(
        "oidc",
        "ping",
        "test a provider, and say which step fails",
        "POST",
        f"{HARBOR}/system/oidc/ping",
        (),
        (Option("endpoint", "the issuer (default: the configured one)"),),
        lambda o: {"url": o["endpoint"] or o["was"]["oidc_endpoint"]["value"]},
        base=_ALL,
    ),
    Command(
        "oidc",
        "providers",
        "list the providers beside the first",
        "GET",
        _FURTHER,
        columns={"ID": "id", "NAME": "name", "ENDPOINT": "endpoint", "CLIENT": "client_id", "SECRET": "has_secret"},
    ),
    showing("oidc", "show a provider beside the first", f"{_FURTHER}/{{provider}}", _PROVIDER, name="show-provider"),
    Command(
        "oidc",
        "put-provider",
        "create a provider beside the first, or replace it",
        "PUT",
        f"{_FURTHER}/{{provider}}",
        (_PROVIDER,),
        _OIDC_OPTIONS,
        _values,
    ),
    Command(
        "oidc",
        "set-provider",
        "change a provider beside the first",
        "PUT",
        f"{_FURTHER}/{{provider}}",
        (_PROVIDER,),
        _OIDC_OPTIONS,
        _changed,
        base=f"{_FURTHER}/{{provider}}",
    ),
    deleting(
        "oidc", "remove a provider beside the first", f"{_FURTHER}/{{provider}}", _PROVIDER, name="remove-provider"
    ),
)
