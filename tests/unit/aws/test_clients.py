"""Clients of AWS: what is done past botocore, and that nothing is lost by it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError
from botocore.parsers import ResponseParserError

from roadstead.aws import clients
from roadstead.aws.clients import Deferred, client
from roadstead.aws.table import Table, TransactionFailed, put
from tests import aws

KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}
BINARY = {"B": base64.b64encode(b"\0\xff").decode()}


class Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body


class Answering:
    """Answers what is sent by a client with the next of its answers: a status and a body, or an exception."""

    def __init__(self, made: Any, *answers: tuple[int, bytes] | Exception) -> None:
        self.answers = list(answers)
        self.sent: list[Any] = []
        made.meta.events.register("before-send", self._send)

    def _send(self, request: Any, **_: Any) -> AWSResponse:
        self.sent.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        return AWSResponse(request.url, status, {}, Raw(body))


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in (("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x"), ("DEFAULT_REGION", aws.REGION)):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between retries
    clients.session.cache_clear()
    yield client("dynamodb")
    clients.session.cache_clear()


def body(**answer: Any) -> tuple[int, bytes]:
    return 200, json.dumps(answer).encode()


def refusal(code: str, **more: Any) -> tuple[int, bytes]:
    name = f"com.amazonaws.dynamodb.v20120810#{code}"
    return 400, json.dumps({"__type": name, "message": "no", **more}).encode()


def test_an_item_comes_from_the_body_as_it_is(dynamodb: Any) -> None:
    answers = Answering(dynamodb, body(Item={**KEY, "data": BINARY}), body(Item={**KEY, "data": BINARY}))
    answer = dynamodb.get_item(TableName="index", Key=KEY)
    assert answer["Item"]["data"] == BINARY
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert Table(dynamodb, "index").get(("a", "b")) == {"pk": "a", "sk": "b", "data": b"\0\xff"}
    assert len(answers.sent) == 2


def test_what_a_batch_left_over_is_sent_again_as_it_was(dynamodb: Any) -> None:
    """Binary that was encoded already would be encoded twice."""
    request = {"PutRequest": {"Item": {**KEY, "data": BINARY}}}
    answers = Answering(dynamodb, body(UnprocessedItems={"index": [request]}), body(UnprocessedItems={}))
    Table(dynamodb, "index", sleep=lambda seconds: None).batch_write(puts=[(("a", "b"), {"data": b"\0\xff"})])
    first, second = (json.loads(request.body) for request in answers.sent)
    assert first == second == {"RequestItems": {"index": [request]}}


def test_a_transaction_that_was_cancelled_names_its_reasons(dynamodb: Any) -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed"}]
    Answering(dynamodb, refusal("TransactionCanceledException", CancellationReasons=reasons))
    with pytest.raises(TransactionFailed) as failed:
        Table(dynamodb, "index").transact([put(("a", "b"), {}), put(("a", "c"), {})])
    assert failed.value.failed == (1,)


@pytest.mark.parametrize(
    "trouble",
    [
        refusal("ProvisionedThroughputExceededException"),
        refusal("ThrottlingException"),
        (500, b'{"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError"}'),
        (503, b"<html>unavailable</html>"),
        EndpointConnectionError(endpoint_url="https://dynamodb"),
    ],
    ids=str,
)
def test_what_botocore_repeats_it_still_repeats(dynamodb: Any, trouble: tuple[int, bytes] | Exception) -> None:
    answers = Answering(dynamodb, trouble, trouble, body(Item=KEY))
    answer = dynamodb.get_item(TableName="index", Key=KEY)
    assert answer["Item"] == KEY
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert len({request.headers["Authorization"] for request in answers.sent}) >= 1


def test_errors_are_client_errors_of_the_modelled_kind(dynamodb: Any) -> None:
    Answering(dynamodb, *[refusal("ResourceNotFoundException")] * 2)
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.get_item(TableName="index", Key=KEY)
    with pytest.raises(ClientError, match="no") as failed:
        dynamodb.query(TableName="index", KeyConditionExpression="x")
    assert failed.value.response["Error"]["Code"] == "ResourceNotFoundException"


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b"null", b'"Item"', b"[[1, 2]]", b"<html>"])
def test_an_answer_that_is_no_object_is_an_error_and_no_absent_item(dynamodb: Any, broken: bytes) -> None:
    Answering(dynamodb, (200, broken))
    with pytest.raises(ResponseParserError):
        dynamodb.get_item(TableName="index", Key=KEY)


def test_a_request_is_signed_and_says_what_it_is_from(dynamodb: Any) -> None:
    answers = Answering(dynamodb, body())
    dynamodb.get_item(TableName="index", Key=KEY)
    headers = answers.sent[0].headers
    assert b"AWS4-HMAC-SHA256 Credential=x/" in headers["Authorization"]
    assert headers["User-Agent"].startswith(b"Botocore/")


def test_other_services_have_their_requests_checked(dynamodb: Any) -> None:
    with pytest.raises(ParamValidationError):
        client("kms").sign(KeyId=1)


class Made:
    def __init__(self) -> None:
        self.answer = 42

    def ask(self) -> int:
        return self.answer


def test_a_deferred_client_is_made_when_it_is_asked_and_once() -> None:
    made: list[Made] = []

    def make() -> Made:
        made.append(Made())
        return made[-1]

    deferred = Deferred(make)
    assert made == []
    assert deferred.ask() == deferred.ask() == 42
    assert deferred.answer == 42
    assert len(made) == 1
    with pytest.raises(AttributeError):
        deferred.nothing()


def test_a_client_that_could_not_be_made_is_made_the_next_time() -> None:
    outcomes: list[Any] = [RuntimeError("no region"), Made()]

    def make() -> Any:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    deferred = Deferred(make)
    with pytest.raises(RuntimeError):
        deferred.ask()
    assert deferred.ask() == 42
