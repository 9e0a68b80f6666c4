"""Harbor's documents about LDAP directories, as its handlers make them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from functions.management.errors import bad_request
from roadstead.identity.people import Person, PersonGroup
from roadstead.identity.providers.directories import LdapSettings

LDAP_GROUP = 1  # the type of a group

_KEYS: Mapping[str, tuple[str, type]] = {
    "ldap_url": ("url", str),
    "ldap_base_dn": ("base_dn", str),
    "ldap_search_dn": ("search_dn", str),
    "ldap_search_password": ("search_password", str),
    "ldap_filter": ("filter", str),
    "ldap_uid": ("uid", str),
    "ldap_scope": ("scope", int),
    "ldap_connection_timeout": ("timeout", int),
    "ldap_verify_cert": ("verify_cert", bool),
}
_MAX_TEXT = 1_024


def settings_from(document: Mapping[str, Any], kept: LdapSettings) -> LdapSettings:
    """Return `kept` with what a `LdapConf` says otherwise. Raises 400.

    The kept password goes to the kept server and account only: whoever may test settings must not learn it.
    """
    given: dict[str, Any] = {}
    for key, (name, kind) in _KEYS.items():
        value = document.get(key)
        if value is None:
            continue
        if type(value) is not kind:
            raise bad_request(
                f"{key} must be {'true or false' if kind is bool else 'a number' if kind is int else 'text'}"
            )
        if isinstance(value, str) and len(value) > _MAX_TEXT:
            raise bad_request(f"{key} has more than {_MAX_TEXT} characters")
        given[name] = value
    if given.get("scope", 2) not in (0, 1, 2):
        raise bad_request("ldap_scope must be 0, 1 or 2")
    if not 1 <= given.get("timeout", 5) <= 25:
        raise bad_request("ldap_connection_timeout must be from 1 to 25 seconds")
    elsewhere = (given.get("url", kept.url), given.get("search_dn", kept.search_dn)) != (kept.url, kept.search_dn)
    unverified = kept.verify_cert and not given.get("verify_cert", True)
    if not given.get("search_password"):
        given["search_password"] = "" if elsewhere or unverified else kept.search_password
    return replace(kept, **given)


def user_document(person: Person) -> dict[str, str]:
    return {"username": person.name, "realname": person.real_name, "email": person.email}


def group_document(group: PersonGroup) -> dict[str, Any]:
    return {"group_name": group.name, "ldap_group_dn": group.key, "group_type": LDAP_GROUP}
