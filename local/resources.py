"""What the functions find in AWS: tables, bucket, keys. Made once; a second call changes nothing.

Locally this stands for the CDK app, so names and shapes are those of `infra/`.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from local.clients import client

INDEX_TABLE = "roadstead-index"
IDENTITY_TABLE = "roadstead-identity"
BUCKET = "roadstead-local"
TOKEN_KEY_ALIAS = "alias/roadstead-token"
UPLOAD_KEYS_PARAMETER = "/roadstead/upload-keys"
EDGE_SECRET_PARAMETER = "/roadstead/edge-secret"
AUDIT_LOG_GROUP = "/roadstead/audit"
OBJECT_EVENTS_QUEUE = "roadstead-object-events"
DEAD_LETTERS_QUEUE = "roadstead-audit-dead-letters"
NOTIFICATIONS_QUEUE = "roadstead-notifications"
NOTIFICATION_DEAD_LETTERS_QUEUE = "roadstead-notification-dead-letters"
BLOB_URL_KEY_PARAMETER = "/roadstead/blob-url-key"


@dataclass(frozen=True, slots=True)
class Resources:
    """The names by which the functions are told of them; `token_key` is the ARN of a KMS key."""

    index_table: str
    identity_table: str
    bucket: str
    token_key: str
    upload_keys_parameter: str
    upload_keys: str = field(repr=False)  # as the edge's key-value store wants them
    object_events_url: str
    dead_letters_url: str
    notifications_url: str
    notification_dead_letters_url: str


def ensure_resources(environment: Mapping[str, str], of_this_run: Mapping[str, str]) -> Resources:
    """Make what is missing in the AWS that `environment` names (see `aws.Endpoint.environment`).

    `of_this_run` are secrets by parameter name, shared with this run's edge; they replace the last run's.
    """
    dynamodb = client("dynamodb", environment)
    _ensure_table(dynamodb, INDEX_TABLE, stream="NEW_IMAGE")
    _ensure_table(dynamodb, IDENTITY_TABLE, stream="KEYS_ONLY")  # no password's hash leaves the table
    s3, sqs = client("s3", environment), client("sqs", environment)
    _ensure_bucket(s3, BUCKET)
    dead_letters = _ensure_queue(sqs, DEAD_LETTERS_QUEUE)
    object_events = _ensure_queue(sqs, OBJECT_EVENTS_QUEUE, dead_letters)
    unsent = _ensure_queue(sqs, NOTIFICATION_DEAD_LETTERS_QUEUE)
    notifications = _ensure_queue(sqs, NOTIFICATIONS_QUEUE)  # the function itself buries what it gives up
    _ensure_notification(s3, BUCKET, _queue_arn(sqs, object_events))
    logs = client("logs", environment)
    _made(lambda: logs.create_log_group(logGroupName=AUDIT_LOG_GROUP), "ResourceAlreadyExistsException")
    ssm = client("ssm", environment)
    upload_keys = _ensure_upload_keys(ssm, UPLOAD_KEYS_PARAMETER)
    for name, value in of_this_run.items():
        ssm.put_parameter(Name=name, Type="SecureString", Value=value, Overwrite=True)
    key = _ensure_token_key(client("kms", environment), TOKEN_KEY_ALIAS)
    return Resources(
        INDEX_TABLE,
        IDENTITY_TABLE,
        BUCKET,
        key,
        UPLOAD_KEYS_PARAMETER,
        upload_keys,
        object_events,
        dead_letters,
        notifications,
        unsent,
    )


def _ensure_table(dynamodb: Any, name: str, *, stream: str) -> None:
    """A table by `pk` and `sk`, paid by request, items with an `expires` in the past deleted by DynamoDB.

    `stream` is the view of its stream.
    """
    specification = {"StreamEnabled": True, "StreamViewType": stream}
    definition: dict[str, Any] = {
        "TableName": name,
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": specification,
    }
    if _made(lambda: dynamodb.create_table(**definition), "ResourceInUseException"):
        dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    elif not dynamodb.describe_table(TableName=name)["Table"].get("LatestStreamArn"):
        dynamodb.update_table(TableName=name, StreamSpecification=specification)  # of a state from before it had one
    if dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED":
        dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
        )


def _ensure_bucket(s3: Any, name: str) -> None:
    _made(lambda: s3.create_bucket(Bucket=name), "BucketAlreadyOwnedByYou", "BucketAlreadyExists")


def _ensure_queue(sqs: Any, name: str, dead_letters: str | None = None) -> str:
    """The URL of a queue, this time: it has the port in it."""
    url = str(sqs.create_queue(QueueName=name)["QueueUrl"])
    if dead_letters is not None:
        policy = {"deadLetterTargetArn": _queue_arn(sqs, dead_letters), "maxReceiveCount": 5}
        attributes = {"RedrivePolicy": json.dumps(policy), "VisibilityTimeout": "30"}
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    return url


def _queue_arn(sqs: Any, url: str) -> str:
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return str(attributes["QueueArn"])


def _ensure_notification(s3: Any, bucket: str, queue_arn: str) -> None:
    """Events of new objects of blobs go to the queue."""
    rules = [{"Name": "prefix", "Value": "blobs/"}]
    configuration = {
        "Id": "uploads",
        "QueueArn": queue_arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": rules}},
    }
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={"QueueConfigurations": [configuration]},
        SkipDestinationValidation=True,
    )


def _ensure_upload_keys(ssm: Any, name: str) -> str:
    """The keys of upload tokens, made if need be, in the form that `UploadKeys.from_json` reads."""
    key_id = secrets.token_hex(4)
    keys = {"current": key_id, "keys": {key_id: base64.b64encode(secrets.token_bytes(32)).decode("ascii")}}
    _made(
        lambda: ssm.put_parameter(Name=name, Type="SecureString", Value=json.dumps(keys), Overwrite=False),
        "ParameterAlreadyExists",
    )
    return str(ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])


def _ensure_token_key(kms: Any, alias: str) -> str:
    """The ARN of the key that signs tokens, found again by its alias."""
    try:
        return str(kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotFoundException":
            raise
    made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    kms.create_alias(AliasName=alias, TargetKeyId=made["KeyId"])
    return str(made["Arn"])


def _made(create: Any, *already: str) -> bool:
    """Whether `create` made something; False when it failed because the thing was there."""
    try:
        create()
    except ClientError as error:
        if error.response["Error"]["Code"] not in already:
            raise
        return False
    return True
