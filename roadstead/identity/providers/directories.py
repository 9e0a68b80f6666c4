"""LDAP directories: their settings, by Harbor's keys, and the Protocol of who asks them.

`ldap_url` names up to five servers, separated by spaces, which are tried in order. `ldaps://` is TLS from the first
byte, `ldap://` is StartTLS. With `ldap_verify_cert` off, certificates are not verified, and `ldap://` is plain text
where the server has no StartTLS: whoever is between could take the TLS away anyway.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from roadstead.identity.people import Person, PersonGroup

MAX_SERVERS = 5
MAX_FOUND = 100  # people or groups of one search
MAX_NAME = 255  # characters
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_PORTS = {"ldap": 389, "ldaps": 636}


class WrongSettings(ValueError):
    """A setting cannot be used. The message names its key and says what to do."""


@dataclass(frozen=True, slots=True)
class LdapServer:
    host: str
    port: int
    tls: bool  # from the first byte; otherwise StartTLS


@dataclass(frozen=True, slots=True)
class LdapSettings:
    """One directory. `timeout` is in seconds, for a whole question: all servers, all searches and binds.

    Scopes: 0 base, 1 one level, 2 subtree. Groups are looked up if `group_base_dn` or `group_admin_dn` is set.
    """

    url: str
    base_dn: str
    search_dn: str = ""
    search_password: str = field(default="", repr=False)
    filter: str = ""
    uid: str = "cn"
    scope: int = 2
    timeout: int = 5
    verify_cert: bool = True
    group_base_dn: str = ""
    group_search_filter: str = ""
    group_attribute_name: str = ""
    group_search_scope: int = 2
    group_membership_attribute: str = "memberof"
    group_admin_dn: str = ""

    @property
    def servers(self) -> tuple[LdapServer, ...]:
        """Raises WrongSettings."""
        urls = self.url.split()
        if not 1 <= len(urls) <= MAX_SERVERS:
            raise WrongSettings(f"ldap_url must name one to {MAX_SERVERS} servers, separated by spaces")
        return tuple(map(_server, urls))

    @property
    def looks_up_groups(self) -> bool:
        return bool(self.group_base_dn or self.group_admin_dn)

    def check(self) -> None:
        """Raises WrongSettings for what would fail whatever the directory says."""
        _ = self.servers
        for key, value in (("ldap_uid", self.uid), ("ldap_group_attribute_name", self.group_attribute_name or "cn")):
            if _ATTRIBUTE.fullmatch(value) is None:
                raise WrongSettings(f"{key} must be the name of an attribute, like uid, cn or sAMAccountName")
        if not self.base_dn:
            raise WrongSettings("ldap_base_dn is empty: it must name the entry below which people are searched")

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> LdapSettings:
        return cls(**document)


class Ldap(Protocol):
    """Asks a directory. Every method raises ProviderFailed if it cannot be asked."""

    def sign_in(self, settings: LdapSettings, name: str, password: str) -> Person | None:
        """Return the person with this name if the password is right, and None if there is none or it is wrong.

        Costs a connection, two binds and a search; with groups one bind more and a search for each level of nesting.
        """
        ...

    def ping(self, settings: LdapSettings) -> None:
        """Connect, bind as the search account, and look at the entry `base_dn`."""
        ...

    def find_people(self, settings: LdapSettings, name: str) -> tuple[Person, ...]:
        """Return people whose name it is, without groups; for "" up to MAX_FOUND of all. Costs a bind and a search."""
        ...

    def find_groups(self, settings: LdapSettings, name: str, dn: str) -> tuple[PersonGroup, ...]:
        """Return the group with this DN, or groups of this name. Costs a bind and a search."""
        ...


def _server(url: str) -> LdapServer:
    try:
        parts = urlsplit(url if "://" in url else f"ldap://{url}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    else:
        plain = not (parts.username or parts.password or parts.query or parts.fragment or parts.path.strip("/"))
        if host and parts.scheme in _PORTS and plain:
            return LdapServer(host, port or _PORTS[parts.scheme], parts.scheme == "ldaps" or port == 636)
    raise WrongSettings(f"ldap_url: {url[:100]!r} must be like ldaps://ldap.example.com or ldap://ldap.example.com:389")
