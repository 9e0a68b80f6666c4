"""What people do in the console, in a real Chromium: each file of console/journeys is a journey."""

from __future__ import annotations

import secrets

import pytest

from console.npm import HERE
from local.ports import free_port
from tests.e2e.cloud import Cloud
from tests.e2e.console import journeys
from tests.oidc_provider import CLIENT, SECRET, client, npm_provider

PROVIDER = "provider"  # the journey that needs one
NAMES = sorted(path.name.removesuffix(".journey.ts") for path in (HERE / "journeys").glob("*.journey.ts"))


def test_there_are_journeys() -> None:
    known = {"sign-in", "images", "members", "hostile", "trash", "providers", PROVIDER, "accessibility"}
    assert known | {"sessions", "upkeep", "costs", "shifts"} <= set(NAMES)


@pytest.mark.parametrize("name", [name for name in NAMES if name != PROVIDER])
def test_a_journey_arrives(cloud: Cloud, name: str) -> None:
    journeys.run(cloud, f"{name}.journey.ts")


def test_a_journey_by_a_provider_of_openid_connect_arrives(cloud: Cloud) -> None:
    person = f"grace-{secrets.token_hex(4)}"
    grace = {"preferred_username": person, "email": "grace@example.org", "name": "Grace Hopper"}
    people = {person: grace, "linus": {"preferred_username": "linus"}}
    # The browser keeps the provider's cookies apart by the host's name.
    with npm_provider(free_port(), people, client(cloud.url), host="localhost") as provider:
        environment = {
            "OIDC_ISSUER": provider.issuer,
            "OIDC_CLIENT": CLIENT,
            "OIDC_SECRET": SECRET,
            "OIDC_PERSON": person,
        }
        journeys.run(cloud, f"{PROVIDER}.journey.ts", environment=environment)
