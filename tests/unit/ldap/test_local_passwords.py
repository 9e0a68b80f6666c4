"""What a real slapd sees of the registry's sign-ins: nothing of its local users."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import pytest

from roadstead.identity.configuration import ConfigurationReader
from roadstead.identity.directory import LOCAL
from roadstead.identity.people import LDAP
from roadstead.identity.providers.ldap_provider import LdapProvider
from roadstead.identity.providers.onboarding import Onboarding, StoredGroups
from roadstead.identity.sign_in.login import PasswordLogin, WrongPassword
from roadstead.identity.sign_in.passwords import PasswordVerifier
from roadstead.ldap.client import LdapClient
from roadstead.trail.entries import Actor, ActorKind, Operation
from roadstead.trail.events import EventMaker
from tests.memory.configuration import MemoryConfiguration, MemoryConfigurationSecrets
from tests.slapd import PASSWORD, Slapd, needs_slapd, slapd
from tests.unit.identity.parts import Harbour

pytestmark = needs_slapd
LOCAL_PASSWORD = "another password than the directory has"
SOURCE = Actor("", ActorKind.ANONYMOUS, source_ip="192.0.2.7")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with slapd(tmp_path_factory.mktemp("slapd")) as running:
        yield running


@pytest.fixture
def harbour() -> Harbour:
    """One whose user `ada` is local; the directory has somebody of that name, and `bob`."""
    harbour = Harbour()
    harbour.accounts.create_user("ada", LOCAL_PASSWORD)
    return harbour


@pytest.fixture
def login(harbour: Harbour, directory: Slapd) -> PasswordLogin:
    store, secrets = MemoryConfiguration(), MemoryConfigurationSecrets()
    settings = asdict(directory.settings())
    secrets.put_secret("ldap_search_password", "a1", settings["search_password"])
    values = {f"ldap_{name}": settings[name] for name in ("url", "base_dn", "search_dn", "uid")}
    event = EventMaker(harbour.clock).make(Operation.CHANGE_CONFIGURATION, SOURCE, "")
    store.put_configuration({**values, "ldap_search_password": "a1"}, replaces=0, event=event)
    provider = LdapProvider(LdapClient(authorities=directory.authority.pem), ConfigurationReader(store, secrets))
    onboarding = Onboarding(harbour.store, StoredGroups(harbour.store), clock=harbour.clock)
    passwords = PasswordVerifier(harbour.hasher)
    return PasswordLogin(harbour.store, passwords, onboarding, lambda: provider, clock=harbour.clock)


def test_no_bind_and_no_search_for_a_local_user_whatever_the_password(login: PasswordLogin, directory: Slapd) -> None:
    before = directory.log()
    user, _ = login.sign_in("ada", LOCAL_PASSWORD, source=SOURCE)
    assert user.provider == LOCAL
    for password in ("wrong", PASSWORD):  # of the directory's ada
        with pytest.raises(WrongPassword):
            login.sign_in("ada", password, source=SOURCE)
    assert directory.log() == before
    user, _ = login.sign_in("bob", PASSWORD, source=SOURCE)
    assert user.provider == LDAP
    assert 'BIND dn="uid=bob' in directory.log()[len(before) :]  # and so the log would show it
