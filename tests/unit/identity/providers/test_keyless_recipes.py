"""The recipes of docs/keyless.md with tokens as their issuers make them, and the tokens that must stay outside.

Sources: GitHub, "OpenID Connect reference"; GitLab, "OpenID Connect (OIDC) authentication using ID tokens"; Kubernetes,
"Managing Service Accounts" and "Service account token volume projection".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from roadstead.identity.providers.keyless import Keyless
from roadstead.identity.providers.oidc_provider import OidcProvider
from roadstead.identity.providers.trust import TrustRule, check_rules
from roadstead.identity.robots.robot_sign_in import RobotLogin, RobotRefused
from roadstead.identity.sign_in.passwords import PasswordVerifier
from roadstead.outbound.endpoint import Endpoint, EndpointPolicy
from roadstead.outbound.https import Reply
from tests.unit.identity.oidc_parts import Signer
from tests.unit.identity.providers.test_keyless import Gate

PAGE = (Path(__file__).parents[4] / "docs" / "keyless.md").read_text()
AUDIENCE = "registry.example.com"
EKS = "https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
AKS = "https://eastus.oic.prod-aks.azure.com/00000000-0000-0000-0000-000000000001/00000000-0000-0000-0000-000000000002/"


@dataclass(frozen=True)
class Recipe:
    """An issuer, what it says of itself, the claims of its tokens, and the rule of the page."""

    issuer: str
    keys: str
    lives: int
    claims: Mapping[str, Any]
    rule: Mapping[str, str]
    description: Mapping[str, Any]


GITHUB = Recipe(
    "https://token.actions.githubusercontent.com",
    "https://token.actions.githubusercontent.com/.well-known/jwks",
    300,
    {
        "jti": "6f4c2b1e-0000-4000-8000-000000000001",
        "sub": "repo:acme/ships:ref:refs/heads/main",
        "aud": AUDIENCE,
        "ref": "refs/heads/main",
        "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
        "repository": "acme/ships",
        "repository_owner": "acme",
        "repository_owner_id": "65",
        "run_id": "1658821493",
        "run_number": "10",
        "run_attempt": "2",
        "repository_visibility": "private",
        "repository_id": "74",
        "actor_id": "12",
        "actor": "octocat",
        "workflow": "push",
        "head_ref": "",
        "base_ref": "",
        "event_name": "push",
        "ref_protected": "true",
        "ref_type": "branch",
        "workflow_ref": "acme/ships/.github/workflows/push.yml@refs/heads/main",
        "workflow_sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
        "job_workflow_ref": "acme/ships/.github/workflows/push.yml@refs/heads/main",
        "job_workflow_sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
        "runner_environment": "github-hosted",
    },
    {"repository": "acme/ships", "ref": "refs/heads/main"},
    {"subject_types_supported": ["public", "pairwise"], "response_types_supported": ["id_token"]},
)
GITLAB = Recipe(
    "https://gitlab.com",
    "https://gitlab.com/oauth/discovery/keys",
    3_600,
    {
        "namespace_id": "72",
        "namespace_path": "acme",
        "project_id": "20",
        "project_path": "acme/ships",
        "user_id": "1",
        "user_login": "sample-user",
        "user_email": "sample-user@example.com",
        "user_identities": [{"provider": "github", "extern_uid": "2435223452345"}],
        "pipeline_id": "574",
        "pipeline_source": "push",
        "job_id": "302",
        "ref": "main",
        "ref_type": "branch",
        "ref_path": "refs/heads/main",
        "ref_protected": "true",
        "groups_direct": ["acme"],
        "runner_id": 1,
        "runner_environment": "gitlab-hosted",
        "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
        "project_visibility": "private",
        "ci_config_ref_uri": "gitlab.com/acme/ships//.gitlab-ci.yml@refs/heads/main",
        "ci_config_sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
        "jti": "235b3a54-b797-45c7-ae9a-f72d7bc6ef5b",
        "sub": "project_path:acme/ships:ref_type:branch:ref:main",
        "aud": AUDIENCE,
    },
    {"project_path": "acme/ships", "ref_protected": "true"},
    {
        "authorization_endpoint": "https://gitlab.com/oauth/authorize",
        "token_endpoint": "https://gitlab.com/oauth/token",
    },
)
_POD = {
    "aud": [AUDIENCE],
    "jti": "8d0f0b6a-0000-4000-8000-000000000002",
    "kubernetes.io": {
        "namespace": "ships",
        "node": {"name": "ip-10-0-0-1", "uid": "646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1"},
        "pod": {"name": "build-1", "uid": "5e0bd49b-f040-43b0-99b7-22765a53f7f3"},
        "serviceaccount": {"name": "builder", "uid": "14ee3fa4-a7e2-420f-9f9a-dbc4507c3798"},
    },
    "sub": "system:serviceaccount:ships:builder",
}
_CLUSTER = {
    "authorization_endpoint": "urn:kubernetes:programmatic_authorization",
    "response_types_supported": ["id_token"],
    "id_token_signing_alg_values_supported": ["RS256"],
}
_BUILDER = {"sub": "system:serviceaccount:ships:builder"}
ON_EKS = Recipe(EKS, f"{EKS}/keys", 3_607, _POD, _BUILDER, _CLUSTER)
ON_AKS = Recipe(AKS, f"{AKS}openid/v1/jwks", 3_607, _POD, _BUILDER, _CLUSTER)
RECIPES = {"github": GITHUB, "gitlab": GITLAB, "eks": ON_EKS, "aks": ON_AKS}


class Issuer:
    """What an issuer publishes, at its own URLs and nowhere else."""

    def __init__(self, recipe: Recipe) -> None:
        self.signer = Signer("RS256", kid="78167F727DEC5D801DD1C8784C704A1C880EC0E1")
        description = {**recipe.description, "issuer": recipe.issuer, "jwks_uri": recipe.keys}
        self._pages = {
            f"{recipe.issuer.rstrip('/')}/.well-known/openid-configuration": description,
            recipe.keys: {"keys": [self.signer.jwk()]},
        }

    def parse(self, url: str) -> Endpoint:
        return Endpoint.parse(url, EndpointPolicy())

    def fetch(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
        page = self._pages.get(f"https://{endpoint.authority}{endpoint.target}")
        return Reply(404, b"") if page is None else Reply(200, json.dumps(page).encode())


class Door(Gate):
    """A robot with the rule of a recipe, set as the API sets it."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.recipe, self.ci = recipe, Issuer(recipe)
        self.allow(recipe.issuer)
        self.trust(*check_rules([TrustRule(recipe.issuer, AUDIENCE, recipe.rule)], [recipe.issuer]))
        keyless = Keyless(OidcProvider(self.ci, clock=self.clock), self.reader)
        self.login = RobotLogin(self.store, PasswordVerifier(self.harbour.hasher), lambda: keyless, clock=self.clock)

    def job(self, **changes: Any) -> str:
        """Return a token of a job, in which some claims differ."""
        now, lives = int(self.clock()), self.recipe.lives
        times = {"iat": now, "nbf": now - 5, "exp": now + lives}
        claims = {**self.recipe.claims, "iss": self.recipe.issuer, **times, **changes}
        return self.ci.signer.token(claims, x5t="78167F727DEC5D801DD1C8784C704A1C880EC0E1")


@pytest.fixture
def door() -> Callable[[str], Door]:
    return lambda name: Door(RECIPES[name])


@pytest.mark.parametrize("name", RECIPES)
def test_a_token_as_the_issuer_makes_it_comes_in(door: Callable[[str], Door], name: str) -> None:
    one = door(name)
    robot, identity = one.login.sign_in(one.name, one.job())
    assert robot.id == one.robot.id
    claims = one.recipe.claims
    expected = f"issuer={one.recipe.issuer} subject={claims['sub']} token={claims['jti']}"
    assert identity.proof == f"method=identity-token {expected}"


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("github", {"repository": "evil/ships", "sub": "repo:evil/ships:ref:refs/heads/main"}),
        ("github", {"repository": "acme/ships-evil", "sub": "repo:acme/ships-evil:ref:refs/heads/main"}),
        ("github", {"ref": "refs/heads/other", "sub": "repo:acme/ships:ref:refs/heads/other"}),
        (
            "github",
            {"ref": "refs/pull/7/merge", "event_name": "pull_request", "sub": "repo:acme/ships:pull_request"},
        ),
        ("github", {"ref": "refs/tags/main", "ref_type": "tag"}),
        ("github", {"aud": "https://github.com/acme"}),
        ("gitlab", {"project_path": "evil/ships", "sub": "project_path:evil/ships:ref_type:branch:ref:main"}),
        ("gitlab", {"ref": "feature", "ref_protected": "false"}),
        ("gitlab", {"ref_protected": True}),
        ("gitlab", {"aud": "https://vault.example.com"}),
        ("eks", {"sub": "system:serviceaccount:ships:default"}),
        ("eks", {"sub": "system:serviceaccount:evil:builder"}),
        ("eks", {"aud": ["https://kubernetes.default.svc"]}),
        ("eks", {"aud": [AUDIENCE, "https://kubernetes.default.svc"]}),
        ("aks", {"iss": AKS.rstrip("/")}),
        ("aks", {"iss": EKS}),
    ],
)
def test_another_job_of_the_same_issuer_stays_outside(
    door: Callable[[str], Door], name: str, changes: dict[str, Any]
) -> None:
    one = door(name)
    with pytest.raises(RobotRefused):
        one.enter(one.job(**changes))
    one.enter(one.job())


def test_a_job_of_github_comes_in_with_the_subject_of_newer_repositories(door: Callable[[str], Door]) -> None:
    """Their `sub` has ids since July 2026; the rule of the page does not depend on it."""
    one = door("github")
    one.enter(one.job(sub="repo:acme@65/ships@74:ref:refs/heads/main"))


def test_a_rule_by_id_keeps_out_who_takes_the_name_over(door: Callable[[str], Door]) -> None:
    one = door("github")
    rule = {"repository_id": "74", "repository_owner_id": "65", "ref": "refs/heads/main"}
    one.trust(*check_rules([TrustRule(GITHUB.issuer, AUDIENCE, rule)], [GITHUB.issuer]))
    one.enter(one.job(repository="acme/boats"))
    with pytest.raises(RobotRefused):
        one.enter(one.job(repository_id="75"))


def test_a_job_in_an_environment_comes_in_by_its_name(door: Callable[[str], Door]) -> None:
    one = door("github")
    rule = {"repository": "acme/ships", "environment": "production"}
    one.trust(*check_rules([TrustRule(GITHUB.issuer, AUDIENCE, rule)], [GITHUB.issuer]))
    one.enter(one.job(environment="production", sub="repo:acme/ships:environment:production"))
    for changes in ({}, {"environment": "staging"}):
        with pytest.raises(RobotRefused):
            one.enter(one.job(**changes))


@pytest.mark.parametrize("name", RECIPES)
def test_a_token_ends_when_its_issuer_says(door: Callable[[str], Door], name: str) -> None:
    one = door(name)
    token = one.job()
    one.clock.now += one.recipe.lives + 59  # clocks may differ by a minute
    one.enter(token)
    one.clock.now += 1
    with pytest.raises(RobotRefused, match="expired"):
        one.enter(token)


@pytest.mark.parametrize("name", ["github", "gitlab", "eks"])
def test_the_page_has_the_rule(name: str) -> None:
    for claim, text in RECIPES[name].rule.items():
        assert f"{claim}={text}" in PAGE
    assert RECIPES[name].issuer.partition("/id/")[0] in PAGE
