"""The Protocols of `cli.cloud` on AWS. The only module of the command that imports boto3."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    MissingDependencyException,
    NoCredentialsError,
    NoRegionError,
)

from cli.cloud import BucketState, Secret, SigningKey, TableState
from cli.failures import Failure
from roadstead.aws.clients import error_code
from roadstead.aws.identity.kms import KmsKeys
from roadstead.identity.tokens.jose import thumbprint
from roadstead.identity.tokens.signing import UnusableKey

_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 5})
_NO_CRT = (
    "The key-value store requires SigV4A signatures, for which boto3 needs the package awscrt: "
    ".venv/bin/uv pip install --python .venv/bin/python --require-hashes -r requirements/cli.txt"
)


_BAD_TOKENS = frozenset({"InvalidClientTokenId", "InvalidSignatureException", "UnrecognizedClientException"})


class Clients:
    """boto3 clients for one region, or for the embedded AWS at `endpoint`, whose credentials are in a file."""

    def __init__(self, region: str, endpoint: str = "", credentials_file: str = "") -> None:
        local = _credentials(credentials_file) if credentials_file else {}
        self._session = boto3.Session(region_name=region or None, **local)
        self._endpoint = endpoint or None

    @property
    def region(self) -> str:
        """Empty if neither the command nor the AWS configuration names one."""
        return self._session.region_name or ""

    def client(self, service: str) -> Any:
        config = _CONFIG.merge(Config(s3={"addressing_style": "path"})) if self._endpoint else _CONFIG
        return self._session.client(service, endpoint_url=self._endpoint, config=config)


def _credentials(file: str) -> dict[str, str]:
    """Raises Failure."""
    try:
        found = json.loads(Path(file).read_text())
        return {"aws_access_key_id": found["access_key"], "aws_secret_access_key": found["secret_key"]}
    except (OSError, KeyError, ValueError) as error:
        raise Failure(f"The credentials of the local registry cannot be read from {file}: {error}.") from error


@contextlib.contextmanager
def readable_errors() -> Iterator[None]:
    """Turn AWS's errors into Failures that people can read."""
    try:
        yield
    except MissingDependencyException as error:
        raise Failure(f"{_NO_CRT}.") from error
    except NoCredentialsError as error:
        raise Failure("No AWS credentials found: log in, or set AWS_PROFILE.") from error
    except NoRegionError as error:
        raise Failure("Which region? Give --region, or set AWS_REGION.") from error
    except EndpointConnectionError as error:
        raise Failure(f"AWS cannot be reached: {error}.") from error
    except ClientError as error:
        operation, said = error.operation_name, error.response.get("Error", {})
        raise Failure(f"AWS refused {operation}: {said.get('Code')}: {said.get('Message')}") from error
    except BotoCoreError as error:
        raise Failure(f"The request to AWS failed: {error}") from error


def stack_outputs(cloudformation: Any, stack: str) -> dict[str, str]:
    """Return the outputs of a stack. Raises Failure if there is no such stack."""
    try:
        described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if error_code(error) == "ValidationError":
            raise Failure(f"There is no stack {stack} in {cloudformation.meta.region_name}.") from error
        raise
    return {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])}


class SsmParameters:
    """Parameters as SecureStrings, encrypted with SSM's own key."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def find(self, name: str) -> Secret | None:
        try:
            found = self._client.get_parameter(Name=name, WithDecryption=True)["Parameter"]
        except ClientError as error:
            if error_code(error) == "ParameterNotFound":
                return None
            raise
        changed = found["LastModifiedDate"]
        return Secret(found["Value"], changed.timestamp())

    def create(self, name: str, value: str) -> bool:
        try:
            self._client.put_parameter(Name=name, Type="SecureString", Value=value, Overwrite=False)
        except ClientError as error:
            if error_code(error) == "ParameterAlreadyExists":
                return False
            raise
        return True

    def replace(self, name: str, value: str) -> None:
        self._client.put_parameter(Name=name, Type="SecureString", Value=value, Overwrite=True)


class CloudFrontKeyValues:
    """KeyValues in the store with this ARN. A write names the version that it replaces, so no other write is lost."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn

    def find(self, key: str) -> str | None:
        with _regional_credentials():
            try:
                return str(self._client.get_key(KvsARN=self._arn, Key=key)["Value"])
            except ClientError as error:
                if error_code(error) == "ResourceNotFoundException":
                    return None
                raise

    def put(self, key: str, value: str) -> None:
        with _regional_credentials():
            version = self._client.describe_key_value_store(KvsARN=self._arn)["ETag"]
            self._client.put_key(KvsARN=self._arn, Key=key, Value=value, IfMatch=version)


@contextlib.contextmanager
def _regional_credentials() -> Iterator[None]:
    """Explain how the key-value store refuses a session token of STS's global endpoint, which is valid elsewhere.

    It says "Authentication failed" then (boto/boto3#3980), or one of the codes for a bad token.
    """
    try:
        yield
    except ClientError as error:
        code, message = error_code(error), str(error.response.get("Error", {}).get("Message"))
        if code not in _BAD_TOKENS and not (
            code == "AccessDeniedException" and "authentication failed" in message.lower()
        ):
            raise
        raise Failure(
            f"The key-value store refused the credentials ({code}: {message}). It takes session tokens of a regional "
            "STS endpoint only, since they are valid in every region: set AWS_STS_REGIONAL_ENDPOINTS=regional (or "
            "sts_regional_endpoints = regional in ~/.aws/config), log in again, and repeat the command"
        ) from error


class AwsAccount:
    """Account by boto3. Its calls change nothing, except `try_distribution`."""

    def __init__(self, clients: Clients, *, pause: float = 15.0, patience: float = 900.0) -> None:
        self._clients = clients
        self._pause = pause  # seconds between two looks at the distribution
        self._patience = patience

    @property
    def region(self) -> str:
        return self._clients.region

    def identity(self) -> str:
        return str(self._clients.client("sts").get_caller_identity()["Arn"])

    def stack_status(self, name: str) -> str:
        try:
            stacks = self._clients.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if error_code(error) == "ValidationError":
                return ""
            raise
        return str(stacks[0]["StackStatus"]) if stacks else ""

    def taken(self, prefix: str) -> list[str]:
        describe = self._clients.client("dynamodb").describe_table
        tables = (f"{prefix}-index", f"{prefix}-identity")
        found = [f"the table {name}" for name in tables if _exists(partial(describe, TableName=name))]
        group = f"/{prefix}/audit"
        groups = self._clients.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        if any(one["logGroupName"] == group for one in groups):
            found.append(f"the log group {group}")
        account = self._clients.client("sts").get_caller_identity()["Account"]
        bucket = f"{prefix}-{account}-{self.region}"
        if _exists(partial(self._clients.client("s3").head_bucket, Bucket=bucket)):
            found.append(f"the bucket {bucket}")
        return found

    def is_bootstrapped(self) -> bool:
        ssm = self._clients.client("ssm")
        return _exists(partial(ssm.get_parameter, Name="/cdk-bootstrap/hnb659fds/version"))

    def lambda_concurrency(self) -> int:
        settings = self._clients.client("lambda").get_account_settings()
        return int(settings["AccountLimit"]["ConcurrentExecutions"])

    def knows_type(self, name: str) -> bool:
        cloudformation = self._clients.client("cloudformation")
        return _exists(partial(cloudformation.describe_type, Type="RESOURCE", TypeName=name))

    def distributions(self) -> int:
        return int(self._clients.client("cloudfront").list_distributions()["DistributionList"]["Quantity"])

    def try_distribution(self) -> str:
        cloudfront = self._clients.client("cloudfront")
        try:
            made = cloudfront.create_distribution(DistributionConfig=_nothing_served())["Distribution"]
        except ClientError as error:
            if error_code(error) != "AccessDenied":
                raise
            return str(error.response["Error"].get("Message", error_code(error)))
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            looked = cloudfront.get_distribution(Id=made["Id"])
            if looked["Distribution"]["Status"] == "Deployed":
                cloudfront.delete_distribution(Id=made["Id"], IfMatch=looked["ETag"])
                return ""
            time.sleep(self._pause)
        raise Failure(
            f"The distribution {made['Id']}, which is disabled, was not deployed within {self._patience:.0f} s: "
            f"delete it later, by `aws cloudfront delete-distribution`"
        )


def _nothing_served() -> dict[str, Any]:
    """Return the configuration of a disabled distribution."""
    return {
        "CallerReference": f"roadstead-preflight-{time.time_ns()}",
        "Comment": "made by `roadstead preflight`; delete it",
        "Enabled": False,
        "Origins": {
            "Quantity": 1,
            "Items": [
                {
                    "Id": "none",
                    "DomainName": "example.com",
                    "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
                }
            ],
        },
        "DefaultCacheBehavior": {
            "TargetOriginId": "none",
            "ViewerProtocolPolicy": "https-only",
            "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",  # Managed-CachingDisabled
        },
    }


def _exists(read: Callable[[], Any]) -> bool:
    try:
        read()
    except ClientError as error:
        code = error_code(error)
        if code in ("404", "ResourceNotFoundException", "ParameterNotFound", "TypeNotFoundException"):
            return False
        if code == "403":  # a bucket of somebody else's has the name
            return True
        raise
    return True


class KmsSigningKeys:
    """SigningKeys in KMS."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def describe(self, key_id: str) -> SigningKey:
        try:
            found = self._client.describe_key(KeyId=key_id)["KeyMetadata"]
        except ClientError as error:
            if error_code(error) == "NotFoundException":
                return SigningKey(key_id, "", "", "gone")
            raise
        try:
            kid = thumbprint(KmsKeys(self._client).public_key(key_id))
        except UnusableKey:
            kid = ""
        spec = found.get("KeySpec") or found.get("CustomerMasterKeySpec", "")
        return SigningKey(key_id, spec, found["KeyUsage"], found["KeyState"], kid)

    def create(self, alias: str) -> str:
        made = self._client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
        self._client.create_alias(AliasName=alias, TargetKeyId=made["KeyId"])
        return str(made["Arn"])


class AwsInspector:
    """Inspector on DynamoDB, S3 and CloudWatch."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def table(self, name: str) -> TableState:
        dynamodb = self._clients.client("dynamodb")
        described = dynamodb.describe_table(TableName=name)["Table"]
        backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
        expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        return TableState(
            name=name,
            status=described["TableStatus"],
            recovery=recovery == "ENABLED",
            expiry=expiry.get("TimeToLiveStatus") == "ENABLED" and expiry.get("AttributeName") == "expires",
            protected=bool(described.get("DeletionProtectionEnabled")),
            items=int(described.get("ItemCount", 0)),
        )

    def bucket(self, name: str) -> BucketState:
        s3 = self._clients.client("s3")
        blocked = _or_nothing(lambda: s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"])
        rules = _or_nothing(lambda: s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"])
        policy = _or_nothing(lambda: json.loads(s3.get_bucket_policy(Bucket=name)["Policy"]))
        return BucketState(
            name=name,
            public_access_blocked=len(blocked) == 4 and all(blocked.values()),
            versioned=s3.get_bucket_versioning(Bucket=name).get("Status") == "Enabled",
            encrypted=bool(rules.get("Rules")),
            tls_only=_denies_plain_http(policy),
        )

    def alarms(self, prefix: str) -> dict[str, str]:
        pages = self._clients.client("cloudwatch").get_paginator("describe_alarms")
        found = {}
        for page in pages.paginate(AlarmNamePrefix=prefix, StateValue="ALARM"):
            for alarm in page["MetricAlarms"]:
                found[alarm["AlarmName"]] = alarm.get("AlarmDescription", "")
        return found


class CloudWatchLogs:
    """Logs by CloudWatch Logs Insights. Waits up to `patience` seconds for a result."""

    def __init__(self, client: Any, *, patience: float = 60.0, pause: float = 1.0) -> None:
        self._client = client
        self._patience = patience  # seconds
        self._pause = pause

    def query(self, group: str, text: str, since: int, until: int) -> list[dict[str, str]]:
        started = self._client.start_query(logGroupName=group, queryString=text, startTime=since, endTime=until)
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            result = self._client.get_query_results(queryId=started["queryId"])
            if result["status"] == "Complete":
                return [
                    {field["field"]: field["value"] for field in row if field["field"] != "@ptr"}
                    for row in result["results"]
                ]
            if result["status"] not in ("Scheduled", "Running"):
                break
            time.sleep(self._pause)
        raise Failure(f"The query did not finish within {self._patience:.0f} s: ask for fewer days.")


def queue_url(sqs: Any, queue: str) -> str:
    """Return the URL of a queue, given its name or its URL. Raises Failure if there is no such queue."""
    if "://" in queue:
        return queue
    try:
        return str(sqs.get_queue_url(QueueName=queue)["QueueUrl"])
    except ClientError as error:
        if error_code(error).endswith(("NonExistentQueue", "QueueDoesNotExist")):
            raise Failure(f"There is no queue {queue}: this registry sends no notifications.") from error
        raise


def _or_nothing(read: Any) -> dict[str, Any]:
    """Return one of a bucket's configurations, or an empty one if the bucket does not have it."""
    try:
        found: dict[str, Any] = read()
        return found
    except ClientError as error:
        if error_code(error).startswith("NoSuch") or error_code(error).endswith("NotFoundError"):
            return {}
        raise


def _denies_plain_http(policy: Mapping[str, Any]) -> bool:
    return any(
        statement.get("Effect") == "Deny"
        and str(statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")).lower() == "false"
        for statement in policy.get("Statement", [])
    )
