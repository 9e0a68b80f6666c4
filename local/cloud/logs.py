"""CloudWatch Logs: groups, streams, events in the order in which they came."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import Any

from local.cloud.database import Database
from local.cloud.errors import AwsError

ACCOUNT = "000000000000"
BATCH = 10_000  # events
BATCH_BYTES = 1_048_576
OVERHEAD = 26  # bytes that each event counts besides its message
PAGE_BYTES = 1_048_576
OLDEST, NEWEST = 14 * 86_400_000, 7_200_000  # milliseconds by which an event may be old, or ahead


class Logs:
    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    async def create_group(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = _text(request, "logGroupName")

        def work(connection: sqlite3.Connection) -> None:
            inserted = connection.execute("INSERT OR IGNORE INTO log_groups VALUES (?, ?)", (name, _now()))
            if not inserted.rowcount:
                raise AwsError("ResourceAlreadyExistsException", "The specified log group already exists")

        await self._database.write(work)
        return {}

    async def create_stream(self, request: Mapping[str, Any]) -> dict[str, Any]:
        group, name = self._group(request), _text(request, "logStreamName")

        def work(connection: sqlite3.Connection) -> None:
            inserted = connection.execute(
                "INSERT OR IGNORE INTO log_streams (grp, name, created) VALUES (?, ?, ?)", (group, name, _now())
            )
            if not inserted.rowcount:
                raise AwsError("ResourceAlreadyExistsException", "The specified log stream already exists")

        await self._database.write(work)
        return {}

    async def put(self, request: Mapping[str, Any]) -> dict[str, Any]:
        stream, events = self._stream(request), request.get("logEvents", ())
        now = _now()
        _check(events)
        old = sum(1 for event in events if event["timestamp"] < now - OLDEST)
        new = next((place for place, event in enumerate(events) if event["timestamp"] > now + NEWEST), None)
        rows = [(stream, event["timestamp"], now, event["message"]) for event in events[old:new]]

        def work(connection: sqlite3.Connection) -> None:
            text = "INSERT INTO log_events (stream, at, ingested, message) VALUES (?, ?, ?, ?)"
            connection.executemany(text, rows)

        await self._database.write(work)
        rejected = ({"tooOldLogEventEndIndex": old} if old else {}) | (
            {"tooNewLogEventStartIndex": new} if new is not None else {}
        )
        return {"nextSequenceToken": "0"} | ({"rejectedLogEventsInfo": rejected} if rejected else {})

    def streams(self, request: Mapping[str, Any]) -> dict[str, Any]:
        group = self._group(request)
        after, prefix = request.get("nextToken", ""), str(request.get("logStreamNamePrefix", ""))
        limit = int(request.get("limit", 50))
        rows = self._database.reader.execute(
            "SELECT name, created FROM log_streams WHERE grp=? AND name>? AND substr(name, 1, ?)=? "
            "ORDER BY name LIMIT ?",
            (group, after, len(prefix), prefix, limit + 1),
        ).fetchall()
        arn = f"arn:aws:logs:{self._region}:{ACCOUNT}:log-group:{group}:log-stream"
        found = [
            {"logStreamName": name, "creationTime": created, "arn": f"{arn}:{name}", "storedBytes": 0}
            for name, created in rows[:limit]
        ]
        more = {"nextToken": rows[limit - 1][0]} if len(rows) > limit else {}
        return {"logStreams": found, **more}

    def events(self, request: Mapping[str, Any]) -> dict[str, Any]:
        stream = self._stream(request)
        if request.get("startFromHead") is not True and "nextToken" not in request:
            raise AwsError("InvalidParameterException", "The embedded Logs reads from the head only.")
        after = _position(request.get("nextToken", "f/0"))
        limit = min(int(request.get("limit", BATCH)), BATCH)
        rows = self._database.reader.execute(
            "SELECT id, at, ingested, message FROM log_events WHERE stream=? AND id>? ORDER BY id LIMIT ?",
            (stream, after, limit),
        )
        events: list[dict[str, Any]] = []
        size = 0
        for number, at, ingested, message in rows:
            size += len(message.encode()) + OVERHEAD
            if events and size > PAGE_BYTES:
                break
            events.append({"timestamp": at, "ingestionTime": ingested, "message": message})
            after = number
        rows.close()
        return {"events": events, "nextForwardToken": f"f/{after}", "nextBackwardToken": "b/0"}

    def _group(self, request: Mapping[str, Any]) -> str:
        name = _text(request, "logGroupName")
        if self._database.reader.execute("SELECT 1 FROM log_groups WHERE name=?", (name,)).fetchone() is None:
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
        return name

    def _stream(self, request: Mapping[str, Any]) -> int:
        group, name = self._group(request), _text(request, "logStreamName")
        row = self._database.reader.execute(
            "SELECT id FROM log_streams WHERE grp=? AND name=?", (group, name)
        ).fetchone()
        if row is None:
            raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
        return int(row[0])


def _check(events: Sequence[Mapping[str, Any]]) -> None:
    if not 0 < len(events) <= BATCH:
        raise AwsError("InvalidParameterException", f"A batch has between 1 and {BATCH} events.")
    if sum(len(event["message"].encode()) + OVERHEAD for event in events) > BATCH_BYTES:
        raise AwsError("InvalidParameterException", f"Upload too large: a batch has {BATCH_BYTES} bytes at most.")
    times = [event["timestamp"] for event in events]
    if times != sorted(times):
        raise AwsError("InvalidParameterException", "Log events in a single request must be in chronological order.")
    if times[-1] - times[0] > 86_400_000:
        raise AwsError("InvalidParameterException", "A batch of log events spans 24 hours at most.")


def _position(token: object) -> int:
    way, _, number = str(token).partition("/")
    if way != "f" or not number.isdigit():
        raise AwsError("InvalidParameterException", "The specified nextToken is invalid.")
    return int(number)


def _text(request: Mapping[str, Any], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 512:
        raise AwsError("InvalidParameterException", f"{name} has between 1 and 512 characters.")
    return value


def _now() -> int:
    return int(time.time() * 1000)
