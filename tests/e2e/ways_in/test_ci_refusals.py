"""Identity tokens that are not right: what the client shows, and what the trail has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from roadstead import base64url
from tests.e2e.cloud import Cloud
from tests.e2e.management import ask, make_robot
from tests.e2e.people import Person
from tests.e2e.ways_in import ways
from tests.e2e.ways_in.doors import Gate, Pushes
from tests.e2e.ways_in.ways import AUDIENCE, CLAIMS
from tests.issuer import Issuer, issuer
from tests.slapd import Slapd

UNKNOWN = "the user name or the password is wrong"
NOT_ACCEPTED = "the identity token is not accepted: "

Forge = Callable[[Issuer], str]


def unsigned(provider: Issuer) -> str:
    claims = provider.token(AUDIENCE, CLAIMS).split(".")[1]
    return base64url.encode(b'{"alg":"none","typ":"JWT"}') + f".{claims}."


def signed_by_another(provider: Issuer) -> str:
    """By a key that calls itself as the issuer's does."""
    key = rsa.generate_private_key(65_537, 2_048)
    return Issuer(provider.url, signer=replace(provider.signer, key=key)).token(AUDIENCE, CLAIMS)


CI_REFUSALS: dict[str, tuple[Forge, str]] = {
    "another audience": (lambda ci: ci.token("registry.elsewhere.com", CLAIMS), f"the token is not for {AUDIENCE}"),
    "another branch": (
        lambda ci: ci.token(AUDIENCE, {**CLAIMS, "ref": "refs/heads/mine"}),
        "the token's claims fit no rule of the robot",
    ),
    "another repository": (
        lambda ci: ci.token(AUDIENCE, {**CLAIMS, "repository": "acme/ships-fork"}),
        "the token's claims fit no rule of the robot",
    ),
    "without the claim": (
        lambda ci: ci.token(AUDIENCE, {"sub": CLAIMS["sub"]}),
        "the token's claims fit no rule of the robot",
    ),
    "expired": (lambda ci: ci.token(AUDIENCE, CLAIMS, lives=-3_600), "expired"),
    "unsigned": (unsigned, ""),
    "signed by another key": (signed_by_another, ""),
}


@pytest.mark.parametrize("case", CI_REFUSALS)
def test_an_identity_token_that_is_not_right_is_refused_with_the_reason(
    gate: Gate, cloud: Cloud, admin: Person, project: str, provider: Issuer, case: str
) -> None:
    robot, _ = ways.make_ci_robot(cloud, admin, project, provider, "pull", "push")
    make, reason = CI_REFUSALS[case]
    gate.refuses(replace(robot, password=make(provider)), NOT_ACCEPTED)
    refused = gate.docker.login(robot.name, make(provider)).failed()
    assert reason in refused.output
    (claimed,) = {entry["detail"].partition(" token=")[0] for entry in _failed(cloud, robot.name)}
    assert claimed == f"method=identity-token issuer={provider.url} subject={CLAIMS['sub']}"


def test_an_identity_token_of_an_issuer_that_the_robot_does_not_trust_is_refused(
    gate: Gate, cloud: Cloud, admin: Person, project: str, provider: Issuer
) -> None:
    robot, number = ways.make_ci_robot(cloud, admin, project, provider, "pull", "push")
    with issuer() as stranger:
        gate.refuses(
            replace(robot, password=stranger.token(AUDIENCE, CLAIMS)),
            NOT_ACCEPTED + "the robot trusts no token of this issuer",
        )
        rule = {"issuer": stranger.url, "audience": AUDIENCE, "claims": {"repository": "acme/ships"}}
        status, answer = ask(cloud, admin, "PUT", f"/roadstead/v1/robots/{number}/trust", {"rules": [rule]})
        assert (status, "is not allowed here" in str(answer)) == (400, True)


def test_an_identity_token_counts_for_no_other_robot_and_not_for_one_that_is_disabled_or_removed(
    gate: Gate, pushes: Pushes, cloud: Cloud, admin: Person, project: str, provider: Issuer
) -> None:
    robot, number = ways.make_ci_robot(cloud, admin, project, provider, "pull", "push")
    ci = replace(robot, password=provider.token(AUDIENCE, CLAIMS))
    assert pushes.by(ci)
    untrusting = make_robot(cloud, admin, project, "pull", level="system")
    gate.refuses(replace(ci, name=untrusting.name), "there is no such robot, or it trusts no identity token")
    path = f"/v2.0/robots/{number}"
    shown = ask(cloud, admin, "GET", path)[1]
    assert ask(cloud, admin, "PUT", path, {**shown, "disable": True})[0] == 200
    gate.refuses(ci, "the robot is disabled")
    assert ask(cloud, admin, "DELETE", path)[0] == 200
    gate.refuses(ci, "there is no such robot, or it trusts no identity token")
    assert not pushes.still()


def test_an_identity_token_is_no_password_of_a_person(gate: Gate, provider: Issuer, directory: Slapd) -> None:
    """It is sent to the directory as any password of a name that is not known here, and refused."""
    gate.refuses(Person("hugo", provider.token(AUDIENCE, {**CLAIMS, "preferred_username": "hugo"})), UNKNOWN)


def _failed(cloud: Cloud, name: str) -> list[dict[str, Any]]:
    return [
        entry
        for entry in cloud.trail()
        if (entry["operation"], entry["outcome"]) == ("login", "failure") and entry["actor"].get("name") == name
    ]
