"""What every store of failed logins does."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import pytest
from moto import mock_aws

from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.table import Table
from roadstead.identity.directory import AttemptKey, Failures, User, UserName
from roadstead.identity.sign_in.attempts import AttemptStore
from roadstead.identity.stores import Identities, Users
from roadstead.trail.entries import Actor, ActorKind, Operation
from roadstead.trail.events import EventMaker
from tests import aws
from tests.memory.identity import MemoryIdentities

ADA = UserName("ada")
KEY = AttemptKey("n#ada", 2_000_000)
AT = 1_800_000_000


class Store(AttemptStore, Identities, Users, Protocol):
    pass


def _dynamo(client: Any) -> DynamoIdentities:
    identity = f"identity-{uuid.uuid4().hex}"
    aws.make_tables(client, f"index-{uuid.uuid4().hex}", identity)
    return DynamoIdentities(Table(client, identity))


@pytest.fixture(params=["memory", "moto", "ministack", "embedded", "busy"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryIdentities()
    elif request.param == "moto":
        with mock_aws():
            yield _dynamo(request.getfixturevalue("moto_dynamodb"))
    else:
        yield _dynamo(request.getfixturevalue(f"{request.param}_dynamodb"))


def fail(store: Store, *places: str, at: int = AT, key: AttemptKey = KEY) -> Any:
    return store.count_failure(key, places, at=at, expires=at + 1_800)


def test_failures_add_up_and_keep_the_last_two_times(store: Store) -> None:
    assert fail(store, "all") == {"all": Failures(1, AT, 0)}
    assert fail(store, "all", at=AT + 5) == {"all": Failures(2, AT + 5, AT)}


def test_places_are_counted_apart(store: Store) -> None:
    fail(store, "all", "home")
    assert fail(store, "all", "away", at=AT + 1) == {
        "all": Failures(2, AT + 1, AT),
        "home": Failures(1, AT, 0),
        "away": Failures(1, AT + 1, 0),
    }


def test_a_lock_stays_while_failures_add_up(store: Store) -> None:
    fail(store, "all", "home")
    store.lock(KEY, "home", until=AT + 900)
    assert fail(store, "all", "home", at=AT + 901) == {
        "all": Failures(2, AT + 901, AT),
        "home": Failures(2, AT + 901, AT, AT + 900),
    }


def test_buckets_are_read_beside_the_user(store: Store) -> None:
    store.create_user(User(ADA, "$argon2id$one", AT))
    fail(store, "all")
    older, other = AttemptKey("n#ada", KEY.bucket - 1), AttemptKey("a#192.0.2.7", KEY.bucket)
    found = store.read(ADA, (), attempts=(older, KEY, other))
    assert found.user is not None
    assert found.attempts == {KEY: {"all": Failures(1, AT, 0)}}
    assert store.read(ADA, ()).attempts == {}
    assert store.read(None, (), attempts=(KEY,)).attempts == {KEY: {"all": Failures(1, AT, 0)}}


def test_no_failure_is_lost_to_another_at_the_same_time(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: fail(store, "all")["all"].count, range(20)))
    assert sorted(counts) == list(range(1, 21))


def test_what_is_forgotten_is_gone_and_the_rest_stays(store: Store) -> None:
    other = AttemptKey("a#192.0.2.7", KEY.bucket)
    fail(store, "all")
    fail(store, "all", key=other)
    event = EventMaker().make(Operation.RELEASE_LOGIN, Actor("root", ActorKind.OPERATOR), "", user="ada")
    store.forget_failures([KEY, AttemptKey("n#ada", KEY.bucket - 1)], event=event)
    assert list(store.read(None, (), attempts=(KEY, other)).attempts) == [other]
