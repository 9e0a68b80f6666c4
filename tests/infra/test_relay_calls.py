"""What uploads ask of AWS through the relay, against what its role allows: actions, resources and leading keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest

from infra.configuration.settings import Settings
from infra.policies import Statement, actions, relay_statements
from roadstead.content.objects import MIN_PART
from roadstead.digest import Digest
from tests.infra.templates import listed
from tests.unit.functions.registry.cloud import Function, closing, running

# Where a permission is called otherwise than the call ("Actions, resources, and condition keys for AWS services").
_OBJECT_ACTIONS = {
    "HeadObject": "GetObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
}
_ITEM_ACTIONS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
CHUNK = b"c" * 100_000
Needed = tuple[str, str, str]  # an action, the resource behind its service, the leading key of an item


@pytest.fixture(scope="module")
def relay() -> Iterator[Function]:
    """An upload's requests carry no other credential than its token."""
    with pytest.MonkeyPatch.context() as patch, running(patch, relay=True) as one:
        yield one


# What POST asks, which the registry function serves: keys for bearer tokens, and the project's quota.
_OF_POST = ("kms.GetPublicKey", "dynamodb.BatchGetItem")


def needed(call: str, params: Mapping[str, Any]) -> Iterator[Needed]:
    """What a call needs to be allowed."""
    service, _, name = call.partition(".")
    if name == "TransactWriteItems":
        for item in params["TransactItems"]:
            ((kind, write),) = item.items()
            yield f"dynamodb:{_ITEM_ACTIONS[kind]}", "table/index", _leading(write)
    elif service == "dynamodb":
        yield f"dynamodb:{name}", "table/index", _leading(params)
    elif name == "DeleteObjects":
        for one in params["Delete"]["Objects"]:
            yield "s3:DeleteObject", f"bucket/{one['Key']}", ""
    elif service == "s3":
        yield f"s3:{_OBJECT_ACTIONS.get(name, name)}", f"bucket/{params['Key']}", ""
    else:
        assert call == "ssm.GetParameter"
        yield "ssm:GetParameter", f"parameter{params['Name']}", ""


def _leading(params: Mapping[str, Any]) -> str:
    if "ExpressionAttributeValues" in params and "KeyConditionExpression" in params:
        return str(params["ExpressionAttributeValues"][":pk"]["S"])
    return str((params.get("Key") or params["Item"])["pk"]["S"])


def allows(statement: Statement, need: Needed) -> bool:
    action, resource, leading = need
    # The names of this test's table, bucket and parameter, in the place of the deployment's.
    patterns = [
        re.sub(r"roadstead-index", "index", re.sub(r"roadstead-\$[^/]+", "bucket", one["Fn::Sub"])).replace(
            "/roadstead/", "/"
        )
        for one in listed(statement["Resource"])
    ]
    keys = statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", ["*"])
    return (
        action in listed(statement["Action"])
        and any(fnmatchcase(resource, pattern.rpartition(":")[2]) for pattern in patterns)
        and any(fnmatchcase(leading, key) for key in keys)
    )


def push_in_every_way(relay: Function) -> None:
    def ask(method: str, location: str, body: bytes = b"", *, status: int) -> None:
        relay.cost(method, location, body, status=status)

    for sizes in ((100, 200), (100_000, 100), (100_000, MIN_PART, 100_000)):
        chunked, everything = relay.start(), b""
        for size in sizes:
            ask("GET", chunked, status=204)
            ask("PATCH", chunked, b"p" * size, status=202)
            everything += b"p" * size
        ask("PUT", closing(chunked, Digest.of(everything)), status=201)
        ask("PUT", closing(chunked, Digest.of(everything)), status=201)  # again, as after a lost response
    for whole in (b"whole" * 5000, b"w" * (MIN_PART + 1), CHUNK):
        ask("PUT", closing(relay.start(), Digest.of(whole)), whole, status=201)
    wrong = relay.start()
    ask("PATCH", wrong, CHUNK, status=202)
    ask("PUT", closing(wrong, Digest.of(b"other")), status=400)
    for size in (100, 100_000, MIN_PART + 1):
        given_up = relay.start()
        ask("PATCH", given_up, b"g" * size, status=202)
        ask("DELETE", given_up, status=204)
        ask("PUT", closing(given_up, Digest.of(b"g" * size)), status=404)


def test_the_relay_may_do_all_that_uploads_call_and_nothing_else(relay: Function) -> None:
    push_in_every_way(relay)
    statements = relay_statements(Settings.parse({}))
    used: set[str] = set()
    for call, params in relay.asked:
        if call in _OF_POST:
            continue
        for need in needed(call, params):
            assert any(allows(statement, need) for statement in statements), (call, need)
            used.add(need[0])
    # What is allowed beyond it is argued: a listing tells absent objects from forbidden ones, and the edge's secret is
    # read where a request came through the distribution.
    assert actions(statements) - used == {"s3:ListBucket", "secretsmanager:GetSecretValue"}


@pytest.mark.parametrize(
    "need",
    [
        ("dynamodb:PutItem", "table/index", "repo#acme/web"),
        ("dynamodb:PutItem", "table/index", "blob#sha256:0"),
        ("dynamodb:PutItem", "table/index", "event#00"),
        ("dynamodb:GetItem", "table/index", "repo#acme/web"),
        ("dynamodb:DeleteItem", "table/index", "upload#0"),
        ("s3:DeleteObject", "bucket/blobs/sha256/0/1/2", ""),
        ("s3:GetObject", "bucket/manifests/a", ""),
        ("s3:PutObject", "bucket/manifests/a", ""),
        ("kms:GetPublicKey", "key/0", ""),
    ],
)
def test_the_relay_may_not(need: Needed) -> None:
    assert not any(allows(statement, need) for statement in relay_statements(Settings.parse({})))
