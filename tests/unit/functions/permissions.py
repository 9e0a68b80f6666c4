"""What AWS calls need to be allowed, and what a role's statements allow ("Actions, resources, and condition keys")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from infra.policies import Statement
from tests.infra.templates import listed

Called = tuple[str, Mapping[str, Any]]  # "dynamodb.GetItem", and its parameters
Need = tuple[str, str, str]  # an action, the resource behind its service, the leading key of an item

_BUCKET = "roadstead-1-r"
_OBJECT_ACTIONS = {
    "HeadObject": "GetObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
}
_QUEUE_ACTIONS = {"SendMessageBatch": "SendMessage"}
_ITEM_ACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


def actions_allowed(statements: list[Statement]) -> set[tuple[str, str]]:
    """Each action with the name of its statement."""
    return {(one["Sid"], action) for one in statements for action in listed(one["Action"])}


def actions_used(statements: list[Statement], needs: Iterable[Need]) -> set[tuple[str, str]]:
    """Those of them that one of `needs` is allowed by."""
    kept = list(needs)
    return {(one["Sid"], need[0]) for one in statements for need in kept if allows(one, need)}


def needed(called: Called) -> Iterator[Need]:
    """What a call needs to be allowed."""
    (call, params), (service, _, name) = called, called[0].partition(".")
    if name == "TransactWriteItems":
        for item in params["TransactItems"]:
            ((kind, write),) = item.items()
            yield f"dynamodb:{_ITEM_ACTIONS[kind]}", _table(write), _leading(write)
    elif name == "BatchGetItem":
        for table, asked in params["RequestItems"].items():
            yield from (("dynamodb:BatchGetItem", _named(table), key["pk"]["S"]) for key in asked["Keys"])
    elif name == "BatchWriteItem":
        for table, writes in params["RequestItems"].items():
            for write in writes:
                ((_, content),) = write.items()
                key = content.get("Key") or content["Item"]
                yield "dynamodb:BatchWriteItem", _named(table), key["pk"]["S"]
    elif service == "dynamodb":
        yield f"dynamodb:{name}", _table(params), _leading(params)
    elif name == "DeleteObjects":
        yield from (("s3:DeleteObject", f"{_BUCKET}/{one['Key']}", "") for one in params["Delete"]["Objects"])
    elif name == "ListObjectsV2":
        yield "s3:ListBucket", _BUCKET, ""
    elif service == "s3":
        yield f"s3:{_OBJECT_ACTIONS.get(name, name)}", f"{_BUCKET}/{params['Key']}", ""
    elif service == "ssm":
        path = str(params.get("Name") or params["Path"])
        yield f"ssm:{name}", f"parameter{path if path.startswith('/roadstead/') else f'/roadstead{path}'}", ""
    elif service == "kms":
        yield f"kms:{name}", "key/1", ""
    elif service == "lambda":
        yield "lambda:InvokeFunction", f"function:{params['FunctionName']}", ""
    elif service == "logs":
        yield f"logs:{name}", f"log-group:{params['logGroupName']}:log-stream:1", ""
    else:
        assert service == "sqs", call
        queue = params["QueueUrl"].rpartition("/")[2]
        yield f"sqs:{_QUEUE_ACTIONS.get(name, name)}", f"roadstead-{queue.removeprefix('roadstead-')}", ""


def _table(params: Mapping[str, Any]) -> str:
    index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
    return f"{_named(params['TableName'])}{index}"


def _named(table: str) -> str:
    return f"table/roadstead-{table.removeprefix('roadstead-')}"


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
