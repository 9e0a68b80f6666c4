"""The registry's configuration: what system administrators change while it runs.

Every key has a type, a default and bounds, in one table (configuration_keys.py). Some keys are fixed: by the deployment
(how long a token lives), or because the registry has no other way to be (quotas are always on). Those are shown, and
another value is refused. The store keeps only what was changed, as one item with a version. A secret is kept in a place
of its own under a new reference, and the item names the reference: the write of the item is what makes it effective.
"""

from __future__ import annotations

import json
import secrets as random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from roadstead.conflicts import retry_conflicts
from roadstead.identity.configuration_keys import (
    KEYS,
    UNSUPPORTED,
    ConfigurationFixed,
    ConfigurationRefused,
    ConfigurationUnsupported,
    Key,
    Kind,
    Value,
    checked,
    said,
    typed,
)
from roadstead.recent import Recent
from roadstead.trail.entries import Actor, Event, Operation
from roadstead.trail.events import EventMaker

CACHE_SECONDS = 60  # a change reaches every function within this


@dataclass(frozen=True, slots=True)
class Configuration:
    """Every key's value. Ask with a key of KEYS and the method of its type; anything else raises LookupError."""

    changed: Mapping[str, Value] = field(default_factory=dict)

    def provider(self, id_: str) -> Configuration:
        """Return what a further provider of OpenID Connect has under the keys that begin with `oidc_`.

        Of "", the first one, that is the configuration itself.
        """
        at = f"@{id_}"
        own = {name.removesuffix(at): value for name, value in self.changed.items() if name.endswith(at)}
        return Configuration(own) if id_ else self

    @property
    def further(self) -> tuple[str, ...]:
        """The ids of the further providers, in their order."""
        return tuple(sorted({id_ for _, at, id_ in (name.partition("@") for name in self.changed) if at}))

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

    def secret(self, name: str, provider: str = "") -> str:
        """Return a secret, of a further provider if one is given, or "" if there is none.

        Costs a read of the secret, and if it was replaced since the configuration was read, one read of both more.
        """
        if self._secrets is None:
            raise LookupError("this function reads no secrets")
        for _ in range(2):
            reference = self.read().provider(provider).reference(name)
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
        secrets = [name for name in asked if KEYS[name].kind is Kind.SECRET]
        kept = {name: keep_secret(self._secrets, name, str(asked[name])) for name in secrets}
        return retry_conflicts(lambda: self._change({**asked, **kept}, actor), "the configuration")

    def _change(self, asked: Mapping[str, Value], actor: Actor) -> tuple[str, ...]:
        stored = self._store.find_configuration()
        changed = [name for name, value in asked.items() if value != self._of(KEYS[name], stored.values)]
        if not changed:
            return ()
        values = {**stored.values, **{name: asked[name] for name in changed}}
        refuse_shared_issuer(values)
        event = self._events.make(Operation.CHANGE_CONFIGURATION, actor, "", detail=said(values, changed))
        self._store.put_configuration(values, replaces=stored.version, event=event)
        for name in changed:
            if KEYS[name].kind is Kind.SECRET and stored.values.get(name):
                self._secrets.remove_secret(name, str(stored.values[name]))
        return tuple(changed)

    def _of(self, key: Key, values: Mapping[str, Value]) -> Value:
        if key.fixed:
            return self._fixed.get(key.name, key.default)
        return values.get(key.name, key.default)

    def _checked(self, key: Key, value: Any) -> Value:
        if not key.fixed:
            return checked(key, value)
        given = typed(key, value)
        if given != self._of(key, {}):
            if key.name in UNSUPPORTED:
                raise ConfigurationUnsupported(UNSUPPORTED[key.name])
            raise ConfigurationFixed(f"{key.name} is fixed here; its value is {json.dumps(self._of(key, {}))}")
        return given


def keep_secret(store: ConfigurationSecretStore, name: str, secret: str) -> str:
    """Keep a secret, and return its reference; "" is no secret."""
    if not secret:
        return ""
    reference = random.token_hex(8)
    store.put_secret(name, reference, secret)
    return reference


def refuse_shared_issuer(values: Mapping[str, Value]) -> None:
    """A person is an issuer's: it must be clear which provider signs them in. Raises ConfigurationRefused."""
    named = [str(value).rstrip("/") for name, value in values.items() if name.partition("@")[0] == "oidc_endpoint"]
    issuers = [one for one in named if one]
    if len(issuers) != len(set(issuers)):
        raise ConfigurationRefused("another provider has this endpoint already: one issuer is one provider")
