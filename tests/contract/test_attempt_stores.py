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
from roadstead.identity.sign_in.attempts import Attempt, AttemptStore, LoginLock, Scope, current_locks
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
    store.lock(KEY, "home", LoginLock(Scope.NAME_AND_ADDRESS, "ada", "192.0.2.7", AT + 900))
    assert fail(store, "all", "home", at=AT + 901) == {
        "all": Failures(2, AT + 901, AT),
        "home": Failures(2, AT + 901, AT, AT + 900),
    }


def test_locks_are_listed_by_their_end_until_then(store: Store) -> None:
    fail(store, "all")
    locks = [
        LoginLock(Scope.NAME, "ada", "", AT + 900),
        LoginLock(Scope.NAME_AND_ADDRESS, "robot ships+ci", "2001:db8::/64", AT + 901),
        LoginLock(Scope.ADDRESS, "", "192.0.2.7", AT + 902),
    ]
    for lock in reversed(locks):
        store.lock(KEY, "all", lock)
    store.lock(KEY, "all", locks[0])
    assert list(store.noted_locks(AT, 10)) == locks
    assert list(store.noted_locks(AT, 2)) == locks[:2]
    assert list(store.noted_locks(AT + 900, 10)) == locks[1:]
    assert list(store.noted_locks(AT + 902, 10)) == []


def test_only_locks_that_hold_are_listed_and_until_when_they_do(store: Store) -> None:
    for place in range(10):
        Attempt.of("ada", "192.0.2.7", AT + place).fail(store, _found(store, AT + place))
    locks, more = current_locks(store, AT + 20, most=10)
    assert (list(locks), more) == ([LoginLock(Scope.NAME_AND_ADDRESS, "ada", "192.0.2.7", AT + 909)], False)
    assert current_locks(store, AT + 909, most=10) == ([], False)
    Attempt.of("ada", "192.0.2.7", AT + 12).fail(store, _found(store, AT + 12))  # had begun before the lock
    assert [one.until for one in current_locks(store, AT + 20, most=10)[0]] == [AT + 912]
    store.lock(KEY, "all", LoginLock(Scope.NAME, "bob", "", AT + 950))
    assert [one.name for one in current_locks(store, AT + 20, most=10)[0]] == ["ada"]
    assert current_locks(store, AT + 20, most=1)[1] is True
    store.forget_failures(Attempt.of("ada", "", AT + 20).keys)
    assert list(current_locks(store, AT + 20, most=10)[0]) == []


def _found(store: Store, at: int) -> Any:
    return store.read(None, (), attempts=Attempt.of("ada", "192.0.2.7", at).keys).attempts


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
