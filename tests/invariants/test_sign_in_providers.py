"""Providers beside the first, and newcomers who choose a name: whatever dies between two calls, a change has happened
whole or not at all, and a person has one account at most."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from moto import mock_aws

from roadstead.aws.identity.dynamodb_configuration import DynamoConfiguration
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.identity.dynamodb_states import DynamoStates
from roadstead.aws.identity.ssm_configuration import SsmConfigurationSecrets
from roadstead.aws.table import Table
from roadstead.identity.configuration import ConfigurationReader
from roadstead.identity.directory import User, UserName
from roadstead.identity.people import OIDC, Person
from roadstead.identity.providers.oidc_settings import FurtherProviders
from roadstead.identity.providers.onboarding import NameTaken, Onboarding, StoredGroups
from roadstead.identity.providers.sign_ins import Newcomer
from roadstead.trail.entries import Actor, ActorKind
from tests import aws
from tests.invariants.faults import Crash, Fault, Faulty
from tests.invariants.test_webhook_secrets import Meanwhile, Through

ADMIN = Actor("ada")
SOMEBODY = Actor("", ActorKind.ANONYMOUS, source_ip="192.0.2.7")
OLD = {"endpoint": "https://corp.example.com", "client_id": "registry", "client_secret": "old"}
NEW = {"endpoint": "https://sso.example.com", "client_id": "registry", "client_secret": "new"}
GRACE = Person(OIDC, "https://corp.example.com\n1", "grace")
SECRET = "of the browser"


class Place:
    """Two services; `corp` is a provider beside the first, and Grace has to choose a name."""

    def __init__(self) -> None:
        self.dynamodb, self.ssm = aws.client("dynamodb"), aws.client("ssm")
        aws.make_tables(self.dynamodb, "index", "identity")
        self.table = Table(self.dynamodb, "identity")
        self.providers().put("corp", OLD, ADMIN)
        DynamoStates(self.table).keep_newcomer(SECRET, Newcomer(GRACE, "/ui", int(time.time()) + 600))

    def providers(self, faulty: Faulty | None = None) -> FurtherProviders:
        through = faulty or Faulty()
        table = Table(Through(self.dynamodb, through), "identity")
        secrets = SsmConfigurationSecrets(Through(self.ssm, through), "/configuration")
        return FurtherProviders(DynamoConfiguration(table), secrets)

    def effective(self) -> dict[str, tuple[str, str]]:
        """What a sign-in would use, by the provider's id: the endpoint and the secret."""
        secrets = SsmConfigurationSecrets(self.ssm, "/configuration")
        reader = ConfigurationReader(DynamoConfiguration(self.table), secrets)
        found = self.providers().list()
        return {
            id_: (own.text("oidc_endpoint"), reader.secret("oidc_client_secret", id_)) for id_, own in found.items()
        }

    def events(self) -> list[str]:
        items = [self.table.get(key) or {} for key in self.table.scan_keys() if key[0].startswith("event#")]
        return sorted(item["operation"] for item in items)

    def choose(self, name: str, faulty: Faulty | None = None) -> User:
        """What the endpoint does, without the session."""
        table = Table(Through(self.dynamodb, faulty or Faulty()), "identity")
        states, store = DynamoStates(table), DynamoIdentities(table)
        newcomer = states.find_newcomer(SECRET)
        assert newcomer is not None
        onboarding = Onboarding(store, StoredGroups(store))
        user = onboarding.create(newcomer.person, SOMEBODY, name=name, by_themselves=True)
        states.remove_newcomer(SECRET)
        return user

    def accounts(self) -> dict[str, str]:
        """The names of the accounts that count, with their subjects."""
        store = DynamoIdentities(self.table)
        names = [key[0].removeprefix("user#") for key in self.table.scan_keys() if key[0].startswith("user#")]
        users = [store.find_user(UserName(name)) for name in dict.fromkeys(names)]
        return {str(user.name): user.subject for user in users if user is not None}


CHANGES: dict[str, tuple[Callable[[FurtherProviders], None], dict[str, tuple[str, str]]]] = {
    "another endpoint and secret": (
        lambda providers: providers.put("corp", NEW, ADMIN),
        {"corp": (NEW["endpoint"], "new")},
    ),
    "a second provider": (
        lambda providers: providers.put("labs", NEW, ADMIN),
        {"corp": (OLD["endpoint"], "old"), "labs": (NEW["endpoint"], "new")},
    ),
    "removal": (lambda providers: providers.remove("corp", ADMIN), {}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_a_provider_that_dies_anywhere_has_happened_whole_or_not_at_all(name: str) -> None:
    outcomes = [died(name, fault, number) for fault in (Fault.DIES_BEFORE, Fault.DIES_AFTER) for number in range(6)]
    assert {True, False} <= set(outcomes)


def died(name: str, fault: Fault, number: int) -> bool | None:
    """Whether a change took effect that died at a call; None if it does not make that many."""
    change, made = CHANGES[name]
    with mock_aws():
        place = Place()
        before, told = place.effective(), place.events()
        assert before == {"corp": (OLD["endpoint"], "old")}
        faulty = Faulty(fault, number)
        try:
            change(place.providers(faulty))
        except Crash:
            pass
        else:
            assert not faulty.struck
            return None
        after = place.effective()
        assert after in (before, made), (number, faulty.calls)
        expected = [*told, "change-configuration"] if after == made else told
        assert place.events() == sorted(expected)
        return after == made


@pytest.mark.parametrize("fault", [Fault.DIES_BEFORE, Fault.DIES_AFTER, Fault.REPEATED])
def test_a_name_that_is_chosen_while_things_die_is_one_account(fault: Fault) -> None:
    """Whoever gets no response chooses again, perhaps otherwise, as long as the browser's secret is there."""
    for number in range(12):
        with mock_aws():
            place = Place()
            faulty = Faulty(fault, number)
            try:
                place.choose("grace", faulty)
            except Crash:
                assert place.accounts() in ({}, {"grace": GRACE.subject}), (number, faulty.calls)
                if DynamoStates(place.table).find_newcomer(SECRET) is not None:
                    first = place.accounts()
                    assert place.choose("hopper").name == ("grace" if first else "hopper")
            assert list(place.accounts().values()) == [GRACE.subject], (number, faulty.calls)
            assert place.events().count("create-user") == 1, (number, faulty.calls)
            if not faulty.struck:
                return
    raise AssertionError("the choice makes more calls than were tried")


def test_of_two_names_that_one_person_chooses_at_once_one_counts() -> None:
    with mock_aws():
        place = Place()
        meanwhile = Meanwhile(lambda: place.choose("hopper"))
        assert place.choose("grace", meanwhile).name == "hopper"
        assert place.accounts() == {"hopper": GRACE.subject}


def test_of_two_people_who_choose_one_name_at_once_one_gets_it() -> None:
    with mock_aws():
        place = Place()
        store = DynamoIdentities(place.table)
        other = Person(OIDC, "https://labs.example.com\n1", "grace")

        def take() -> Any:
            return Onboarding(store, StoredGroups(store)).create(other, SOMEBODY, name="grace", by_themselves=True)

        with pytest.raises(NameTaken):
            place.choose("grace", Meanwhile(take))
        assert place.accounts() == {"grace": other.subject}
        assert place.choose("grace-2").name == "grace-2"  # the browser's secret is there still
