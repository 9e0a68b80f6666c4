"""What uploads ask of AWS, against what the relay's role allows: its policy is cut out of the registry's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.policies import actions, relay_statements
from infra.settings import Settings
from roadstead.content.objects import MIN_PART
from roadstead.digest import Digest
from tests.unit.functions.registry.cloud import Function, closing, running

_WRITES = {"dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}
# Where a permission is called otherwise than the call ("Actions, resources, and condition keys for AWS services").
PERMISSIONS = {
    "dynamodb.TransactWriteItems": _WRITES,
    "s3.HeadObject": {"s3:GetObject"},
    "s3.CreateMultipartUpload": {"s3:PutObject"},
    "s3.UploadPart": {"s3:PutObject"},
    "s3.CompleteMultipartUpload": {"s3:PutObject"},
    "s3.DeleteObjects": {"s3:DeleteObject"},
    "s3.ListObjectsV2": {"s3:ListBucket"},
}
CHUNK = b"c" * 100_000


@pytest.fixture(scope="module")
def function() -> Iterator[Function]:
    """The same services that the relay hosts; an upload's requests carry no other credential than its token."""
    with pytest.MonkeyPatch.context() as patch, running(patch) as one:
        yield one


def test_the_relay_may_do_all_that_uploads_call(function: Function) -> None:
    called: set[str] = set()

    def ask(method: str, location: str, body: bytes = b"", *, status: int) -> None:
        called.update(function.cost(method, location, body, status=status))

    chunked = function.start()
    for data in (CHUNK, b"p" * MIN_PART, CHUNK):
        ask("GET", chunked, status=204)
        ask("PATCH", chunked, data, status=202)
    everything = CHUNK + b"p" * MIN_PART + CHUNK
    ask("PUT", closing(chunked, Digest.of(everything)), status=201)
    ask("PUT", closing(chunked, Digest.of(everything)), status=201)  # again, as after a lost answer
    whole = function.start()
    ask("PUT", closing(whole, Digest.of(b"whole" * 5000)), b"whole" * 5000, status=201)
    wrong = function.start()
    ask("PATCH", wrong, CHUNK, status=202)
    ask("PUT", closing(wrong, Digest.of(b"other")), status=400)
    for size in (100, MIN_PART + 1):
        given_up = function.start()
        ask("PATCH", given_up, b"g" * size, status=202)
        ask("DELETE", given_up, status=204)

    needed = {action for call in called for action in PERMISSIONS.get(call, {call.replace(".", ":")})}
    allowed = actions(relay_statements(Settings.parse({})))
    assert needed <= allowed
    # What is allowed beyond it is argued: a listing tells absent objects from forbidden ones, and the edge's secret is
    # read where a request came through the distribution.
    assert allowed - needed <= {"s3:ListBucket", "secretsmanager:GetSecretValue", "ssm:GetParameter"}
