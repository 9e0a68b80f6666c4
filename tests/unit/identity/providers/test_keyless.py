"""Identity tokens of CI in place of a robot's secret: rules, and what each of them keeps out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from roadstead.identity.configuration import ConfigurationReader
from roadstead.identity.people import ProviderFailed
from roadstead.identity.permissions import Permission
from roadstead.identity.providers.keyless import Keyless
from roadstead.identity.providers.oidc_provider import OidcProvider
from roadstead.identity.providers.trust import RuleRefused, TrustRule, check_rules, glob_fits, is_keyless
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.robots.robot_sign_in import RobotLogin, RobotRefused
from roadstead.identity.robots.robots import NEVER, Robot, RobotGrant, Scope, generated_hash
from roadstead.identity.sign_in.passwords import PasswordVerifier
from roadstead.trail.entries import Actor, ActorKind, Operation
from roadstead.trail.events import EventMaker
from tests.memory.configuration import MemoryConfiguration, MemoryConfigurationSecrets
from tests.unit.identity.oidc_parts import ISSUER, FakeProvider, Signer
from tests.unit.identity.parts import Harbour

AUDIENCE = "registry.example.com"
RULE = TrustRule(ISSUER, AUDIENCE, {"repository": "acme/ships", "ref": "refs/heads/*"})
CLAIMS = {"repository": "acme/ships", "ref": "refs/heads/main", "sub": "repo:acme/ships", "jti": "t1"}


class Gate:
    """A project's robot with rules, and an issuer that describes nothing but its keys."""

    def __init__(self) -> None:
        self.harbour = Harbour()
        self.clock, self.store = self.harbour.clock, self.harbour.store
        self.issuer = FakeProvider(self.clock)
        self.issuer.description = {"authorization_endpoint": None, "token_endpoint": None}
        self.configuration = MemoryConfiguration()
        self.reader = ConfigurationReader(self.configuration, MemoryConfigurationSecrets(), clock=self.clock)
        self.allow(ISSUER)
        project = self.harbour.accounts.create_project("ships")
        self.name = RobotName(project.name, "ci")
        push = frozenset({Permission.parse("repository", "push")})
        grant = RobotGrant(Scope.PROJECT, push, project.name, project.id)
        secret, now = generated_hash("secret"), int(self.clock())
        robot = Robot(self.name, project.id, secret, (grant,), now, NEVER, "ada", ActorKind.USER, 1)
        self.robot = self.store.create_robot(robot)
        self.trust(RULE)
        keyless = Keyless(OidcProvider(self.issuer, clock=self.clock), self.reader)
        self.login = RobotLogin(self.store, PasswordVerifier(self.harbour.hasher), lambda: keyless, clock=self.clock)

    def allow(self, *issuers: str) -> None:
        event = EventMaker(self.clock).make(Operation.CHANGE_CONFIGURATION, Actor("ada"), "")
        stored = self.configuration.find_configuration()
        values = {**stored.values, "keyless_issuers": " ".join(issuers)}
        self.configuration.put_configuration(values, replaces=stored.version, event=event)
        self.clock.now += 61

    def trust(self, *rules: TrustRule) -> None:
        self.store.set_robot_trust(replace(self.robot, trust=rules))

    def token(self, signer: Signer | None = None, **changes: Any) -> str:
        now = int(self.clock())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 300, **CLAIMS, **changes}
        return (signer or self.issuer.signer).token(
            {name: value for name, value in claims.items() if value is not None}
        )

    def enter(self, token: str) -> Robot:
        return self.login.sign_in(self.name, token)[0]


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_a_token_that_fits_a_rule_lets_the_robot_in(gate: Gate) -> None:
    assert gate.enter(gate.token()).id == gate.robot.id
    asked = len(gate.issuer.asked)
    assert gate.enter(gate.token()).id == gate.robot.id
    assert len(gate.issuer.asked) == asked == 2  # the description and the keys, once


@pytest.mark.parametrize(
    "changes",
    [
        {"repository": "acme/other"},
        {"repository": "evil/ships"},
        {"repository": None},
        {"repository": ["acme/ships"]},
        {"repository": True},
        {"ref": "refs/pull/1/merge"},
        {"ref": None},
        {"aud": "another.example.com"},
        {"aud": ["another.example.com", AUDIENCE]},
        {"iss": "https://other.example"},
        {"exp": 1},
        {"iat": 1},
        {"sub": None},
    ],
)
def test_a_token_with_anything_else_is_refused(gate: Gate, changes: dict[str, Any]) -> None:
    with pytest.raises(RobotRefused):
        gate.enter(gate.token(**changes))


def test_a_forged_token_is_refused(gate: Gate) -> None:
    forger = Signer("ES256", "one")
    for token in (gate.token(forger), gate.token()[:-10] + "AAAAAAAAAA", gate.token(alg="none")[:-5]):
        with pytest.raises(RobotRefused):
            gate.enter(token)


def test_one_fitting_rule_of_several_is_enough(gate: Gate) -> None:
    other = TrustRule(ISSUER, "another", {"sub": "x"})
    gate.trust(other, RULE)
    assert gate.enter(gate.token()).id == gate.robot.id
    gate.trust(other)
    with pytest.raises(RobotRefused):
        gate.enter(gate.token())
    gate.trust()
    with pytest.raises(RobotRefused, match="trusts no identity token"):
        gate.enter(gate.token())


def test_an_issuer_that_is_taken_off_the_list_counts_no_more(gate: Gate) -> None:
    gate.enter(gate.token())
    gate.allow("https://another.example")
    with pytest.raises(RobotRefused, match="keyless_issuers"):
        gate.enter(gate.token())


def test_rotated_keys_are_found(gate: Gate) -> None:
    gate.enter(gate.token())
    gate.issuer.signer = Signer("ES384", "two")
    assert gate.enter(gate.token()).id == gate.robot.id


def test_an_issuer_that_is_down_is_not_a_refusal(gate: Gate) -> None:
    gate.issuer.down = True
    with pytest.raises(ProviderFailed):
        gate.enter(gate.token())


def test_the_robots_own_limits_hold(gate: Gate) -> None:
    gate.store.update_robot(replace(gate.robot, disabled=True))
    with pytest.raises(RobotRefused, match="disabled"):
        gate.enter(gate.token())


def test_an_unknown_robot_costs_the_issuer_nothing(gate: Gate) -> None:
    with pytest.raises(RobotRefused):
        gate.login.sign_in(RobotName(gate.name.project, "other"), gate.token())
    assert gate.issuer.asked == []


def test_the_trail_has_issuer_subject_and_token(gate: Gate) -> None:
    proof = f"method=identity-token issuer={ISSUER} subject=repo:acme/ships token=t1"
    assert gate.login.sign_in(gate.name, gate.token())[1].proof == proof
    for refused in (gate.token(repository="x"), gate.token(exp=1)):
        with pytest.raises(RobotRefused) as error:
            gate.enter(refused)
        assert error.value.proof == proof
    with pytest.raises(RobotRefused) as error:
        gate.enter("ey.no." + "x" * 130)
    assert error.value.proof == "method=identity-token"


def test_a_secret_of_a_robot_is_never_taken_for_a_token(gate: Gate) -> None:
    assert not is_keyless("ey" + "." * 2 + "x" * 120)
    assert is_keyless(gate.token())


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (TrustRule("https://evil.example", AUDIENCE, {"sub": "x"}), "keyless_issuers"),
        (TrustRule(ISSUER, "", {"sub": "x"}), "characters"),
        (TrustRule(ISSUER, AUDIENCE, {}), "say who"),
        (TrustRule(ISSUER, AUDIENCE, {"ref": "refs/heads/main"}), "say who"),
        (TrustRule(ISSUER, AUDIENCE, {"sub": "*"}), "say who"),
        (TrustRule(ISSUER, AUDIENCE, {"sub": "*:main"}), "say who"),
        (TrustRule(ISSUER, AUDIENCE, {"sub": "a*b*c*d*e*f"}), "at most 4"),
        (TrustRule(ISSUER, AUDIENCE, {"sub": "x\n"}), "printable"),
        (TrustRule(ISSUER, AUDIENCE, {f"c{n}": "x" for n in range(11)}), "at most 10"),
    ],
)
def test_a_rule_that_is_too_wide_or_malformed_is_refused(rule: TrustRule, words: str) -> None:
    with pytest.raises(RuleRefused, match=words):
        check_rules([rule], [ISSUER])


def test_a_robot_has_a_bounded_number_of_rules() -> None:
    assert check_rules([RULE] * 20, [ISSUER])
    with pytest.raises(RuleRefused):
        check_rules([RULE] * 21, [ISSUER])


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("abc", "abc", True),
        ("abc", "abcd", False),
        ("a*", "a", True),
        ("a*c", "abc", True),
        ("a*c", "ac", True),
        ("aba*aba", "aba", False),
        ("a*b*c", "axbyc", True),
        ("a*b*c", "acb", False),
        ("a**b", "ab", True),
        ("a.c", "abc", False),
        ("refs/heads/*", "refs/heads/a/b", True),
        ("refs/heads/*", "xrefs/heads/a", False),
    ],
)
def test_a_star_is_any_text(pattern: str, text: str, fits: bool) -> None:
    assert glob_fits(pattern, text) is fits


@pytest.mark.parametrize("document", [None, [], {}, {"issuer": ISSUER}, {"issuer": 1, "audience": "a", "claims": {}},
                                      {"issuer": "a", "audience": "a", "claims": {"sub": 1}}])  # fmt: skip
def test_what_is_no_rule_is_refused(document: Any) -> None:
    with pytest.raises(RuleRefused):
        TrustRule.from_json(document)
