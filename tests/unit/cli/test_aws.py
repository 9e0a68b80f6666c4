"""The command's requests to AWS, and how AWS's errors are shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.stub import Stubber
from moto import mock_aws

from cli.aws import (
    AwsInspector,
    Clients,
    CloudFrontKeyValues,
    CloudWatchLogs,
    KmsSigningKeys,
    SsmParameters,
    queue_url,
    readable_errors,
    stack_outputs,
)
from cli.failures import Failure
from tests.aws import CREDENTIALS, REGION, make_tables

ARN = "arn:aws:cloudfront::111122223333:key-value-store/0123"


def stubbed(service: str) -> tuple[Any, Stubber]:
    client = boto3.client(service, region_name=REGION, **CREDENTIALS)
    return client, Stubber(client)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield Clients(REGION)


def test_stack_outputs_are_read() -> None:
    client, stub = stubbed("cloudformation")
    outputs = [{"OutputKey": "Bucket", "OutputValue": "b"}]
    stack = {"StackName": "R", "CreationTime": "2026-01-01", "StackStatus": "CREATE_COMPLETE", "Outputs": outputs}
    stub.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "R"})
    stub.add_client_error("describe_stacks", "ValidationError", "Stack with id X does not exist")
    with stub:
        assert stack_outputs(client, "R") == {"Bucket": "b"}
        with pytest.raises(Failure, match=f"no stack X in {REGION}"):
            stack_outputs(client, "X")


class FakeStore:
    """A client of the key-value store: without awscrt a real one cannot resolve its endpoint."""

    def __init__(self) -> None:
        self.put: dict[str, str] = {}

    def describe_key_value_store(self, **arguments: str) -> dict[str, str]:
        assert arguments == {"KvsARN": ARN}
        return {"ETag": "E1"}

    def put_key(self, **arguments: str) -> None:
        self.put = arguments

    def get_key(self, **_: str) -> None:
        raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetKey")


def test_writing_a_value_names_the_version_that_it_replaces() -> None:
    client = FakeStore()
    store = CloudFrontKeyValues(client, ARN)
    store.put("upload-keys", "{}")
    assert client.put == {"KvsARN": ARN, "Key": "upload-keys", "Value": "{}", "IfMatch": "E1"}
    assert store.find("relay") is None


def test_without_awscrt_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.regions.HAS_CRT", False)
    client, _ = stubbed("cloudfront-keyvaluestore")
    with pytest.raises(Failure, match=r"requirements/cli\.txt"), readable_errors():
        CloudFrontKeyValues(client, ARN).find("relay")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDeniedException", "Authentication failed"),
        ("InvalidSignatureException", "credential scope"),
        ("InvalidClientTokenId", ""),
    ],
)
def test_a_token_of_the_global_sts_endpoint_is_explained(code: str, message: str) -> None:
    class Refusing(FakeStore):
        def describe_key_value_store(self, **arguments: str) -> dict[str, str]:
            raise ClientError({"Error": {"Code": code, "Message": message}}, "DescribeKeyValueStore")

    with pytest.raises(Failure, match=r"AWS_STS_REGIONAL_ENDPOINTS=regional"), readable_errors():
        CloudFrontKeyValues(Refusing(), ARN).put("relay", "on")


def test_a_missing_permission_for_the_key_value_store_is_not_blamed_on_the_token() -> None:
    class Refusing(FakeStore):
        def get_key(self, **_: str) -> None:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}, "GetKey")

    with pytest.raises(Failure, match="refused GetKey: AccessDeniedException: not authorized"), readable_errors():
        CloudFrontKeyValues(Refusing(), ARN).find("relay")


def test_a_log_query_is_polled_until_it_completes() -> None:
    client, stub = stubbed("logs")
    stub.add_response("start_query", {"queryId": "q"})
    stub.add_response("get_query_results", {"status": "Running", "results": []}, {"queryId": "q"})
    row = [{"field": "time", "value": "now"}, {"field": "@ptr", "value": "x"}]
    stub.add_response("get_query_results", {"status": "Complete", "results": [row]}, {"queryId": "q"})
    stub.add_response("start_query", {"queryId": "q"})
    stub.add_response("get_query_results", {"status": "Failed", "results": []}, {"queryId": "q"})
    with stub:
        logs = CloudWatchLogs(client, pause=0)
        assert logs.query("/roadstead/audit", "fields time", 1, 2) == [{"time": "now"}]
        with pytest.raises(Failure, match="fewer days"):
            logs.query("/roadstead/audit", "fields time", 1, 2)


def test_a_parameter_is_created_once_and_has_its_time_of_change(clients: Clients) -> None:
    parameters = SsmParameters(clients.client("ssm"))
    assert parameters.find("/r/keys") is None
    assert parameters.create("/r/keys", "one")
    assert not parameters.create("/r/keys", "two")
    parameters.replace("/r/keys", "three")
    found = parameters.find("/r/keys")
    assert found is not None
    assert (found.value, found.changed > 1_600_000_000) == ("three", True)
    described = clients.client("ssm").describe_parameters()["Parameters"][0]
    assert described["Type"] == "SecureString"


def test_a_buckets_configuration_is_read(clients: Clients) -> None:
    s3 = clients.client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    inspector = AwsInspector(clients)
    before = inspector.bucket("bucket")
    assert (before.public_access_blocked, before.versioned, before.tls_only) == (False, False, False)
    blocked = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket="bucket", PublicAccessBlockConfiguration=dict.fromkeys(blocked, True))
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket="bucket", ServerSideEncryptionConfiguration={"Rules": [rule]})
    deny = {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    s3.put_bucket_policy(Bucket="bucket", Policy=json.dumps({"Statement": [deny]}))
    after = inspector.bucket("bucket")
    assert (after.public_access_blocked, after.versioned, after.encrypted, after.tls_only) == (True, True, True, True)


def test_a_tables_configuration_is_read(clients: Clients) -> None:
    dynamodb = clients.client("dynamodb")
    make_tables(dynamodb, "index", "identity")
    inspector = AwsInspector(clients)
    before = inspector.table("index")
    assert (before.status, before.recovery, before.expiry, before.protected) == ("ACTIVE", False, True, False)
    dynamodb.update_continuous_backups(
        TableName="index", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    dynamodb.update_table(TableName="index", DeletionProtectionEnabled=True)
    after = inspector.table("index")
    assert (after.recovery, after.protected) == (True, True)


def test_a_signing_key_is_created_with_the_right_spec_and_a_missing_one_is_gone(clients: Clients) -> None:
    keys = KmsSigningKeys(clients.client("kms"))
    arn = keys.create("alias/roadstead-token-2")
    made = keys.describe("alias/roadstead-token-2")
    assert (made.spec, made.usage, made.state) == ("ECC_NIST_P256", "SIGN_VERIFY", "Enabled")
    assert made.thumbprint
    assert keys.describe(arn).thumbprint == made.thumbprint
    assert keys.describe("alias/none").state == "gone"


def test_a_missing_queue_is_a_failure() -> None:
    client, stub = stubbed("sqs")
    stub.add_client_error("get_queue_url", "AWS.SimpleQueueService.NonExistentQueue")
    with stub, pytest.raises(Failure, match="no queue roadstead-notifications"):
        queue_url(client, "roadstead-notifications")
    assert queue_url(client, "https://sqs/q") == "https://sqs/q"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NoCredentialsError(), "log in, or set AWS_PROFILE"),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutKey"), "refused PutKey: AccessDenied"),
    ],
)
def test_an_aws_error_becomes_a_readable_failure(error: Exception, words: str) -> None:
    with pytest.raises(Failure, match=words), readable_errors():
        raise error
