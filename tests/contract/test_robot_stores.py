"""What every store of robots does."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

import pytest
from moto import mock_aws

from roadstead.aws.identity.dynamodb_directory_lists import DynamoDirectoryLists
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.table import Table, put
from roadstead.conflicts import Conflict
from roadstead.identity.directory import Identity, Project
from roadstead.identity.lists import DirectoryLists
from roadstead.identity.permissions import PROJECT_CATALOGUE, SYSTEM_CATALOGUE
from roadstead.identity.providers.trust import TrustRule
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.robots.robots import DAY, NEVER, DueWarning, Robot, RobotGrant, Robots, Scope, UnknownRobot
from roadstead.identity.stores import Identities, Projects, UnknownProject
from roadstead.ids import IdKind, clock_id
from roadstead.names import ProjectName
from roadstead.trail.entries import ActorKind
from tests import aws
from tests.memory.identity import MemoryIdentities

CREATED = 1_800_000_000
SHIPS = ProjectName("ships")
PROJECT = Project(SHIPS, False, CREATED, "root", clock_id(CREATED))
CI = Robot(
    name=RobotName(SHIPS, "ci"),
    project_id=PROJECT.id,
    secret="sha256$abc",
    grants=(RobotGrant(Scope.PROJECT, frozenset(PROJECT_CATALOGUE), SHIPS, PROJECT.id, ("a/**", "b")),),
    created=CREATED,
    duration=30,
    creator="root",
    creator_kind=ActorKind.USER,
    creator_id=1,
    id=clock_id(CREATED),
    description="for the builds",
    updated=CREATED,
)
SYSTEM = replace(
    CI,
    name=RobotName(None, "ci"),
    project_id=0,
    grants=(
        RobotGrant(Scope.SYSTEM, frozenset(SYSTEM_CATALOGUE)),
        RobotGrant(Scope.PROJECT, frozenset(PROJECT_CATALOGUE)),
    ),
    duration=NEVER,
    id=clock_id(CREATED) + 1,
)


class Store(Identities, Projects, Robots, DirectoryLists, Protocol):
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
        yield MemoryIdentities()
    elif request.param == "moto":
        with mock_aws():
            yield _dynamo(aws.client("dynamodb"))
    else:
        yield _dynamo(aws.client("dynamodb", request.getfixturevalue(f"{request.param}_endpoint")))


@pytest.fixture
def filled(store: Store) -> Store:
    store.create_project(PROJECT)
    assert store.create_robot(CI) == CI
    assert store.create_robot(SYSTEM) == SYSTEM
    return store


def test_a_robot_is_found_by_its_name_and_by_its_id(filled: Store) -> None:
    assert filled.find_robot(CI.name) == CI
    assert filled.find_robot(SYSTEM.name) == SYSTEM
    assert filled.find_robot(RobotName(SHIPS, "absent")) is None
    assert filled.find_by_id(IdKind.ROBOT, CI.id) == "ships+ci"
    assert filled.find_by_id(IdKind.ROBOT, SYSTEM.id) == "ci"


def test_one_read_finds_the_robot_and_its_project(filled: Store) -> None:
    assert filled.read(None, [], robot=CI.name) == Identity(projects={SHIPS: PROJECT}, robot=CI)
    assert filled.read(None, [SHIPS], robot=CI.name) == Identity(projects={SHIPS: PROJECT}, robot=CI)
    assert filled.read(None, [SHIPS], robot=SYSTEM.name) == Identity(projects={SHIPS: PROJECT}, robot=SYSTEM)
    assert filled.read(None, [SHIPS], robot=RobotName(None, "absent")) == Identity(projects={SHIPS: PROJECT})


def test_robots_are_listed_by_project(filled: Store) -> None:
    other = filled.create_robot(replace(CI, name=RobotName(SHIPS, "backup"), id=0))
    assert filled.list_robots(SHIPS) == (other, CI)
    assert filled.list_robots(None) == (SYSTEM,)
    assert filled.list_robots(ProjectName("cargo")) == ()


def test_a_name_is_taken_once(filled: Store) -> None:
    for robot in (CI, SYSTEM):
        with pytest.raises(Conflict):
            filled.create_robot(replace(robot, id=0, description="another"))
        assert filled.find_robot(robot.name) == robot


def test_a_robot_needs_its_project(store: Store) -> None:
    with pytest.raises(UnknownProject):
        store.create_robot(CI)
    store.create_project(PROJECT)
    with pytest.raises(UnknownProject):
        store.create_robot(replace(CI, project_id=PROJECT.id + 1))
    assert store.find_robot(CI.name) is None


def test_a_robot_of_an_earlier_project_gives_way(filled: Store) -> None:
    cargo = ProjectName("cargo")
    again = filled.create_project(Project(cargo, False, CREATED, "root"))
    old = filled.create_robot(replace(CI, name=RobotName(cargo, "ci"), project_id=again.id, id=0))
    if isinstance(filled, MemoryIdentities):
        filled._projects[cargo] = replace(again, id=again.id + 9)
    else:
        anew = {"id": again.id + 9, "public": False, "created": CREATED, "created_by": "", "groups": {}}
        filled._table.write(put((f"project#{cargo}", "meta"), anew))  # type: ignore[attr-defined]
    new = filled.create_robot(replace(old, project_id=again.id + 9, id=0))
    assert new.id != old.id
    assert filled.find_robot(new.name) == new


def test_a_change_replaces_what_can_change_and_nothing_else(filled: Store) -> None:
    changed = replace(CI, description="", duration=NEVER, disabled=True, updated=CREATED + 1, grants=CI.grants * 2)
    filled.update_robot(replace(changed, secret="sha256$other", created=1, creator="eve", warned=5))
    assert filled.find_robot(CI.name) == changed


def test_a_secret_is_replaced(filled: Store) -> None:
    filled.set_robot_secret(CI, "$argon2id$other")
    assert filled.find_robot(CI.name) == replace(CI, secret="$argon2id$other")


def test_a_warning_is_recorded_once_for_each_expiry(filled: Store) -> None:
    filled.set_robot_warned(CI)
    assert filled.find_robot(CI.name) == replace(CI, warned=CI.expires)
    with pytest.raises(Conflict):
        filled.set_robot_warned(CI)
    filled.set_robot_warned(replace(CI, duration=31))


def test_it_is_noted_when_to_look_at_a_robot_that_will_expire(filled: Store) -> None:
    """CI lives for 30 days; the system's robot does not expire. A note stays until it is forgotten."""
    due = DueWarning(CREATED + 23 * DAY, CI.name, CI.id)
    assert filled.due_warnings(due.at - 1, 10) == ()
    assert filled.due_warnings(due.at, 10) == (due,)
    filled.update_robot(replace(CI, duration=40))
    filled.update_robot(replace(CI, disabled=True))
    filled.update_robot(replace(CI, duration=NEVER))
    later = replace(due, at=CREATED + 33 * DAY)
    assert filled.due_warnings(later.at, 10) == (due, later)
    assert filled.due_warnings(later.at, 1) == (due,)
    filled.forget_warning(due)
    filled.forget_warning(due)
    assert filled.due_warnings(later.at, 10) == (later,)


def test_robots_are_found_by_when_they_expire(filled: Store) -> None:
    at = CREATED + 30 * DAY
    assert filled.expiring(at, at, 10) == ((CI,), False)
    assert filled.expiring(at + 1, at + DAY, 10) == filled.expiring(at - DAY, at - 1, 10) == ((), False)
    other = filled.create_robot(replace(CI, name=RobotName(None, "late"), project_id=0, duration=40, id=0))
    assert filled.expiring(at, at + 10 * DAY, 2) == ((CI, other), False)
    assert filled.expiring(at, at + 10 * DAY, 1) == ((CI,), True)
    assert filled.expiring(at, at + 9 * DAY, 1) == ((CI,), False)
    filled.update_robot(replace(CI, duration=20))
    assert filled.expiring(at - 20 * DAY, at + 9 * DAY, 10) == ((replace(CI, duration=20),), False)
    filled.update_robot(replace(CI, duration=30, disabled=True))
    filled.remove_robot(other)
    assert filled.expiring(0, at + 20 * DAY, 10) == ((), False)


def test_removed_and_disabled_robots_hide_no_robot_that_expires_later(filled: Store) -> None:
    for number in range(3):
        name = RobotName(None, f"brief{number}")
        filled.remove_robot(filled.create_robot(replace(CI, name=name, project_id=0, duration=1, id=0)))
    off = filled.create_robot(replace(CI, name=RobotName(None, "off"), project_id=0, duration=2, id=0))
    filled.update_robot(replace(off, disabled=True))
    assert filled.expiring(0, CI.expires, 1) == ((CI,), False)
    filled.update_robot(off)
    assert filled.expiring(0, CI.expires, 1) == ((off,), True)


def test_a_robot_that_was_warned_of_is_not_noted_again_for_the_same_expiry(filled: Store) -> None:
    filled.forget_warning(DueWarning(CREATED + 23 * DAY, CI.name, CI.id))
    filled.set_robot_warned(CI)
    filled.update_robot(replace(CI, warned=CI.expires, description="another"))
    assert filled.due_warnings(CREATED + 30 * DAY, 10) == ()


def test_a_robot_is_removed_and_its_id_is_not_given_out_again(filled: Store) -> None:
    filled.remove_robot(CI)
    filled.remove_robot(CI)
    assert filled.find_robot(CI.name) is None
    again = filled.create_robot(CI)
    assert again.id not in (CI.id, SYSTEM.id)
    assert filled.find_robot(CI.name) == again


def test_whoever_knows_an_earlier_robot_changes_nothing_of_its_successor(filled: Store) -> None:
    filled.remove_robot(CI)
    again = filled.create_robot(CI)
    with pytest.raises(UnknownRobot):
        filled.update_robot(replace(CI, disabled=True))
    with pytest.raises(UnknownRobot):
        filled.set_robot_secret(CI, "sha256$old")
    with pytest.raises(Conflict):
        filled.set_robot_warned(CI)
    filled.remove_robot(CI)
    assert filled.find_robot(CI.name) == again


def test_the_rules_of_a_robot_are_kept_and_replaced(store: Store) -> None:
    store.create_project(PROJECT)
    made = store.create_robot(CI)
    rules = (TrustRule("https://issuer.example", "registry", {"sub": "a:*", "ref": "ä"}),)
    store.set_robot_trust(replace(made, trust=rules))
    assert store.find_robot(CI.name) == replace(made, trust=rules)
    store.update_robot(replace(made, description="changed"))
    found = store.find_robot(CI.name)
    assert found is not None
    assert (found.trust, found.description) == (rules, "changed")
    store.set_robot_trust(made)
    found = store.find_robot(CI.name)
    assert found is not None
    assert found.trust == ()


def test_rules_are_not_kept_for_a_robot_that_is_gone(store: Store) -> None:
    store.create_project(PROJECT)
    made = store.create_robot(CI)
    store.remove_robot(made)
    with pytest.raises(UnknownRobot):
        store.set_robot_trust(made)
