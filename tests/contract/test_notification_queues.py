"""What every queue does."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from moto import mock_aws

from roadstead.aws.notifications.sqs import BATCH, BATCH_BYTES, SqsQueue
from roadstead.conflicts import Throttled
from roadstead.notifications.queue import MAX_DELAY, Queue
from tests import aws
from tests.memory.queue import MemoryQueue


@dataclass(frozen=True, slots=True)
class Tried:
    queue: Queue
    bodies: Callable[[], list[str]]  # of all messages that are visible


def _sqs(endpoint: str | None) -> tuple[Any, str]:
    client = aws.client("sqs", endpoint)
    return client, client.create_queue(QueueName=f"queue-{uuid.uuid4().hex}")["QueueUrl"]


def _received(client: Any, url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60).get(
        "Messages"
    ):
        found += messages
    return found


@pytest.fixture(params=["memory", "moto", "ministack", "embedded"])
def tried(request: pytest.FixtureRequest) -> Iterator[Tried]:
    if request.param == "memory":
        memory = MemoryQueue()
        yield Tried(memory, lambda: memory.bodies)
    elif request.param == "moto":
        with mock_aws():
            client, url = _sqs(None)
            yield Tried(SqsQueue(client, url), lambda: [one["Body"] for one in _received(client, url)])
    else:
        client, url = _sqs(request.getfixturevalue(f"{request.param}_endpoint"))
        yield Tried(SqsQueue(client, url), lambda: [one["Body"] for one in _received(client, url)])


@pytest.mark.parametrize("count", [0, 1, 10, 11, 25])
def test_every_message_is_sent_once(tried: Tried, count: int) -> None:
    bodies = [f'{{"number":{number},"text":"ünïcode 🚢"}}' for number in range(count)]
    tried.queue.send(bodies)
    assert sorted(tried.bodies()) == sorted(bodies)


def test_large_messages_are_sent_too(tried: Tried) -> None:
    bodies = [f"{number}" * 60_000 for number in range(9)]
    tried.queue.send(bodies)
    assert sorted(tried.bodies()) == bodies


@pytest.fixture(params=["moto", "ministack", "embedded"])
def sqs(request: pytest.FixtureRequest) -> Iterator[tuple[Any, str]]:
    if request.param == "moto":
        with mock_aws():
            yield _sqs(None)
    else:
        yield _sqs(request.getfixturevalue(f"{request.param}_endpoint"))


def test_a_message_that_is_postponed_is_seen_when_it_should_be(sqs: tuple[Any, str]) -> None:
    client, url = sqs
    queue = SqsQueue(client, url)
    queue.send(["now", "later"])
    receipts = {message["Body"]: message["ReceiptHandle"] for message in _received(client, url)}
    queue.postpone(receipts["now"], 0)
    queue.postpone(receipts["later"], MAX_DELAY * 2)
    assert [message["Body"] for message in _received(client, url)] == ["now"]


def test_postponing_what_is_gone_is_no_error(sqs: tuple[Any, str]) -> None:
    client, url = sqs
    queue = SqsQueue(client, url)
    queue.send(["once"])
    [message] = _received(client, url)
    client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    queue.postpone(message["ReceiptHandle"], 10)
    assert _received(client, url) == []


def test_ten_messages_are_one_request(sqs: tuple[Any, str]) -> None:
    client, url = sqs
    queue = SqsQueue(client, url)
    calls = aws.record_calls(client)
    queue.send([])
    assert calls == []
    queue.send(["x"] * BATCH)
    assert calls == ["sqs.SendMessageBatch"]
    queue.send(["x"] * (BATCH + 1))
    assert calls == ["sqs.SendMessageBatch"] * 3
    queue.send(["x" * (BATCH_BYTES // 2 + 1)] * 2)
    assert calls == ["sqs.SendMessageBatch"] * 5


class Refusing:
    """A client that does not take the messages whose place in a request is in the next of `failures`."""

    def __init__(self, *failures: set[int]) -> None:
        self.failures = list(failures)
        self.sent: list[list[str]] = []

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        self.sent.append([entry["MessageBody"] for entry in Entries])
        failed = self.failures.pop(0) if self.failures else set()
        return {
            "Failed": [{"Id": str(place), "Code": "InternalError", "SenderFault": False} for place in sorted(failed)]
        }


def test_what_sqs_does_not_take_is_sent_again_and_nothing_else() -> None:
    client = Refusing({1, 2}, {0})
    SqsQueue(client, "url", sleep=lambda _: None).send(["a", "b", "c"])
    assert client.sent == [["a", "b", "c"], ["b", "c"], ["b"]]


def test_what_sqs_never_takes_is_an_error() -> None:
    client = Refusing(*[{0}] * 9)
    with pytest.raises(Throttled):
        SqsQueue(client, "url", sleep=lambda _: None).send(["a"])
    assert len(client.sent) == 4
