"""What each role may do, made of .chalice/policy-*.json: the one place where a function's permissions are written down.

`chalice package` ships those files as they are. Here they get what a whole deployment knows better: its name, the
generations of its signing key, and where it keeps the edge's secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from infra.configuration.names import Names
from infra.configuration.settings import Settings
from infra.packaging.source import policy_text

Statement = dict[str, Any]

_EDGE_SECRET = "EdgeSecret"
# What Lambda asks of a function's role to put it in a VPC ("Giving Lambda functions access to resources in a VPC").
_VPC: Statement = {
    "Sid": "Vpc",
    "Effect": "Allow",
    "Action": [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    ],
    "Resource": "*",
}
READS_EDGE_SECRET = ("registry", "token", "management", "relay")


def function_policy(name: str, settings: Settings) -> dict[str, Any]:
    """The document for the role of the Lambda function `name`, with CloudFormation's Fn::Sub in it."""
    names = Names(settings.name)
    statements = [one for one in _statements(name, names) if one["Sid"] != _EDGE_SECRET]
    for statement in statements:
        if "kms:ResourceAliases" in json.dumps(statement):
            aliases = [names.token_key_alias(generation) for generation in settings.signing.generations]
            statement["Condition"] = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": aliases}}
    if name in READS_EDGE_SECRET:
        statements += edge_secret(names)
    if name == "registry" and settings.blobs_by_distribution:
        statements.append(parameter("BlobUrlKey", names.blob_url_key_parameter))
    if name == "ldap" and settings.ldap.subnets:
        statements.append(_VPC)
    if name == "webhook":
        written = {statement["Sid"] for statement in statements}
        statements += [one for one in notifications(names) if one["Sid"] not in written]
    return {"Version": "2012-10-17", "Statement": statements}


def relay_statements(settings: Settings) -> list[Statement]:
    """The relay's: it fills sessions and finishes objects, and the registry function links them.

    It reaches no item of a repository or a blob, and reads and deletes no object but those of uploads under way.
    """
    names = Names(settings.name)
    index = _table(names.index_table)
    blobs = f"s3:::{names.prefix}-${{AWS::AccountId}}-${{AWS::Region}}/blobs"
    uploads = ("AbortMultipartUpload", "DeleteObject", "GetObject")
    kept = [one for one in _statements("registry", names) if one["Sid"] in ("DirectUploads", "UploadKeys")]
    return [
        _allow("UploadSessions", ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], index, keys="upload#*"),
        _allow("UploadCandidates", ["dynamodb:PutItem"], index, keys="gc#*"),
        _allow("UploadObjects", [f"s3:{action}" for action in uploads], _arn(f"{blobs}/uploads/*")),
        _allow("FinishedObjects", ["s3:PutObject"], _arn(f"{blobs}/*")),
        *kept,
        *edge_secret(names),
    ]


def edge_secret(names: Names) -> list[Statement]:
    """Reading a secret by SSM's name for it takes both permissions."""
    return [
        parameter(_EDGE_SECRET, names.edge_secret_parameter),
        {
            "Sid": "EdgeSecretItself",
            "Effect": "Allow",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": _arn(f"secretsmanager:${{AWS::Region}}:${{AWS::AccountId}}:secret:{names.edge_secret}-??????"),
        },
    ]


def notifications(names: Names) -> list[Statement]:
    """What docs/notifications.md asks for the webhook function."""
    identity, index = (_table(table) for table in (names.identity_table, names.index_table))
    queue = _arn(f"sqs:${{AWS::Region}}:${{AWS::AccountId}}:{names.notification_queue}")
    letters = _arn(f"sqs:${{AWS::Region}}:${{AWS::AccountId}}:{names.notification_dead_letters}")
    used = ("ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage", "SendMessage")
    return [
        _allow("Webhooks", ["dynamodb:GetItem", "dynamodb:Query"], identity, keys="project#*"),
        _allow("NotifiedRepositories", ["dynamodb:GetItem"], index, keys="repo#*"),
        _allow("DeliveryRecords", ["dynamodb:PutItem"], index, keys="webhook#*"),
        parameter("WebhookSecrets", f"{names.webhook_secrets}/*"),
        _allow("Notifications", [f"sqs:{action}" for action in used], queue),
        _allow("NotificationDeadLetters", ["sqs:SendMessage"], letters),
    ]


def parameter(sid: str, name: str) -> Statement:
    """Reading one parameter. SecureStrings are under SSM's own key, which asks for no permission of its own."""
    resource = _arn(f"ssm:${{AWS::Region}}:${{AWS::AccountId}}:parameter{name}")
    return {"Sid": sid, "Effect": "Allow", "Action": "ssm:GetParameter", "Resource": resource}


def _statements(name: str, names: Names) -> list[Statement]:
    document = json.loads(policy_text(name).replace("roadstead", names.prefix))
    statements: list[Statement] = document["Statement"]
    return statements


def _allow(sid: str, actions: list[str], resource: dict[str, str], *, keys: str = "") -> Statement:
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
    if keys:
        statement["Condition"] = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [keys]}}
    return statement


def _table(name: str) -> dict[str, str]:
    return _arn(f"dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/{name}")


def _arn(rest: str) -> dict[str, str]:
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:{rest}"}


def actions(statements: Iterable[Statement]) -> set[str]:
    """Every action that is allowed."""
    found: set[str] = set()
    for statement in statements:
        action = statement["Action"]
        found |= {action} if isinstance(action, str) else set(action)
    return found
