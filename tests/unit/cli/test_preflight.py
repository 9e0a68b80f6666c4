"""`roadstead preflight`: what an account lacks for a first deployment, told before it."""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from cli import preflight
from cli.__main__ import _parser
from cli.aws import AwsAccount, Clients, readable_errors
from cli.doctor.report import State
from cli.failures import FAILED, OK, Failure
from cli.output import Output
from tests.aws import CREDENTIALS, REGION, make_tables

GOOD = {"identity", "leftovers", "bootstrap", "concurrency", "relay", "cloudfront"}


@dataclass
class FakeAccount:
    """By default one that can take a deployment."""

    region: str = REGION
    status: str = ""
    names: list[str] = field(default_factory=list)
    bootstrapped: bool = True
    executions: int = 1_000
    types: frozenset[str] = frozenset({"AWS::Lambda::WebFunction"})
    existing: int = 3
    refusal: str = ""
    tried: int = 0

    def identity(self) -> str:
        return "arn:aws:iam::111122223333:user/operator"

    def stack_status(self, name: str) -> str:
        return self.status

    def taken(self, prefix: str) -> list[str]:
        return [f"the table {prefix}-{name}" for name in self.names]

    def is_bootstrapped(self) -> bool:
        return self.bootstrapped

    def lambda_concurrency(self) -> int:
        return self.executions

    def knows_type(self, name: str) -> bool:
        return name in self.types

    def distributions(self) -> int:
        return self.existing

    def try_distribution(self) -> str:
        self.tried += 1
        return self.refusal


def look(account: FakeAccount, *arguments: str, edge: FakeAccount | None = None) -> tuple[int, dict[str, Any]]:
    """Run the command; return its exit code and the findings by check."""
    options: argparse.Namespace = _parser().parse_args(["preflight", *arguments, "--json"])
    out = io.StringIO()
    code = preflight.run(
        options,
        Output(as_json=True, out=out),
        lambda region: (edge or FakeAccount("us-east-1")) if region == "us-east-1" else account,
    )
    return code, {one["check"]: one for one in json.loads(out.getvalue())["findings"]}


def test_an_account_that_can_take_a_deployment_passes() -> None:
    code, findings = look(FakeAccount())
    assert code == OK
    assert {name for name, one in findings.items() if one["state"] == State.OK} == GOOD


@pytest.mark.parametrize(
    ("account", "check", "words"),
    [
        (FakeAccount(status="ROLLBACK_COMPLETE"), "leftovers", "delete-stack --stack-name Roadstead"),
        (FakeAccount(names=["index"]), "leftovers", "another `name`"),
        (FakeAccount(bootstrapped=False), "bootstrap", "aws-cdk bootstrap"),
        (FakeAccount(types=frozenset()), "relay", 'relay.kind = "fargate"'),
    ],
)
def test_what_would_fail_a_deployment_fails_with_what_to_do(account: FakeAccount, check: str, words: str) -> None:
    code, findings = look(account)
    assert code == FAILED
    assert [name for name, one in findings.items() if one["state"] == State.FAILED] == [check]
    assert words in findings[check]["advice"]


def test_the_cdk_must_be_set_up_where_cloudfront_takes_its_functions_from_too() -> None:
    code, findings = look(FakeAccount(), edge=FakeAccount("us-east-1", bootstrapped=False))
    assert (code, findings["bootstrap"]["detail"]) == (FAILED, "the CDK is not set up in us-east-1")


def test_ten_executions_are_a_note_that_names_the_quota() -> None:
    code, findings = look(FakeAccount(executions=10))
    assert (code, findings["concurrency"]["state"]) == (OK, State.NOTE)
    assert "L-B99A9384" in findings["concurrency"]["advice"]


def test_a_registry_without_a_web_function_needs_none() -> None:
    code, findings = look(FakeAccount(types=frozenset()), "--relay", "none")
    assert (code, findings["relay"]["state"]) == (OK, State.SKIPPED)


def test_nothing_is_created_unless_it_is_asked_for() -> None:
    account = FakeAccount(existing=0)
    code, findings = look(account)
    assert (code, findings["cloudfront"]["state"], account.tried) == (OK, State.NOTE, 0)
    assert "--try-cloudfront" in findings["cloudfront"]["advice"]


def test_an_account_that_must_be_verified_is_told_to_ask_for_it() -> None:
    account = FakeAccount(
        existing=0, refusal="Your account must be verified before you can add new CloudFront resources"
    )
    code, findings = look(account, "--try-cloudfront")
    assert code == FAILED
    assert "AWS Support" in findings["cloudfront"]["advice"]
    account.refusal = ""
    assert look(account, "--try-cloudfront")[0] == OK


def test_without_a_region_the_command_asks_for_one() -> None:
    with pytest.raises(Failure, match="--region"):
        look(FakeAccount(region=""))


# The account itself


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsAccount]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield AwsAccount(Clients(REGION))


def test_leftovers_of_a_deployment_are_found_by_their_names(account: AwsAccount) -> None:
    assert account.taken("roadstead") == []
    make_tables(boto3.client("dynamodb", region_name=REGION), "roadstead-index", "roadstead-identity")
    boto3.client("logs", region_name=REGION).create_log_group(logGroupName="/roadstead/audit")
    boto3.client("s3", region_name=REGION).create_bucket(
        Bucket=f"roadstead-123456789012-{REGION}", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    assert account.taken("roadstead") == [
        "the table roadstead-index",
        "the table roadstead-identity",
        "the log group /roadstead/audit",
        f"the bucket roadstead-123456789012-{REGION}",
    ]
    assert account.taken("harbour") == []


def test_an_account_is_bootstrapped_once_it_has_the_cdks_version(account: AwsAccount) -> None:
    assert not account.is_bootstrapped()
    boto3.client("ssm", region_name=REGION).put_parameter(
        Name="/cdk-bootstrap/hnb659fds/version", Value="28", Type="String"
    )
    assert account.is_bootstrapped()
    assert account.identity().startswith("arn:aws:")


class OneClient(Clients):
    """Gives out one client, whatever service is asked for."""

    def __init__(self, client: Any) -> None:
        super().__init__(REGION)
        self._client = client

    def client(self, service: str) -> Any:
        return self._client


def stubbed(service: str) -> tuple[AwsAccount, Stubber]:
    client = boto3.client(service, region_name=REGION, **CREDENTIALS)
    return AwsAccount(OneClient(client), pause=0, patience=60), Stubber(client)


def test_the_status_of_a_stack_is_empty_if_there_is_none() -> None:
    account, stub = stubbed("cloudformation")
    failed = {"StackName": "R", "CreationTime": "2026-01-01", "StackStatus": "ROLLBACK_COMPLETE"}
    stub.add_response("describe_stacks", {"Stacks": [failed]}, {"StackName": "R"})
    stub.add_client_error("describe_stacks", "ValidationError", "Stack with id R does not exist")
    with stub:
        assert [account.stack_status("R") for _ in range(2)] == ["ROLLBACK_COMPLETE", ""]


def test_a_region_without_a_type_of_resource_is_told_apart() -> None:
    account, stub = stubbed("cloudformation")
    stub.add_response("describe_type", {}, {"Type": "RESOURCE", "TypeName": "AWS::Lambda::WebFunction"})
    stub.add_client_error("describe_type", "TypeNotFoundException")
    with stub:
        assert [account.knows_type("AWS::Lambda::WebFunction") for _ in range(2)] == [True, False]


def test_the_quota_of_executions_is_read() -> None:
    account, stub = stubbed("lambda")
    stub.add_response("get_account_settings", {"AccountLimit": {"ConcurrentExecutions": 10}})
    with stub:
        assert account.lambda_concurrency() == 10


def distribution(status: str) -> dict[str, Any]:
    found: dict[str, Any] = {"Id": "E1", "ARN": "arn", "Status": status, "InProgressInvalidationBatches": 0}
    return found


def test_a_tried_distribution_is_disabled_and_deleted_once_it_is_deployed() -> None:
    calls: list[tuple[str, dict[str, Any]]] = []
    statuses = iter(["InProgress", "Deployed"])

    class CloudFront:
        def create_distribution(self, DistributionConfig: dict[str, Any]) -> dict[str, Any]:
            calls.append(("create", DistributionConfig))
            return {"Distribution": distribution("InProgress")}

        def get_distribution(self, Id: str) -> dict[str, Any]:
            return {"Distribution": distribution(next(statuses)), "ETag": "V2"}

        def delete_distribution(self, **arguments: str) -> None:
            calls.append(("delete", dict(arguments)))

    account = AwsAccount(OneClient(CloudFront()), pause=0)
    assert account.try_distribution() == ""
    (_, made), (_, deleted) = calls
    assert made["Enabled"] is False
    assert deleted == {"Id": "E1", "IfMatch": "V2"}
    # AWS's own model of the request accepts it.
    client = boto3.client("cloudfront", region_name=REGION, **CREDENTIALS)
    with Stubber(client) as stub:
        stub.add_client_error("create_distribution", "AccessDenied", "Your account must be verified")
        assert AwsAccount(OneClient(client)).try_distribution() == "Your account must be verified"


def test_another_error_of_cloudfront_is_shown_as_it_is() -> None:
    account, stub = stubbed("cloudfront")
    stub.add_client_error("create_distribution", "TooManyDistributions", "many")
    with stub, pytest.raises(Failure, match="TooManyDistributions"), readable_errors():
        account.try_distribution()
