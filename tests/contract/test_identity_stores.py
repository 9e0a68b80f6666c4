"""What every identity store does."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

import pytest
from moto import mock_aws

from roadstead.aws.identity.dynamodb_directory_lists import DynamoDirectoryLists
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.table import Table
from roadstead.conflicts import Conflict
from roadstead.identity.directory import (
    MAX_GROUPS,
    DeletedProject,
    HeldRole,
    Identity,
    Member,
    Profile,
    Project,
    RefreshToken,
    Role,
    User,
    UserName,
)
from roadstead.identity.groups import Group, GroupKind, Groups
from roadstead.identity.lists import DirectoryLists, ListedProject, ListedUser, VisibleProject, visible_projects
from roadstead.identity.stores import (
    Identities,
    Projects,
    RefreshTokens,
    TooManyGroups,
    UnknownProject,
    UnknownUser,
    Users,
)
from roadstead.ids import IdKind, clock_id
from roadstead.names import ProjectName
from tests import aws
from tests.memory.identity import MemoryIdentities

ADA, BOB = UserName.parse("ada@example.com"), UserName.parse("bob")
SHIPS, CARGO = ProjectName.parse("ships"), ProjectName.parse("cargo")
CREATED = 1_800_000_000
ID = clock_id(CREATED)
USER = User(ADA, "$argon2id$one", CREATED, admin=True, id=ID)
PROJECT = Project(SHIPS, False, CREATED, "ada@example.com", ID)
TOKEN = RefreshToken(ADA, "ab" * 32, "docker", 0, 1_800_000_000, 1_800_086_400, 1_800_864_000)


class Store(Identities, RefreshTokens, Users, Projects, Groups, DirectoryLists, Protocol):
    pass


class DynamoStore(DynamoIdentities, DynamoDirectoryLists):
    """Both on one table."""


def _dynamo(client: Any) -> DynamoStore:
    identity = f"identity-{uuid.uuid4().hex}"
    aws.make_tables(client, f"index-{uuid.uuid4().hex}", identity)
    return DynamoStore(Table(client, identity))


@pytest.fixture(params=["memory", "moto", "ministack", "embedded"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryIdentities()
    elif request.param == "moto":
        with mock_aws():
            yield _dynamo(aws.client("dynamodb"))
    else:
        yield _dynamo(aws.client("dynamodb", request.getfixturevalue(f"{request.param}_endpoint")))


def test_an_empty_store_knows_nobody(store: Store) -> None:
    assert store.read(ADA, [SHIPS], "ab" * 32) == Identity()
    assert store.read(None, []) == Identity()
    assert store.find_user(ADA) is None
    assert store.find_project(SHIPS) is None
    assert store.refresh_tokens(ADA) == []


def test_one_read_finds_the_user_the_projects_the_roles_and_the_refresh_token(store: Store) -> None:
    cargo = Project(CARGO, True, 1, "bob", 1)
    store.create_user(USER)
    store.create_project(PROJECT)
    store.create_project(cargo)
    store.set_member(SHIPS, ADA, Role.DEVELOPER)
    store.store_refresh_token(TOKEN)

    found = store.read(ADA, [SHIPS, CARGO, ProjectName.parse("absent")], TOKEN.hash)

    assert found == Identity(USER, TOKEN, {SHIPS: PROJECT, CARGO: cargo}, {SHIPS: Role.DEVELOPER})


def test_nobody_is_told_of_projects_but_of_no_user_and_no_role(store: Store) -> None:
    store.create_user(USER)
    store.create_project(PROJECT)
    store.set_member(SHIPS, ADA, Role.ADMIN)

    assert store.read(None, [SHIPS]) == Identity(projects={SHIPS: PROJECT})


def test_a_read_finds_nothing_of_another_user(store: Store) -> None:
    store.create_user(USER)
    store.create_user(User(BOB, "$argon2id$two", 1, id=1))
    store.create_project(PROJECT)
    store.set_member(SHIPS, ADA, Role.ADMIN)
    store.store_refresh_token(TOKEN)

    found = store.read(BOB, [SHIPS], TOKEN.hash)

    assert (found.user, found.refresh_token, found.roles) == (User(BOB, "$argon2id$two", 1, id=1), None, {})


def test_many_projects_are_read_at_once(store: Store) -> None:
    store.create_user(USER)
    names = [ProjectName.parse(f"project{number}") for number in range(49)]
    for name in names:
        store.create_project(Project(name, False, 1, ""))
        store.set_member(name, ADA, Role.GUEST)

    found = store.read(ADA, names, TOKEN.hash)

    assert set(found.projects) == set(found.roles) == set(names)


def test_a_user_is_created_once(store: Store) -> None:
    store.create_user(USER)
    with pytest.raises(Conflict):
        store.create_user(User(ADA, "$argon2id$other", 2))
    assert store.find_user(ADA) == USER


def test_a_new_password_raises_the_epoch(store: Store) -> None:
    store.create_user(USER)
    store.set_password(ADA, "$argon2id$new")
    assert store.find_user(ADA) == User(ADA, "$argon2id$new", USER.created, admin=True, epoch=1, id=ID)


def test_a_renewed_hash_leaves_the_epoch(store: Store) -> None:
    store.create_user(USER)
    store.replace_password(ADA, USER.password, "$argon2id$renewed")
    assert store.find_user(ADA) == User(ADA, "$argon2id$renewed", USER.created, admin=True, epoch=0, id=ID)


def test_a_hash_is_renewed_only_if_it_is_still_the_one_that_was_read(store: Store) -> None:
    store.create_user(USER)
    store.set_password(ADA, "$argon2id$new")
    with pytest.raises(Conflict):
        store.replace_password(ADA, USER.password, "$argon2id$renewed")
    with pytest.raises(Conflict):
        store.replace_password(BOB, USER.password, "$argon2id$renewed")
    found = store.find_user(ADA)
    assert found is not None and found.password == "$argon2id$new"
    assert store.find_user(BOB) is None


def test_being_an_administrator_comes_and_goes(store: Store) -> None:
    store.create_user(USER)
    store.set_admin(ADA, False)
    assert store.find_user(ADA) == User(ADA, USER.password, USER.created, admin=False, id=ID)
    store.set_admin(ADA, True)
    assert store.find_user(ADA) == USER


def test_disabling_raises_the_epoch_and_enabling_does_not(store: Store) -> None:
    store.create_user(USER)
    store.set_disabled(ADA, True)
    assert store.find_user(ADA) == User(ADA, USER.password, USER.created, admin=True, disabled=True, epoch=1, id=ID)
    store.set_disabled(ADA, False)
    assert store.find_user(ADA) == User(ADA, USER.password, USER.created, admin=True, disabled=False, epoch=1, id=ID)


def test_changes_to_an_unknown_user_create_none(store: Store) -> None:
    with pytest.raises(UnknownUser):
        store.set_password(BOB, "$argon2id$new")
    with pytest.raises(UnknownUser):
        store.set_admin(BOB, True)
    with pytest.raises(UnknownUser):
        store.set_disabled(BOB, True)
    assert store.find_user(BOB) is None


def test_a_project_is_created_once(store: Store) -> None:
    store.create_project(PROJECT)
    with pytest.raises(Conflict):
        store.create_project(Project(SHIPS, True, 2, "bob"))
    assert store.find_project(SHIPS) == PROJECT


def test_a_project_becomes_public_and_private(store: Store) -> None:
    store.create_project(PROJECT)
    store.set_public(SHIPS, True)
    assert store.find_project(SHIPS) == Project(SHIPS, True, PROJECT.created, PROJECT.created_by, ID)
    store.set_public(SHIPS, False)
    assert store.find_project(SHIPS) == PROJECT
    with pytest.raises(UnknownProject):
        store.set_public(CARGO, True)
    assert store.find_project(CARGO) is None


def test_a_project_is_changed_from_what_it_was(store: Store) -> None:
    store.create_project(PROJECT)
    changed = replace(PROJECT, public=True, metadata={"severity": "low"})
    store.change_project(changed, replaces=PROJECT)
    assert store.find_project(SHIPS) == changed
    (listed,) = store.list_projects()
    assert (listed.public, listed.metadata) == (True, {"severity": "low"})
    for stale in (PROJECT, replace(changed, public=False), replace(changed, id=ID + 1)):
        with pytest.raises(Conflict):
            store.change_project(PROJECT, replaces=stale)
    store.change_project(PROJECT, replaces=changed)
    assert store.find_project(SHIPS) == PROJECT
    store.change_project(changed, replaces=PROJECT)  # emptied metadata is as none
    with pytest.raises(Conflict):
        store.change_project(replace(changed, name=CARGO), replaces=replace(changed, name=CARGO))


def test_a_deleted_project_is_gone_and_its_name_is_kept_until_it_is_cleared(store: Store) -> None:
    store.create_user(USER)
    store.create_project(PROJECT)
    store.set_member(SHIPS, ADA, Role.ADMIN, at=CREATED)
    assert store.find_deleted_project(SHIPS) is None
    for other in (replace(PROJECT, id=ID + 1), replace(PROJECT, name=CARGO)):
        with pytest.raises(Conflict):
            store.delete_project(other, at=5)
    with pytest.raises(Conflict):
        store.clear_members(SHIPS)  # the project is there
    store.delete_project(PROJECT, at=5)
    assert store.find_project(SHIPS) is None and store.list_projects() == ()
    assert store.read(ADA, (SHIPS,)).projects == {}
    assert store.find_deleted_project(SHIPS) == DeletedProject(ID, 5, cleared=False)
    with pytest.raises(Conflict):
        store.create_project(PROJECT)
    store.clear_members(SHIPS)
    assert store.list_members(SHIPS) == () and store.list_memberships(ADA) == {}
    store.set_project_cleared(SHIPS, at=4)  # another deletion's
    with pytest.raises(Conflict):
        store.create_project(PROJECT)
    store.set_project_cleared(SHIPS, at=5)
    created = store.create_project(replace(PROJECT, id=0))
    assert created.id != ID
    assert store.read(ADA, (SHIPS,)).roles == {}


def test_a_members_role_changes_and_ends(store: Store) -> None:
    store.create_user(USER)
    store.create_project(PROJECT)
    store.set_member(SHIPS, ADA, Role.GUEST)
    store.set_member(SHIPS, ADA, Role.MAINTAINER)
    assert store.read(ADA, [SHIPS]).roles == {SHIPS: Role.MAINTAINER}
    store.remove_member(SHIPS, ADA)
    store.remove_member(SHIPS, ADA)
    assert store.read(ADA, [SHIPS]).roles == {}


def test_a_member_needs_a_project_and_a_user(store: Store) -> None:
    with pytest.raises(UnknownProject):
        store.set_member(SHIPS, ADA, Role.GUEST)
    store.create_project(PROJECT)
    with pytest.raises(UnknownUser):
        store.set_member(SHIPS, ADA, Role.GUEST)
    assert store.read(ADA, [SHIPS]).roles == {}


def test_storing_a_refresh_token_drops_the_surplus(store: Store) -> None:
    tokens = [
        RefreshToken(ADA, f"{number:064x}", "docker", 0, number, number + 10, number + 20) for number in range(30)
    ]
    for token in tokens:
        store.store_refresh_token(token)
    other = RefreshToken(BOB, tokens[0].hash, "docker", 0, 1, 2, 3)
    store.store_refresh_token(other)

    store.store_refresh_token(TOKEN, [token.hash for token in tokens[:28]])

    assert set(store.refresh_tokens(ADA)) == {*tokens[28:], TOKEN}
    assert store.refresh_tokens(BOB) == [other]
    assert store.read(ADA, [], tokens[0].hash).refresh_token is None
    assert store.read(ADA, [], TOKEN.hash).refresh_token == TOKEN


def test_a_refresh_token_is_extended_unless_it_is_gone(store: Store) -> None:
    with pytest.raises(Conflict):
        store.extend_refresh_token(ADA, TOKEN.hash, 5)
    assert store.refresh_tokens(ADA) == []
    store.store_refresh_token(TOKEN)
    store.extend_refresh_token(ADA, TOKEN.hash, 1_800_100_000)
    assert store.refresh_tokens(ADA) == [replace(TOKEN, expires=1_800_100_000)]


def test_what_is_created_in_one_second_gets_ids_in_a_row(store: Store) -> None:
    names = [ProjectName.parse(name) for name in ("one", "two", "three")]
    assert [store.create_project(Project(name, False, CREATED, "")).id for name in names] == [ID, ID + 1, ID + 2]
    assert store.create_project(Project(SHIPS, False, CREATED + 1, "")).id == ID + 3  # taken, too
    assert store.create_user(USER).id == ID  # users have ids of their own
    assert store.find_by_id(IdKind.PROJECT, ID + 1) == "two"
    assert store.find_by_id(IdKind.PROJECT, ID + 4) is None


def test_a_taken_name_claims_no_id(store: Store) -> None:
    store.create_project(PROJECT)
    with pytest.raises(Conflict):
        store.create_project(Project(SHIPS, True, CREATED + 5, "bob"))
    assert store.find_by_id(IdKind.PROJECT, ID + 5) is None


def test_lists_show_what_there_is_in_byte_order(store: Store) -> None:
    assert store.list_projects() == ()
    assert store.list_users() == ()
    store.create_user(USER)
    store.create_user(User(BOB, "$argon2id$two", 1))
    store.create_project(PROJECT)
    store.create_project(Project(CARGO, False, 1, "bob"))
    store.set_public(CARGO, True)
    store.set_disabled(BOB, True)
    store.set_admin(BOB, True)
    store.set_admin(ADA, False)

    assert store.list_projects() == (
        ListedProject(CARGO, 1, True, 1, "bob"),
        ListedProject(SHIPS, ID, False, CREATED, "ada@example.com"),
    )
    assert store.list_users() == (ListedUser(ADA, ID, False, False, CREATED), ListedUser(BOB, 1, True, True, 1))


def test_a_member_keeps_id_and_beginning_when_the_role_changes(store: Store) -> None:
    store.create_user(USER)
    store.create_user(User(BOB, "$argon2id$two", 1))
    store.create_project(PROJECT)
    made = store.set_member(SHIPS, ADA, Role.GUEST, at=CREATED)
    changed = store.set_member(SHIPS, ADA, Role.ADMIN, at=CREATED + 100)
    other = store.set_member(SHIPS, BOB, Role.GUEST, at=CREATED)

    assert made == Member(SHIPS, ADA, Role.GUEST, ID, CREATED)
    assert changed == Member(SHIPS, ADA, Role.ADMIN, ID, CREATED)
    assert store.list_members(SHIPS) == (changed, other)
    assert store.find_by_id(IdKind.MEMBER, ID) == f"{SHIPS}/{ADA}"
    assert store.list_members(CARGO) == ()


def test_a_member_who_comes_back_has_another_id(store: Store) -> None:
    store.create_user(USER)
    store.create_project(PROJECT)
    first = store.set_member(SHIPS, ADA, Role.GUEST, at=CREATED)
    store.remove_member(SHIPS, ADA)
    assert store.set_member(SHIPS, ADA, Role.GUEST, at=CREATED).id != first.id


def test_memberships_are_found_from_the_user(store: Store) -> None:
    store.create_user(USER)
    store.create_project(PROJECT)
    store.create_project(Project(CARGO, False, 1, ""))
    store.set_member(SHIPS, ADA, Role.GUEST)
    store.set_member(CARGO, ADA, Role.ADMIN)
    store.set_member(SHIPS, ADA, Role.DEVELOPER)
    assert store.list_memberships(ADA) == {SHIPS: HeldRole(Role.DEVELOPER), CARGO: HeldRole(Role.ADMIN)}
    store.remove_member(CARGO, ADA)
    assert store.list_memberships(ADA) == {SHIPS: HeldRole(Role.DEVELOPER)}
    assert store.list_memberships(BOB) == {}


def test_roles_limited_to_repositories_are_apart_from_those_in_whole_projects(store: Store) -> None:
    store.create_user(USER)
    store.create_project(PROJECT)
    member = store.set_member(SHIPS, ADA, Role.MAINTAINER, patterns=("a/**", "b"))
    assert member.patterns == ("a/**", "b")
    limited = HeldRole(Role.MAINTAINER, ("a/**", "b"))
    found = store.read(ADA, [SHIPS])
    assert (found.roles, found.limited_roles) == ({}, {SHIPS: (limited,)})
    assert store.list_memberships(ADA) == {SHIPS: limited}

    changed = store.set_member(SHIPS, ADA, Role.DEVELOPER)  # says nothing of patterns
    assert changed == replace(member, role=Role.DEVELOPER)
    assert store.list_members(SHIPS) == (changed,)

    _make_groups(store, 9)
    store.set_groups(ADA, [9])
    store.set_group_role(SHIPS, 9, Role.GUEST, patterns=("c",))
    assert store.set_group_role(SHIPS, 9, Role.GUEST).patterns == ("c",)
    found = store.read(ADA, [SHIPS])
    assert found.limited_roles == {SHIPS: (HeldRole(Role.DEVELOPER, ("a/**", "b")), HeldRole(Role.GUEST, ("c",)))}
    assert store.list_group_roles(9) == {SHIPS: HeldRole(Role.GUEST, ("c",))}
    assert found.projects[SHIPS].group_patterns == {9: ("c",)}

    store.set_group_role(SHIPS, 9, Role.GUEST, patterns=())
    store.set_member(SHIPS, ADA, Role.DEVELOPER, patterns=())
    found = store.read(ADA, [SHIPS])
    assert (found.roles, found.limited_roles) == ({SHIPS: Role.DEVELOPER}, {})
    assert found.projects[SHIPS].group_patterns == {}


def _make_groups(store: Store, *ids: int) -> None:
    for id_ in ids:
        store.create_group(Group(GroupKind.OIDC, f"group {id_}", CREATED, id=id_))


def test_a_groups_role_is_its_users_role(store: Store) -> None:
    store.create_user(USER)
    store.create_project(PROJECT)
    store.set_member(SHIPS, ADA, Role.GUEST)
    _make_groups(store, 8, 9)
    store.set_groups(ADA, [7, 9, 7])
    store.set_group_role(SHIPS, 9, Role.MAINTAINER)
    store.set_group_role(SHIPS, 8, Role.ADMIN)  # somebody else's group

    found = store.read(ADA, [SHIPS])
    assert found.roles == {SHIPS: Role.MAINTAINER}
    assert found.user is not None and found.user.groups == (7, 9)
    assert found.projects[SHIPS].groups == {8: Role.ADMIN, 9: Role.MAINTAINER}
    assert store.list_group_roles(9) == {SHIPS: HeldRole(Role.MAINTAINER)}

    store.remove_group_role(SHIPS, 9)
    assert store.read(ADA, [SHIPS]).roles == {SHIPS: Role.GUEST}
    assert store.list_group_roles(9) == {}
    store.remove_member(SHIPS, ADA)
    assert store.read(ADA, [SHIPS]).roles == {}


def test_groups_are_bounded(store: Store) -> None:
    store.create_user(USER)
    store.create_project(PROJECT)
    with pytest.raises(TooManyGroups):
        store.set_groups(ADA, range(MAX_GROUPS + 1))
    _make_groups(store, *range(1, MAX_GROUPS + 2))
    for group in range(1, MAX_GROUPS + 1):
        store.set_group_role(SHIPS, group, Role.GUEST)
    store.set_group_role(SHIPS, 1, Role.ADMIN)
    with pytest.raises(TooManyGroups):
        store.set_group_role(SHIPS, MAX_GROUPS + 1, Role.GUEST)
    assert store.list_group_roles(MAX_GROUPS + 1) == {}
    found = store.find_project(SHIPS)
    assert found is not None and len(found.groups) == MAX_GROUPS and found.groups[1] is Role.ADMIN


def test_groups_of_nobody_are_refused(store: Store) -> None:
    with pytest.raises(UnknownUser):
        store.set_groups(BOB, [1])
    _make_groups(store, 1)
    with pytest.raises(UnknownProject):
        store.set_group_role(CARGO, 1, Role.GUEST)
    with pytest.raises(UnknownProject):
        store.remove_group_role(CARGO, 1)
    assert store.list_group_roles(1) == {}


def test_everybody_sees_public_projects_and_those_they_have_a_role_in(store: Store) -> None:
    secret, shared = ProjectName.parse("secret"), ProjectName.parse("shared")
    for name, public in ((SHIPS, False), (CARGO, True), (secret, False), (shared, False)):
        store.create_project(Project(name, public, CREATED, ""))
    ada = store.create_user(User(ADA, "", 1))
    store.set_member(SHIPS, ADA, Role.GUEST)
    store.set_member(CARGO, ADA, Role.DEVELOPER)
    _make_groups(store, 3)
    store.set_group_role(shared, 3, Role.GUEST)
    store.set_group_role(CARGO, 3, Role.GUEST)
    store.set_groups(ADA, [3])
    ada = store.find_user(ADA) or ada

    def seen(found: Sequence[VisibleProject]) -> dict[str, Role | None]:
        return {one.project.name: one.role for one in found}

    assert seen(visible_projects(store, None)) == {CARGO: None}
    assert seen(visible_projects(store, ada)) == {CARGO: Role.DEVELOPER, SHIPS: Role.GUEST, shared: Role.GUEST}
    admin = store.create_user(User(BOB, "", 1, admin=True))
    assert seen(visible_projects(store, admin)) == {CARGO: None, SHIPS: None, secret: None, shared: None}


def test_a_profile_is_read_with_the_user_and_listed(store: Store) -> None:
    profile = Profile("ada@example.com", "Ada", "counts")
    store.create_user(replace(USER, profile=profile))
    assert store.find_user(ADA) == replace(USER, profile=profile)
    store.set_profile(ADA, Profile())
    assert store.find_user(ADA) == USER
    assert store.list_users()[0].profile == Profile()
    with pytest.raises(UnknownUser):
        store.set_profile(BOB, profile)


def test_a_removed_user_leaves_nothing_to_a_new_one_of_that_name(store: Store) -> None:
    store.create_user(USER)
    names = [ProjectName.parse(f"p{number}") for number in range(45)]  # more than one transaction removes
    for name in names:
        store.create_project(replace(PROJECT, name=name, id=0))
        store.set_member(name, ADA, Role.ADMIN)
    store.store_refresh_token(TOKEN)
    store.remove_user(ADA)
    assert store.find_user(ADA) is None and store.list_users() == ()
    store.create_user(replace(USER, id=0))
    found = store.read(ADA, names[:40], refresh_token=TOKEN.hash)
    assert (found.roles, found.refresh_token) == ({}, None)
    assert store.list_memberships(ADA) == {}
    assert store.list_members(names[0]) == ()


def test_a_user_who_is_not_there_cannot_be_removed(store: Store) -> None:
    with pytest.raises(UnknownUser):
        store.remove_user(BOB)


def test_a_removal_that_died_is_finished_by_the_next_and_admits_no_member_meanwhile(store: Store) -> None:
    if not isinstance(store, DynamoIdentities):
        pytest.skip("memory removes in one step")
    store.create_user(USER)
    store.create_project(PROJECT)
    store.set_member(SHIPS, ADA, Role.ADMIN)
    transact, calls = store._table.transact, list[int]()

    def dies_at_the_second(writes: Sequence[Any]) -> None:
        calls.append(len(writes))
        if len(calls) == 2:
            raise RuntimeError("killed")
        transact(writes)

    store._table.transact = dies_at_the_second  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        store.remove_user(ADA)
    store._table.transact = transact  # type: ignore[method-assign]
    half = store.find_user(ADA)
    assert half is not None and half.disabled
    with pytest.raises(UnknownUser):
        store.set_member(SHIPS, ADA, Role.GUEST)
    with pytest.raises(Conflict):
        store.create_user(replace(USER, id=0))
    with pytest.raises(UnknownUser):
        store.set_disabled(ADA, False)
    half = store.find_user(ADA)
    assert half is not None and half.disabled
    store.remove_user(ADA)
    assert store.find_user(ADA) is None and store.list_members(SHIPS) == ()
