"""The LDAP client on a real slapd: people, passwords, groups, TLS, and a directory that is down, slow or lying."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from roadstead.identity.people import LDAP, Person, ProviderFailed
from roadstead.identity.providers.directories import LdapSettings
from roadstead.ldap.client import LdapClient
from tests.slapd import BASE, PASSWORD, Authority, Slapd, group, needs_slapd, person, slapd

pytestmark = needs_slapd

LONG = 120.0  # seconds for which a server lies to those who do not give it up
CHAIN = "".join(group(f"level{n}", f"cn=level{n + 1},ou=groups") for n in range(15)) + group(
    "level15", "uid=bob,ou=people"
)
ODD = (
    person("star*", dn="cn=star")
    + person("paren)(uid=ada", dn="cn=paren")
    + person("back\\slash", dn="cn=back")
    + person("Grace.Hopper")
    + person("twin", dn="cn=twin one")
    + person("twin", dn="cn=twin two")
    + person("comma", dn="cn=Last\\, First")
    + person("empty", password="x")
    + CHAIN
)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with slapd(tmp_path_factory.mktemp("slapd"), crowd=10_000, extra=ODD) as running:
        yield running


@pytest.fixture
def client(directory: Slapd) -> LdapClient:
    return LdapClient(authorities=directory.authority.pem)


def failure(call: Callable[[], Any]) -> tuple[str, str]:
    """Return the step and the sentence of a failure."""
    with pytest.raises(ProviderFailed) as caught:
        call()
    return caught.value.step, str(caught.value)


def test_a_right_password_returns_the_person(directory: Slapd, client: LdapClient) -> None:
    ada = client.sign_in(directory.settings(), "ada", PASSWORD)
    assert ada is not None
    assert (ada.provider, ada.name, ada.email, ada.real_name) == (LDAP, "ada", "ada@example.org", "Ada")
    assert len(ada.subject) == 36
    assert ada == client.sign_in(directory.settings(), "ada", PASSWORD)
    assert ada.subject not in {one.subject for one in client.find_people(directory.settings(), "bob")}


@pytest.mark.parametrize("password", ["wrong", "", PASSWORD + " ", PASSWORD.upper(), "\0", "ü" * 1000])
def test_a_wrong_or_empty_password_returns_nobody(directory: Slapd, client: LdapClient, password: str) -> None:
    assert client.sign_in(directory.settings(), "ada", password) is None


def test_an_empty_password_does_not_reach_the_directory(directory: Slapd, client: LdapClient) -> None:
    before = directory.log()
    assert client.sign_in(directory.settings(), "ada", "") is None
    assert directory.log() == before


@pytest.mark.parametrize(
    "name",
    ["*", "a*", "ada)(objectClass=*", "ada)(|(uid=*", "(uid=ada)", "ada\\2a", "ada\0", " ada", "ada ", "", "a" * 300,
     "nobody", "uid=ada,ou=people,dc=example,dc=org", "&", "|(uid=*)"],
)  # fmt: skip
def test_a_name_is_never_a_filter(directory: Slapd, client: LdapClient, name: str) -> None:
    assert client.sign_in(directory.settings(), name, PASSWORD) is None


@pytest.mark.parametrize("name", ["star*", "paren)(uid=ada", "back\\slash", "comma"])
def test_names_and_dns_with_special_characters_are_found(directory: Slapd, client: LdapClient, name: str) -> None:
    found = client.sign_in(directory.settings(), name, PASSWORD)
    assert found is not None
    assert found.name == name


def test_a_name_is_found_whatever_its_case_and_returned_as_the_directory_has_it(
    directory: Slapd, client: LdapClient
) -> None:
    found = client.sign_in(directory.settings(), "grace.hopper", PASSWORD)
    assert found is not None
    assert found.name == "Grace.Hopper"


def test_two_people_with_one_name_are_refused(directory: Slapd, client: LdapClient) -> None:
    assert client.sign_in(directory.settings(), "twin", PASSWORD) is None


def test_the_filter_of_the_settings_holds(directory: Slapd, client: LdapClient) -> None:
    only_bob = directory.settings(filter="mail=bob@example.org")
    assert client.sign_in(only_bob, "ada", PASSWORD) is None
    assert client.sign_in(only_bob, "bob", PASSWORD) is not None


@pytest.mark.parametrize(
    ("scope", "base", "found"), [(2, BASE, True), (1, BASE, False), (1, f"ou=people,{BASE}", True)]
)
def test_the_scope_of_the_settings_holds(
    directory: Slapd, client: LdapClient, scope: int, base: str, found: bool
) -> None:
    settings = directory.settings(scope=scope, base_dn=base)
    assert (client.sign_in(settings, "ada", PASSWORD) is not None) is found


def test_one_of_ten_thousand_signs_in(directory: Slapd, client: LdapClient) -> None:
    assert client.sign_in(directory.settings(), "user9999", PASSWORD) is not None


# Groups


def test_groups_in_groups_are_found_and_loops_end(directory: Slapd, client: LdapClient) -> None:
    ada = client.sign_in(directory.with_groups(), "ada", PASSWORD)
    assert ada is not None
    assert [found.name for found in ada.groups] == ["all", "devs", "loop"]
    assert ada.groups[0].key == f"cn=all,ou=groups,{BASE}"


def test_without_a_group_base_no_group_is_looked_up(directory: Slapd, client: LdapClient) -> None:
    before = len(directory.log())
    ada = client.sign_in(directory.settings(), "ada", PASSWORD)
    assert ada is not None
    assert ada.groups == ()
    log = directory.log()[before:]
    assert (log.count(" SRCH base="), log.count(" BIND dn=")) >= (1, 2)
    assert log.count(" SRCH base=") == 1


def test_the_group_filter_holds(directory: Slapd, client: LdapClient) -> None:
    ada = client.sign_in(directory.with_groups(group_search_filter="cn=devs"), "ada", PASSWORD)
    assert ada is not None
    assert [found.name for found in ada.groups] == ["devs"]


def test_nesting_ends_after_ten_levels(directory: Slapd, client: LdapClient) -> None:
    bob = client.sign_in(directory.with_groups(), "bob", PASSWORD)
    assert bob is not None
    assert {found.name for found in bob.groups} == {"ops", "all", "loop"} | {f"level{n}" for n in range(6, 16)}


@pytest.mark.parametrize(
    ("dn", "admin"),
    [(f"cn=all,ou=groups,{BASE}", True), (f"CN=Devs, OU=groups,{BASE}", True), (f"cn=ops,ou=groups,{BASE}", False)],
)
def test_members_of_the_administrators_group_are_administrators(
    directory: Slapd, client: LdapClient, dn: str, admin: bool
) -> None:
    ada = client.sign_in(directory.with_groups(group_admin_dn=dn), "ada", PASSWORD)
    assert ada is not None
    assert ada.admin is admin


# Searches of an administrator


def test_people_are_found_by_name_and_listed_without_one(directory: Slapd, client: LdapClient) -> None:
    (ada,) = client.find_people(directory.settings(), "ada")
    assert (ada.name, ada.email) == ("ada", "ada@example.org")
    assert len(client.find_people(directory.settings(), "")) == 100
    assert client.find_people(directory.settings(), "a*") == ()


def test_groups_are_found_by_name_and_by_dn(directory: Slapd, client: LdapClient) -> None:
    settings = directory.with_groups()
    dn = f"cn=devs,ou=groups,{BASE}"
    assert [found.key for found in client.find_groups(settings, "devs", "")] == [dn]
    assert [found.name for found in client.find_groups(settings, "", dn)] == ["devs"]
    assert client.find_groups(settings, "", f"cn=none,ou=groups,{BASE}") == ()
    assert client.find_groups(settings, "", f"uid=ada,ou=people,{BASE}") == ()  # not below the groups


# TLS


def test_start_tls_and_ldaps_both_sign_in(directory: Slapd, client: LdapClient) -> None:
    for url in (directory.ldap, directory.ldaps):
        assert client.sign_in(directory.settings(url=url), "ada", PASSWORD) is not None
    assert "TLS established" in directory.log()


def test_a_certificate_of_an_unknown_authority_is_refused(directory: Slapd) -> None:
    stranger = LdapClient(authorities=Authority.make("another authority").pem)
    for settings in (directory.settings(url=directory.ldap), directory.settings(url=directory.ldaps)):
        step, said = failure(partial(stranger.sign_in, settings, "ada", PASSWORD))
        assert step == "tls"
        assert "LDAP_CA_CERTIFICATES" in said
        assert PASSWORD not in said


def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    with slapd(tmp_path, names=("ldap.example.org",)) as other:
        client = LdapClient(authorities=other.authority.pem)
        step, said = failure(lambda: client.sign_in(other.settings(), "ada", PASSWORD))
        assert step == "tls"
        assert "certificate" in said
        unverified = other.settings(verify_cert=False)
        assert client.sign_in(unverified, "ada", PASSWORD) is not None


def test_tls_is_not_left_out_where_the_server_has_none() -> None:
    with lying_server(_start_tls_refused) as url:
        settings = LdapSettings(url=url, base_dn=BASE, timeout=25)
        step, said = failure(lambda: LdapClient().ping(settings))
        assert step == "tls"
        assert "no StartTLS" in said


# Down, slow, lying


def test_a_directory_that_is_down_is_not_a_wrong_password(directory: Slapd, client: LdapClient) -> None:
    step, said = failure(lambda: client.sign_in(directory.settings(url="ldap://127.0.0.1:1"), "ada", PASSWORD))
    assert step == "connect"
    assert "127.0.0.1:1" in said


def test_the_next_server_is_tried(directory: Slapd, client: LdapClient) -> None:
    with lying_server(_silent) as silent:
        settings = directory.settings(url=f"ldap://127.0.0.1:1 {silent} {directory.ldaps}", timeout=6)
        assert client.sign_in(settings, "ada", PASSWORD) is not None


def _silent(connection: socket.socket) -> None:
    """Read until the client goes, or it has not given up for `LONG`."""
    connection.settimeout(LONG)
    while connection.recv(4096):
        pass


def _trickle(connection: socket.socket) -> None:
    connection.recv(4096)
    for byte in b"\x30\x84\x00\x01\x00\x00" + b"\x02" * int(LONG / 0.05):
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def _flood(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"\x30\x84\x7f\xff\xff\xff")
    while True:
        connection.sendall(b"\0" * 65_536)


def _garbage(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def _start_tls_refused(connection: socket.socket) -> None:
    message_id, _ = _request(connection.recv(4096))
    connection.sendall(_message(message_id, b"\x78" + _of(b"\x0a\x01\x02\x04\x00\x04\x00")))
    _silent(connection)


@pytest.mark.parametrize("lie", [_trickle, _flood, _garbage, _silent])
def test_a_directory_that_trickles_floods_or_babbles_is_given_up_in_time(lie: Callable[[socket.socket], None]) -> None:
    with lying_server(lie) as url:
        settings = LdapSettings(url=url, base_dn=BASE, timeout=1)
        began = time.monotonic()
        failure(lambda: LdapClient().sign_in(settings, "ada", PASSWORD))
        assert time.monotonic() - began < LONG / 2


class PlainDirectory:
    """Speaks just enough LDAP to lie: binds always succeed, and a search returns `dn` with entryUUID and uid."""

    def __init__(self, dn: str) -> None:
        self.dn = dn

    def __call__(self, connection: socket.socket) -> None:
        while data := connection.recv(4096):
            message_id, operation = _request(data)
            if operation == 0x77:  # ExtendedRequest: StartTLS
                connection.sendall(_message(message_id, b"\x78" + _of(b"\x0a\x01\x02\x04\x00\x04\x00")))
            elif operation == 0x60:
                connection.sendall(_message(message_id, b"\x61" + _of(b"\x0a\x01\x00\x04\x00\x04\x00")))
            elif operation == 0x63:
                values = (("uid", "ada"), ("entryUUID", "1f0c2a56-2c3d-4e5f-8a9b-0c1d2e3f4a5b"))
                attributes = b"".join(
                    b"\x30" + _of(b"\x04" + _of(name.encode()) + b"\x31" + _of(b"\x04" + _of(value.encode())))
                    for name, value in values
                )
                entry = b"\x64" + _of(b"\x04" + _of(self.dn.encode()) + b"\x30" + _of(attributes))
                connection.sendall(_message(message_id, entry))
                connection.sendall(_message(message_id, b"\x65" + _of(b"\x0a\x01\x00\x04\x00\x04\x00")))


@pytest.mark.parametrize("dn", ["", "cn=somebody,dc=elsewhere"])
def test_an_entry_without_a_dn_or_outside_of_the_base_is_nobody(dn: str) -> None:
    with lying_server(PlainDirectory(dn)) as url:
        settings = LdapSettings(url=url, base_dn=BASE, uid="uid", timeout=25, verify_cert=False)
        step, _ = failure(lambda: LdapClient().sign_in(settings, "ada", PASSWORD))
        assert step == "search"


def test_without_verification_a_server_without_tls_is_used_in_plain_text() -> None:
    with lying_server(PlainDirectory(f"uid=ada,{BASE}")) as url:
        settings = LdapSettings(url=url, base_dn=BASE, uid="uid", timeout=25, verify_cert=False)
        found = LdapClient().sign_in(settings, "ada", PASSWORD)
        assert found == Person(LDAP, "1f0c2a56-2c3d-4e5f-8a9b-0c1d2e3f4a5b", "ada", "", "ada")


# The test button


def test_a_ping_of_good_settings_succeeds(directory: Slapd, client: LdapClient) -> None:
    client.ping(directory.with_groups())


@pytest.mark.parametrize(
    ("changes", "step", "words"),
    [
        ({"url": ""}, "settings", "ldap_url"),
        ({"url": "https://ldap.example.org"}, "settings", "ldap_url"),
        ({"url": "ldaps://user:secret@ldap.example.org"}, "settings", "ldap_url"),
        ({"url": " ".join(["ldap://localhost"] * 6)}, "settings", "ldap_url"),
        ({"base_dn": ""}, "settings", "ldap_base_dn"),
        ({"uid": "uid)(x=*"}, "settings", "ldap_uid"),
        ({"search_password": "wrong"}, "bind", "ldap_search_password"),
        ({"search_password": ""}, "bind", "ldap_search_password"),
        ({"search_dn": "", "search_password": ""}, "bind", "ldap_search_dn"),
        ({"base_dn": "ou=none,dc=example,dc=org"}, "search", "ldap_base_dn"),
        ({"base_dn": "not a dn"}, "search", "ldap_base_dn"),
        ({"group_base_dn": "ou=none,dc=example,dc=org"}, "search", "ldap_group_base_dn"),
    ],
)
def test_a_ping_says_which_step_failed_and_which_setting_to_check(
    directory: Slapd, client: LdapClient, changes: dict[str, str], step: str, words: str
) -> None:
    found, said = failure(lambda: client.ping(directory.settings(**changes)))
    assert found == step
    assert words in said
    assert directory.settings().search_password not in said


@pytest.mark.parametrize("filter_", ["(uid=*", "((", "(&(uid=ada)", "uid=)"])
def test_a_malformed_filter_is_named(directory: Slapd, client: LdapClient, filter_: str) -> None:
    step, said = failure(lambda: client.sign_in(directory.settings(filter=filter_), "ada", PASSWORD))
    assert step == "search"
    assert "ldap_filter" in said


def lying_server(serve: Callable[[socket.socket], None]) -> Any:
    return _Server(serve)


class _Server:
    """Takes connections and lets `serve` handle each in a thread; `with` returns its URL."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> str:
        threading.Thread(target=self._accept, daemon=True).start()
        return f"ldap://127.0.0.1:{self._listener.getsockname()[1]}"

    def __exit__(self, *error: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection: socket.socket) -> None:
        with connection:
            try:
                self._serve(connection)
            except OSError:
                return


def _of(content: bytes) -> bytes:
    return bytes([len(content)]) + content if len(content) < 128 else b"\x81" + bytes([len(content)]) + content


def _request(data: bytes) -> tuple[bytes, int]:
    """Return the message id, as it is encoded, and the tag of the operation."""
    end = 4 + data[3]
    return data[2:end], data[end]


def _message(message_id: bytes, operation: bytes) -> bytes:
    return b"\x30" + _of(message_id + operation)
