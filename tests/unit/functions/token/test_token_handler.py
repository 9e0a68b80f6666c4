"""The function as Lambda runs it: events in, answers out, on DynamoDB and KMS; and what it costs and loads."""

from __future__ import annotations

import base64
import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto import mock_aws

from functions.token import composition, handler
from functions.token.settings import Settings
from roadstead.aws.content.dynamodb_rules import DynamoProjectRules
from roadstead.aws.identity.dynamodb_configuration import DynamoConfiguration
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.identity.kms import KmsKeys
from roadstead.aws.table import Table
from roadstead.identity.accounts import Accounts
from roadstead.identity.directory import Role, UserName
from roadstead.identity.permissions import PROJECT_CATALOGUE, Permission
from roadstead.identity.providers.trust import TrustRule
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.robots.robots import Robot, RobotGrant, Scope, generated_hash
from roadstead.identity.sign_in.attempts import Attempt
from roadstead.identity.sign_in.passwords import Argon2Hasher
from roadstead.identity.tokens.certificates import Mode
from roadstead.identity.tokens.jose import trusted_keys
from roadstead.identity.tokens.verification import TokenVerifier
from roadstead.names import ProjectName
from roadstead.outbound.https import HttpsPoster
from roadstead.trail.entries import Actor, ActorKind, Operation
from roadstead.trail.events import EventMaker
from tests import aws
from tests.unit.functions.token.token_client import TokenClient, basic
from tests.unit.identity.parts import PASSWORD
from tests.unit.identity.sts_parts import ACCOUNT, CALLER, HOST, ROLE, USER_ID, FakeSts

READ, UPDATE = "dynamodb.BatchGetItem", "dynamodb.UpdateItem"
CONFIGURATION = "dynamodb.GetItem"  # once a minute
ADA = basic("ada", PASSWORD)
SCOPES = ("scope", "repository:ships/a:pull,push repository:open/b:pull repository:absent/c:pull")


class Cloud:
    """Tables, a key and accounts on moto, and the function's services with their calls recorded."""

    def __init__(self) -> None:
        self.dynamodb, self.kms = aws.client("dynamodb"), aws.client("kms")
        aws.make_tables(self.dynamodb, "index", "identity")
        self.key_id = aws.make_signing_key(self.kms)
        # Yesterday: an id that the second of a project's creation gives is free for what the tests create.
        accounts = Accounts(
            DynamoIdentities(Table(self.dynamodb, "identity")), Argon2Hasher(), clock=lambda: time.time() - 86_400
        )
        accounts.create_user("root", PASSWORD, admin=True)
        accounts.create_user("ada", PASSWORD)
        accounts.create_project("ships")
        accounts.create_project("open", public=True)
        accounts.set_member("ships", "ada", Role.DEVELOPER)
        self.calls = aws.record_calls(self.dynamodb, self.kms)

    def client(self, mode: Mode = Mode.CERTIFIED) -> TokenClient:
        environ = {"IDENTITY_TABLE": "identity", "INDEX_TABLE": "index", "TOKEN_KEYS": self.key_id}
        environ |= {"TOKEN_MODE": mode, "REFRESH_TOKENS": "on"}
        settings = Settings.from_environ(environ)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(composition, "client", {"dynamodb": self.dynamodb, "kms": self.kms}.__getitem__)
            return TokenClient(composition.build(settings))

    def calls_of_last(self) -> list[str]:
        calls = list(self.calls)
        self.calls.clear()
        return calls


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with mock_aws():
        yield Cloud()


def test_building_makes_no_call(cloud: Cloud) -> None:
    cloud.client()
    assert cloud.calls_of_last() == []


def test_a_token_is_one_read_and_only_the_first_asks_kms_and_the_configuration(cloud: Cloud) -> None:
    client = cloud.client()
    assert client.get(SCOPES, authorization=ADA).status == 200
    assert cloud.calls_of_last() == [READ, CONFIGURATION, "kms.GetPublicKey", "kms.Sign"]
    for _ in range(3):
        assert client.get(SCOPES, authorization=ADA).status == 200
        assert cloud.calls_of_last() == [READ]
        assert client.get(SCOPES).status == 200
        assert cloud.calls_of_last() == [READ]


def test_a_push_that_creates_a_project_sets_the_quota_of_new_projects_where_commits_read_it(cloud: Cloud) -> None:
    configuration = DynamoConfiguration(Table(cloud.dynamodb, "identity"))
    event = EventMaker().make(Operation.CHANGE_CONFIGURATION, Actor("root", ActorKind.USER), "")
    configuration.put_configuration({"storage_per_project": 5_000}, replaces=0, event=event)
    client = cloud.client()
    cloud.calls_of_last()
    form = ("scope", "repository:fresh/a:push")
    assert client.get(form, authorization=basic("root", PASSWORD)).status == 200
    rules = DynamoProjectRules(Table(cloud.dynamodb, "index")).find_rules(ProjectName("fresh"))
    assert rules is not None and json.loads(rules.document) == {"quota": {"storage": 5_000}}
    assert cloud.calls_of_last().count("dynamodb.TransactWriteItems") == 2  # the quota, the project
    assert client.get(form, authorization=basic("root", PASSWORD)).status == 200
    assert cloud.calls_of_last() == [READ]


def test_a_robots_token_is_one_read_also_shortly_before_its_expiry(cloud: Cloud) -> None:
    store = DynamoIdentities(Table(cloud.dynamodb, "identity"))
    ships = store.find_project(ProjectName("ships"))
    assert ships is not None
    now = int(time.time())
    robot = store.create_robot(
        Robot(
            name=RobotName(ships.name, "ci"),
            project_id=ships.id,
            secret=generated_hash("Generated1"),
            grants=(RobotGrant(Scope.PROJECT, frozenset(PROJECT_CATALOGUE), ships.name, ships.id),),
            created=now,
            duration=30,
            creator="root",
            creator_kind=ActorKind.USER,
            creator_id=1,
        )
    )
    client = cloud.client()
    client.get(SCOPES, authorization=ADA)
    for secret, status in (("Generated1", 200), ("Generated1", 200), ("wrong", 401)):
        cloud.calls_of_last()
        assert client.get(SCOPES, authorization=basic("robot$ships+ci", secret)).status == status
        assert cloud.calls_of_last() == [READ]
    store.update_robot(replace(robot, duration=5))
    cloud.calls_of_last()
    assert client.get(SCOPES, authorization=basic("robot$ships+ci", "Generated1")).status == 200
    assert cloud.calls_of_last() == [READ]


def test_a_call_signed_by_aws_is_one_read_one_request_to_sts_a_minute_and_told_in_the_trail(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = DynamoIdentities(Table(cloud.dynamodb, "identity"))
    ships = store.find_project(ProjectName("ships"))
    assert ships is not None
    push = frozenset({Permission.parse("repository", "push")})
    grant = RobotGrant(Scope.PROJECT, push, ships.name, ships.id)
    robot = store.create_robot(
        Robot(
            name=RobotName(ships.name, "ci"),
            project_id=ships.id,
            secret=generated_hash("Generated1"),
            grants=(grant,),
            created=int(time.time()),
            duration=-1,
            creator="root",
            creator_kind=ActorKind.USER,
            creator_id=1,
        )
    )
    store.set_robot_trust(replace(robot, trust=(TrustRule("aws", "registry.example.com", {"arn": ROLE}),)))
    sts = FakeSts(time.time)
    monkeypatch.setattr(HttpsPoster, "fetch", lambda _, *given, **options: sts.fetch(*given, **options))
    client = cloud.client()
    client.get(SCOPES, authorization=ADA)

    text = sts.keys.sign(time.time()).text()
    for _ in range(2):
        cloud.calls_of_last()
        capsys.readouterr()
        answer = client.get(("scope", "repository:ships/a:pull,push"), authorization=basic("robot$ships+ci", text))
        assert answer.status == 200
        assert cloud.calls_of_last() == [READ]
        (entry,) = audited(capsys)
        assert entry["detail"] == f"method=aws-iam account={ACCOUNT} arn={CALLER} user_id={USER_ID}"
        assert (entry["actor"]["name"], entry["actor"]["id"]) == ("robot$ships+ci", robot.id)
    assert len(sts.asked) == 1

    changed = replace(sts.keys.sign(time.time()), signature="0" * 64).text()
    assert client.get(SCOPES, authorization=basic("robot$ships+ci", changed)).status == 401
    said = capsys.readouterr().out
    assert f"method=aws-iam key={sts.keys.access_key} host={HOST}" in said
    for secret in (text, changed, sts.keys.session_token):
        assert secret not in said

    form = ("grant_type", "password"), ("username", "robot$ships+ci"), ("password", text)
    assert client.post(*form).status == 200
    sts.down = True
    late = client.get(SCOPES, authorization=basic("robot$ships+ci", sts.keys.sign(time.time() - 5).text()))
    assert (late.status, late.headers["retry-after"]) == (503, "10")


def audited(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line)["audit"] for line in capsys.readouterr().out.splitlines() if '"audit"' in line]


def test_a_refused_login_is_one_read_and_two_updates(cloud: Cloud) -> None:
    client = cloud.client()
    for authorization in (basic("ada", "wrong"), basic("nobody", "wrong")):
        assert client.get(SCOPES, authorization=authorization, address="192.0.2.7").status == 401
        assert cloud.calls_of_last() == [READ, UPDATE, UPDATE]


def test_a_login_during_a_lock_is_one_read(cloud: Cloud) -> None:
    client = cloud.client()
    identities = DynamoIdentities(Table(cloud.dynamodb, "identity"))
    attempt = Attempt.of(UserName("ada"), "192.0.2.7", time.time())
    for _ in range(10):
        attempt.fail(identities, {})
    cloud.calls_of_last()
    assert client.get(SCOPES, authorization=ADA, address="192.0.2.7").status == 429
    assert cloud.calls_of_last() == [READ]
    assert client.get(SCOPES, authorization=ADA, address="198.51.100.9").status == 200


def test_an_anonymous_login_is_no_call(cloud: Cloud) -> None:
    client = cloud.client()
    client.get()
    cloud.calls_of_last()
    assert client.get().status == 200
    assert cloud.calls_of_last() == []


def test_a_refresh_token_is_a_query_and_a_write_more_and_its_use_one_read(cloud: Cloud) -> None:
    client = cloud.client()
    client.get()
    cloud.calls_of_last()
    login = client.get(("offline_token", "true"), ("client_id", "docker"), authorization=ADA)
    assert cloud.calls_of_last() == [READ, "dynamodb.Query", "dynamodb.BatchWriteItem"]
    refresh = ("refresh_token", login.body["refresh_token"])
    assert client.post(("grant_type", "refresh_token"), refresh, SCOPES).status == 200
    assert cloud.calls_of_last() == [READ]


def test_a_project_that_a_push_creates_is_a_write_more_once(cloud: Cloud) -> None:
    client = cloud.client()
    client.get()
    cloud.calls_of_last()
    push = ("scope", "repository:new/a:pull,push")
    client.get(push, authorization=basic("root", PASSWORD))
    assert cloud.calls_of_last() == [READ, "dynamodb.TransactWriteItems"]
    client.get(push, authorization=basic("root", PASSWORD))
    assert cloud.calls_of_last() == [READ]


def test_in_direct_mode_kms_signs_every_token(cloud: Cloud) -> None:
    client = cloud.client(Mode.DIRECT)
    client.get(SCOPES, authorization=ADA)
    assert cloud.calls_of_last() == [READ, CONFIGURATION, "kms.GetPublicKey", "kms.Sign"]
    client.get(SCOPES, authorization=ADA)
    assert cloud.calls_of_last() == [READ, "kms.Sign"]


@pytest.mark.parametrize("mode", list(Mode))
def test_what_kms_signed_the_registry_verifies_without_a_call(cloud: Cloud, mode: Mode) -> None:
    client = cloud.client(mode)
    token = client.get(SCOPES, authorization=ADA).body["token"]
    keys = KmsKeys(cloud.kms)
    verifier = TokenVerifier(lambda: trusted_keys(keys, [cloud.key_id]), issuer="roadstead", service="roadstead")
    verifier.verify(token)
    another = client.get(SCOPES, authorization=ADA).body["token"]
    cloud.calls_of_last()
    for each in (token, another):
        scopes = [access.scope() for access in verifier.verify(each).granted.access]
        assert scopes == ["repository:ships/a:pull,push", "repository:open/b:pull", "repository:absent/c:"]
    assert cloud.calls_of_last() == []


def event(**changes: Any) -> dict[str, Any]:
    return {
        "version": "1.0",
        "httpMethod": "GET",
        "path": "/token",
        "multiValueHeaders": {"Authorization": [ADA]},
        "multiValueQueryStringParameters": {"service": ["roadstead"], "scope": ["repository:ships/a:pull"]},
        "requestContext": {"requestId": "request-1", "domainName": "registry.example"},
        **changes,
    }


@pytest.fixture
def deployed(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """The function with an environment as it is deployed with."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", aws.REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("IDENTITY_TABLE", "identity")
    monkeypatch.setenv("INDEX_TABLE", "index")
    monkeypatch.setenv("TOKEN_KEYS", cloud.key_id)
    monkeypatch.setenv("REFRESH_TOKENS", "on")
    handler.services.cache_clear()
    yield cloud
    handler.services.cache_clear()


def body(result: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(base64.b64decode(result["body"]))
    return document


def test_an_event_is_answered(deployed: Cloud) -> None:
    result = handler.handle(event(), None)
    assert result["statusCode"] == 200
    assert body(result)["token"]


def test_a_form_in_base64_is_answered(deployed: Cloud) -> None:
    form = base64.b64encode(b"grant_type=password&username=ada&password=correct%20horse+battery").decode()
    headers = {"Content-Type": ["application/x-www-form-urlencoded"]}
    result = handler.handle(event(httpMethod="POST", multiValueHeaders=headers, body=form, isBase64Encoded=True), None)
    assert result["statusCode"] == 200


def test_the_services_are_built_once(deployed: Cloud) -> None:
    handler.handle(event(), None)
    first = handler.services()
    handler.handle(event(), None)
    assert handler.services() is first


def test_a_missing_setting_is_a_500_and_logged_by_name(
    deployed: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("IDENTITY_TABLE")
    result = handler.handle(event(), None)
    assert result["statusCode"] == 500
    assert body(result)["errors"][0]["code"] == "UNKNOWN"
    assert "IDENTITY_TABLE is not set" in caplog.text
    monkeypatch.setenv("IDENTITY_TABLE", "identity")
    assert handler.handle(event(), None)["statusCode"] == 200


def test_what_goes_wrong_is_logged_without_a_secret(
    deployed: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("IDENTITY_TABLE", "absent")
    form = base64.b64encode(b"grant_type=refresh_token&refresh_token=rsrt_YWRh.c2VjcmV0").decode()
    headers = {"Content-Type": ["application/x-www-form-urlencoded"]}
    with caplog.at_level(logging.DEBUG, logger="functions"), caplog.at_level(logging.DEBUG, logger="roadstead"):
        results = [
            handler.handle(event(), None),
            handler.handle(event(httpMethod="POST", multiValueHeaders=headers, body=form, isBase64Encoded=True), None),
        ]
    assert [result["statusCode"] for result in results] == [500, 500]
    assert caplog.text.count("request-1") == 2
    for secret in (PASSWORD, ADA.partition(" ")[2], "c2VjcmV0"):
        assert secret not in caplog.text


def test_the_function_loads_only_what_it_needs() -> None:
    """A cold start pays for every import. What is not of the standard library is on this list, or not loaded."""
    program = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "import functions.token.handler\n"
        "loaded = {name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names\n"
        "loaded -= {'__mp_main__'}\n"  # the program itself, by its second name
        "print(*sorted(loaded))\n"
        "print(*sorted(name for name in sys.modules if name.startswith(('functions.', 'roadstead.'))))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    packages, ours = (set(line.split()) for line in done.stdout.splitlines())
    assert packages <= {
        "functions",
        "roadstead",
        "botocore",
        "urllib3",
        "dateutil",
        "six",
        "jmespath",
        "cryptography",
        "certifi",
        "_cffi_backend",  # these two are cryptography's
        "_openssl",
    }
    assert not {name for name in ours if name.startswith("functions.registry") or "verification" in name}
    # Of LDAP, nothing but what a person is: the rest is imported once a directory is configured.
    assert not {name for name in ours if "ldap" in name or "directories" in name or "lambda" in name}
    # Of OpenID Connect nothing, until an identity token is sent.
    assert not {name for name in ours if "oidc" in name or "id_tokens" in name or "keyless" in name}
    assert not {name for name in ours if name.startswith("roadstead.outbound")}
    # Of AWS IAM nothing, until a signed call is sent.
    assert not {name for name in ours if "signed_calls" in name or "aws_principals" in name}


def test_an_identity_token_loads_nothing_that_asks_sts() -> None:
    program = (
        "import sys\n"
        "from roadstead.identity.providers.keyless import keyless\n"
        "from roadstead.identity.robots.robot_sign_in import TokenNotTrusted\n"
        "try:\n"
        "    keyless(None).check('ey.' + 'x' * 200 + '.y', ())\n"
        "except TokenNotTrusted:\n"
        "    print('aws_principals' in ' '.join(sys.modules), 'botocore' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
