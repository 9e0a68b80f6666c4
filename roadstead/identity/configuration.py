"""The registry's configuration: what system administrators change while it runs. Keys and types are Harbor's.

Every key has a type, a default and bounds, in one table. Some keys are fixed: by the deployment (how long a token
lives), or because the registry has no other way to be (quotas are always on). Those are shown, and another value is
refused. The store keeps only what was changed, as one item with a version. A secret is kept in a place of its own under
a new reference, and the item names the reference: the write of the item is what makes it effective.
"""

from __future__ import annotations

import json
import re
import secrets as random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, Protocol

from roadstead.conflicts import retry_conflicts
from roadstead.recent import Recent
from roadstead.trail.entries import Actor, Event, Operation
from roadstead.trail.events import EventMaker

CACHE_SECONDS = 60  # a change reaches every function within this
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
_UNSUPPORTED = {
    "skip_audit_log_database": "the audit trail is always kept; skip_audit_log_database must be false",
    "audit_log_forward_endpoint": "the audit trail is in CloudWatch Logs, where a subscription forwards it; "
    "audit_log_forward_endpoint must be empty",
    "disabled_audit_log_event_types": "no kind of event is left out of the audit trail; "
    "disabled_audit_log_event_types must be empty",
}


@dataclass(frozen=True, slots=True)
class Configuration:
    """Every key's value. Ask with a key of KEYS and the method of its type; anything else raises LookupError."""

    changed: Mapping[str, Value] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return str(self._value(name, Kind.TEXT))

    def number(self, name: str) -> int:
        return int(self._value(name, Kind.NUMBER))

    def flag(self, name: str) -> bool:
        return bool(self._value(name, Kind.FLAG))

    def reference(self, name: str) -> str:
        """Return the reference under which a secret is kept, or "" if there is none."""
        return str(self._value(name, Kind.SECRET))

    def _value(self, name: str, kind: Kind) -> Value:
        key = KEYS[name]
        if key.kind is not kind:
            raise LookupError(f"{name} is a {key.kind.value}, not a {kind.value}")
        return self.changed.get(name, key.default)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store has. `values` are those that were changed, references in place of secrets; `version` counts from 1,
    and is 0 when nothing was ever changed."""

    values: Mapping[str, Value]
    version: int


class ConfigurationStore(Protocol):
    def find_configuration(self) -> Stored:
        """Costs one read, strongly consistent."""
        ...

    def put_configuration(self, values: Mapping[str, Value], *, replaces: int, event: Event) -> None:
        """Store all values and the event in one transaction. Raises Conflict unless the version is `replaces`."""
        ...


class ConfigurationSecretStore(Protocol):
    """Values are written once, under a reference of their own, and never changed."""

    def put_secret(self, key: str, reference: str, secret: str) -> None: ...

    def find_secret(self, key: str, reference: str) -> str | None: ...

    def remove_secret(self, key: str, reference: str) -> None:
        """Do nothing if it is gone."""
        ...


class ConfigurationReader:
    """The configuration as of at most CACHE_SECONDS ago. Costs one read a minute for each process.

    `secrets` is needed only where secrets are read.
    """

    def __init__(
        self,
        store: ConfigurationStore,
        secrets: ConfigurationSecretStore | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._secrets = secrets
        self._recent: Recent[str, Configuration] = Recent(CACHE_SECONDS, 1, clock)

    def read(self) -> Configuration:
        return self._recent.get("", lambda: Configuration(self._store.find_configuration().values))

    def refresh(self) -> None:
        """Forget what was read: the next read asks the store, as whoever has just changed something expects."""
        self._recent.forget("")

    def secret(self, name: str) -> str:
        """Return a secret, or "" if there is none. Costs a read of the secret, and if it was replaced since the
        configuration was read, one read of both more."""
        if self._secrets is None:
            raise LookupError("this function reads no secrets")
        for _ in range(2):
            reference = self.read().reference(name)
            found = self._secrets.find_secret(name, reference) if reference else ""
            if found is not None:
                return found
            self._recent.forget("")
        return ""


class Administration:
    """Reads and changes the configuration. `fixed` are values that the deployment says, by their keys."""

    def __init__(
        self,
        store: ConfigurationStore,
        secrets: ConfigurationSecretStore,
        *,
        fixed: Mapping[str, Value] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._secrets = secrets
        self._fixed = dict(fixed or {})
        self._events = EventMaker(clock)

    def values(self) -> Mapping[str, Value]:
        """Return every key's value but secrets. Costs one read."""
        stored = self._store.find_configuration().values
        return {name: self._of(key, stored) for name, key in KEYS.items() if key.kind is not Kind.SECRET}

    def change(self, document: Mapping[str, Any], actor: Actor) -> tuple[str, ...]:
        """Change the keys of `document`, all or none, and return those that changed. Unknown keys are ignored.

        A secret that is given always counts as changed: nothing here may read the old one. Costs one read and, if
        anything changes, one transaction; a secret one write more, and one for the secret that it replaces. Raises
        ConfigurationRefused and its kinds.
        """
        asked = {name: self._checked(KEYS[name], value) for name, value in document.items() if name in KEYS}
        # A change that fails from here on leaves secrets that nothing names.
        kept = {name: self._keep(name, str(value)) for name, value in asked.items() if KEYS[name].kind is Kind.SECRET}
        return retry_conflicts(lambda: self._change({**asked, **kept}, actor), "the configuration")

    def _change(self, asked: Mapping[str, Value], actor: Actor) -> tuple[str, ...]:
        stored = self._store.find_configuration()
        changed = [name for name, value in asked.items() if value != self._of(KEYS[name], stored.values)]
        if not changed:
            return ()
        values = {**stored.values, **{name: asked[name] for name in changed}}
        event = self._events.make(Operation.CHANGE_CONFIGURATION, actor, "", detail=_detail(values, changed))
        self._store.put_configuration(values, replaces=stored.version, event=event)
        for name in changed:
            if KEYS[name].kind is Kind.SECRET and stored.values.get(name):
                self._secrets.remove_secret(name, str(stored.values[name]))
        return tuple(changed)

    def _keep(self, name: str, secret: str) -> str:
        """Return the reference of a secret; "" removes it."""
        if not secret:
            return ""
        reference = random.token_hex(8)
        self._secrets.put_secret(name, reference, secret)
        return reference

    def _of(self, key: Key, values: Mapping[str, Value]) -> Value:
        if key.fixed:
            return self._fixed.get(key.name, key.default)
        return values.get(key.name, key.default)

    def _checked(self, key: Key, value: Any) -> Value:
        typed = _typed(key, value)
        if key.fixed:
            if typed != self._of(key, {}):
                if key.name in _UNSUPPORTED:
                    raise ConfigurationUnsupported(_UNSUPPORTED[key.name])
                raise ConfigurationFixed(f"{key.name} is fixed here; its value is {json.dumps(self._of(key, {}))}")
            return typed
        wrong = key.check(typed)
        if wrong is not None:
            raise ConfigurationRefused(f"{key.name} {wrong}")
        return typed


def _typed(key: Key, value: Any) -> Value:
    match key.kind:
        case Kind.FLAG if isinstance(value, bool):
            return value
        case Kind.NUMBER if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 53:
            return value
        case Kind.TEXT | Kind.SECRET if isinstance(value, str):
            return value
    said = {Kind.FLAG: "true or false", Kind.NUMBER: "a whole number"}.get(key.kind, "text")
    raise ConfigurationRefused(f"{key.name} must be {said}")


def _detail(values: Mapping[str, Value], changed: list[str]) -> str:
    """`read_only=true ldap_search_password`: the new values, and of a secret its key alone."""
    said = (
        name if KEYS[name].kind is Kind.SECRET else f"{name}={json.dumps(values[name], ensure_ascii=False)}"
        for name in changed
    )
    return " ".join(said)[:_MAX_DETAIL]
