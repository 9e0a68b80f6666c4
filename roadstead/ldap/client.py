"""`Ldap` on a directory: searches people, checks their passwords, and finds the groups that have them."""

from __future__ import annotations

import logging
import ssl
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ldap3.core.exceptions import LDAPExceptionError
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import parse_dn

from roadstead.identity.people import LDAP, Person, PersonGroup, ProviderFailed
from roadstead.identity.providers.directories import MAX_FOUND, MAX_NAME, LdapSettings, WrongSettings
from roadstead.ldap.connection import Connection, connected

MAX_GROUPS = 2_000  # of a person
MAX_DEPTH = 10  # levels of groups in groups
_BATCH = 50  # DNs in one filter

_log = logging.getLogger(__name__)


class LdapClient:
    """`authorities` are certificates in PEM that are trusted besides the system's. `patience` bounds every timeout."""

    def __init__(self, *, authorities: str = "", patience: float = 25) -> None:
        self._authorities = authorities
        self._patience = patience

    def sign_in(self, settings: LdapSettings, name: str, password: str) -> Person | None:
        if not 0 < len(name) <= MAX_NAME or not password or "\0" in name + password:
            return None
        with self._connected(settings) as directory:
            entry = _entry_named(directory, settings, name)
            if entry is None or not directory.is_password_of(entry["dn"], password):
                return None
            groups: tuple[PersonGroup, ...] = ()
            if settings.looks_up_groups:
                directory.bind_as_search_account(settings)
                groups = _groups_of(directory, settings, entry)
            return _person(settings, entry, groups)

    def ping(self, settings: LdapSettings) -> None:
        with self._connected(settings) as directory:
            directory.search(settings.base_dn, 0, "(objectClass=*)", ["1.1"], limit=1, key="ldap_base_dn")
            if settings.group_base_dn:
                directory.search(
                    settings.group_base_dn, 0, "(objectClass=*)", ["1.1"], limit=1, key="ldap_group_base_dn"
                )

    def find_people(self, settings: LdapSettings, name: str) -> tuple[Person, ...]:
        with self._connected(settings) as directory:
            entries = _search_people(directory, settings, escape_filter_chars(name) if name else "*", limit=MAX_FOUND)
            return tuple(_person(settings, entry, ()) for entry in entries[:MAX_FOUND] if _value(entry, settings.uid))

    def find_groups(self, settings: LdapSettings, name: str, dn: str) -> tuple[PersonGroup, ...]:
        base = settings.group_base_dn or settings.base_dn
        if dn and not _is_below(dn, base):
            return ()
        with self._connected(settings) as directory:
            named = f"({_group_name(settings)}={escape_filter_chars(name) if name else '*'})"
            filter_ = _and(settings.group_search_filter, named)
            try:
                found = directory.search(
                    dn or base,
                    0 if dn else settings.group_search_scope,
                    filter_,
                    [_group_name(settings)],
                    limit=MAX_FOUND,
                    key="ldap_group_base_dn or ldap_group_search_filter",
                )
            except ProviderFailed:
                if dn:
                    return ()
                raise
            return tuple(_group(settings, entry) for entry in found[:MAX_FOUND])

    @contextmanager
    def _connected(self, settings: LdapSettings) -> Iterator[Connection]:
        """Connect, and bind as the search account."""
        try:
            settings.check()
        except WrongSettings as error:
            raise ProviderFailed("settings", str(error)) from error
        with connected(settings, self._context(settings), min(settings.timeout, self._patience)) as directory:
            directory.bind_as_search_account(settings)
            yield directory

    def _context(self, settings: LdapSettings) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._authorities:
            context.load_verify_locations(cadata=self._authorities)
        if not settings.verify_cert:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def _search_people(directory: Connection, settings: LdapSettings, wanted: str, *, limit: int) -> list[dict[str, Any]]:
    """`wanted` is escaped already."""
    attributes = dict.fromkeys([settings.uid, "cn", "uid", "mail", "email", "entryUUID", "objectGUID"])
    if settings.looks_up_groups:
        attributes[settings.group_membership_attribute] = None
    filter_ = _and(settings.filter, f"({settings.uid}={wanted})")
    keys = "ldap_base_dn or ldap_filter"
    return directory.search(settings.base_dn, settings.scope, filter_, list(attributes), limit=limit, key=keys)


def _entry_named(directory: Connection, settings: LdapSettings, name: str) -> dict[str, Any] | None:
    """Return the one entry with this name. A directory ignores case and spaces; spaces are not ignored here."""
    entries = _search_people(directory, settings, escape_filter_chars(name), limit=2)
    if len(entries) > 1:
        _log.warning("the directory has more than one person with the name %r in %s: refused", name[:100], settings.uid)
        return None
    wanted = name.casefold()
    for entry in entries:
        if not entry["dn"] or not _is_below(entry["dn"], settings.base_dn):
            raise ProviderFailed("search", "the directory returned an entry that is not below ldap_base_dn")
        if any(value.casefold() == wanted for value in _values(entry, settings.uid)):
            return entry
    return None


def _person(settings: LdapSettings, entry: dict[str, Any], groups: tuple[PersonGroup, ...]) -> Person:
    admin = _normal(settings.group_admin_dn) if settings.group_admin_dn else ()
    return Person(
        LDAP,
        _subject(entry),
        _value(entry, settings.uid),
        _value(entry, "mail") or _value(entry, "email"),
        _value(entry, "cn") or _value(entry, "uid"),
        groups,
        bool(admin) and any(_normal(group.key) == admin for group in groups),
    )


def _subject(entry: Mapping[str, Any]) -> str:
    """Return entryUUID (RFC 4530) or Active Directory's objectGUID. Raises ProviderFailed if there is neither."""
    given = _value(entry, "entryUUID")
    raw = _raw(entry, "objectGUID")
    try:
        if given:
            return str(uuid.UUID(given))
        if raw:
            return str(uuid.UUID(bytes_le=raw[0]))
    except ValueError as error:
        raise ProviderFailed("search", "the directory's entryUUID or objectGUID is not a UUID") from error
    raise ProviderFailed(
        "search",
        "the directory shows the search account neither entryUUID nor objectGUID, by which people are known: let it "
        "read one of them",
    )


def _groups_of(directory: Connection, settings: LdapSettings, entry: Mapping[str, Any]) -> tuple[PersonGroup, ...]:
    """Return the groups that have the person, those that have these, and so on. One search for each level and 50 DNs.

    Groups that only the person's own membership attribute names are looked at one by one, as many as fit.
    """
    found: dict[tuple[str, ...], PersonGroup] = {}
    base = settings.group_base_dn or settings.base_dn
    pending = [str(entry["dn"])]
    named = _values(entry, settings.group_membership_attribute)
    for level in range(MAX_DEPTH):
        new: list[PersonGroup] = []
        for start in range(0, len(pending), _BATCH):
            new += _groups_with(directory, settings, base, pending[start : start + _BATCH])
        if level == 0:
            known = {_normal(group.key) for group in new}
            missing = [dn for dn in named[:_BATCH] if _is_below(dn, base) and _normal(dn) not in known]
            for dn in missing:
                new += _group_at(directory, settings, dn)
        pending = []
        for group in new:
            if _normal(group.key) not in found and len(found) < MAX_GROUPS:
                found[_normal(group.key)] = group
                pending.append(group.key)
        if not pending:
            break
    return tuple(sorted(found.values(), key=lambda group: group.key))


def _groups_with(directory: Connection, settings: LdapSettings, base: str, members: Iterable[str]) -> list[PersonGroup]:
    escaped = [escape_filter_chars(member) for member in members]
    any_of = "".join(f"(member={one})(uniqueMember={one})" for one in escaped)
    filter_ = _and(settings.group_search_filter, f"(|{any_of})")
    keys = "ldap_group_base_dn or ldap_group_search_filter"
    attributes = [_group_name(settings)]
    entries = directory.search(base, settings.group_search_scope, filter_, attributes, limit=MAX_GROUPS, key=keys)
    return [_group(settings, entry) for entry in entries if entry["dn"]]


def _group_at(directory: Connection, settings: LdapSettings, dn: str) -> list[PersonGroup]:
    filter_ = _and(settings.group_search_filter, "(objectClass=*)")
    try:
        entries = directory.search(dn, 0, filter_, [_group_name(settings)], limit=1, key="ldap_group_search_filter")
    except ProviderFailed:
        return []  # a name that the directory does not show to the search account
    return [_group(settings, entry) for entry in entries]


def _group(settings: LdapSettings, entry: Mapping[str, Any]) -> PersonGroup:
    return PersonGroup(str(entry["dn"]), _value(entry, _group_name(settings)) or str(entry["dn"]))


def _group_name(settings: LdapSettings) -> str:
    return settings.group_attribute_name or "cn"


def _and(filter_: str, condition: str) -> str:
    """Return both; a filter without parentheses gets them, as in Harbor."""
    filter_ = filter_.strip()
    if filter_ and not filter_.startswith("("):
        filter_ = f"({filter_})"
    return f"(&{filter_}{condition})" if filter_ else condition


def _raw(entry: Mapping[str, Any], attribute: str) -> list[bytes]:
    found = {name.lower().partition(";")[0]: values for name, values in entry["raw_attributes"].items()}
    return list(found.get(attribute.lower(), ()))


def _values(entry: Mapping[str, Any], attribute: str) -> list[str]:
    return [value.decode("utf-8", "replace") for value in _raw(entry, attribute)]


def _value(entry: Mapping[str, Any], attribute: str) -> str:
    return next(iter(_values(entry, attribute)), "").strip()[:MAX_NAME]


def _normal(dn: str) -> tuple[str, ...]:
    """Return the names of a DN, in a form in which equal ones are equal: without case, and spaces around values.

    A name of several attributes (`cn=a+sn=b`) is one, in whatever order they are.
    """
    try:
        parts = parse_dn(dn, escape=True, strip=True)
    except LDAPExceptionError:
        return (dn.casefold().strip(),)
    names, together = [], []
    for name, value, separator in parts:
        together.append(f"{name.casefold()}={value.casefold()}")
        if separator != "+":
            names.append("+".join(sorted(together)))
            together = []
    return tuple(names)


def _is_below(dn: str, base: str) -> bool:
    """Whether `dn` is `base` or below it."""
    inner, outer = _normal(dn), _normal(base)
    return inner[-len(outer) :] == outer
