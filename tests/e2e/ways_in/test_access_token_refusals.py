"""Access tokens of people of a provider, when they end: what the client shows, and what the trail has."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace

import pytest

from roadstead.identity.directory import AccessToken, TokenLevel, UserName
from roadstead.identity.robots.robots import DAY
from roadstead.identity.sign_in.access_tokens import access_token_hash, new_access_token
from tests.e2e.cloud import Cloud
from tests.e2e.people import Office, Person
from tests.e2e.ways_in import ways
from tests.e2e.ways_in.doors import Gate, Pushes
from tests.e2e.ways_in.ways import TOKENS, Browser
from tests.issuer import Issuer


@pytest.fixture
def grace(cloud: Cloud, provider: Issuer, admin: Person, project: str) -> tuple[Person, Browser, str]:
    """A person of the provider with an access token and a group that may push; the browser, and the token's id."""
    name = f"g{secrets.token_hex(4)}"
    provider.person = {"sub": name, "preferred_username": name, "groups": [f"pushers of {project}"]}
    ways.add_oidc_group(cloud, admin, project, f"pushers of {project}")
    browser = Browser(cloud)
    browser.sign_in()
    token, number = ways.new_access_token(browser, "laptop")
    return Person(name, token), browser, number


Grace = tuple[Person, Browser, str]
REVOKED = "the access token is unknown, expired or revoked: make another one"


def test_an_access_token_ends_when_it_is_revoked(gate: Gate, pushes: Pushes, grace: Grace) -> None:
    person, browser, number = grace
    assert pushes.by(person)
    browser.ask("DELETE", f"{TOKENS}/{number}")
    assert not pushes.still()
    gate.refuses(person, REVOKED)


def test_an_access_token_is_its_users_alone(gate: Gate, grace: Grace) -> None:
    person, _, _ = grace
    sentence = "the access token belongs to another user: log in with that user's name"
    gate.refuses(replace(person, name="admin"), sentence, actor=person.name)
    gate.refuses(replace(person, password=person.password[:-1] + "0"), "mistyped", actor="")


def test_an_access_token_that_reads_pushes_nothing(pushes: Pushes, grace: Grace) -> None:
    person, browser, _ = grace
    token, _ = ways.new_access_token(browser, "reader", "read")
    assert not pushes.by(replace(person, password=token))


def test_an_access_token_expires(gate: Gate, grace: Grace, office: Office) -> None:
    person, _, _ = grace
    user = office.identities.find_user(UserName(person.name))
    assert user is not None
    token, now = new_access_token(user.name), int(time.time())
    kept = AccessToken(user.name, user.id, access_token_hash(token), "old", TokenLevel.WRITE, (), now - DAY, now - 1)
    office.identities.store_access_token(kept)
    gate.refuses(replace(person, password=token), REVOKED)


def test_an_access_token_ends_with_a_disabled_account_and_with_a_removed_one(
    gate: Gate, pushes: Pushes, grace: Grace, office: Office
) -> None:
    person, _, _ = grace
    assert pushes.by(person)
    office.disable(person.name)
    assert not pushes.still()
    gate.refuses(person, REVOKED)
    office.disable(person.name, False)
    assert pushes.by(person)
    office.remove_person(person.name)
    assert not pushes.still()
    gate.refuses(person, REVOKED)


def test_who_leaves_the_providers_group_pushes_nothing_after_the_next_sign_in(
    pushes: Pushes, grace: Grace, provider: Issuer
) -> None:
    person, browser, _ = grace
    assert pushes.by(person)
    provider.person = {**provider.person, "groups": []}
    browser.sign_in()
    assert not pushes.still()
