"""What the management function asks of AWS, against what its role allows: no less, and nothing that nobody uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import pytest

from functions.management.routes import ROUTES
from infra.configuration.settings import Settings
from infra.policies import Statement, function_policy
from tests.infra.templates import listed
from tests.unit.functions.management.cloud import BUCKET, Called
from tests.unit.functions.management.recording import Recorded

Need = tuple[str, str, str]  # an action, the resource behind its service, the leading key of an item

_OBJECT_ACTIONS = {"HeadObject": "GetObject"}
_ITEM_ACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
# Allowed and not asked for here, each for a reason.
ARGUED = {
    ("AbsentObjects", "s3:ListBucket"),  # tells absent objects from forbidden ones
    ("EdgeSecret", "ssm:GetParameter"),  # read where requests come through the distribution
    ("OidcSecret", "ssm:GetParameter"),  # read where somebody comes back from a provider: tests/e2e has one
    ("EdgeSecretItself", "secretsmanager:GetSecretValue"),
    ("Logs", "logs:CreateLogStream"),  # Lambda's own
    ("Logs", "logs:PutLogEvents"),
    ("Traces", "xray:PutTelemetryRecords"),
    ("Traces", "xray:PutTraceSegments"),
}


def needed(called: Called) -> Iterator[Need]:
    """What a call needs to be allowed."""
    (call, params), (service, _, name) = called, called[0].partition(".")
    if name == "TransactWriteItems":
        for item in params["TransactItems"]:
            ((kind, write),) = item.items()
            yield f"dynamodb:{_ITEM_ACTIONS[kind]}", _table(write), _leading(write)
    elif name == "BatchGetItem":
        for table, asked in params["RequestItems"].items():
            yield from (("dynamodb:BatchGetItem", f"table/roadstead-{table}", key["pk"]["S"]) for key in asked["Keys"])
    elif name == "BatchWriteItem":
        for table, writes in params["RequestItems"].items():
            for write in writes:
                ((_, content),) = write.items()
                key = content.get("Key") or content["Item"]
                yield "dynamodb:BatchWriteItem", f"table/roadstead-{table}", key["pk"]["S"]
    elif service == "dynamodb":
        yield f"dynamodb:{name}", _table(params), _leading(params)
    elif service == "s3":
        yield f"s3:{_OBJECT_ACTIONS.get(name, name)}", f"roadstead-1-r/{params['Key']}", ""
        assert params["Bucket"] == BUCKET
    elif service == "ssm":
        yield f"ssm:{name}", f"parameter{params.get('Name') or params['Path']}", ""
    elif service == "lambda":
        yield "lambda:InvokeFunction", f"function:{params['FunctionName']}", ""
    else:
        assert call == "sqs.SendMessageBatch", call
        yield "sqs:SendMessage", "roadstead-notifications", ""


def _table(params: Mapping[str, Any]) -> str:
    index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
    return f"table/roadstead-{params['TableName']}{index}"


def _leading(params: Mapping[str, Any]) -> str:
    if "KeyConditionExpression" in params:
        return str(params["ExpressionAttributeValues"][":pk"]["S"])
    return str((params.get("Key") or params["Item"])["pk"]["S"])


def allows(statement: Statement, need: Need) -> bool:
    action, resource, leading = need
    keys = statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", ["*"])
    return (
        action in listed(statement["Action"])
        and any(fnmatchcase(resource, pattern) for pattern in _resources(statement))
        and any(fnmatchcase(leading, key) for key in keys)
    )


def _resources(statement: Statement) -> Iterator[str]:
    for one in listed(statement["Resource"]):
        text = one if isinstance(one, str) else one["Fn::Sub"]
        for name, value in (("AccountId", "1"), ("Region", "r"), ("Partition", "aws")):
            text = text.replace(f"${{AWS::{name}}}", value)
        yield text.split(":", 5)[-1]


@pytest.fixture(scope="module")
def statements() -> list[Statement]:
    found: list[Statement] = function_policy("management", Settings.parse({}))["Statement"]
    return found


@pytest.fixture(scope="module")
def needs(recorded: dict[str, Recorded], reads: dict[str, tuple[int, tuple[Called, ...]]]) -> Mapping[Need, str]:
    """All that was needed, with an operation that needed it."""
    made: list[tuple[str, Sequence[Called]]] = [(name, one.calls) for name, one in recorded.items()]
    made += [(name, calls) for name, (_, calls) in reads.items()]
    return {need: name for name, calls in made for called in calls for need in needed(called)}


def test_every_read_finds_what_there_is(reads: dict[str, tuple[int, tuple[Called, ...]]]) -> None:
    assert reads.keys() == {route.operation for route in ROUTES if route.method == "GET"}
    failed = {name: status for name, (status, _) in reads.items() if status >= 500}
    assert failed == {}


def test_the_role_allows_all_that_is_asked(statements: list[Statement], needs: Mapping[Need, str]) -> None:
    refused = {need: name for need, name in needs.items() if not any(allows(one, need) for one in statements)}
    assert refused == {}


def test_the_role_allows_no_action_that_nothing_asks(statements: list[Statement], needs: Mapping[Need, str]) -> None:
    allowed = {(one["Sid"], action) for one in statements for action in listed(one["Action"])}
    used = {(one["Sid"], need[0]) for one in statements for need in needs if allows(one, need)}
    assert allowed - used == ARGUED


@pytest.mark.parametrize(
    "need",
    [
        ("kms:Sign", "key/1", ""),
        ("kms:GetPublicKey", "key/1", ""),
        ("s3:DeleteObject", "roadstead-1-r/manifests/a/b", ""),
        ("s3:DeleteObject", "roadstead-1-r/blobs/sha256/0", ""),
        ("s3:GetObject", "roadstead-1-r/blobs/sha256/0", ""),
        ("s3:PutObject", "roadstead-1-r/blobs/sha256/0", ""),
        ("s3:PutObject", "roadstead-1-r/derived/a", ""),
        ("dynamodb:PutItem", "table/roadstead-index", "upload#0"),
        ("dynamodb:PutItem", "table/roadstead-index", "artifact#a"),
        ("dynamodb:PutItem", "table/roadstead-index", "trail#a"),
        ("dynamodb:DeleteItem", "table/roadstead-index", "trail#a"),
        ("dynamodb:Scan", "table/roadstead-index", "repo#a"),
        ("dynamodb:Scan", "table/roadstead-identity", "user#a"),
        ("ssm:GetParameter", "parameter/roadstead/upload-keys", ""),
        ("lambda:InvokeFunction", "function:roadstead-prod-registry", ""),
        ("sqs:ReceiveMessage", "roadstead-notifications", ""),
    ],
)
def test_the_role_may_not(statements: list[Statement], need: Need) -> None:
    assert not any(allows(one, need) for one in statements)
