"""What the functions find in AWS: tables, bucket, keys. Made once; a second call changes nothing.

Locally this stands for the CDK app, so names and shapes are those of `infra/`.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from local.cloud.client import Client, Refused
from local.failures import ExitCode, Failure
from roadstead import schema

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
NOTIFICATION_DEAD_LETTERS_QUEUE = "roadstead-notifications-dead"
INDEX_DEAD_LETTERS_QUEUE = "roadstead-index-dead-letters"
BLOB_URL_KEY_PARAMETER = "/roadstead/blob-url-key"
# Of the index table: tags and artifacts in the order of their pushes.
INDEXES: tuple[Mapping[str, Any], ...] = (
    {
        "IndexName": "by-push",
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "pushed", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["digest", "type", "size", "by", "at"]},
    },
)


@dataclass(frozen=True, slots=True)
class Resources:
    """The names by which the functions are told of them.

    `token_key` is the ARN of a KMS key, `token_public_key` its SubjectPublicKeyInfo in base64.
    """

    index_table: str
    identity_table: str
    bucket: str
    token_key: str
    token_public_key: str
    upload_keys_parameter: str
    upload_keys: str = field(repr=False)  # as the edge's key-value store wants them
    object_events_url: str
    dead_letters_url: str
    notifications_url: str
    notification_dead_letters_url: str
    index_dead_letters_url: str


def ensure_resources(client: Client, of_this_run: Mapping[str, str]) -> Resources:
    """Make what is missing. `of_this_run` are secrets by parameter name, shared with this run's edge; they replace
    the last run's. Raises Refused, OSError, Failure for a state of another version."""
    _check_schema(client, made=_ensure_table(client, INDEX_TABLE, stream="NEW_IMAGE", indexes=INDEXES))
    _ensure_table(client, IDENTITY_TABLE, stream="KEYS_ONLY")  # no password's hash leaves the table
    _made(lambda: client.put_to_s3(f"/{BUCKET}"), "BucketAlreadyOwnedByYou")
    dead_letters = _ensure_queue(client, DEAD_LETTERS_QUEUE)
    object_events = _ensure_queue(client, OBJECT_EVENTS_QUEUE, dead_letters)
    unsent = _ensure_queue(client, NOTIFICATION_DEAD_LETTERS_QUEUE)
    notifications = _ensure_queue(client, NOTIFICATIONS_QUEUE)  # the function itself buries what it gives up
    client.put_to_s3(f"/{BUCKET}?notification=", _notification(_queue_arn(client, object_events)))
    _made(lambda: client.call("logs", "CreateLogGroup", logGroupName=AUDIT_LOG_GROUP), "ResourceAlreadyExistsException")
    upload_keys = _ensure_upload_keys(client, UPLOAD_KEYS_PARAMETER)
    for name, value in of_this_run.items():
        client.call("ssm", "PutParameter", Name=name, Type="SecureString", Value=value, Overwrite=True)
    token_key = _ensure_token_key(client, TOKEN_KEY_ALIAS)
    return Resources(
        INDEX_TABLE,
        IDENTITY_TABLE,
        BUCKET,
        token_key,
        str(client.call("kms", "GetPublicKey", KeyId=token_key)["PublicKey"]),
        UPLOAD_KEYS_PARAMETER,
        upload_keys,
        object_events,
        dead_letters,
        notifications,
        unsent,
        _ensure_queue(client, INDEX_DEAD_LETTERS_QUEUE),
    )


def _ensure_table(client: Client, name: str, *, stream: str, indexes: Sequence[Mapping[str, Any]] = ()) -> bool:
    """Make a table by `pk` and `sk`, paid by request; DynamoDB deletes items whose `expires` is in the past.

    `stream` is the view of its stream. Returns whether it was not there yet.
    """
    keys = [key["AttributeName"] for index in indexes for key in index["KeySchema"]]
    definition: dict[str, Any] = {
        "TableName": name,
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": "S"} for name in dict.fromkeys(["pk", "sk", *keys])
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": stream},
    }
    if indexes:
        definition["GlobalSecondaryIndexes"] = list(indexes)
    made = _made(lambda: client.call("dynamodb", "CreateTable", **definition), "ResourceInUseException")
    described = client.call("dynamodb", "DescribeTimeToLive", TableName=name)["TimeToLiveDescription"]
    if described["TimeToLiveStatus"] == "DISABLED":
        specification = {"Enabled": True, "AttributeName": "expires"}
        client.call("dynamodb", "UpdateTimeToLive", TableName=name, TimeToLiveSpecification=specification)
    return made


def _check_schema(client: Client, *, made: bool) -> None:
    """Give a new index table the version of its items' shapes. Raises Failure for a table of another one."""
    key = {"pk": {"S": schema.KEY[0]}, "sk": {"S": schema.KEY[1]}}
    version = {"version": {"N": str(schema.VERSION)}}
    if made:
        client.call("dynamodb", "PutItem", TableName=INDEX_TABLE, Item={**key, **version})
        return
    found = client.call("dynamodb", "GetItem", TableName=INDEX_TABLE, Key=key).get("Item", {})
    if found.get("version") != version["version"]:
        raise Failure(
            ExitCode.OTHER_STATE,
            "The state directory holds an index of another version of Roadstead. Push again what you need of it: "
            "move the directory away, or name another one with STATE=.",
        )


def _ensure_queue(client: Client, name: str, dead_letters: str | None = None) -> str:
    """The URL of a queue, this time: it has the port in it."""
    url = str(client.call("sqs", "CreateQueue", QueueName=name)["QueueUrl"])
    if dead_letters is not None:
        policy = {"deadLetterTargetArn": _queue_arn(client, dead_letters), "maxReceiveCount": 5}
        attributes = {"RedrivePolicy": json.dumps(policy), "VisibilityTimeout": "30"}
        client.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes=attributes)
    return url


def _queue_arn(client: Client, url: str) -> str:
    found = client.call("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["QueueArn"])
    return str(found["Attributes"]["QueueArn"])


def _notification(queue_arn: str) -> bytes:
    """Events of new objects of blobs go to the queue."""
    rule = "<FilterRule><Name>prefix</Name><Value>blobs/</Value></FilterRule>"
    return (
        "<NotificationConfiguration><QueueConfiguration><Id>uploads</Id>"
        f"<Queue>{escape(queue_arn)}</Queue><Event>s3:ObjectCreated:*</Event><Filter><S3Key>{rule}</S3Key></Filter>"
        "</QueueConfiguration></NotificationConfiguration>"
    ).encode()


def _ensure_upload_keys(client: Client, name: str) -> str:
    """The keys of upload tokens, made if need be, in the form that `UploadKeys.from_json` reads."""
    key_id = secrets.token_hex(4)
    keys = {"current": key_id, "keys": {key_id: base64.b64encode(secrets.token_bytes(32)).decode("ascii")}}
    _made(
        lambda: client.call("ssm", "PutParameter", Name=name, Type="SecureString", Value=json.dumps(keys)),
        "ParameterAlreadyExists",
    )
    return str(client.call("ssm", "GetParameter", Name=name, WithDecryption=True)["Parameter"]["Value"])


def _ensure_token_key(client: Client, alias: str) -> str:
    """The ARN of the key that signs tokens, found again by its alias."""
    try:
        return str(client.call("kms", "DescribeKey", KeyId=alias)["KeyMetadata"]["Arn"])
    except Refused as refused:
        if refused.code != "NotFoundException":
            raise
    made = client.call("kms", "CreateKey", KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    client.call("kms", "CreateAlias", AliasName=alias, TargetKeyId=made["KeyId"])
    return str(made["Arn"])


def _made(create: Callable[[], object], *already: str) -> bool:
    """Whether `create` made something; False when it failed because the thing was there."""
    try:
        create()
    except Refused as refused:
        if refused.code not in already:
            raise
        return False
    return True
