"""SQS: standard queues, with visibility timeouts, dead-letter queues and long polling."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import secrets
import sqlite3
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from local.cloud.database import Database
from local.cloud.errors import AwsError

ACCOUNT = "000000000000"
LIMIT = 1024 * 1024  # bytes of a message, and of a batch
BATCH = 10
LONGEST_VISIBILITY = 43_200  # seconds
LONGEST_WAIT = 20  # seconds
KEPT = 345_600  # seconds by default

_DEFAULTS = {
    "VisibilityTimeout": "30",
    "DelaySeconds": "0",
    "MessageRetentionPeriod": str(KEPT),
    "ReceiveMessageWaitTimeSeconds": "0",
    "MaximumMessageSize": str(LIMIT),
}
_SETTABLE = frozenset({*_DEFAULTS, "RedrivePolicy"})
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


class Sqs:
    def __init__(self, database: Database, region: str, address: str) -> None:
        self._database = database
        self._region = region
        self._address = address  # the base of the queues' URLs
        self._arrived = asyncio.Event()

    def notify(self) -> None:
        """Wake whoever waits for messages."""
        self._arrived.set()

    async def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = str(request.get("QueueName", ""))
        if not _NAME.fullmatch(name):
            raise _invalid("InvalidParameterValue", "A queue's name has 1 to 80 letters, digits, - and _.")
        attributes = {**_DEFAULTS, **_checked(request.get("Attributes", {}))}

        def work(connection: sqlite3.Connection) -> None:
            row = connection.execute("SELECT attributes FROM queues WHERE name=?", (name,)).fetchone()
            if row is None:
                connection.execute("INSERT INTO queues VALUES (?, ?)", (name, json.dumps(attributes)))
            elif request.get("Attributes") and json.loads(row[0]) | request["Attributes"] != json.loads(row[0]):
                raise _invalid("QueueNameExists", "A queue already exists with the same name and a different value.")

        await self._database.write(work)
        return {"QueueUrl": self._url(name)}

    def url(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = str(request.get("QueueName", ""))
        self._attributes(name)
        return {"QueueUrl": self._url(name)}

    def attributes(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = _name(request)
        known = {
            **self._attributes(name),
            "QueueArn": self.arn(name),
            "ApproximateNumberOfMessages": "0",
            "ApproximateNumberOfMessagesNotVisible": "0",
        }
        now = _now()
        for field, sign in (("ApproximateNumberOfMessages", "<="), ("ApproximateNumberOfMessagesNotVisible", ">")):
            text = f"SELECT count(*) FROM messages WHERE queue=? AND visible{sign}?"  # noqa: S608 - signs of ours
            known[field] = str(self._database.reader.execute(text, (name, now)).fetchone()[0])
        wanted = request.get("AttributeNames", ())
        return {"Attributes": {key: value for key, value in known.items() if "All" in wanted or key in wanted}}

    async def set_attributes(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name, changed = _name(request), _checked(request.get("Attributes", {}))
        attributes = json.dumps({**self._attributes(name), **changed})
        await self._database.write(
            lambda connection: connection.execute("UPDATE queues SET attributes=? WHERE name=?", (attributes, name))
        )
        return {}

    async def send(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name, body = _name(request), _body(request)
        delay = self._delay(name, request)
        identifier = str(uuid.uuid4())
        await self._database.write(lambda connection: enqueue(connection, name, identifier, body, delay))
        self.notify()
        return {"MessageId": identifier, "MD5OfMessageBody": _md5(body)}

    async def send_batch(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name, entries = _name(request), request.get("Entries", ())
        self._attributes(name)
        _check_batch(entries)
        if sum(len(_body(entry).encode()) for entry in entries) > LIMIT:
            raise _invalid("AWS.SimpleQueueService.BatchRequestTooLong", f"A batch has {LIMIT} bytes at most.")
        made = [(str(uuid.uuid4()), _body(entry), self._delay(name, entry)) for entry in entries]

        def work(connection: sqlite3.Connection) -> None:
            for identifier, body, delay in made:
                enqueue(connection, name, identifier, body, delay)

        await self._database.write(work)
        self.notify()
        done = [
            {"Id": entry["Id"], "MessageId": identifier, "MD5OfMessageBody": _md5(body)}
            for entry, (identifier, body, _) in zip(entries, made, strict=True)
        ]
        return {"Successful": done, "Failed": []}

    async def receive(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = _name(request)
        attributes = self._attributes(name)
        count = request.get("MaxNumberOfMessages", 1)
        if type(count) is not int or not 1 <= count <= BATCH:
            raise _invalid("InvalidParameterValue", f"MaxNumberOfMessages is between 1 and {BATCH}.")
        visibility = _seconds(request, "VisibilityTimeout", int(attributes["VisibilityTimeout"]), LONGEST_VISIBILITY)
        wait = _seconds(request, "WaitTimeSeconds", int(attributes["ReceiveMessageWaitTimeSeconds"]), LONGEST_WAIT)
        policy = json.loads(attributes.get("RedrivePolicy", "{}"))
        until = time.monotonic() + wait
        while True:
            self._arrived.clear()
            messages: list[dict[str, Any]] = []
            if self._due(name):
                messages = await self._database.write(
                    lambda connection: _taken(connection, name, count, visibility, policy)
                )
            left = until - time.monotonic()
            if messages or left <= 0:
                return {"Messages": messages} if messages else {}
            try:
                # No longer than a second: a message also comes back when its time is over.
                await asyncio.wait_for(self._arrived.wait(), min(left, 1.0))
            except TimeoutError:
                continue

    async def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name, receipt = _name(request), str(request.get("ReceiptHandle", ""))
        self._attributes(name)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM messages WHERE id=? AND receipt=?", _receipt(name, receipt))

        await self._database.write(work)
        return {}

    async def delete_batch(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name, entries = _name(request), request.get("Entries", ())
        self._attributes(name)
        _check_batch(entries)
        receipts = [_receipt(name, str(entry.get("ReceiptHandle", ""))) for entry in entries]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany("DELETE FROM messages WHERE id=? AND receipt=?", receipts)

        await self._database.write(work)
        return {"Successful": [{"Id": entry["Id"]} for entry in entries], "Failed": []}

    async def set_visibility(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = _name(request)
        self._attributes(name)
        number, receipt = _receipt(name, str(request.get("ReceiptHandle", "")))
        seconds = _seconds(request, "VisibilityTimeout", 0, LONGEST_VISIBILITY)

        def work(connection: sqlite3.Connection) -> None:
            now = _now()
            changed = connection.execute(
                "UPDATE messages SET visible=? WHERE id=? AND receipt=? AND visible>?",
                (now + seconds * 1000, number, receipt, now),
            )
            if not changed.rowcount:
                raise _invalid("MessageNotInflight", "The message referred to is not in flight.")

        await self._database.write(work)
        return {}

    def arn(self, name: str) -> str:
        return f"arn:aws:sqs:{self._region}:{ACCOUNT}:{name}"

    def _attributes(self, name: str) -> dict[str, str]:
        row = self._database.reader.execute("SELECT attributes FROM queues WHERE name=?", (name,)).fetchone()
        if row is None:
            raise _invalid("QueueDoesNotExist", "The specified queue does not exist.")
        found: dict[str, str] = json.loads(row[0])
        return found

    def _delay(self, name: str, request: Mapping[str, Any]) -> int:
        return _seconds(request, "DelaySeconds", int(self._attributes(name)["DelaySeconds"]), 900)

    def _due(self, name: str) -> bool:
        text = "SELECT 1 FROM messages WHERE queue=? AND visible<=? LIMIT 1"
        return self._database.reader.execute(text, (name, _now())).fetchone() is not None

    def _url(self, name: str) -> str:
        return f"{self._address}/{ACCOUNT}/{name}"


def enqueue(connection: sqlite3.Connection, queue: str, identifier: str, body: str, delay: int = 0) -> None:
    """Put a message into a queue, within a transaction."""
    now = _now()
    connection.execute(
        "INSERT INTO messages (queue, message, body, sent, visible) VALUES (?, ?, ?, ?, ?)",
        (queue, identifier, body, now, now + delay * 1000),
    )


def queue_of(arn: str) -> str:
    """The name of the queue that an ARN names."""
    return arn.rpartition(":")[2]


def _taken(
    connection: sqlite3.Connection, queue: str, count: int, visibility: int, policy: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Take up to `count` messages; those that were received too often go to the dead letters instead."""
    now, taken = _now(), list[dict[str, Any]]()
    rows = connection.execute(
        "SELECT id, message, body, sent, received, first FROM messages WHERE queue=? AND visible<=? "
        "ORDER BY visible, id LIMIT ?",
        (queue, now, count),
    ).fetchall()
    for number, identifier, body, sent, received, first in rows:
        if policy and received >= int(policy["maxReceiveCount"]):
            connection.execute(
                "UPDATE messages SET queue=?, visible=?, received=0, first=NULL, receipt=NULL WHERE id=?",
                (queue_of(policy["deadLetterTargetArn"]), now, number),
            )
            continue
        handle, first = secrets.token_hex(16), first or now
        connection.execute(
            "UPDATE messages SET visible=?, received=?, first=?, receipt=? WHERE id=?",
            (now + visibility * 1000, received + 1, first, handle, number),
        )
        attributes = {
            "SentTimestamp": str(sent),
            "ApproximateReceiveCount": str(received + 1),
            "ApproximateFirstReceiveTimestamp": str(first),
            "SenderId": ACCOUNT,
        }
        taken.append(
            {
                "MessageId": identifier,
                "ReceiptHandle": f"{number}.{handle}.{queue}",
                "MD5OfBody": _md5(body),
                "Body": body,
                "Attributes": attributes,
            }
        )
    return taken


def _receipt(queue: str, text: str) -> tuple[int, str]:
    number, _, rest = text.partition(".")
    handle, _, name = rest.partition(".")
    if not number.isdigit() or name != queue:
        raise _invalid("ReceiptHandleIsInvalid", "The input receipt handle is invalid.", 404)
    return int(number), handle


def _name(request: Mapping[str, Any]) -> str:
    """Of the queue that a URL names; the port in it may be that of an earlier run."""
    return str(request.get("QueueUrl", "")).rpartition("/")[2]


def _body(request: Mapping[str, Any]) -> str:
    body = request.get("MessageBody")
    if not isinstance(body, str) or not body:
        raise _invalid("MissingParameter", "The request must contain the parameter MessageBody.")
    if len(body.encode("utf-8", "surrogatepass")) > LIMIT:
        raise _invalid("InvalidParameterValue", f"A message has {LIMIT} bytes at most.")
    if request.get("MessageAttributes") or request.get("MessageGroupId"):
        raise _invalid("UnsupportedOperation", "The embedded SQS has no message attributes and no FIFO queues.")
    return body


def _check_batch(entries: Sequence[Mapping[str, Any]]) -> None:
    if not entries:
        raise _invalid("AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one entry.")
    if len(entries) > BATCH:
        raise _invalid("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", f"A batch has {BATCH} entries at most.")
    if len({entry.get("Id") for entry in entries}) != len(entries):
        raise _invalid("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "The Ids of a batch are distinct.")


def _checked(attributes: Mapping[str, str]) -> dict[str, str]:
    if unknown := sorted(attributes.keys() - _SETTABLE):
        raise _invalid("InvalidAttributeName", f"The embedded SQS does not have {', '.join(unknown)}.")
    return dict(attributes)


def _seconds(request: Mapping[str, Any], name: str, default: int, most: int) -> int:
    value = request.get(name, default)
    if type(value) is not int or not 0 <= value <= most:
        raise _invalid("InvalidParameterValue", f"{name} is between 0 and {most} seconds.")
    return value


def _invalid(code: str, message: str, status: int = 400) -> AwsError:
    return AwsError(code, message, status)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _now() -> int:
    return int(time.time() * 1000)
