"""Names of people in filters, and DNs, whatever they are made of: no name is more than a value of one comparison."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from ldap3.operation.search import AND, MATCH_EQUAL, parse_filter
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import escape_rdn

from roadstead.identity.people import ProviderFailed
from roadstead.identity.providers.directories import MAX_NAME, LdapSettings
from roadstead.ldap.client import LdapClient

BASE = "ou=people,dc=example,dc=org"
SETTINGS = LdapSettings(url="ldaps://ldap.example.org", base_dn=BASE, uid="uid", search_dn="cn=s", search_password="s")
_ESCAPED = re.compile(rb"\\([0-9a-fA-F]{2})")  # RFC 4515 section 3
texts = st.text(st.characters(codec="utf-8") | st.sampled_from('()*\\\0&|!=<>~,+;#"/ '), max_size=60)
values = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=12)


class Recorder:
    """A directory that notes filters, and returns `entries`. Every password is right."""

    def __init__(self, *entries: dict[str, Any]) -> None:
        self.entries = list(entries)
        self.filters: list[str] = []
        self.bases: list[str] = []

    def search(self, base: str, scope: int, filter_: str, attributes: list[str], **_: Any) -> list[dict[str, Any]]:
        self.bases.append(base)
        self.filters.append(filter_)
        return self.entries

    def is_password_of(self, dn: str, password: str) -> bool:
        return True

    def bind_as_search_account(self, settings: LdapSettings) -> None:
        """Do nothing."""


class Client(LdapClient):
    def __init__(self, directory: Recorder) -> None:
        super().__init__()
        self.directory = directory

    @contextmanager
    def _connected(self, settings: LdapSettings) -> Iterator[Any]:
        yield self.directory


def comparisons(filter_: str) -> list[tuple[str, bytes]]:
    """Return attribute and value of a filter's comparisons, as the directory reads it. Raises for anything but AND."""
    (root,) = parse_filter(filter_, None, False, False, None, False).elements

    def read(node: Any) -> Iterator[tuple[str, bytes]]:
        if node.tag == MATCH_EQUAL:
            value = node.assertion["value"]
            octets = value if isinstance(value, bytes) else value.encode()
            yield str(node.assertion["attr"]), _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), octets)
            return
        assert node.tag == AND
        for one in node.elements:
            yield from read(one)

    return list(read(root))


def entry(dn: str, **attributes: str) -> dict[str, Any]:
    named = {"entryUUID": "1f0c2a56-2c3d-4e5f-8a9b-0c1d2e3f4a5b", **attributes}
    return {"dn": dn, "raw_attributes": {name: [value.encode()] for name, value in named.items()}}


@given(texts)
def test_any_name_is_one_value_in_one_comparison(name: str) -> None:
    directory = Recorder()
    settings = LdapSettings(**{**SETTINGS.as_json(), "filter": "objectClass=person"})
    assert Client(directory).sign_in(settings, name, "password") is None
    if not 0 < len(name) <= MAX_NAME or "\0" in name:
        assert directory.filters == []
        return
    (filter_,) = directory.filters
    (of_settings, (attribute, value)) = comparisons(filter_)
    assert (of_settings, attribute) == (("objectClass", b"person"), "uid")
    assert value.decode().strip() == name.strip()  # the library leaves out space around a value


@given(values)
def test_any_dn_of_a_person_is_one_value_where_groups_are_looked_up(value: str) -> None:
    dn = f"uid={escape_rdn(value)},{BASE}"
    directory = Recorder(entry(dn, uid=value))
    settings = LdapSettings(**{**SETTINGS.as_json(), "group_base_dn": "ou=groups,dc=example,dc=org"})
    with_groups = Client(directory).sign_in(settings, value, "password")
    assert with_groups is not None
    assert f"(member={escape_filter_chars(dn)})" in directory.filters[1]


@given(values, values)
def test_only_what_is_below_the_base_is_somebody(first: str, second: str) -> None:
    """Whatever a name contains: an escaped comma, an equals sign or a plus is no border between names."""
    inside = f"uid={escape_rdn(first)},cn={escape_rdn(second)},{BASE.upper()}"
    assert Client(Recorder(entry(inside, uid="ada"))).sign_in(SETTINGS, "ada", "password") is not None
    for outside in (
        f"uid={escape_rdn(first)},dc=org",
        f"uid={escape_rdn(f'{first},{BASE}')},dc=org",
        f"uid={escape_rdn(first)}+{BASE}",
        f"uid={escape_rdn(first)},{BASE},dc={escape_rdn(second)}",
    ):
        try:
            found = Client(Recorder(entry(outside, uid="ada"))).sign_in(SETTINGS, "ada", "password")
        except ProviderFailed as failed:
            assert failed.step == "search"
        else:
            raise AssertionError(f"{outside} is {found}")


@given(texts)
def test_any_text_as_the_dn_of_a_group_is_below_the_base_or_not_asked(dn: str) -> None:
    directory = Recorder()
    assert Client(directory).find_groups(SETTINGS, "", dn) == ()
    assert all(base == dn or (not dn and base == BASE) for base in directory.bases)
    if directory.bases and dn:
        assert dn.casefold().replace(" ", "").endswith("ou=people,dc=example,dc=org")
