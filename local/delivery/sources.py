"""Event sources of a function: event source mappings of streams and queues, and a log group's subscription.

A `round` of a source delivers the next records, and returns whether there were any. Records have the form that Lambda
gives them. A failed record is delivered again: a stream's in its place, with a pause that doubles; a queue's after its
visibility timeout; a log's, which Lambda receives asynchronously, twice, before it becomes a dead letter.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from local.functions.environments import FunctionError, Throttled, TimedOut

Invoke = Callable[[Mapping[str, Any]], Awaitable[object]]
Record = dict[str, Any]

BATCH = 100  # records or lines in one event
LINES_BYTES = 1024 * 1024  # of one log event
STREAM_ATTEMPTS = 10  # after which records become dead letters, as with MaximumRetryAttempts
ASYNCHRONOUS_ATTEMPTS = 3
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0  # seconds; for asynchronous events, Lambda waits one and then two minutes
_FAILURES = (FunctionError, Throttled, TimedOut)

_log = logging.getLogger(__name__)


class Source(Protocol):
    @property
    def idle(self) -> bool:
        """Whether nothing waits for another attempt."""
        ...

    async def round(self) -> bool: ...


class Retries:
    """When the next attempt is due, and the number of failures."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due = 0.0
        self.failures = 0

    @property
    def due(self) -> bool:
        return self._clock() >= self._due

    def failed(self) -> None:
        self._due = self._clock() + min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**self.failures)
        self.failures += 1

    def succeeded(self) -> None:
        self._due, self.failures = 0.0, 0


class StreamSource:
    """A mapping of a table's stream with `ReportBatchItemFailures` and a filter for event items.

    `read` returns the stream's next records (without blocking the event loop); `bury` keeps dead letters. `position` is
    the sequence number up to which everything was delivered, or "".
    """

    def __init__(
        self,
        arn: str,
        read: Callable[[], Awaitable[Sequence[Record]]],
        invoke: Invoke,
        bury: Callable[[Sequence[str]], Awaitable[None]],
        retries: Retries | None = None,
        *,
        position: str = "",
        name: str = "",
    ) -> None:
        self.arn = arn
        self.name = name or arn  # of its position: a stream has two readers
        self.position = position
        self._read = read
        self._invoke = invoke
        self._bury = bury
        self._retries = retries or Retries()
        self._pending: deque[Record] = deque()
        self._read_to = position

    @property
    def idle(self) -> bool:
        return not self._pending

    async def round(self) -> bool:
        if not self._pending:
            read = await self._read()
            self._pending.extend(_stream_record(one, self.arn) for one in read if _is_event(one))
            if read:
                self._read_to = read[-1]["dynamodb"]["SequenceNumber"]
            if not self._pending:
                self.position = self._read_to
                return bool(read)
        if not self._retries.due:
            return False
        batch = [self._pending[place] for place in range(min(BATCH, len(self._pending)))]
        try:
            result = await self._invoke({"Records": batch})
        except _FAILURES as error:
            _log.warning("%s: %s", self.arn, error)
            done = 0
        else:
            done = _first_failure(result, [record["dynamodb"]["SequenceNumber"] for record in batch])
        for _ in range(done):
            self._finish()
        if done:
            self._retries.succeeded()
        if done == len(batch):
            return True
        self._retries.failed()
        if self._retries.failures >= STREAM_ATTEMPTS:
            await self._bury([json.dumps({"source": self.arn, "record": self._pending[0]}, default=str)])
            self._finish()
            self._retries.succeeded()
        return False

    def _finish(self) -> None:
        """Remove the first pending record, which was delivered or became a dead letter."""
        done = self._pending.popleft()
        self.position = done["dynamodb"]["SequenceNumber"] if self._pending else self._read_to


def _is_event(record: Record) -> bool:
    """Apply the mapping's FilterCriteria: an INSERT with a key that begins with `event#`."""
    key = str(record["dynamodb"]["Keys"]["pk"]["S"])
    return bool(record["eventName"] == "INSERT") and key.startswith("event#")


def _stream_record(record: Record, arn: str) -> Record:
    return {**record, "eventSourceARN": arn}


def _first_failure(result: object, identifiers: Sequence[str]) -> int:
    """Return the number of records that are done, by the function's result."""
    failures = result.get("batchItemFailures") if isinstance(result, Mapping) else None
    failed = {failure["itemIdentifier"] for failure in failures or ()}
    return next((place for place, one in enumerate(identifiers) if one in failed), len(identifiers))


class QueueSource:
    """A mapping of an SQS queue with `ReportBatchItemFailures`; the queue itself counts attempts."""

    def __init__(
        self,
        arn: str,
        region: str,
        receive: Callable[[], Awaitable[Sequence[Record]]],
        delete: Callable[[Sequence[str]], Awaitable[None]],
        invoke: Invoke,
    ) -> None:
        self._arn = arn
        self._region = region
        self._receive = receive
        self._delete = delete
        self._invoke = invoke

    @property
    def idle(self) -> bool:
        return True

    async def round(self) -> bool:
        messages = await self._receive()
        if not messages:
            return False
        records = [_message_record(message, self._arn, self._region) for message in messages]
        try:
            result = await self._invoke({"Records": records})
        except _FAILURES as error:
            _log.warning("%s: %s", self._arn, error)
            return True
        failures = result.get("batchItemFailures") if isinstance(result, Mapping) else None
        failed = {failure["itemIdentifier"] for failure in failures or ()}
        await self._delete([one["receiptHandle"] for one in records if one["messageId"] not in failed])
        return True


def _message_record(message: Record, arn: str, region: str) -> Record:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": region,
    }


class LogSource:
    """The subscription of a function's log: the lines of its file with a mark, from `offset` on."""

    def __init__(
        self,
        file: Path,
        group: str,
        mark: str,
        offset: int,
        invoke: Invoke,
        bury: Callable[[Sequence[str]], Awaitable[None]],
        retries: Retries | None = None,
    ) -> None:
        self.file = file
        self.offset = offset
        self._group = group
        self._mark = mark.encode()
        self._invoke = invoke
        self._bury = bury
        self._retries = retries or Retries()

    @property
    def idle(self) -> bool:
        return self._retries.failures == 0

    def grown(self) -> bool:
        """Whether the file has a part that was not delivered."""
        try:
            return self.file.stat().st_size != self.offset
        except FileNotFoundError:
            return False

    async def round(self) -> bool:
        if not self._retries.due:
            return False
        events, after = self._next()
        if not events:
            moved, self.offset = after != self.offset, after
            return moved
        event = _subscription_event(self._group, self.file.name, events)
        try:
            await self._invoke(event)
        except _FAILURES as error:
            _log.warning("%s: %s", self._group, error)
            self._retries.failed()
            if self._retries.failures < ASYNCHRONOUS_ATTEMPTS:
                return False
            await self._bury([json.dumps({"source": self._group, "record": one}) for one in events])
        self._retries.succeeded()
        self.offset = after
        return True

    def _next(self) -> tuple[list[Record], int]:
        """Return the complete, marked lines from the offset on, and the next offset."""
        try:
            size = self.file.stat().st_size
        except FileNotFoundError:
            return [], self.offset
        if size < self.offset:
            self.offset = 0  # the file was truncated
        events: list[Record] = []
        with self.file.open("rb") as file:
            file.seek(self.offset)
            data = file.read(LINES_BYTES)
        at, now = 0, int(time.time() * 1000)
        while len(events) < BATCH and (end := data.find(b"\n", at)) >= 0:
            line = data[at:end]
            if line.startswith(self._mark):
                identifier = hashlib.sha256(f"{self.file} {self.offset + at} {len(line)}".encode()).hexdigest()
                events.append({"id": identifier, "timestamp": now, "message": line.decode("utf-8", "replace")})
            at = end + 1
        if not at and len(data) == LINES_BYTES:
            at = len(data)  # a line too long to be an entry
        return events, self.offset + at


def _subscription_event(group: str, stream: str, events: Sequence[Record]) -> Record:
    document = {
        "messageType": "DATA_MESSAGE",
        "owner": "000000000000",
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": ["audit"],
        "logEvents": list(events),
    }
    data = gzip.compress(json.dumps(document).encode())
    return {"awslogs": {"data": base64.b64encode(data).decode("ascii")}}
