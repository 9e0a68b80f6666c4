"""The local event sources deliver at least once, streams in order; what always fails is set aside."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from local.delivery.sources import (
    ASYNCHRONOUS_ATTEMPTS,
    BATCH,
    STREAM_ATTEMPTS,
    LogSource,
    QueueSource,
    Retries,
    StreamSource,
)
from local.functions.environments import FunctionError

ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/x"


class Lambda:
    """A function with scripted results, one for each event; an exception among them is raised."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.events: list[Mapping[str, Any]] = []

    async def __call__(self, event: Mapping[str, Any]) -> object:
        self.events.append(json.loads(json.dumps(event)))
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Letters:
    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def __call__(self, bodies: Sequence[str]) -> None:
        self.sent += [json.loads(body) for body in bodies]


def change(number: int, pk: str = "event#03", name: str = "INSERT") -> dict[str, Any]:
    return {
        "eventName": name,
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "ApproximateCreationDateTime": 1795478400,
            "Keys": {"pk": {"S": pk}, "sk": {"S": str(number)}},
            "SequenceNumber": str(number),
        },
    }


def failure(*numbers: int) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": str(number)} for number in numbers]}


class Stream:
    def __init__(self, *records: dict[str, Any]) -> None:
        self.records = list(records)

    async def __call__(self) -> list[dict[str, Any]]:
        taken, self.records = self.records, []
        return taken


def numbers(function: Lambda) -> list[list[int]]:
    return [[int(record["dynamodb"]["SequenceNumber"]) for record in event["Records"]] for event in function.events]


def drive(source: Any, time: Time | None = None, rounds: int = 60) -> None:
    async def run() -> None:
        for _ in range(rounds):
            await source.round()
            if time is not None:
                time.now += 60

    asyncio.run(run())


def stream_source(stream: Stream, function: Lambda, letters: Letters, time: Time) -> StreamSource:
    return StreamSource(ARN, stream, function, letters, Retries(time))


def test_a_stream_delivers_only_event_items_in_order() -> None:
    function, letters, time = Lambda(), Letters(), Time()
    stream = Stream(change(1), change(2, "repo#a"), change(3, name="REMOVE"), change(4, name="MODIFY"), change(5))
    drive(stream_source(stream, function, letters, time), time)
    assert numbers(function) == [[1, 5]]
    (record, _) = function.events[0]["Records"]
    assert record["eventSourceARN"] == ARN and record["dynamodb"]["ApproximateCreationDateTime"] == 1_795_478_400


def test_a_stream_knows_up_to_where_everything_was_delivered() -> None:
    function, letters, time = Lambda(failure(3)), Letters(), Time()
    source = stream_source(
        Stream(change(1), change(2, "repo#a"), change(3), change(4, "repo#a")), function, letters, time
    )
    assert source.position == ""
    asyncio.run(source.round())
    assert source.position == "1"  # not 2, which is reported with 3
    time.now += 60
    asyncio.run(source.round())
    assert source.position == "4"


def test_a_stream_continues_from_the_first_failed_record() -> None:
    function, letters, time = Lambda(failure(2)), Letters(), Time()
    source = stream_source(Stream(*map(change, (1, 2, 3))), function, letters, time)
    drive(source, time)
    assert numbers(function) == [[1, 2, 3], [2, 3]] and source.idle and letters.sent == []


def test_a_failed_batch_is_delivered_again_after_a_pause() -> None:
    function, letters, time = Lambda(FunctionError("died")), Letters(), Time()
    source = stream_source(Stream(change(1)), function, letters, time)
    drive(source, None, 5)
    assert numbers(function) == [[1]] and not source.idle
    time.now += 60
    drive(source, None, 1)
    assert numbers(function) == [[1], [1]] and source.idle


def test_a_record_that_always_fails_becomes_a_dead_letter_and_the_stream_continues() -> None:
    function, letters, time = Lambda(*[FunctionError("poison")] * STREAM_ATTEMPTS), Letters(), Time()
    source = stream_source(Stream(change(1), change(2)), function, letters, time)
    drive(source, time)
    assert [letter["record"]["dynamodb"]["SequenceNumber"] for letter in letters.sent] == ["1"]
    assert numbers(function)[-1] == [2] and source.idle


def test_a_long_stream_is_delivered_in_batches() -> None:
    function, letters, time = Lambda(), Letters(), Time()
    drive(stream_source(Stream(*map(change, range(BATCH + 5))), function, letters, time), time)
    assert [len(batch) for batch in numbers(function)] == [BATCH, 5]


class Queue:
    """A queue whose messages stay until they are deleted."""

    def __init__(self, *bodies: str) -> None:
        self.messages = {f"r{place}": body for place, body in enumerate(bodies)}

    async def receive(self) -> list[dict[str, Any]]:
        return [
            {"MessageId": receipt.replace("r", "m"), "ReceiptHandle": receipt, "Body": body, "Attributes": {"X": "1"}}
            for receipt, body in self.messages.items()
        ]

    async def delete(self, receipts: Sequence[str]) -> None:
        for receipt in receipts:
            del self.messages[receipt]


def test_a_queue_keeps_failed_messages() -> None:
    queue, function = Queue("a", "b", "c"), Lambda({"batchItemFailures": [{"itemIdentifier": "m1"}]})
    source = QueueSource("arn:aws:sqs:us-east-1:0:q", "us-east-1", queue.receive, queue.delete, function)
    drive(source, rounds=1)
    assert queue.messages == {"r1": "b"}
    record = function.events[0]["Records"][0]
    assert (record["eventSource"], record["eventSourceARN"], record["body"]) == (
        "aws:sqs",
        "arn:aws:sqs:us-east-1:0:q",
        "a",
    )
    drive(source, rounds=2)
    assert queue.messages == {}


def test_a_queue_keeps_all_messages_when_the_function_fails() -> None:
    queue, function = Queue("a", "b"), Lambda(FunctionError("died"))
    drive(QueueSource("arn:q", "us-east-1", queue.receive, queue.delete, function), rounds=1)
    assert len(queue.messages) == 2


def told(function: Lambda) -> list[list[dict[str, Any]]]:
    documents = (json.loads(gzip.decompress(base64.b64decode(one["awslogs"]["data"]))) for one in function.events)
    return [document["logEvents"] for document in documents]


def log_source(file: Path, function: Lambda, letters: Letters, time: Time, offset: int = 0) -> LogSource:
    return LogSource(file, "/aws/lambda/registry", '{"audit":', offset, function, letters, Retries(time))


def audit(name: str) -> str:
    return json.dumps({"audit": {"id": name}}, separators=(",", ":"))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "registry.log"


def test_a_log_delivers_only_marked_lines(log: Path) -> None:
    log.write_text(f"Traceback\n{audit('a')}\n" + '{"_aws":{}}\n' + f"{audit('b')}\n")
    function, letters, time = Lambda(), Letters(), Time()
    drive(log_source(log, function, letters, time), time)
    assert [[event["message"] for event in batch] for batch in told(function)] == [[audit("a"), audit("b")]]


def test_a_line_is_delivered_when_it_is_complete(log: Path) -> None:
    log.write_text(audit("a")[:10])
    function, letters, time = Lambda(), Letters(), Time()
    source = log_source(log, function, letters, time)
    drive(source, time, 3)
    assert function.events == []
    log.write_text(audit("a") + "\n")
    drive(source, time, 3)
    assert len(function.events) == 1


def test_a_log_continues_at_its_offset_and_gives_lines_stable_ids(log: Path) -> None:
    log.write_text(f"{audit('a')}\n{audit('b')}\n")
    first, second, letters, time = Lambda(), Lambda(), Letters(), Time()
    source = log_source(log, first, letters, time)
    drive(source, time)
    drive(log_source(log, second, letters, time), time)
    assert [event["id"] for event in told(first)[0]] == [event["id"] for event in told(second)[0]]
    third = Lambda()
    drive(log_source(log, third, letters, time, source.offset), time)
    assert third.events == []


def test_a_truncated_log_is_read_from_the_beginning(log: Path) -> None:
    log.write_text(audit("a") + "\n")
    function, letters, time = Lambda(), Letters(), Time()
    drive(log_source(log, function, letters, time, offset=10_000), time)
    assert len(function.events) == 1


def test_lines_that_fail_three_times_become_dead_letters(log: Path) -> None:
    log.write_text(audit("a") + "\n")
    function, letters, time = Lambda(*[FunctionError("poison")] * ASYNCHRONOUS_ATTEMPTS), Letters(), Time()
    source = log_source(log, function, letters, time)
    drive(source, time)
    log.write_text(f"{audit('a')}\n{audit('b')}\n")
    drive(source, time)
    assert [len(batch) for batch in told(function)] == [1, 1, 1, 1]
    assert [letter["record"]["message"] for letter in letters.sent] == [audit("a")] and source.idle


def test_a_missing_log_delivers_nothing(log: Path) -> None:
    function, letters, time = Lambda(), Letters(), Time()
    drive(log_source(log, function, letters, time), time, 2)
    assert function.events == []
