"""The component that delivers events to the webhook function: streams, S3's events, the functions' log lines.

No event is lost when all processes are killed: S3's events wait in a queue and the tables' changes in their streams,
both in the embedded AWS, and a file records how far streams and logs were delivered. Whatever was delivered after the
file was written is delivered again, as in AWS.

An idle registry costs nothing here: the embedded AWS reports every write, and a log that has not grown has no new line.
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

from local.cloud.client import Client, Refused
from local.cloud.component import EmbeddedCloud
from local.delivery.sources import LogSource, QueueSource, Record, Source, StreamSource
from local.failures import ExitCode, Failure
from local.functions.environments import Pool
from local.state import StateDirectory, write_atomically

FUNCTION = "webhook"
INDEXER = "indexer"  # the second reader of the index table's stream
LOGS = ("registry", "token", "management")  # the functions whose logs have a subscription
MARK = '{"audit":'
PAUSE = 0.3  # seconds between two rounds
LONGEST_PAUSE = 5.0  # seconds without a round: nothing reports that a message has become visible again
TIMEOUT = 60.0  # seconds for the function
DRAIN = 10.0  # seconds to deliver the rest before stopping

Run = Callable[..., Awaitable[Any]]


class Delivery:
    """`cloud` must have started before this does, and `pools` must have the function by then."""

    name = "the delivery of events"

    def __init__(self, state: StateDirectory, cloud: EmbeddedCloud, pools: Mapping[str, Pool]) -> None:
        self._state = state
        self._cloud = cloud
        self._pools = pools
        self._sources: list[Source] = []
        self._streams: list[StreamSource] = []
        self._logs: list[LogSource] = []
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._saved: dict[str, Any] = {}
        self._complete = False
        self._asked = 0.0

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
        """Deliver what is left, for up to DRAIN seconds. The functions still run, but get no more requests."""
        self._stopping.set()
        if self._running is not None:
            with contextlib.suppress(Exception):  # `watch` has reported it
                await self._running

    def _connect(self) -> None:
        resources, client = self._cloud.resources, self._cloud.client
        bury = _in_thread(_bury, client, resources.dead_letters_url)
        for table in (resources.index_table, resources.identity_table):
            (stream,) = client.call("streams", "ListStreams", TableName=table)["Streams"]
            arn = stream["StreamArn"]
            position = str(self._saved.get("positions", {}).get(arn, ""))
            reader = _StreamReader(client, arn, position)
            self._streams.append(StreamSource(arn, _in_thread(reader.read), self._invoke, bury, position=position))
            if table == resources.index_table:
                self._streams.append(self._indexing(arn))
        self._sources += self._streams
        region = self._cloud.endpoint.credentials.region
        for queue in (resources.object_events_url, resources.notifications_url):
            found = client.call("sqs", "GetQueueAttributes", QueueUrl=queue, AttributeNames=["QueueArn"])
            self._sources.append(
                QueueSource(
                    found["Attributes"]["QueueArn"],
                    region,
                    _in_thread(_receive, client, queue),
                    _in_thread(_delete, client, queue),
                    self._invoke,
                )
            )
        for name in LOGS:
            offset = self._saved.get("offsets", {}).get(name, 0)
            file = self._state.logs / f"{name}.log"
            self._logs.append(LogSource(file, f"/aws/lambda/{name}", MARK, offset, self._invoke, bury))
        self._sources += self._logs

    def _indexing(self, arn: str) -> StreamSource:
        """The indexer's mapping of the index table's stream, with a position of its own."""
        client, name = self._cloud.client, f"{INDEXER} {arn}"
        position = str(self._saved.get("positions", {}).get(name, ""))
        bury = _in_thread(_bury, client, self._cloud.resources.index_dead_letters_url)
        reader = _StreamReader(client, arn, position)
        return StreamSource(arn, _in_thread(reader.read), self._index, bury, position=position, name=name)

    async def _invoke(self, event: Mapping[str, Any]) -> object:
        return await self._call(FUNCTION, event)

    async def _index(self, event: Mapping[str, Any]) -> object:
        return await self._call(INDEXER, event)

    async def _call(self, function: str, event: Mapping[str, Any]) -> object:
        data = json.dumps(event, separators=(",", ":")).encode()
        return await self._pools[function].invoke(data, request_id=str(uuid.uuid4()), timeout=TIMEOUT)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            await self._look()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), PAUSE)
        deadline = time.monotonic() + DRAIN
        while not await self._cycle() and time.monotonic() < deadline:
            await asyncio.sleep(PAUSE)
        self._save()

    async def _look(self) -> None:
        """Run a cycle if anything may have happened; otherwise everything until now is delivered already."""
        began = time.time()
        changed = self._cloud.has_changed()
        late = time.monotonic() - self._asked > LONGEST_PAUSE
        if changed or late or not self._complete or any(log.grown() for log in self._logs):
            await self._cycle()
        else:
            os.utime(self._state.delivered_file, (began, began))

    async def _cycle(self) -> bool:
        """Empty every source. Return whether everything that existed at the start is delivered."""
        began, self._asked = time.time(), time.monotonic()
        for source in self._sources:
            while await source.round():
                pass
        self._complete = all(source.idle for source in self._sources)
        self._save()
        if self._complete:
            self._state.delivered_file.touch(mode=0o600)
            os.utime(self._state.delivered_file, (began, began))
        return self._complete

    def _save(self) -> None:
        reached = {
            "offsets": {log.file.stem: log.offset for log in self._logs},
            "positions": {stream.name: stream.position for stream in self._streams},
        }
        if reached != self._saved:
            write_atomically(self._state.delivery_file, json.dumps(reached))
            self._saved = reached


class _StreamReader:
    """Reads the only shard that a stream has here, from after a sequence number or from its beginning."""

    def __init__(self, client: Client, arn: str, position: str) -> None:
        self._client = client
        (shard,) = client.call("streams", "DescribeStream", StreamArn=arn)["StreamDescription"]["Shards"]
        self._about = {"StreamArn": arn, "ShardId": shard["ShardId"]}
        self._iterator = self._behind(position)

    def read(self) -> Sequence[Record]:
        answer = self._client.call("streams", "GetRecords", ShardIterator=self._iterator, Limit=1000)
        self._iterator = answer["NextShardIterator"]
        records: Sequence[Record] = answer["Records"]
        return records

    def _behind(self, position: str) -> str:
        where = {"ShardIteratorType": "TRIM_HORIZON"}
        if position:
            where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": position}
        try:
            found = self._client.call("streams", "GetShardIterator", **self._about, **where)
        except Refused as refused:
            if refused.code != "TrimmedDataAccessException":
                raise
            return self._behind("")
        return str(found["ShardIterator"])


def _receive(client: Client, url: str) -> Sequence[Record]:
    answer = client.call("sqs", "ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])
    messages: Sequence[Record] = answer.get("Messages", [])
    return messages


def _delete(client: Client, url: str, receipts: Sequence[str]) -> None:
    for receipt in receipts:
        client.call("sqs", "DeleteMessage", QueueUrl=url, ReceiptHandle=receipt)


def _bury(client: Client, url: str, bodies: Sequence[str]) -> None:
    for body in bodies:
        client.call("sqs", "SendMessage", QueueUrl=url, MessageBody=body)


def _in_thread(function: Callable[..., Any], *bound: Any) -> Run:
    async def run(*arguments: Any) -> Any:
        return await asyncio.to_thread(function, *bound, *arguments)

    return run


def _read(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
