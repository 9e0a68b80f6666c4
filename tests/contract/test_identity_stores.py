"""What every identity store does."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from moto import mock_aws

from roadstead.aws.dynamodb_identity import DynamoIdentities
from roadstead.aws.table import Table
from roadstead.conflicts import Conflict
from roadstead.identity.directory import (
    Identities,
    Identity,
    Project,
    Projects,
    RefreshToken,
    RefreshTokens,
    Role,
    UnknownProject,
    UnknownUser,
    User,
    UserName,
    Users,
)
from roadstead.names import ProjectName
from tests import aws
from tests.memory.identity import MemoryIdentities

ADA, BOB = UserName.parse("ada@example.com"), UserName.parse("bob")
SHIPS, CARGO = ProjectName.parse("ships"), ProjectName.parse("cargo")
USER = User(ADA, "$argon2id$one", 1_800_000_000, admin=True)
PROJECT = Project(SHIPS, False, 1_800_000_000, "ada@example.com")
TOKEN = RefreshToken(ADA, "ab" * 32, "docker", 0, 1_800_000_000, 1_800_086_400)


class Store(Identities, RefreshTokens, Users, Projects, Protocol):
    pass


def _dynamo(client: Any) -> DynamoIdentities:
    identity = f"identity-{uuid.uuid4().hex}"
    aws.make_tables(client, f"index-{uuid.uuid4().hex}", identity)
    return DynamoIdentities(Table(client, identity))


@pytest.fixture(params=["memory", "moto", "ministack"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryIdentities()
    elif request.param == "moto":
        with mock_aws():
            yield _dynamo(aws.client("dynamodb"))
    else:
        yield _dynamo(aws.client("dynamodb", request.getfixturevalue("ministack_endpoint")))


def test_an_empty_store_knows_nobody(store: Store) -> None:
    assert store.read(ADA, [SHIPS], "ab" * 32) == Identity()
    assert store.read(None, []) == Identity()
    assert store.find_user(ADA) is None
    assert store.find_project(SHIPS) is None
    assert store.refresh_tokens(ADA) == []


def test_one_read_finds_the_user_the_projects_the_roles_and_the_refresh_token(store: Store) -> None:
    cargo = Project(CARGO, True, 1, "bob")
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
    store.create_user(User(BOB, "$argon2id$two", 1))
    store.create_project(PROJECT)
    store.set_member(SHIPS, ADA, Role.ADMIN)
    store.store_refresh_token(TOKEN)

    found = store.read(BOB, [SHIPS], TOKEN.hash)

    assert (found.user, found.refresh_token, found.roles) == (User(BOB, "$argon2id$two", 1), None, {})


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
    assert store.find_user(ADA) == User(ADA, "$argon2id$new", USER.created, admin=True, epoch=1)


def test_a_renewed_hash_leaves_the_epoch(store: Store) -> None:
    store.create_user(USER)
    store.replace_password(ADA, USER.password, "$argon2id$renewed")
    assert store.find_user(ADA) == User(ADA, "$argon2id$renewed", USER.created, admin=True, epoch=0)


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
    assert store.find_user(ADA) == User(ADA, USER.password, USER.created, admin=False)
    store.set_admin(ADA, True)
    assert store.find_user(ADA) == USER


def test_disabling_raises_the_epoch_and_enabling_does_not(store: Store) -> None:
    store.create_user(USER)
    store.set_disabled(ADA, True)
    assert store.find_user(ADA) == User(ADA, USER.password, USER.created, admin=True, disabled=True, epoch=1)
    store.set_disabled(ADA, False)
    assert store.find_user(ADA) == User(ADA, USER.password, USER.created, admin=True, disabled=False, epoch=1)


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
    assert store.find_project(SHIPS) == Project(SHIPS, True, PROJECT.created, PROJECT.created_by)
    store.set_public(SHIPS, False)
    assert store.find_project(SHIPS) == PROJECT
    with pytest.raises(UnknownProject):
        store.set_public(CARGO, True)
    assert store.find_project(CARGO) is None


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
    tokens = [RefreshToken(ADA, f"{number:064x}", "docker", 0, number, number + 10) for number in range(30)]
    for token in tokens:
        store.store_refresh_token(token)
    other = RefreshToken(BOB, tokens[0].hash, "docker", 0, 1, 2)
    store.store_refresh_token(other)

    store.store_refresh_token(TOKEN, [token.hash for token in tokens[:28]])

    assert set(store.refresh_tokens(ADA)) == {*tokens[28:], TOKEN}
    assert store.refresh_tokens(BOB) == [other]
    assert store.read(ADA, [], tokens[0].hash).refresh_token is None
    assert store.read(ADA, [], TOKEN.hash).refresh_token == TOKEN
