"""A change of the identity store and its event are kept together, or neither is."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from moto import mock_aws

from roadstead.aws.content.index_items import event_from
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities, DynamoIdentityEvents
from roadstead.aws.table import Table
from roadstead.conflicts import Conflict
from roadstead.identity.accounts import AccountStore
from roadstead.identity.directory import Profile, Project, Role, User, UserName
from roadstead.identity.stores import UnknownProject, UnknownUser
from roadstead.names import ProjectName
from roadstead.trail.entries import Actor, ActorKind, Event, Operation
from tests import aws
from tests.memory.identity import MemoryIdentities

ADA, BOB, SHIPS = UserName("ada"), UserName("bob"), ProjectName("ships")
EVENT = Event(
    "e1", 1_795_521_600_000, Operation.CHANGE_USER, Actor("operator", ActorKind.OPERATOR), "", user="ada", detail="x"
)


@dataclass(frozen=True)
class Kept:
    store: AccountStore
    events: Callable[[], list[Event]]


@pytest.fixture(params=["memory", "moto", "ministack", "embedded"])
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    if request.param == "memory":
        memory = MemoryIdentities()
        yield _populated(Kept(memory, lambda: memory.events))
    elif request.param == "moto":
        with mock_aws():
            yield _populated(_dynamo(aws.client("dynamodb")))
    else:
        yield _populated(_dynamo(aws.client("dynamodb", request.getfixturevalue(f"{request.param}_endpoint"))))


def _dynamo(client: Any) -> Kept:
    name = f"identity-{uuid.uuid4().hex}"
    aws.make_tables(client, f"index-{uuid.uuid4().hex}", name)
    table = Table(client, name)

    def events() -> list[Event]:
        """As the webhook function reads them: by the keys that the stream has."""
        items = client.scan(TableName=name, ProjectionExpression="pk, sk")["Items"]
        keys = [(item["pk"]["S"], item["sk"]["S"]) for item in items if item["pk"]["S"].startswith("event#")]
        found = DynamoIdentityEvents(table).find_event_items([*keys, ("event#00", "gone")])
        return [event_from(found[key]) for key in keys]

    return Kept(DynamoIdentities(table), events)


def _populated(kept: Kept) -> Kept:
    kept.store.create_user(User(ADA, "hash", 1))
    kept.store.create_project(Project(SHIPS, False, 1, "ada"))
    assert kept.events() == []
    return kept


CHANGES: dict[str, Callable[[AccountStore], object]] = {
    "create a user": lambda store: store.create_user(User(BOB, "hash", 1), event=EVENT),
    "set a password": lambda store: store.set_password(ADA, "other", event=EVENT),
    "set admin": lambda store: store.set_admin(ADA, True, event=EVENT),
    "disable": lambda store: store.set_disabled(ADA, True, event=EVENT),
    "set a profile": lambda store: store.set_profile(ADA, Profile("a@b"), event=EVENT),
    "remove a user": lambda store: store.remove_user(ADA, event=EVENT),
    "create a project": lambda store: store.create_project(Project(ProjectName("cargo"), True, 1, "ada"), event=EVENT),
    "set public": lambda store: store.set_public(SHIPS, True, event=EVENT),
    "set a member": lambda store: store.set_member(SHIPS, ADA, Role.GUEST, event=EVENT),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_keeps_its_event_as_it_is(kept: Kept, name: str) -> None:
    CHANGES[name](kept.store)
    assert kept.events() == [EVENT]


NO_CHANGES: dict[str, tuple[Callable[[AccountStore], object], type[Exception]]] = {
    "user taken": (lambda store: store.create_user(User(ADA, "hash", 1), event=EVENT), Conflict),
    "project taken": (lambda store: store.create_project(Project(SHIPS, True, 1, "bob"), event=EVENT), Conflict),
    "password of nobody": (lambda store: store.set_password(BOB, "x", event=EVENT), UnknownUser),
    "admin nobody": (lambda store: store.set_admin(BOB, True, event=EVENT), UnknownUser),
    "disable nobody": (lambda store: store.set_disabled(BOB, True, event=EVENT), UnknownUser),
    "remove nobody": (lambda store: store.remove_user(BOB, event=EVENT), UnknownUser),
    "public nothing": (lambda store: store.set_public(ProjectName("cargo"), True, event=EVENT), UnknownProject),
    "member nobody": (lambda store: store.set_member(SHIPS, BOB, Role.GUEST, event=EVENT), UnknownUser),
    "member of nothing": (
        lambda store: store.set_member(ProjectName("cargo"), ADA, Role.GUEST, event=EVENT),
        UnknownProject,
    ),
}


@pytest.mark.parametrize("name", NO_CHANGES)
def test_what_did_not_change_leaves_no_event(kept: Kept, name: str) -> None:
    act, error = NO_CHANGES[name]
    with pytest.raises(error):
        act(kept.store)
    assert kept.events() == []


def test_a_member_that_goes_is_told_and_one_that_was_none_is_not(kept: Kept) -> None:
    kept.store.set_member(SHIPS, ADA, Role.GUEST)
    kept.store.remove_member(SHIPS, ADA, event=EVENT)
    assert kept.events() == [EVENT]
    kept.store.remove_member(SHIPS, ADA, event=EVENT)
    assert kept.events() == [EVENT]
