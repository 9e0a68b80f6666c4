"""Signing in by the password of a directory: whose name it is, what a sign-in changes, and what it never does."""

from __future__ import annotations

import random
import threading

import pytest

from roadstead.identity.configuration import ConfigurationReader
from roadstead.identity.directory import LOCAL, Role, User, UserName
from roadstead.identity.groups import Group, GroupKind
from roadstead.identity.people import LDAP, Person, PersonGroup, ProviderFailed
from roadstead.identity.providers.ldap_provider import LdapProvider
from roadstead.identity.providers.onboarding import NotOnboarded, Onboarding, StoredGroups
from roadstead.identity.sign_in.login import PasswordLogin, WrongPassword
from roadstead.identity.sign_in.passwords import PasswordVerifier
from roadstead.trail.entries import Actor, ActorKind, Operation
from tests.memory.configuration import MemoryConfiguration, MemoryConfigurationSecrets
from tests.memory.ldap import MemoryLdap
from tests.unit.identity.parts import PASSWORD, Harbour

SOURCE = Actor("", ActorKind.ANONYMOUS, source_ip="192.0.2.7", request_id="r1")
DEVS = PersonGroup("cn=devs,dc=example", "devs")


class Door:
    """`lou` is a local user; `ada` is in the directory."""

    def __init__(self) -> None:
        self.harbour = Harbour()
        self.store, self.clock = self.harbour.store, self.harbour.clock
        self.harbour.accounts.create_user("lou", PASSWORD)
        self.devs = self.store.create_group(Group(GroupKind.LDAP, "devs", 0, "CN=devs, DC=example")).id
        self.people = MemoryLdap()
        self.people.add("ada", "directory password")
        configuration = MemoryConfiguration()
        reader = ConfigurationReader(configuration, MemoryConfigurationSecrets(), clock=self.clock)
        self.onboarding = Onboarding(self.store, StoredGroups(self.store), clock=self.clock)
        provider = LdapProvider(self.people, reader)
        self.login = PasswordLogin(
            self.store, PasswordVerifier(self.harbour.hasher), self.onboarding, lambda: provider, clock=self.clock
        )

    def enter(self, name: str, password: str = "directory password") -> User:
        return self.login.sign_in(name, password, source=SOURCE)[0]


@pytest.fixture
def door() -> Door:
    return Door()


def test_the_first_sign_in_creates_the_account_and_is_told(door: Door) -> None:
    ada = door.enter("ada")
    assert (ada.name, ada.provider, ada.subject, ada.password) == ("ada", LDAP, "uuid-of-ada", "")
    assert ada.id > 0
    event = door.store.events[-1]
    assert (event.operation, event.user, event.actor.name) == (Operation.CREATE_USER, "ada", "ada")
    assert event.actor.source_ip == SOURCE.source_ip
    assert event.detail == "provider=ldap admin=false"


def test_the_next_sign_in_changes_nothing(door: Door) -> None:
    first, events = door.enter("ada"), len(door.store.events)
    door.clock.now += 3_600
    assert door.enter("ada") == first
    assert len(door.store.events) == events


def test_a_local_users_password_never_reaches_the_directory(door: Door) -> None:
    door.people.add("lou", "directory password")
    assert door.enter("lou", PASSWORD).provider == LOCAL
    for password in ("wrong", "directory password"):
        with pytest.raises(WrongPassword):
            door.enter("lou", password)
    assert door.people.asked == []


def test_a_name_of_a_local_user_is_not_taken_over_by_renaming_in_the_directory(door: Door) -> None:
    door.enter("ada")
    del door.people.people["ada"]
    door.people.add("lou", "directory password", subject="uuid-of-ada")
    with pytest.raises(WrongPassword):
        door.enter("lou")
    assert door.enter("lou", PASSWORD).provider == LOCAL


def test_somebody_new_with_the_name_of_an_account_is_refused(door: Door) -> None:
    door.enter("ada")
    door.people.add("ada", "another password", subject="another uuid")
    with pytest.raises(NotOnboarded, match="belongs to another account"):
        door.enter("ada", "another password")
    assert door.store.find_subject(LDAP, "another uuid") is None


def test_a_person_whose_name_has_changed_keeps_the_account(door: Door) -> None:
    first = door.enter("ada")
    door.harbour.accounts.create_project("ships")
    door.harbour.accounts.set_member("ships", "ada", Role.DEVELOPER)
    person, password = door.people.people.pop("ada")
    door.people.people["ada.king"] = (
        Person(LDAP, person.subject, "ada.king", person.email, person.real_name),
        password,
    )
    found, identity = door.login.sign_in("ada.king", password, [door.harbour.accounts.find_project("ships").name])  # type: ignore[union-attr]
    assert (found.name, found.id) == ("ada", first.id)
    assert list(identity.roles.values()) == [Role.DEVELOPER]
    assert door.store.find_user(UserName("ada.king")) is None


def test_the_old_name_of_a_renamed_person_does_not_let_them_in_as_the_next_holder(door: Door) -> None:
    ada = door.enter("ada")
    door.people.people["ada.king"] = (Person(LDAP, ada.subject, "ada.king"), "directory password")
    door.people.add("ada", "the next ada's password", subject="uuid-of-the-next-ada")
    with pytest.raises(NotOnboarded):
        door.enter("ada", "the next ada's password")
    with pytest.raises(WrongPassword):
        door.enter("ada", "directory password")
    assert door.enter("ada.king").name == "ada"


@pytest.mark.parametrize("typed", ["ADA", "Ada", "aDa"])
def test_a_name_counts_whatever_its_case(door: Door, typed: str) -> None:
    assert door.enter(typed) == door.enter("ada")


@pytest.mark.parametrize("name", ["Ada Lovelace", "ädä", "ada$x", "robot$ci", "a:b"])
def test_a_name_that_no_account_can_have_is_refused_with_a_reason(door: Door, name: str) -> None:
    door.people.add(name, "directory password")
    with pytest.raises(NotOnboarded, match="is not a user name"):
        door.enter(name)


def test_a_wrong_password_is_refused_and_counted(door: Door) -> None:
    for _ in range(4):
        with pytest.raises(WrongPassword):
            door.enter("ada", "wrong")
    with pytest.raises(WrongPassword):
        door.enter("nobody", "wrong")
    attempts = door.store.read(UserName("ada"), (), attempts=list(door.store._failures)).attempts
    assert {key.subject: counts["all"].count for key, counts in attempts.items()} == {
        "n#ada": 4,
        "a#192.0.2.7": 5,
        "n#nobody": 1,
    }


def test_a_directory_that_is_down_is_no_wrong_password_and_lets_nobody_in(door: Door) -> None:
    door.enter("ada")
    door.clock.now += 61
    door.people.down = ProviderFailed("connect", "there is no connection")
    for name in ("ada", "nobody"):
        with pytest.raises(ProviderFailed):
            door.enter(name)
    assert door.store._failures == {}
    assert door.enter("lou", PASSWORD).name == "lou"  # local users do not notice


def test_an_accepted_password_is_remembered_for_a_minute(door: Door) -> None:
    for _ in range(5):
        door.enter("ada")
    assert door.people.asked == ["ada", "ada"]  # the first one made the account
    with pytest.raises(WrongPassword):
        door.enter("ada", "wrong")
    door.clock.now += 60
    door.enter("ada")
    assert len(door.people.asked) == 4


def test_a_disabled_account_is_worthless_at_once(door: Door) -> None:
    door.enter("ada")
    door.enter("ada")
    door.harbour.accounts.set_disabled("ada", True)
    asked = len(door.people.asked)
    with pytest.raises(WrongPassword):
        door.enter("ada")
    assert len(door.people.asked) == asked + 1  # what was remembered is of another epoch
    door.harbour.accounts.set_disabled("ada", False)
    assert door.enter("ada").name == "ada"


def test_without_a_directory_its_users_cannot_sign_in_and_have_no_password(door: Door) -> None:
    door.enter("ada")
    login = PasswordLogin(door.store, PasswordVerifier(door.harbour.hasher), door.onboarding, clock=door.clock)
    for password in ("directory password", "", "v1$"):
        with pytest.raises(WrongPassword):
            login.sign_in("ada", password)


def test_a_users_password_of_the_directory_cannot_be_set_here(door: Door) -> None:
    door.enter("ada")
    with pytest.raises(Exception, match="change it at its provider"):
        door.harbour.accounts.set_password("ada", PASSWORD)


def test_known_groups_and_the_administrators_right_follow_the_directory(door: Door) -> None:
    door.enter("ada")
    door.people.add("ada", "directory password", groups=(DEVS, PersonGroup("cn=x", "x")), admin=True)
    door.clock.now += 61
    ada = door.enter("ada")
    assert (ada.groups, ada.admin, ada.admin_by_provider) == ((door.devs,), True, True)
    assert door.store.events[-1].detail == f"provider=ldap admin=true groups={door.devs}"
    door.people.add("ada", "directory password")
    door.clock.now += 61
    ada = door.enter("ada")
    assert (ada.groups, ada.admin, ada.admin_by_provider) == ((), False, False)
    assert door.store.events[-1].detail == "provider=ldap admin=false groups=-"


def test_a_right_that_an_administrator_gave_stays_when_the_directory_takes_its_own(door: Door) -> None:
    door.people.add("ada", "directory password", admin=True)
    door.enter("ada")
    door.harbour.accounts.set_admin("ada", True)
    door.people.add("ada", "directory password")
    door.clock.now += 61
    ada = door.enter("ada")
    assert (ada.admin, ada.admin_by_provider) == (True, False)


def test_a_group_counts_in_the_sign_in_that_brings_it(door: Door) -> None:
    door.harbour.accounts.create_project("ships")
    ships = door.harbour.accounts.find_project("ships")
    assert ships is not None
    door.store.set_group_role(ships.name, door.devs, Role.MAINTAINER)
    door.people.add("ada", "directory password", groups=(DEVS,))
    _, identity = door.login.sign_in("ada", "directory password", [ships.name])
    assert identity.roles == {ships.name: Role.MAINTAINER}


def test_the_day_of_the_last_sign_in_is_kept_without_an_event(door: Door) -> None:
    first, events = door.enter("ada"), len(door.store.events)
    door.clock.now += 86_400
    assert door.enter("ada").confirmed == first.confirmed + 86_400
    assert len(door.store.events) == events


def test_sign_ins_at_the_same_time_create_one_account(door: Door) -> None:
    found: list[User] = []
    threads = [threading.Thread(target=lambda: found.append(door.enter("ada"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert {user.id for user in found} == {found[0].id}
    created = [event for event in door.store.events if event.operation is Operation.CREATE_USER]
    assert [event.user for event in created] == ["lou", "ada"]


def test_no_sequence_of_renames_makes_one_providers_user_another(door: Door) -> None:
    """Whatever names people exchange in the directory, a subject reaches its own account or none."""
    names = ["ada", "bea", "cyn", "lou"]
    dice = random.Random(14)
    owner: dict[str, str] = {"lou": LOCAL}
    for _ in range(300):
        name, subject = dice.choice(names), f"uuid-{dice.randrange(4)}"
        door.people.people.clear()
        door.people.add(name, "directory password", subject=subject)
        door.clock.now += 61
        try:
            user = door.enter(name)
        except (NotOnboarded, WrongPassword):
            door.store._failures.clear()
            continue
        assert owner.setdefault(user.name, subject) == subject == user.subject
    assert door.enter("lou", PASSWORD).provider == LOCAL
