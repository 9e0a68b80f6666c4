"""The keys of the registry's configuration, and what values each can have. Keys and types are Harbor's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any

MAX_TEXT = 1_024  # characters of a text, unless its key says otherwise
_MAX_DETAIL = 1_024  # characters of the event's detail

Value = str | int | bool


class Kind(Enum):
    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    SECRET = "secret"


class ConfigurationRefused(Exception):
    """The value is not possible. The message is a sentence for a person."""


class ConfigurationFixed(ConfigurationRefused):
    """The key has one value here, and another one was asked for."""


class ConfigurationUnsupported(ConfigurationRefused):
    """The value asks for what this registry does not do."""


Check = Callable[[Any], str | None]  # what is wrong with a value of the right type, or None


@dataclass(frozen=True, slots=True)
class Key:
    """`default` is "" for a secret. A `fixed` key has its default, or what the deployment says, and no other value."""

    name: str
    kind: Kind
    default: Value
    check: Check = lambda _: None
    fixed: bool = False


def _one_of(*values: str) -> Check:
    return lambda value: None if value in values else f"must be one of {', '.join(values)}"


def _from(least: int, most: int, *others: int) -> Check:
    said = f"must be from {least} to {most}" + "".join(f", or {one}" for one in others)
    return lambda value: None if least <= value <= most or value in others else said


def _at_most(length: int) -> Check:
    return lambda value: None if len(value) <= length else f"has more than {length} characters"


_ROBOT_PREFIX = re.compile(r"(?=.*[$!*~^])[A-Za-z0-9$!*~^._-]{1,32}")


def _robot_prefix(value: str) -> str | None:
    """A user's name never begins like a robot's, so the prefix has a character that no user's name may have."""
    if _ROBOT_PREFIX.fullmatch(value) is None:
        return "must have 1 to 32 letters, digits and . _ - $ ! * ~ ^, and at least one of $ ! * ~ ^"
    return None


def _is_json_object(value: str) -> str | None:
    if len(value) > 4 * MAX_TEXT:
        return f"has more than {4 * MAX_TEXT} characters"
    try:
        parsed = json.loads(value) if value else {}
    except (ValueError, RecursionError):
        parsed = None
    return None if isinstance(parsed, dict) else "must be the text of a JSON object, or empty"


def _is_pattern(value: str) -> str | None:
    try:
        re.compile(value)
    except re.error as error:
        return f"must be a regular expression: {error}"
    return _at_most(MAX_TEXT)(value)


_SHORT = _at_most(MAX_TEXT)


def _text(name: str, default: str = "", check: Check = _SHORT, *, fixed: bool = False) -> Key:
    return Key(name, Kind.TEXT, default, check, fixed)


def _number(name: str, default: int, check: Check = lambda _: None, *, fixed: bool = False) -> Key:
    return Key(name, Kind.NUMBER, default, check, fixed)


def _flag(name: str, default: bool = False, *, fixed: bool = False) -> Key:
    return Key(name, Kind.FLAG, default, fixed=fixed)


_ISSUERS = "https://token.actions.githubusercontent.com https://gitlab.com aws"  # `aws`: calls signed by AWS IAM
_SCOPES = _from(0, 2)  # LDAP: base, one level, subtree
_MAX_STORAGE = 1 << 50  # bytes

KEYS: Mapping[str, Key] = MappingProxyType(
    {
        key.name: key
        for key in (
            _text("auth_mode", "db_auth", _one_of("db_auth", "ldap_auth", "oidc_auth")),
            _flag("primary_auth_mode"),
            _text("project_creation_restriction", "adminonly", _one_of("adminonly", "everyone")),
            _flag("read_only"),
            _flag("self_registration", fixed=True),
            _text("banner_message", "", _is_json_object),
            _text("robot_name_prefix", "robot$", _robot_prefix),
            _number("robot_token_duration", 30, _from(1, 3_650, -1)),  # days; -1 never ends
            _number("token_expiration", 15, fixed=True),  # minutes
            _number("session_timeout", 60, fixed=True),  # minutes
            _number("storage_per_project", -1, _from(1, _MAX_STORAGE, -1)),  # bytes; -1 is unlimited
            _flag("quota_per_project_enable", True, fixed=True),
            _flag("notification_enable", True, fixed=True),
            _flag("scanner_skip_update_pulltime"),
            _flag("skip_audit_log_database", fixed=True),
            _text("audit_log_forward_endpoint", fixed=True),
            _text("disabled_audit_log_event_types", fixed=True),
            _text("ldap_url"),
            _text("ldap_base_dn"),
            _text("ldap_filter"),
            _text("ldap_uid", "cn"),
            _number("ldap_scope", 2, _SCOPES),
            _text("ldap_search_dn"),
            Key("ldap_search_password", Kind.SECRET, "", _SHORT),
            _number("ldap_timeout", 5, _from(1, 25)),  # seconds
            _flag("ldap_verify_cert", True),
            _text("ldap_group_base_dn"),
            _text("ldap_group_search_filter"),
            _text("ldap_group_attribute_name"),
            _number("ldap_group_search_scope", 2, _SCOPES),
            _text("ldap_group_membership_attribute", "memberof"),
            _text("ldap_group_admin_dn"),
            _flag("ldap_group_attach_parallel"),
            _text("keyless_issuers", _ISSUERS, _at_most(4_096)),
            _text("oidc_name"),
            _text("oidc_endpoint"),
            _text("oidc_client_id"),
            Key("oidc_client_secret", Kind.SECRET, "", _SHORT),
            _text("oidc_scope", "openid"),
            _text("oidc_groups_claim"),
            _text("oidc_group_filter", "", _is_pattern),
            _text("oidc_admin_group"),
            _text("oidc_user_claim"),
            _flag("oidc_auto_onboard"),
            _text("oidc_extra_redirect_parms", "{}", _is_json_object),
            _flag("oidc_verify_cert", True),
            _flag("oidc_logout"),
        )
    }
)

# Fixed keys of which another value would promise, or drop, a protection: 400 with the reason instead of 403.
UNSUPPORTED = {
    "skip_audit_log_database": "the audit trail is always kept; skip_audit_log_database must be false",
    "audit_log_forward_endpoint": "the audit trail is in CloudWatch Logs, where a subscription forwards it; "
    "audit_log_forward_endpoint must be empty",
    "disabled_audit_log_event_types": "no kind of event is left out of the audit trail; "
    "disabled_audit_log_event_types must be empty",
}


def checked(key: Key, value: Any) -> Value:
    """Return a value that the key can have. Raises ConfigurationRefused."""
    given = typed(key, value)
    wrong = key.check(given)
    if wrong is not None:
        raise ConfigurationRefused(f"{key.name} {wrong}")
    return given


def key_at(name: str, provider: str) -> str:
    """Return the name under which a further provider of OpenID Connect has a key's value."""
    return f"{name}@{provider}"


def key_of(name: str) -> Key:
    """Return the key of a name, of a further provider's too."""
    return KEYS[name.partition("@")[0]]


def typed(key: Key, value: Any) -> Value:
    """Return a value of the key's type. Raises ConfigurationRefused."""
    match key.kind:
        case Kind.FLAG if isinstance(value, bool):
            return value
        case Kind.NUMBER if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 53:
            return value
        case Kind.TEXT | Kind.SECRET if isinstance(value, str):
            return value
    said = {Kind.FLAG: "true or false", Kind.NUMBER: "a whole number"}.get(key.kind, "text")
    raise ConfigurationRefused(f"{key.name} must be {said}")


def said(values: Mapping[str, Value], changed: Iterable[str]) -> str:
    """`read_only=true ldap_search_password`: the new values, and of a secret its key alone."""
    each = (
        name if key_of(name).kind is Kind.SECRET else f"{name}={json.dumps(values[name], ensure_ascii=False)}"
        for name in changed
    )
    return " ".join(each)[:_MAX_DETAIL]
