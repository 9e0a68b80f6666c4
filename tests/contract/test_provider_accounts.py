"""What every identity store does with users whom a provider outside of the registry knows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol

import pytest
from moto import mock_aws

from roadstead.aws.identity.dynamodb_directory_lists import DynamoDirectoryLists
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.table import Table
from roadstead.conflicts import Conflict
from roadstead.identity.directory import User, UserName
from roadstead.identity.lists import DirectoryLists
from roadstead.identity.stores import Identities, TooManyGroups, UnknownUser, Users
from tests import aws
from tests.memory.identity import MemoryIdentities

ADA = UserName("ada")
AT = 1_800_000_000
PERSON = User(ADA, "", AT, provider="ldap", subject="1f0c2a56", confirmed=AT)


class Store(Identities, Users, Protocol):
    pass


Both = tuple[Store, DirectoryLists]


def _dynamo(client: Any) -> Both:
    identity = f"identity-{uuid.uuid4().hex}"
    aws.make_tables(client, f"index-{uuid.uuid4().hex}", identity)
    table = Table(client, identity)
    return DynamoIdentities(table), DynamoDirectoryLists(table)


@pytest.fixture(params=["memory", "moto", "ministack", "embedded", "busy"])
def both(request: pytest.FixtureRequest) -> Iterator[Both]:
    if request.param == "memory":
        memory = MemoryIdentities()
        yield memory, memory
    elif request.param == "moto":
        with mock_aws():
            yield _dynamo(request.getfixturevalue("moto_dynamodb"))
    else:
        yield _dynamo(request.getfixturevalue(f"{request.param}_dynamodb"))


def test_a_user_is_found_by_the_providers_subject(both: Both) -> None:
    store, _ = both
    made = store.create_user(PERSON)
    assert made == replace(PERSON, id=made.id)
    assert store.find_user(ADA) == made
    assert store.find_subject("ldap", "1f0c2a56") == ADA
    assert store.find_subject("oidc", "1f0c2a56") is None
    assert store.find_subject("ldap", "1f0c2a57") is None


def test_a_subject_has_one_account(both: Both) -> None:
    store, _ = both
    store.create_user(PERSON)
    with pytest.raises(Conflict):
        store.create_user(replace(PERSON, name=UserName("other")))
    assert store.find_user(UserName("other")) is None
    store.create_user(replace(PERSON, name=UserName("third"), provider="oidc"))


def test_a_name_that_is_taken_leaves_no_subject(both: Both) -> None:
    store, _ = both
    store.create_user(User(ADA, "$argon2id$one", AT))
    with pytest.raises(Conflict):
        store.create_user(PERSON)
    assert store.find_subject("ldap", "1f0c2a56") is None
    found = store.find_user(ADA)
    assert found is not None
    assert found.provider == "local"


def test_of_creations_at_the_same_time_one_wins(both: Both) -> None:
    store, _ = both

    def create(number: int) -> bool:
        try:
            store.create_user(replace(PERSON, name=UserName(f"ada{number}")))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(create, range(6))) == 1


def test_what_the_provider_says_replaces_what_it_said_before(both: Both) -> None:
    store, lists = both
    store.create_user(PERSON)
    store.confirm_user(ADA, [9, 7, 9], admin=True, at=AT + 5)
    found = store.find_user(ADA)
    assert found is not None
    assert (found.groups, found.admin, found.admin_by_provider, found.confirmed) == ((7, 9), True, True, AT + 5)
    (listed,) = lists.list_users()
    assert (listed.admin, listed.admin_by_provider) == (True, True)
    store.confirm_user(ADA, [], admin=False, at=AT + 6)
    found = store.find_user(ADA)
    assert found is not None
    assert (found.groups, found.admin, found.admin_by_provider) == ((), False, False)
    assert lists.list_users()[0].admin is False


def test_the_flag_of_the_registry_and_the_providers_right_are_apart(both: Both) -> None:
    store, lists = both
    store.create_user(replace(PERSON, admin=True, admin_by_provider=True))
    store.set_admin(ADA, True)
    store.confirm_user(ADA, [], admin=False, at=AT)
    found = store.find_user(ADA)
    assert found is not None
    assert (found.admin, found.admin_by_provider) == (True, False)
    store.confirm_user(ADA, [], admin=True, at=AT)
    store.set_admin(ADA, False)
    found = store.find_user(ADA)
    assert found is not None
    assert (found.admin, found.admin_by_provider) == (True, True)
    assert lists.list_users()[0].admin is True
    store.confirm_user(ADA, [], admin=False, at=AT)
    assert lists.list_users()[0].admin is False


def test_confirming_an_absent_user_creates_none(both: Both) -> None:
    store, lists = both
    with pytest.raises(UnknownUser):
        store.confirm_user(ADA, [], admin=True, at=AT)
    assert store.find_user(ADA) is None
    assert lists.list_users() == ()


def test_more_groups_than_an_item_keeps_are_refused(both: Both) -> None:
    store, _ = both
    store.create_user(PERSON)
    with pytest.raises(TooManyGroups):
        store.confirm_user(ADA, range(101), admin=False, at=AT)


def test_the_subject_goes_with_the_account(both: Both) -> None:
    store, _ = both
    store.create_user(PERSON)
    store.remove_user(ADA)
    assert store.find_subject("ldap", "1f0c2a56") is None
    assert store.create_user(PERSON).groups == ()


def test_a_long_subject_with_any_characters_is_kept(both: Both) -> None:
    store, _ = both
    subject = "https://issuer.example/#" + "ä\0#" * 500
    store.create_user(replace(PERSON, subject=subject))
    assert store.find_subject("ldap", subject) == ADA
