"""The webhook function on stores in memory, and events as AWS shapes them."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

from boto3.dynamodb.types import TypeSerializer

from functions.webhook.dispatch import dispatch
from functions.webhook.services import WebhookServices
from roadstead.aws.content.index_items import event_write
from roadstead.names import RepositoryName
from roadstead.trail.audit_log import Appended, LogLine
from roadstead.trail.entries import Actor, ActorKind, AuditEntry, Event, Operation
from roadstead.trail.pull_counts import Pulls
from roadstead.trail.recorder import Recorder
from tests.memory.audit import MemoryAuditLog, MemoryPullCounts, MemoryTrailPages
from tests.memory.candidates import MemoryCandidates
from tests.memory.index import MemoryIndex
from tests.memory.objects import MemoryObjects

NOON = 1_795_521_600_000
ADA = Actor("ada", ActorKind.USER, "token-1", "192.0.2.7", "docker/28", "request-1", "1-a-b")
SHIPS = RepositoryName("acme/ships")
DIGEST = "sha256:" + "a" * 64
QUEUE, OBJECT_EVENTS = "arn:aws:sqs:eu-central-1:000000000000:", "roadstead-object-events"
INDEX_STREAM = "arn:aws:dynamodb:eu-central-1:000000000000:table/roadstead-index/stream/2026-11-24T00:00:00.000"
IDENTITY_STREAM = INDEX_STREAM.replace("index", "identity")
_serialize = TypeSerializer().serialize


class Failing:
    """Fails the calls whose numbers (from 1) are in `calls`, or all of them."""

    def __init__(self) -> None:
        self.calls: set[int] | None = set()
        self.count = 0

    def check(self) -> None:
        self.count += 1
        if self.calls is None or self.count in self.calls:
            raise RuntimeError("the service is not there")


class ShakyLog(MemoryAuditLog):
    """Takes no line whose id is in `refused` (throttling), rejects those in `rejected` for good."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[str] = set()
        self.rejected: set[str] = set()
        self.appends = 0

    def append(self, lines: Sequence[LogLine]) -> Appended:
        self.appends += 1
        taken = [line for line in lines if line.id not in self.refused | self.rejected]
        super().append(taken)
        return Appended(
            tuple(line for line in lines if line.id in self.refused),
            tuple(line for line in lines if line.id in self.rejected),
        )


class Letters(Failing):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, Any]] = []

    def send(self, bodies: Sequence[str]) -> None:
        self.check()
        self.sent += [json.loads(body) for body in bodies]

    def postpone(self, receipt: str, seconds: int) -> None:
        raise AssertionError("nothing is postponed here")


class Identities:
    """Event items of the identity table by their keys; `reads` are the keys of each request."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Mapping[str, Any]] = {}
        self.reads: list[list[tuple[str, str]]] = []

    def find_event_items(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Mapping[str, Any]]:
        keys = list(keys)
        self.reads.append(keys)
        return {key: self.items[key] for key in keys if key in self.items}


class ShakyCounts(MemoryPullCounts, Failing):
    def __init__(self) -> None:
        MemoryPullCounts.__init__(self)
        Failing.__init__(self)

    def add(self, batch: str, pulls: Any, pullers: Any) -> None:
        self.check()
        super().add(batch, pulls, pullers)


@dataclass
class Function:
    log: ShakyLog = field(default_factory=ShakyLog)
    counts: ShakyCounts = field(default_factory=ShakyCounts)
    pages: MemoryTrailPages = field(default_factory=MemoryTrailPages)
    identities: Identities = field(default_factory=Identities)
    objects: MemoryObjects = field(default_factory=MemoryObjects)
    letters: Letters = field(default_factory=Letters)
    candidates: MemoryCandidates = field(default_factory=MemoryCandidates)
    uploads: MemoryIndex = field(default_factory=MemoryIndex)

    @property
    def services(self) -> WebhookServices:
        recorder = Recorder(self.log, self.counts, self.pages)
        return WebhookServices(
            recorder, self.identities, self.objects, self.letters, self.candidates, self.uploads, OBJECT_EVENTS
        )

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any] | None:
        """Through JSON, as Lambda does it."""
        result = dispatch(self.services, json.loads(json.dumps(event)))
        document: dict[str, Any] | None = json.loads(json.dumps(result))
        return document

    def failures(self, event: Mapping[str, Any]) -> list[str]:
        """The identifiers of what must come again."""
        result = self.handle(event)
        assert result is not None
        return [failure["itemIdentifier"] for failure in result["batchItemFailures"]]

    @property
    def ids(self) -> list[str]:
        """Of the lines in the log, in its order."""
        return [line.id for line in self.log.lines]

    @property
    def entries(self) -> list[AuditEntry]:
        return [AuditEntry.from_json(json.loads(line.text)) for line in self.log.lines]

    def pulls(self) -> dict[str, Pulls]:
        return self.counts.find(SHIPS)


def event(identifier: str, operation: Operation = Operation.PUSH, **fields: Any) -> Event:
    given = {"repository": SHIPS, "digest": DIGEST, **fields}
    return Event(identifier, NOON, operation, ADA, **given)


def item_of(one: Event) -> dict[str, Any]:
    """The item that the transaction of a mutation writes."""
    write = event_write(one)
    return {"pk": write.key[0], "sk": write.key[1], **write.item}


def record(
    item: Mapping[str, Any], number: int = 1, *, name: str = "INSERT", keys_only: bool = False
) -> dict[str, Any]:
    """A record of a table's stream as Lambda is given it."""
    wire = {key: _serialize(str(value) if isinstance(value, str) else value) for key, value in item.items()}
    change = {
        "ApproximateCreationDateTime": NOON // 1000,
        "Keys": {"pk": wire["pk"], "sk": wire["sk"]},
        "SequenceNumber": f"{number:021d}",
        "SizeBytes": 400,
        "StreamViewType": "KEYS_ONLY" if keys_only else "NEW_IMAGE",
    }
    if not keys_only and name != "REMOVE":
        change["NewImage"] = wire
    return {
        "eventID": f"{number:032x}",
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": change,
        "eventSourceARN": IDENTITY_STREAM if keys_only else INDEX_STREAM,
    }


def stream(*records: Mapping[str, Any]) -> dict[str, Any]:
    return {"Records": list(records)}


def log_event(*messages: str, ids: Sequence[str] | None = None, kind: str = "DATA_MESSAGE") -> dict[str, Any]:
    """The event of a subscription filter."""
    document = {
        "messageType": kind,
        "owner": "000000000000",
        "logGroup": "/aws/lambda/roadstead-prod-registry",
        "logStream": "2026/11/24/[$LATEST]abc",
        "subscriptionFilters": ["audit"],
        "logEvents": [
            {"id": ids[place] if ids else f"line-{place}", "timestamp": NOON, "message": message}
            for place, message in enumerate(messages)
        ],
    }
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(document).encode())).decode()}}


def audit_line(entry: AuditEntry) -> str:
    return json.dumps({"audit": entry.as_json()})


def pull(identifier: str, digest: str = DIGEST, at: int = NOON, operation: Operation = Operation.PULL) -> AuditEntry:
    return AuditEntry(identifier, at, operation, ADA, repository=SHIPS, project="acme", digest=digest, size=7)


def object_created(key: str, size: int = 5, sequencer: str = "0055AED6DCD90281E5") -> dict[str, Any]:
    """What S3 tells a queue of one new object."""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "eu-central-1",
                "eventTime": "2026-11-24T12:00:00.000Z",
                "eventName": "ObjectCreated:Put",
                "userIdentity": {"principalId": "AWS:X"},
                "requestParameters": {"sourceIPAddress": "198.51.100.1"},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "bucket": {"name": "roadstead", "arn": "arn:aws:s3:::roadstead"},
                    "object": {"key": quote_plus(key), "size": size, "eTag": "e", "sequencer": sequencer},
                },
            }
        ]
    }


def messages(*bodies: Any, queue: str = OBJECT_EVENTS) -> dict[str, Any]:
    """An event of a queue's mapping; the messages are called m0, m1 …"""
    return {
        "Records": [
            {
                "messageId": f"m{place}",
                "receiptHandle": f"r{place}",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": QUEUE + queue,
                "awsRegion": "eu-central-1",
            }
            for place, body in enumerate(bodies)
        ]
    }
