"""What every store of sessions does."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

import pytest
from moto import mock_aws

from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.table import Table
from roadstead.conflicts import Conflict
from roadstead.identity.directory import Session, User, UserName
from roadstead.identity.sign_in.sessions import Sessions
from roadstead.identity.stores import Identities, Users
from roadstead.trail.entries import Actor, Operation
from roadstead.trail.events import EventMaker
from tests import aws
from tests.memory.identity import MemoryIdentities

ADA, BOB = UserName.parse("ada@example.com"), UserName.parse("bob")
SESSION = Session(ADA, "ab" * 32, 3, 1_800_000_000, 1_800_000_000, 1_800_043_200, "local", "192.0.2.7", "Firefox")


class Store(Identities, Sessions, Users, Protocol):
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


def test_a_session_is_read_beside_its_user(store: Store) -> None:
    store.create_user(User(ADA, "$argon2id$one", 1_800_000_000))
    store.store_session(SESSION)
    found = store.read(ADA, (), session=SESSION.hash)
    assert found.session == SESSION
    assert found.user is not None and found.user.name == ADA


def test_a_session_is_found_by_its_own_user_and_hash_only(store: Store) -> None:
    store.store_session(SESSION)
    assert store.read(BOB, (), session=SESSION.hash).session is None
    assert store.read(ADA, (), session="cd" * 32).session is None
    assert store.read(ADA, ()).session is None


def test_a_use_is_recorded(store: Store) -> None:
    store.store_session(SESSION)
    store.set_seen(ADA, SESSION.hash, SESSION.seen + 300)
    assert store.sessions(ADA) == [replace(SESSION, seen=SESSION.seen + 300)]


def test_a_use_does_not_bring_back_a_session_that_ended(store: Store) -> None:
    store.store_session(SESSION)
    store.remove_session(ADA, SESSION.hash)
    with pytest.raises(Conflict):
        store.set_seen(ADA, SESSION.hash, SESSION.seen + 300)
    assert store.sessions(ADA) == []


def test_removing_an_absent_session_changes_nothing(store: Store) -> None:
    other = replace(SESSION, hash="cd" * 32)
    store.store_session(other)
    store.remove_session(ADA, SESSION.hash)
    store.remove_session(BOB, other.hash)
    assert store.sessions(ADA) == [other]


def test_several_sessions_are_removed_with_their_event(store: Store) -> None:
    other, left, gone = (replace(SESSION, hash=two * 32) for two in ("cd", "ef", "01"))
    for session in (SESSION, other, left):
        store.store_session(session)
    event = EventMaker().make(Operation.DELETE_SESSION, Actor("ada@example.com"), "", user=ADA, detail="sessions=3")
    store.remove_sessions([SESSION, other, gone], event=event)
    assert store.sessions(ADA) == [left]


def test_sessions_are_listed_by_user(store: Store) -> None:
    mine, others = replace(SESSION, hash="cd" * 32), replace(SESSION, user=BOB)
    for session in (SESSION, mine, others):
        store.store_session(session)
    assert sorted(store.sessions(ADA), key=lambda session: session.hash) == [SESSION, mine]
    assert store.sessions(BOB) == [others]
