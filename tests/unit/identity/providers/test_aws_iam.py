"""Calls signed by AWS credentials in place of a robot's secret: what STS sees of them, and what keeps others out."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import botocore.session
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roadstead import base64url
from roadstead.identity.people import ProviderFailed
from roadstead.identity.providers.aws_principals import Sts
from roadstead.identity.providers.keyless import Keyless
from roadstead.identity.providers.oidc_provider import OidcProvider
from roadstead.identity.providers.signed_calls import (
    BODY,
    MAX_TEXT,
    STS_HOSTS,
    CallInvalid,
    SignedCall,
)
from roadstead.identity.providers.trust import CALL_PREFIX, RuleRefused, TrustRule, check_rules, is_keyless
from roadstead.identity.robots.robot_sign_in import RobotLogin, RobotRefused
from roadstead.identity.sign_in.passwords import PasswordVerifier
from roadstead.outbound.https import Reply
from tests.unit.identity.oidc_parts import ISSUER
from tests.unit.identity.providers.test_keyless import Gate
from tests.unit.identity.sts_parts import ACCOUNT, CALLER, HOST, ROLE, USER_ID, FakeSts, Keys

REGISTRY = "registry.example.com"
RULE = TrustRule("aws", REGISTRY, {"arn": ROLE})
PRESIGNED = f"https://sts.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Signature={'0' * 64}"


class AwsGate(Gate):
    """A robot that trusts a role, and an STS that knows its keys."""

    def __init__(self, endpoint: str = "") -> None:
        super().__init__()
        self.keys = Keys()
        self.sts = FakeSts(self.clock, self.keys)
        self.allow(ISSUER, "aws")
        self.trust(RULE)
        oidc = OidcProvider(self.issuer, clock=self.clock)
        sts = Sts(self.sts, endpoint, clock=self.clock)
        keyless = Keyless(oidc, self.reader, lambda: sts)
        self.login = RobotLogin(self.store, PasswordVerifier(self.harbour.hasher), lambda: keyless, clock=self.clock)

    def call(self, **changes: Any) -> SignedCall:
        return self.keys.sign(self.clock(), **changes)

    def refusal(self, text: str) -> RobotRefused:
        with pytest.raises(RobotRefused) as error:
            self.enter(text)
        return error.value


@pytest.fixture
def aws() -> AwsGate:
    return AwsGate()


def test_a_signed_call_lets_the_robot_in_and_the_trail_says_whose_it_was(aws: AwsGate) -> None:
    robot, identity = aws.login.sign_in(aws.name, aws.call().text())
    assert robot.id == aws.robot.id
    assert identity.proof == f"method=aws-iam account={ACCOUNT} arn={CALLER} user_id={USER_ID}"


def test_sts_gets_one_fixed_request_at_its_own_host(aws: AwsGate) -> None:
    aws.enter(aws.call().text())
    ((endpoint, headers, body),) = aws.sts.asked
    assert (endpoint.scheme, endpoint.host, endpoint.port, endpoint.target) == ("https", HOST, 443, "/")
    assert body == BODY == b"Action=GetCallerIdentity&Version=2011-06-15"
    authorization = headers.pop("Authorization")
    assert set(headers) == {"Content-Type", "X-Amz-Date", "X-Amz-Security-Token", "X-Roadstead-Registry", "Accept"}
    signed = "content-type;host;x-amz-date;x-amz-security-token;x-roadstead-registry"
    assert f"SignedHeaders={signed}, " in authorization


def test_a_call_by_long_term_credentials_has_no_session_token(aws: AwsGate) -> None:
    aws.keys.session_token = ""
    aws.sts.result = {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/team/ada", "UserId": "AIDAEXAMPLE"}
    aws.trust(TrustRule("aws", REGISTRY, {"arn": f"arn:aws:iam::{ACCOUNT}:user/team/*"}))
    assert "session_token" not in json.loads(base64url.decode(aws.call().text().removeprefix(CALL_PREFIX)))
    assert aws.enter(aws.call().text()).id == aws.robot.id


def test_a_call_is_sent_once_a_minute_and_ends_a_quarter_of_an_hour_after_its_signature(aws: AwsGate) -> None:
    text = aws.call().text()
    for _ in range(3):
        aws.enter(text)
    assert len(aws.sts.asked) == 1
    aws.clock.now += 61
    aws.enter(text)
    assert len(aws.sts.asked) == 2
    aws.clock.now += 899 - 61
    aws.enter(text)
    aws.clock.now += 1
    assert "more than 15 minutes ago" in str(aws.refusal(text))
    assert len(aws.sts.asked) == 3


def test_a_call_of_the_future_is_refused(aws: AwsGate) -> None:
    aws.enter(aws.keys.sign(aws.clock() + 59).text())
    assert "compare the clocks" in str(aws.refusal(aws.keys.sign(aws.clock() + 61).text()))


def test_a_call_for_another_registry_is_worth_nothing_here(aws: AwsGate) -> None:
    """Neither as it is, nor when whoever received it writes this registry into it."""
    stolen = aws.call(registry="evil.example.com")
    assert "signed for the registry evil.example.com" in str(aws.refusal(stolen.text()))
    assert aws.sts.asked == []
    assert "SignatureDoesNotMatch" in str(aws.refusal(replace(stolen, registry=REGISTRY).text()))


@pytest.mark.parametrize("action", ["AssumeRole", "GetSessionToken", "GetCallerIdentity&Action=AssumeRole"])
def test_a_signature_over_another_action_is_worth_nothing(aws: AwsGate, action: str) -> None:
    signed = aws.call(body=f"Action={action}&Version=2011-06-15".encode())
    assert "SignatureDoesNotMatch" in str(aws.refusal(signed.text()))
    assert aws.sts.asked[0][2] == BODY


def test_a_signature_over_more_headers_is_worth_nothing(aws: AwsGate) -> None:
    assert "SignatureDoesNotMatch" in str(aws.refusal(aws.call(headers={"X-Other": "1"}).text()))


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.com",
        "sts.evil.example.com",
        "sts.amazonaws.com.evil.example",
        "sts.eu-central-1.amazonaws.com.evil.example",
        "sts.eu-central-1.amazonaws.com:8443",
        "sts.eu-central-9.amazonaws.com",
        "s3.eu-central-1.amazonaws.com",
        "iam.amazonaws.com",
        "169.254.169.254",
        "127.0.0.1",
        "localhost",
    ],
)
def test_a_call_goes_to_no_host_but_those_of_sts(aws: AwsGate, host: str) -> None:
    assert "not for a host of AWS STS" in str(aws.refusal(aws.call(host=host).text()))
    assert aws.sts.asked == []


def test_a_call_for_one_host_is_worth_nothing_at_another(aws: AwsGate) -> None:
    call = aws.call()
    assert "takes us-east-1" in str(aws.refusal(replace(call, host="sts.amazonaws.com").text()))
    moved = replace(call, host="sts.eu-west-1.amazonaws.com", region="eu-west-1")
    assert "SignatureDoesNotMatch" in str(aws.refusal(moved.text()))


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": "0" * 64},
        {"key": "ASIAANOTHERANOTHER12"},
        {"session_token": "FQoGZXIvYXdzANOTHER"},
        {"session_token": ""},
    ],
)
def test_a_changed_call_is_refused(aws: AwsGate, changes: dict[str, str]) -> None:
    assert "AWS STS refuses the call" in str(aws.refusal(replace(aws.call(), **changes).text()))


def test_a_changed_date_is_refused(aws: AwsGate) -> None:
    old = aws.keys.sign(aws.clock() - 3_600)
    renewed = replace(old, date=aws.call().date)
    assert "SignatureDoesNotMatch" in str(aws.refusal(renewed.text()))


def text_of(document: Any) -> str:
    return CALL_PREFIX + base64url.encode(json.dumps(document).encode())


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "sts.amazonaws.com\r\nX-Evil: 1"},
        {"host": "user@sts.amazonaws.com"},
        {"host": "sts.amazonaws.com/../x"},
        {"host": "sts.amazonaws.com#"},
        {"registry": "registry.example.com\r\nX-Evil: 1"},
        {"registry": "a b"},
        {"session_token": "x\r\nX-Evil: 1"},
        {"key": "ASIAEXAMPLEEXAMPLE12/20260101/us-east-1/s3"},
        {"key": "ASIAEXAMPLEEXAMPLE12, SignedHeaders=host"},
        {"region": "eu-central-1/s3"},
        {"signature": "0" * 64 + ", x=y"},
        {"date": "20260101T000000Z\n"},
        {"date": "20261301T000000Z"},
        {"date": ["20260101T000000Z"]},
        {"signature": None},
        {"host": 1},
        {"method": "GET"},
        {"body": "Action=AssumeRole"},
        {"url": "https://sts.amazonaws.com/?Action=GetCallerIdentity&X-Amz-Signature=0"},
        {"headers": {"X-Evil": "1"}},
    ],
)
def test_what_is_not_of_the_form_never_becomes_a_request(aws: AwsGate, changes: dict[str, Any]) -> None:
    document = {**asdict(aws.call()), **changes}
    assert "not a signed call" in str(aws.refusal(text_of(document)))
    assert aws.sts.asked == []


@pytest.mark.parametrize(
    "text",
    [
        CALL_PREFIX + "x" * 200,
        CALL_PREFIX + "é" * 200,
        text_of(["x" * 200]),
        text_of({"host": "x" * 200}),
        CALL_PREFIX + base64url.encode(b'{"host":"a","host":"b"}' + b" " * 200),
        CALL_PREFIX + base64url.encode(b"[" * 4_000),
        CALL_PREFIX + base64url.encode(PRESIGNED.encode()),
    ],
)
def test_a_text_that_only_begins_like_a_call_is_refused(aws: AwsGate, text: str) -> None:
    error = aws.refusal(text)
    assert "not a signed call" in str(error)
    assert error.proof == "method=aws-iam"


def test_a_huge_call_is_refused_unread(aws: AwsGate) -> None:
    assert f"at most {MAX_TEXT}" in str(aws.refusal(CALL_PREFIX + "A" * MAX_TEXT))
    with pytest.raises(ValueError, match="too long"):
        replace(aws.call(), session_token="A" * MAX_TEXT).text()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(st.dictionaries(st.sampled_from([*SignedCall.__dataclass_fields__, "url"]), st.text() | st.none()))
def test_any_document_is_a_call_or_refused(changes: dict[str, Any]) -> None:
    document = {**asdict(Keys().sign(1_800_000_000)), **changes}
    try:
        call = SignedCall.parse(text_of(document))
    except CallInvalid:
        return
    for value in call.headers().values():
        assert value.isascii() and value.isprintable()


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:sts::{ACCOUNT}:assumed-role/ci-evil/x1",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/evil-ci/x1",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/CI/x1",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/evil/ci",
        f"arn:aws:iam::{ACCOUNT}:user/ci",
        f"arn:aws:iam::{ACCOUNT}:user/role/ci",
        f"arn:aws:iam::{ACCOUNT}:root",
        f"arn:aws:sts::{ACCOUNT}:federated-user/ci",
    ],
)
def test_a_principal_that_looks_like_the_role_fits_no_rule(aws: AwsGate, arn: str) -> None:
    aws.sts.result = {"Account": ACCOUNT, "Arn": arn, "UserId": "AROAOTHER:x1"}
    error = aws.refusal(aws.call().text())
    assert "fits no rule of the robot" in str(error)
    assert error.proof == f"method=aws-iam account={ACCOUNT} arn={arn} user_id=AROAOTHER:x1"


def test_the_same_role_of_another_account_fits_no_rule(aws: AwsGate) -> None:
    other = "210987654321"
    aws.sts.result = {"Account": other, "Arn": CALLER.replace(ACCOUNT, other), "UserId": USER_ID}
    assert "fits no rule" in str(aws.refusal(aws.call().text()))


@pytest.mark.parametrize(
    ("claims", "fits"),
    [
        ({"account": ACCOUNT}, True),
        ({"account": "210987654321"}, False),
        ({"arn": f"arn:aws:iam::{ACCOUNT}:role/*"}, True),
        ({"arn": f"arn:aws:iam::{ACCOUNT}:role/c*"}, True),
        ({"arn": f"arn:aws:iam::{ACCOUNT}:role/cd*"}, False),
        ({"arn": ROLE, "session": "i-*"}, True),
        ({"arn": ROLE, "session": "build-*"}, False),
        ({"arn": ROLE, "user_id": "AROAEXAMPLEEXAMPLE12:*"}, True),
        ({"arn": ROLE, "user_id": "AROAREMADEREMADE1234:*"}, False),
        ({"account": ACCOUNT, "arn": ROLE}, True),
        ({"account": "210987654321", "arn": ROLE}, False),
    ],
)
def test_rules_name_account_role_session_and_unique_id(aws: AwsGate, claims: dict[str, str], fits: bool) -> None:
    aws.trust(*check_rules([TrustRule("aws", REGISTRY, claims)], ["aws"]))
    if fits:
        assert aws.enter(aws.call().text()).id == aws.robot.id
    else:
        aws.refusal(aws.call().text())


def test_a_star_in_an_arn_stays_within_one_part_of_a_path(aws: AwsGate) -> None:
    aws.trust(TrustRule("aws", REGISTRY, {"arn": f"arn:aws:iam::{ACCOUNT}:user/team/*"}))
    for name, comes_in in (("team/ada", True), ("team/evil/ada", False), ("teams/ada", False), ("ada", False)):
        arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
        aws.sts.result = {"Account": ACCOUNT, "Arn": arn, "UserId": "AIDAEXAMPLE"}
        aws.clock.now += 61
        if comes_in:
            aws.enter(aws.call().text())
        else:
            aws.refusal(aws.call().text())


@pytest.mark.parametrize(
    ("audience", "claims", "words"),
    [
        (REGISTRY, {}, "must say who"),
        (REGISTRY, {"session": "i-*"}, "must say who"),
        (REGISTRY, {"user_id": "AROA*"}, "must say who"),
        (REGISTRY, {"account": "*"}, "12 digits"),
        (REGISTRY, {"account": "12345678901*"}, "12 digits"),
        (REGISTRY, {"arn": "*"}, "an arn is like"),
        (REGISTRY, {"arn": "arn:aws:iam::*:role/ci"}, "an arn is like"),
        (REGISTRY, {"arn": "arn:*:iam::123456789012:role/ci"}, "an arn is like"),
        (REGISTRY, {"arn": "arn:aws:iam::123456789012:*/ci"}, "an arn is like"),
        (REGISTRY, {"arn": "arn:aws:iam::123456789012:root"}, "an arn is like"),
        (REGISTRY, {"arn": "arn:aws:iam::123456789012:role/path/ci"}, "the path of a role"),
        (REGISTRY, {"arn": CALLER}, "its session as the claim session"),
        (REGISTRY, {"arn": ROLE, "sub": "x"}, "no claim 'sub'"),
        ("two words", {"arn": ROLE}, "the registry's host"),
    ],
)
def test_a_rule_that_does_not_name_one_account_is_refused(audience: str, claims: dict[str, str], words: str) -> None:
    with pytest.raises(RuleRefused, match=words):
        check_rules([TrustRule("aws", audience, claims)], ["aws"])


def test_a_robot_that_does_not_trust_aws_asks_nobody(aws: AwsGate) -> None:
    aws.trust(TrustRule(ISSUER, REGISTRY, {"sub": "x"}))
    assert "trusts no AWS credentials" in str(aws.refusal(aws.call().text()))
    aws.trust(RULE)
    aws.allow(ISSUER)
    assert "aws is not among keyless_issuers" in str(aws.refusal(aws.call().text()))
    assert aws.sts.asked == []


def test_an_identity_token_that_calls_its_issuer_aws_is_no_signed_call(aws: AwsGate) -> None:
    aws.trust(TrustRule("aws", REGISTRY, {"account": ACCOUNT}))
    forged = aws.token(iss="aws", account=ACCOUNT, arn=ROLE)
    assert "trusts no token of this issuer" in str(aws.refusal(forged))
    assert aws.issuer.asked == []


@pytest.mark.parametrize(
    "result",
    [
        None,
        {},
        {"Account": ACCOUNT, "Arn": CALLER},
        {"Account": 123456789012, "Arn": CALLER, "UserId": USER_ID},
        {"Account": ACCOUNT, "Arn": [CALLER], "UserId": USER_ID},
        {"Account": "210987654321", "Arn": CALLER, "UserId": USER_ID},
        {"Account": ACCOUNT, "Arn": CALLER.replace("arn:aws:", "arn:aws-cn:"), "UserId": USER_ID},
    ],
)
def test_an_answer_that_sts_does_not_give_lets_nobody_in(aws: AwsGate, result: Any) -> None:
    aws.sts.result = result
    with pytest.raises(ProviderFailed):
        aws.enter(aws.call().text())


@pytest.mark.parametrize(
    "arn",
    [
        f"{CALLER}/more",
        f"{CALLER}\n",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/ci",
        f"arn:aws:iam::{ACCOUNT}:role/ci",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/c i/x1",
    ],
)
def test_a_principal_of_an_unknown_form_is_nobody(aws: AwsGate, arn: str) -> None:
    aws.sts.result = {"Account": ACCOUNT, "Arn": arn, "UserId": USER_ID}
    assert "neither a role" in str(aws.refusal(aws.call().text()))


@pytest.mark.parametrize(
    "reply",
    [
        Reply(302, b""),
        Reply(500, b""),
        Reply(429, b""),
        Reply(200, b"<GetCallerIdentityResponse/>"),
        Reply(200, b""),
        Reply(400, b'{"Error": {"Code": "Throttling"}}'),
    ],
)
def test_an_sts_that_cannot_answer_is_not_a_refusal(aws: AwsGate, reply: Reply) -> None:
    aws.sts.reply = reply
    with pytest.raises(ProviderFailed):
        aws.enter(aws.call().text())


def test_an_sts_that_is_down_is_not_a_refusal(aws: AwsGate) -> None:
    aws.sts.down = True
    with pytest.raises(ProviderFailed, match="did not respond"):
        aws.enter(aws.call().text())


def test_what_sts_says_of_an_error_is_not_repeated_but_for_its_code(aws: AwsGate) -> None:
    aws.sts.reply = Reply(403, b'{"Error": {"Code": "Bad <script>", "Message": "secret"}}')
    assert "(refused)" in str(aws.refusal(aws.call().text()))
    aws.sts.reply = Reply(403, b'{"Error": {"Code": "ExpiredToken", "Message": "secret"}}')
    error = aws.refusal(aws.call().text())
    assert "(ExpiredToken)" in str(error) and "secret" not in str(error)
    assert error.proof == f"method=aws-iam key={aws.keys.access_key} host={HOST} registry={REGISTRY}"


def test_the_endpoint_of_the_settings_is_asked_besides_those_of_aws() -> None:
    endpoint = "https://vpce-0a1b.sts.eu-central-1.vpce.amazonaws.com"
    aws = AwsGate(endpoint)
    host = endpoint.removeprefix("https://")
    aws.enter(aws.call(host=host).text())
    assert aws.sts.asked[0][0].host == host
    aws.enter(aws.call().text())
    assert "not for a host of AWS STS" in str(aws.refusal(aws.call(host="vpce-evil.example").text()))


def test_a_disabled_robot_stays_outside_whoever_signs(aws: AwsGate) -> None:
    aws.store.update_robot(replace(aws.robot, disabled=True))
    error = aws.refusal(aws.call().text())
    assert "disabled" in str(error) and CALLER in error.proof


def test_nothing_secret_is_shown_of_a_call(aws: AwsGate) -> None:
    call = aws.call()
    assert call.signature not in repr(call) and call.session_token not in repr(call)


def test_the_hosts_are_those_that_botocore_knows() -> None:
    session = botocore.session.get_session()
    known = {"sts.amazonaws.com"}
    for partition, domain in (
        ("aws", "amazonaws.com"),
        ("aws-cn", "amazonaws.com.cn"),
        ("aws-us-gov", "amazonaws.com"),
    ):
        known |= {f"sts.{region}.{domain}" for region in session.get_available_regions("sts", partition)}
    assert {host for host in STS_HOSTS if "fips" not in host} == known
    assert all(region in host or host == "sts.amazonaws.com" for host, region in STS_HOSTS.items())


def test_a_call_is_recognised_by_its_form(aws: AwsGate) -> None:
    text = aws.call().text()
    assert is_keyless(text) and SignedCall.parse(text) == aws.call()
    assert not is_keyless(CALL_PREFIX + "Short1" * 5)
