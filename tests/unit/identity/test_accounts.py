from __future__ import annotations

from collections.abc import Callable

import pytest

from roadstead.identity.accounts import AccountRefused, Accounts
from roadstead.identity.directory import Project, Role, UserName
from roadstead.identity.sign_in.passwords import Argon2Hasher
from roadstead.ids import clock_id
from roadstead.names import ProjectName
from tests.memory.identity import MemoryIdentities
from tests.unit.identity.parts import NOON, PASSWORD, Clock, CountingHasher


@pytest.fixture
def store() -> MemoryIdentities:
    return MemoryIdentities()


@pytest.fixture
def accounts(store: MemoryIdentities) -> Accounts:
    return Accounts(store, CountingHasher(), clock=Clock())


def test_a_user_is_created_with_a_hash(store: MemoryIdentities) -> None:
    hasher = Argon2Hasher()
    user = Accounts(store, hasher, clock=Clock()).create_user("ada", PASSWORD, admin=True)
    assert store.find_user(UserName.parse("ada")) == user
    assert (user.admin, user.disabled, user.created) == (True, False, NOON)
    assert hasher.verify(PASSWORD, user.password)


def test_users_are_no_administrators_unless_told(accounts: Accounts) -> None:
    assert accounts.create_user("ada", PASSWORD).admin is False


def test_a_name_is_taken_once(accounts: Accounts) -> None:
    accounts.create_user("ada", PASSWORD)
    accounts.create_project("ships")
    with pytest.raises(AccountRefused, match="there is a user ada already"):
        accounts.create_user("ada", "another password")
    with pytest.raises(AccountRefused, match="there is a project ships already"):
        accounts.create_project("ships", public=True)


@pytest.mark.parametrize("name", ["a", "0", "ada@example.com", "a.b-c_d+e", "x" * 64])
def test_user_names(accounts: Accounts, name: str) -> None:
    accounts.create_user(name, PASSWORD)
    assert accounts.find_user(name) is not None


@pytest.mark.parametrize("name", ["", "Ada", "a:b", "a b", "a/b", ".a", "a.", "-a", "robot$a", "ä", "x" * 65, "a\n"])
def test_what_is_no_user_name(accounts: Accounts, name: str) -> None:
    with pytest.raises(AccountRefused, match="not a user name"):
        accounts.create_user(name, PASSWORD)


@pytest.mark.parametrize("name", ["", "Ships", "ships/a", "a..b", "x" * 256])
def test_what_is_no_project_name(accounts: Accounts, name: str) -> None:
    with pytest.raises(AccountRefused, match="not a project name"):
        accounts.create_project(name)


def test_a_weak_password_creates_and_changes_nothing(accounts: Accounts) -> None:
    with pytest.raises(AccountRefused, match="at least 12 characters"):
        accounts.create_user("ada", "short")
    assert accounts.find_user("ada") is None
    user = accounts.create_user("ada", PASSWORD)
    with pytest.raises(AccountRefused, match="at most 512 bytes"):
        accounts.set_password("ada", "x" * 513)
    assert accounts.find_user("ada") == user


def test_a_password_is_set_anew(accounts: Accounts) -> None:
    before = accounts.create_user("ada", PASSWORD)
    accounts.set_password("ada", "another password")
    after = accounts.find_user("ada")
    assert after is not None and after.password != before.password and after.epoch == before.epoch + 1


def test_administrators_and_the_disabled(accounts: Accounts) -> None:
    accounts.create_user("ada", PASSWORD)
    accounts.set_admin("ada", True)
    accounts.set_disabled("ada", True)
    user = accounts.find_user("ada")
    assert user is not None and (user.admin, user.disabled) == (True, True)


def test_projects_are_private_unless_told(accounts: Accounts) -> None:
    created = accounts.create_project("ships", created_by="ada")
    assert created == Project(ProjectName.parse("ships"), False, NOON, "ada", clock_id(NOON))
    assert accounts.find_project("ships") == created
    accounts.set_public("ships", True)
    project = accounts.find_project("ships")
    assert project is not None and project.public


def test_members_come_change_and_go(accounts: Accounts, store: MemoryIdentities) -> None:
    ada = accounts.create_user("ada", PASSWORD).name
    ships = accounts.create_project("ships").name
    accounts.set_member("ships", "ada", Role.GUEST)
    accounts.set_member("ships", "ada", Role.ADMIN)
    assert store.read(ada, [ships]).roles == {ships: Role.ADMIN}
    accounts.remove_member("ships", "ada")
    assert store.read(ada, [ships]).roles == {}


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda accounts: accounts.set_password("bob", PASSWORD), "there is no user bob"),
        (lambda accounts: accounts.set_admin("bob", True), "there is no user bob"),
        (lambda accounts: accounts.set_disabled("bob", True), "there is no user bob"),
        (lambda accounts: accounts.set_member("ships", "bob", Role.GUEST), "there is no user bob"),
        (lambda accounts: accounts.set_member("cargo", "ada", Role.GUEST), "there is no project cargo"),
        (lambda accounts: accounts.set_public("cargo", True), "there is no project cargo"),
    ],
)
def test_what_does_not_exist_is_named(accounts: Accounts, act: Callable[[Accounts], None], sentence: str) -> None:
    accounts.create_user("ada", PASSWORD)
    accounts.create_project("ships")
    with pytest.raises(AccountRefused, match=sentence):
        act(accounts)


def test_a_new_account_of_a_name_begins_with_another_epoch(store: MemoryIdentities) -> None:
    accounts = Accounts(store, CountingHasher(), clock=Clock())
    epochs = set()
    for _ in range(3):
        epochs.add(accounts.create_user("ada", PASSWORD).epoch)
        accounts.remove_user("ada")
    assert len(epochs) == 3
    with pytest.raises(AccountRefused, match="no user ada"):
        accounts.remove_user("ada")
