"""What every store of groups does."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

import pytest
from moto import mock_aws

from roadstead.aws.identity.dynamodb_directory_lists import DynamoDirectoryLists
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.table import Table
from roadstead.conflicts import Conflict
from roadstead.identity.directory import MAX_GROUPS, MemberGroup, Project, Role, User, UserName
from roadstead.identity.groups import MAX_ADMIN_GROUPS, Group, GroupKey, GroupKind, Groups, TooManyMembers
from roadstead.identity.lists import DirectoryLists
from roadstead.identity.stores import Identities, Projects, TooManyGroups, UnknownGroup, UnknownUser, Users
from roadstead.ids import IdKind, clock_id
from roadstead.names import ProjectName
from tests import aws
from tests.memory.identity import MemoryIdentities

CREATED = 1_800_000_000
ID = clock_id(CREATED)
ADA, BOB, SHIPS = UserName("ada"), UserName("bob"), ProjectName("ships")
CREW = Group(GroupKind.LOCAL, "crew", CREATED, id=ID)
FLEET = Group(GroupKind.LDAP, "Fleet", CREATED, "CN=Fleet, OU=Groups,DC=example,DC=org", id=ID + 1)


class Store(Identities, Users, Projects, Groups, DirectoryLists, Protocol):
    pass


class DynamoStore(DynamoIdentities, DynamoDirectoryLists):
    """Both on one table."""


def _dynamo(client: Any) -> DynamoStore:
    identity = f"identity-{uuid.uuid4().hex}"
    aws.make_tables(client, f"index-{uuid.uuid4().hex}", identity)
    return DynamoStore(Table(client, identity))


@pytest.fixture(params=["memory", "moto", "ministack", "embedded", "busy"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        yield _filled(MemoryIdentities())
    elif request.param == "moto":
        with mock_aws():
            yield _filled(_dynamo(aws.client("dynamodb")))
    else:
        yield _filled(_dynamo(aws.client("dynamodb", request.getfixturevalue(f"{request.param}_endpoint"))))


def _filled(store: Store) -> Store:
    store.create_user(User(ADA, "phc", CREATED))
    store.create_user(User(BOB, "phc", CREATED))
    store.create_project(Project(SHIPS, False, CREATED, "root"))
    assert store.create_group(CREW) == CREW
    assert store.create_group(FLEET) == FLEET
    return store


def test_groups_are_found_by_id_and_by_key_and_listed(store: Store) -> None:
    assert store.find_group(ID) == CREW
    assert store.find_group(99) is None
    assert store.list_groups() == (FLEET, CREW)
    asked = GroupKey.of(GroupKind.LDAP, "", "cn=fleet,ou=groups,dc=example,dc=org")
    assert store.find_groups([asked, GroupKey(GroupKind.OIDC, "crew")]) == {asked: FLEET}
    assert store.find_groups([]) == {}
    assert store.find_by_id(IdKind.GROUP, ID) == "2#crew"


def test_the_key_of_an_ldap_group_is_its_dn_without_regard_to_case_and_spaces_between_its_parts() -> None:
    def key(dn: str) -> GroupKey:
        return GroupKey.of(GroupKind.LDAP, "", dn)

    assert key("CN=Fleet, OU=Groups") == key("cn=fleet,ou=groups")
    assert key(r"cn=a\, b,ou=groups") != key(
        r"cn=a\,b,ou=groups"
    )  # the comma belongs to the name, and so does the space


def test_a_key_is_taken_once_in_its_kind(store: Store) -> None:
    for taken in (replace(CREW, id=0), replace(FLEET, name="other", dn=FLEET.dn.upper(), id=0)):
        with pytest.raises(Conflict):
            store.create_group(taken)
    store.create_group(Group(GroupKind.OIDC, "crew", CREATED))


def test_another_name_moves_the_key_of_a_local_group_and_not_of_an_ldap_group(store: Store) -> None:
    assert store.rename_group(FLEET, "Armada") == replace(FLEET, name="Armada")
    assert store.rename_group(CREW, "hands") == replace(CREW, name="hands")
    assert store.list_groups() == (replace(FLEET, name="Armada"), replace(CREW, name="hands"))
    assert store.find_group(ID) == replace(CREW, name="hands")
    store.create_group(Group(GroupKind.LOCAL, "crew", CREATED))
    with pytest.raises(Conflict):
        store.rename_group(replace(CREW, name="hands"), "crew")
    with pytest.raises(UnknownGroup):
        store.rename_group(replace(CREW, name="x", id=99), "y")


def test_members_of_an_administrator_group_are_system_administrators_at_once(store: Store) -> None:
    store.add_group_member(CREW, ADA)
    assert store.read(ADA, []).user == store.find_user(ADA)
    store.set_group_admin(CREW, True)
    user = store.read(ADA, []).user
    assert user is not None and user.admin and user.admin_by_group
    bob = store.read(BOB, []).user
    assert bob is not None and not bob.admin
    assert store.find_group(ID) == replace(CREW, admin=True) == store.list_groups()[1]
    store.set_group_admin(CREW, False)
    assert store.read(ADA, []).user == store.find_user(ADA)


def test_a_group_of_a_provider_makes_administrators_too(store: Store) -> None:
    store.set_groups(ADA, [FLEET.id])
    store.set_group_admin(FLEET, True)
    user = store.read(ADA, []).user
    assert user is not None and user.admin
    store.set_groups(ADA, [])
    assert store.read(ADA, []).user == store.find_user(ADA)


def test_administrator_groups_are_bounded(store: Store) -> None:
    made = [
        store.create_group(Group(GroupKind.OIDC, str(number), CREATED, admin=True))
        for number in range(MAX_ADMIN_GROUPS - 1)
    ]
    store.set_group_admin(CREW, True)
    with pytest.raises(TooManyMembers):
        store.set_group_admin(FLEET, True)
    store.set_group_admin(made[0], False)
    store.set_group_admin(FLEET, True)
    with pytest.raises(UnknownGroup):
        store.set_group_admin(replace(CREW, id=99), False)


def test_members_of_a_local_group_have_its_roles(store: Store) -> None:
    assert store.add_group_member(CREW, ADA)
    assert not store.add_group_member(CREW, ADA)
    member = store.set_group_role(SHIPS, ID, Role.DEVELOPER, at=CREATED)
    assert member == MemberGroup(SHIPS, ID, Role.DEVELOPER, member.id, CREATED)
    assert store.set_group_role(SHIPS, ID, Role.GUEST) == replace(member, role=Role.GUEST)
    assert store.list_member_groups(SHIPS) == (replace(member, role=Role.GUEST),)
    assert store.find_by_id(IdKind.MEMBER, member.id) == f"ships/group:{ID}"
    assert store.read(ADA, [SHIPS]).roles == {SHIPS: Role.GUEST}
    assert store.read(BOB, [SHIPS]).roles == {}
    assert store.list_group_members(ID) == (ADA,)
    store.set_groups(ADA, [])  # what the provider tells does not touch local groups
    assert store.read(ADA, [SHIPS]).roles == {SHIPS: Role.GUEST}
    assert store.remove_group_member(CREW, ADA)
    assert not store.remove_group_member(CREW, ADA)
    assert store.read(ADA, [SHIPS]).roles == {}
    assert store.list_group_members(ID) == ()
    assert store.find_user(ADA) == replace(store.find_user(BOB), name=ADA, id=ID)  # type: ignore[type-var]


def test_a_group_as_a_member_is_no_member_by_name(store: Store) -> None:
    store.set_group_role(SHIPS, ID, Role.DEVELOPER)
    store.set_member(SHIPS, BOB, Role.GUEST)
    assert [member.user for member in store.list_members(SHIPS)] == [BOB]
    store.remove_group_role(SHIPS, ID)
    store.remove_group_role(SHIPS, ID)
    assert store.list_member_groups(SHIPS) == ()


def test_who_does_not_exist_is_no_member(store: Store) -> None:
    with pytest.raises(UnknownUser):
        store.add_group_member(CREW, UserName("nobody"))
    with pytest.raises(UnknownGroup):
        store.add_group_member(replace(CREW, id=99), ADA)
    with pytest.raises(UnknownGroup):
        store.set_group_role(SHIPS, 99, Role.GUEST)
    assert store.list_group_members(ID) == ()


def test_local_groups_of_a_user_are_bounded(store: Store) -> None:
    for number in range(MAX_GROUPS):
        store.add_group_member(store.create_group(Group(GroupKind.LOCAL, str(number), CREATED)), ADA)
    with pytest.raises(TooManyGroups):
        store.add_group_member(CREW, ADA)


def test_a_removed_group_grants_nothing_and_leaves_nothing(store: Store) -> None:
    store.add_group_member(CREW, ADA)
    store.set_group_role(SHIPS, ID, Role.DEVELOPER)
    store.set_group_admin(CREW, True)
    store.remove_group(CREW)
    store.remove_group(CREW)
    assert store.read(ADA, [SHIPS]).roles == {}
    assert store.read(ADA, []).user == store.find_user(ADA)
    user, project = store.find_user(ADA), store.find_project(SHIPS)
    assert user is not None and user.all_groups == ()
    assert project is not None and project.groups == {}
    assert (store.list_member_groups(SHIPS), store.list_group_members(ID)) == ((), ())
    assert store.list_groups() == (FLEET,)
    again = store.create_group(CREW)
    assert again.id not in (CREW.id, FLEET.id)


def test_a_removed_user_leaves_no_group_to_the_next_account_of_that_name(store: Store) -> None:
    store.add_group_member(CREW, ADA)
    store.remove_user(ADA)
    assert store.list_group_members(ID) == ()
    store.create_user(User(ADA, "phc", CREATED))
    user = store.find_user(ADA)
    assert user is not None and user.all_groups == ()
    assert store.add_group_member(CREW, ADA)


def test_a_removal_that_died_admits_nobody_and_goes_on(store: Store) -> None:
    if isinstance(store, MemoryIdentities):
        pytest.skip("removes at once")
    assert isinstance(store, DynamoIdentities)
    store.add_group_member(CREW, ADA)
    store.set_group_role(SHIPS, ID, Role.DEVELOPER)

    class Died(Exception):
        pass

    def die(id_: int, sk: str) -> None:
        raise Died

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Died):
        patch.setattr(store, "_remove_from", die)
        store.remove_group(CREW)
    with pytest.raises(UnknownGroup):
        store.add_group_member(CREW, BOB)
    with pytest.raises(UnknownGroup):
        store.set_group_role(SHIPS, ID, Role.ADMIN)
    store.remove_group(CREW)
    assert store.read(ADA, [SHIPS]).roles == {}
    assert store.list_groups() == (FLEET,)
