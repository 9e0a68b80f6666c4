"""The component that delivers what happened to the webhook function: streams, S3's events, the functions' log lines.

Nothing is lost when all of it is killed. S3's events wait in a queue of the embedded AWS; how far a log was read stands
in a file. The embedded AWS forgets its streams, but the events are items of the tables for a week: those from shortly
before the last time that everything was delivered are delivered once more.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from local.aws import Endpoint
from local.clients import client
from local.delivery.sources import LogSource, QueueSource, Record, Source, StreamSource
from local.failures import ExitCode, Failure
from local.functions.environments import Pool
from local.resources import Resources
from local.state import StateDirectory, write_atomically

FUNCTION = "webhook"
LOGS = ("registry", "token")  # the functions whose lines are subscribed to
MARK = '{"audit":'
PAUSE = 0.3  # seconds between two looks at everything
TIMEOUT = 60.0  # seconds that the function may take
DRAIN = 10.0  # seconds that is waited at the end
OVERLAP = 120.0  # seconds: the embedded AWS saves what it holds seconds later, more where it holds much

Run = Callable[..., Awaitable[Any]]


class Delivery:
    """`pools` and `resources` are asked for at the start, when there are any."""

    name = "the delivery of events"

    def __init__(
        self,
        state: StateDirectory,
        endpoint: Endpoint,
        pools: Mapping[str, Pool],
        resources: Callable[[], Resources],
    ) -> None:
        self._state = state
        self._endpoint = endpoint
        self._pools = pools
        self._resources = resources
        self._sources: list[Source] = []
        self._logs: list[LogSource] = []
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._saved: dict[str, Any] = {}

    async def start(self) -> None:
        self._saved = _read(self._state.delivery_file)
        await asyncio.to_thread(self._connect)
        self._running = asyncio.create_task(self._run())

    async def watch(self) -> None:
        if self._running is None:
            raise RuntimeError("the delivery was not started")
        try:
            await asyncio.shield(self._running)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            raise Failure(ExitCode.COMPONENT_FAILED, f"Events are not delivered any more: {error!r}.") from error

    async def stop(self) -> None:
        """Delivers what there is, for a while: the functions still run, and nobody asks them for anything more."""
        self._stopping.set()
        if self._running is not None:
            with contextlib.suppress(Exception):  # `watch` has told of it
                await self._running

    def _connect(self) -> None:
        resources, environment = self._resources(), self._endpoint.environment()
        sqs, dynamodb = client("sqs", environment), client("dynamodb", environment)
        streams = client("dynamodbstreams", environment)
        bury = _in_thread(_bury, sqs, resources.dead_letters_url)
        since = int((self._saved.get("complete", 0.0) - OVERLAP) * 1000)
        for table in (resources.index_table, resources.identity_table):
            (stream,) = streams.list_streams(TableName=table)["Streams"]
            reader = _StreamReader(streams, stream["StreamArn"])
            replay = _replayed(dynamodb, table, since, images=table == resources.index_table)
            self._sources.append(StreamSource(stream["StreamArn"], _once(replay), self._invoke, bury))
            self._sources.append(StreamSource(stream["StreamArn"], _in_thread(reader.read), self._invoke, bury))
        for queue in (resources.object_events_url, resources.notifications_url):
            attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
            self._sources.append(
                QueueSource(
                    attributes["QueueArn"],
                    environment["AWS_REGION"],
                    _in_thread(_receive, sqs, queue),
                    _in_thread(_delete, sqs, queue),
                    self._invoke,
                )
            )
        for name in LOGS:
            offset = self._saved.get("offsets", {}).get(name, 0)
            file = self._state.logs / f"{name}.log"
            self._logs.append(LogSource(file, f"/aws/lambda/{name}", MARK, offset, self._invoke, bury))
        self._sources += self._logs

    async def _invoke(self, event: Mapping[str, Any]) -> object:
        data = json.dumps(event, separators=(",", ":")).encode()
        return await self._pools[FUNCTION].invoke(data, request_id=str(uuid.uuid4()), timeout=TIMEOUT)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            await self._cycle()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), PAUSE)
        deadline = time.monotonic() + DRAIN
        while not await self._cycle() and time.monotonic() < deadline:
            await asyncio.sleep(PAUSE)
        if all(source.idle for source in self._sources):
            self._saved["complete"] = time.time() + OVERLAP  # nothing can have been missed
        self._save()

    async def _cycle(self) -> bool:
        """Ask every source until it has no more; whether all that was there when this began is delivered."""
        began = time.time()
        for source in self._sources:
            while await source.round():
                pass
        complete = all(source.idle for source in self._sources)
        offsets = {log.file.stem: log.offset for log in self._logs}
        if complete:
            moved = offsets != self._saved.get("offsets") or began - self._saved.get("complete", 0.0) > OVERLAP / 4
            if moved:
                self._saved = {"offsets": offsets, "complete": began}
                self._save()
            self._state.delivered_file.touch()
            os.utime(self._state.delivered_file, (began, began))
        return complete

    def _save(self) -> None:
        write_atomically(self._state.delivery_file, json.dumps(self._saved))


class _StreamReader:
    """Reads the one shard that a stream of the embedded AWS has, from its beginning."""

    def __init__(self, streams: Any, arn: str) -> None:
        self._streams = streams
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        self._arn, self._shard = arn, shard["ShardId"]
        self._iterator = ""

    def read(self) -> Sequence[Record]:
        if not self._iterator:
            answer = self._streams.get_shard_iterator(
                StreamArn=self._arn, ShardId=self._shard, ShardIteratorType="TRIM_HORIZON"
            )
            self._iterator = answer["ShardIterator"]
        answer = self._streams.get_records(ShardIterator=self._iterator, Limit=1000)
        self._iterator = answer["NextShardIterator"]
        records: Sequence[Record] = answer["Records"]
        return records


def _replayed(dynamodb: Any, table: str, since: int, *, images: bool) -> list[Record]:
    """Records of a stream for the event items that a table has since then, in milliseconds; oldest first."""
    found: list[Record] = []
    for shard in range(16):
        pages = dynamodb.get_paginator("query").paginate(
            TableName=table,
            KeyConditionExpression="pk = :pk AND sk > :since",
            ExpressionAttributeValues={":pk": {"S": f"event#{shard:02d}"}, ":since": {"S": f"{max(0, since):013d}"}},
        )
        for item in (item for page in pages for item in page["Items"]):
            change: Record = {
                "Keys": {"pk": item["pk"], "sk": item["sk"]},
                "SequenceNumber": f"replayed-{item['id']['S']}",
            }
            if images:
                change["NewImage"] = item
            found.append({"eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": change})
    return sorted(found, key=lambda record: str(record["dynamodb"]["Keys"]["sk"]["S"]))


def _receive(sqs: Any, url: str) -> Sequence[Record]:
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])
    messages: Sequence[Record] = answer.get("Messages", [])
    return messages


def _delete(sqs: Any, url: str, receipts: Sequence[str]) -> None:
    for receipt in receipts:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=receipt)


def _bury(sqs: Any, url: str, bodies: Sequence[str]) -> None:
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body)


def _in_thread(function: Callable[..., Any], *bound: Any) -> Run:
    async def run(*arguments: Any) -> Any:
        return await asyncio.to_thread(function, *bound, *arguments)

    return run


def _once(records: list[Record]) -> Run:
    async def read() -> Sequence[Record]:
        taken, records[:] = list(records), []
        return taken

    return read


def _read(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
