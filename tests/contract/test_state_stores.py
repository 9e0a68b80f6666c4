"""What every store of sign-ins does: a state counts once, and a newcomer is found by the secret alone."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from moto import mock_aws

from roadstead.aws.identity.dynamodb_states import DynamoStates
from roadstead.aws.table import Table
from roadstead.identity.people import OIDC, Person, PersonGroup
from roadstead.identity.providers.sign_ins import Newcomer, SignIns
from tests import aws
from tests.memory.states import MemoryStates


@pytest.fixture(params=["memory", "moto", "embedded", "busy"])
def states(request: pytest.FixtureRequest) -> Iterator[SignIns]:
    def dynamo(client: object) -> DynamoStates:
        name = f"identity-{uuid.uuid4().hex}"
        aws.make_tables(client, f"index-{uuid.uuid4().hex}", name)
        return DynamoStates(Table(client, name))

    if request.param == "memory":
        yield MemoryStates()
    elif request.param == "moto":
        with mock_aws():
            yield dynamo(request.getfixturevalue("moto_dynamodb"))
    else:
        yield dynamo(request.getfixturevalue(f"{request.param}_dynamodb"))


def test_a_state_is_used_once(states: SignIns) -> None:
    assert states.use_state("one", expires=1)
    assert not states.use_state("one", expires=2)
    assert states.use_state("two", expires=1)


def test_of_uses_at_the_same_time_one_counts(states: SignIns) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: states.use_state("one", expires=1), range(8))) == 1


def test_a_newcomer_is_kept_until_removed(states: SignIns) -> None:
    groups = (PersonGroup("devs", "devs"), PersonGroup("\ud800", "\ud800"))  # a claim may hold any text
    person = Person(OIDC, "https://login.example.com\n1", "grace", "grace@example.org", "Grace", groups, admin=True)
    newcomer = Newcomer(person, "/ui/projects", 1_800_000_600)
    states.keep_newcomer("a secret", newcomer)
    assert states.find_newcomer("a secret") == newcomer
    assert states.find_newcomer("another") is None
    for _ in range(2):
        states.remove_newcomer("a secret")
        assert states.find_newcomer("a secret") is None
