"""How providers of OpenID Connect are set up: the first by Harbor's `oidc_*` keys, further ones beside it.

A further provider has an id. Its values have the same keys, and are in the configuration's one item under `<key>@<id>`
(`Configuration.provider`), so a read of the configuration has them all. This module is what is imported where no
provider is configured; what asks providers is not.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from roadstead import documents
from roadstead.conflicts import retry_conflicts
from roadstead.identity.configuration import (
    Configuration,
    ConfigurationSecretStore,
    ConfigurationStore,
    keep_secret,
    refuse_shared_issuer,
)
from roadstead.identity.configuration_keys import KEYS, ConfigurationRefused, Kind, Value, checked, key_at, key_of, said
from roadstead.trail.entries import Actor, Operation
from roadstead.trail.events import EventMaker

MAX_PROVIDERS = 10  # beside the first
FIRST = ""  # its id
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_ISSUER = re.compile(r"https?://[!-~]+")
_PREFIX = "oidc_"
_SECRET = "oidc_client_secret"
SHOWN = tuple(name for name, key in KEYS.items() if name.startswith(_PREFIX) and key.kind is not Kind.SECRET)


class NotSignedIn(Exception):
    """The provider did not confirm anybody. The message is a sentence for whoever tried."""


class NoSuchProvider(LookupError):
    """There is no further provider of that id."""


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """By Harbor's keys. `scope` is separated by commas or spaces; `id` is FIRST, or a further provider's."""

    endpoint: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    scope: str = "openid"
    user_claim: str = ""
    groups_claim: str = ""
    group_filter: str = ""
    admin_group: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)  # parameters of the authorisation request
    id: str = FIRST

    @classmethod
    def of(cls, configuration: Configuration, client_secret: str, id_: str = FIRST) -> OidcSettings:
        """`configuration` is the provider's own."""
        text = configuration.text
        extra = documents.read((text("oidc_extra_redirect_parms") or "{}").encode())
        return cls(
            endpoint=text("oidc_endpoint").rstrip("/"),
            client_id=text("oidc_client_id"),
            client_secret=client_secret,
            scope=text("oidc_scope"),
            user_claim=text("oidc_user_claim"),
            groups_claim=text("oidc_groups_claim"),
            group_filter=text("oidc_group_filter"),
            admin_group=text("oidc_admin_group"),
            extra={str(name): str(value) for name, value in extra.items()},
            id=id_,
        )


def is_configured(configuration: Configuration) -> bool:
    """Whether a provider's own configuration is enough to sign in by it."""
    return bool(configuration.text("oidc_endpoint") and configuration.text("oidc_client_id"))


def configured(configuration: Configuration) -> Mapping[str, str]:
    """Return the ids of the providers by which people can sign in, the first one first, each with its name."""
    found = {id_: configuration.provider(id_) for id_ in (FIRST, *configuration.further)}
    return {id_: name_of(own, id_) for id_, own in found.items() if is_configured(own)}


def name_of(own: Configuration, id_: str = FIRST) -> str:
    """Return what a provider's button says: its name, or its id, or the host of the first one."""
    endpoint = own.text("oidc_endpoint")
    return own.text("oidc_name") or id_ or endpoint.partition("://")[2].partition("/")[0] or endpoint


def provider_of(configuration: Configuration, issuer: str) -> str | None:
    """Return the id of the provider that has an issuer, or None."""
    wanted = issuer.rstrip("/")
    endpoints = ((id_, configuration.provider(id_).text("oidc_endpoint")) for id_ in configured(configuration))
    return next((id_ for id_, endpoint in endpoints if endpoint.rstrip("/") == wanted), None)


class FurtherProviders:
    """Reads and changes the providers beside the first. Keys are those of the first without `oidc_`.

    A change is one transaction, with its event; a secret costs one write more, and one for the secret that it replaces.
    """

    def __init__(
        self,
        store: ConfigurationStore,
        secrets: ConfigurationSecretStore,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._secrets = secrets
        self._events = EventMaker(clock)

    def current(self) -> Configuration:
        """Return the configuration as it is now, with every provider. Costs one read."""
        return Configuration(self._store.find_configuration().values)

    def list(self) -> Mapping[str, Configuration]:
        """Return each further provider's own configuration, by its id. Costs one read."""
        configuration = self.current()
        return {id_: configuration.provider(id_) for id_ in configuration.further}

    def put(self, id_: str, document: Mapping[str, Any], actor: Actor) -> None:
        """Create a provider, or replace it. A key that is left out has its default, and unknown keys
        are ignored; a `client_secret` that is left out stays as it is.

        Raises ConfigurationRefused.
        """
        if _ID.fullmatch(id_) is None:
            raise ConfigurationRefused(
                f"{id_[:64]!r} is not an id of a provider: 1 to 32 lower-case letters, digits and - in between"
            )
        named = {f"{_PREFIX}{name}": value for name, value in document.items()}
        asked = {name: checked(KEYS[name], value) for name, value in named.items() if name in KEYS}
        for name in ("oidc_endpoint", "oidc_client_id"):
            if not asked.get(name):
                raise ConfigurationRefused(f"{name.removeprefix(_PREFIX)} must be given")
        if _ISSUER.fullmatch(str(asked["oidc_endpoint"])) is None:
            raise ConfigurationRefused("endpoint must be the issuer's URL, like https://login.example.com")
        secret = asked.pop(_SECRET, None)
        # A change that fails from here on leaves a secret that nothing names.
        reference = keep_secret(self._secrets, _SECRET, str(secret)) if secret is not None else None
        retry_conflicts(lambda: self._put(id_, asked, reference, actor), "the providers")

    def _put(self, id_: str, asked: Mapping[str, Value], reference: str | None, actor: Actor) -> None:
        stored = self._store.find_configuration()
        before, others = _parted(stored.values, id_)
        after = {key_at(name, id_): value for name, value in asked.items() if value != KEYS[name].default}
        secret, endpoint = key_at(_SECRET, id_), key_at("oidc_endpoint", id_)
        old = before.get(secret, "")
        if reference is None and old and before[endpoint] != after[endpoint]:
            raise ConfigurationRefused("give client_secret, too: the one that is kept goes to no other endpoint")
        kept = old if reference is None else reference
        if kept:
            after[secret] = kept
        if not before and len(Configuration(others).further) >= MAX_PROVIDERS:
            raise ConfigurationRefused(f"there are {MAX_PROVIDERS} providers beside the first; remove one")
        if after == before:
            return
        values = {**others, **after}
        refuse_shared_issuer(values)
        changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        detail = said({**{name: key_of(name).default for name in changed}, **after}, changed)
        event = self._events.make(Operation.CHANGE_CONFIGURATION, actor, "", detail=detail)
        self._store.put_configuration(values, replaces=stored.version, event=event)
        if old and old != kept:
            self._secrets.remove_secret(_SECRET, str(old))

    def remove(self, id_: str, actor: Actor) -> None:
        """Remove a provider. Accounts of its people stay, and nobody signs in by it. Raises NoSuchProvider."""
        retry_conflicts(lambda: self._remove(id_, actor), "the providers")

    def _remove(self, id_: str, actor: Actor) -> None:
        stored = self._store.find_configuration()
        before, others = _parted(stored.values, id_)
        if not before:
            raise NoSuchProvider(id_)
        detail = f"oidc_endpoint@{id_}=null"
        event = self._events.make(Operation.CHANGE_CONFIGURATION, actor, "", detail=detail)
        self._store.put_configuration(others, replaces=stored.version, event=event)
        old = before.get(key_at(_SECRET, id_))
        if old:
            self._secrets.remove_secret(_SECRET, str(old))


def _parted(values: Mapping[str, Value], id_: str) -> tuple[dict[str, Value], dict[str, Value]]:
    """Return the values of a further provider, and all others."""
    own = {name: value for name, value in values.items() if name.partition("@")[2] == id_}
    return own, {name: value for name, value in values.items() if name not in own}
