"""What every store of personal access tokens does."""

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
from roadstead.identity.directory import AccessToken, TokenLevel, User, UserName
from roadstead.identity.robots.robots import NEVER
from roadstead.identity.sign_in.access_tokens import AccessTokens
from roadstead.identity.stores import Identities, UnknownUser, Users
from roadstead.names import ProjectName
from tests import aws
from tests.memory.identity import MemoryIdentities

CREATED = 1_800_000_000
ADA = UserName("ada")
LAPTOP = AccessToken(
    ADA, 7, "ab" * 32, "laptop", TokenLevel.WRITE, ((ProjectName("ships"), 5),), CREATED, CREATED + 86_400
)
FOREVER = AccessToken(ADA, 7, "cd" * 32, "forever", TokenLevel.READ, (), CREATED, NEVER)


class Store(Identities, Users, AccessTokens, Protocol):
    pass


def _dynamo(client: Any) -> DynamoIdentities:
    identity = f"identity-{uuid.uuid4().hex}"
    aws.make_tables(client, f"index-{uuid.uuid4().hex}", identity)
    return DynamoIdentities(Table(client, identity))


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
    store.create_user(User(ADA, "phc", CREATED, id=7))
    store.store_access_token(LAPTOP)
    store.store_access_token(FOREVER)
    return store


def test_one_read_finds_a_token_beside_its_user(store: Store) -> None:
    found = store.read(ADA, [], access_token=LAPTOP.hash)
    assert (found.user, found.access_token) == (store.find_user(ADA), LAPTOP)
    assert store.read(ADA, [], access_token=FOREVER.hash).access_token == FOREVER
    assert store.read(ADA, [], access_token="ef" * 32).access_token is None
    assert store.read(UserName("bob"), [], access_token=LAPTOP.hash).access_token is None
    assert sorted(store.access_tokens(ADA), key=lambda token: token.hash) == [LAPTOP, FOREVER]


def test_a_token_is_made_for_an_account_that_exists(store: Store) -> None:
    for wrong in (replace(LAPTOP, user_id=8), replace(LAPTOP, user=UserName("bob"))):
        with pytest.raises(UnknownUser):
            store.store_access_token(wrong)


def test_a_use_moves_on_and_never_back(store: Store) -> None:
    store.set_access_token_used(LAPTOP, CREATED + 10)
    with pytest.raises(Conflict):
        store.set_access_token_used(LAPTOP, CREATED + 10)
    assert store.read(ADA, [], access_token=LAPTOP.hash).access_token == replace(LAPTOP, used=CREATED + 10)


def test_a_revoked_token_is_gone_and_its_use_brings_nothing_back(store: Store) -> None:
    store.remove_access_tokens([LAPTOP])
    store.remove_access_tokens([LAPTOP, FOREVER])
    with pytest.raises(Conflict):
        store.set_access_token_used(LAPTOP, CREATED + 10)
    assert store.access_tokens(ADA) == []


def test_tokens_end_with_the_account(store: Store) -> None:
    store.remove_user(ADA)
    again = store.create_user(User(ADA, "phc", CREATED))
    assert again.id != 7
    assert store.access_tokens(ADA) == []
