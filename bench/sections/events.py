"""What an event costs in the webhook function: calls to AWS and CPU, per batch and per event."""

from __future__ import annotations

import base64
import gzip
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import boto3
from boto3.dynamodb.types import TypeSerializer

from bench.operations import REPOSITORY
from bench.pairs import Comparison, Cost, compared, cost
from bench.rig import Rig
from bench.table import table
from functions.webhook.composition import build
from functions.webhook.dispatch import dispatch
from functions.webhook.settings import Settings
from roadstead.aws.content.index_items import event_write
from roadstead.trail.entries import Actor, AuditEntry, Event, Operation

SIZES = (1, 10, 100)  # events in a batch
_REPEAT = 5  # batches or reads in a sample
_ACTOR = Actor("bench", token_id="t" * 22, source_ip="192.0.2.1", user_agent="bench", request_id="r" * 36)
_serialize = TypeSerializer().serialize

Batch = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Handled:
    """`cpu` is in seconds for one event, compared to a bare read."""

    name: str
    size: int
    calls: tuple[str, ...]
    cpu: Comparison


def measure(rig: Rig, *, pairs: int) -> Iterator[Handled]:
    """Measure every kind and size of batch, each against bare reads right after it."""
    services = build(Settings.from_environ(rig.environment))
    dynamodb = boto3.client("dynamodb")
    key = {"pk": {"S": f"repo#{REPOSITORY}"}, "sk": {"S": "tag#latest"}}

    def bare() -> object:
        return dynamodb.get_item(TableName=rig.resources.index_table, Key=key, ConsistentRead=True)

    def ours(make: Callable[[int], Batch], size: int) -> Cost:
        batches = [make(size) for _ in range(_REPEAT)]
        return cost(lambda: [dispatch(services, one) for one in batches], of=_REPEAT * size)

    def base() -> Cost:
        return cost(lambda: [bare() for _ in range(_REPEAT)], of=_REPEAT)

    for name, make in (("mutations, from the stream", _mutations), ("pulls, from the log", _pulls)):
        for size in SIZES:
            dispatch(services, make(size))  # opens connections and creates the log stream
            calls = rig.calls_of(lambda size=size, make=make: dispatch(services, make(size)))  # type: ignore[misc]
            yield Handled(name, size, calls, compared(partial(ours, make, size), base, pairs)[1])


def show(handled: list[Handled]) -> str:
    rows = [
        [
            one.name,
            str(one.size),
            f"{len(one.calls) / one.size:.2f}",
            f"{one.cpu.median_ours * 1e6:.0f}",
            str(one.cpu),
            ", ".join(call.partition(".")[2] for call in one.calls),
        ]
        for one in handled
    ]
    return table(
        "Events in the webhook function",
        "Batches as Lambda passes them, handled in this process. CPU for each event, against a bare boto3 get_item "
        "of the same emulator, measured in turn. No webhook is notified.",
        ["batch", "events", "calls/event", "CPU us/event", "x get_item", "calls of a batch"],
        rows,
        prose=True,
    )


def _mutations(size: int) -> Batch:
    return {"Records": [_record(place) for place in range(size)]}


def _record(place: int) -> Batch:
    event = Event(
        secrets.token_hex(16), _now(), Operation.PUSH, _ACTOR, REPOSITORY, f"sha256:{place:064x}", ("latest",)
    )
    write = event_write(event)
    item = {"pk": write.key[0], "sk": write.key[1], **write.item}
    image = {name: _serialize(value) for name, value in item.items()}
    change = {"Keys": {"pk": image["pk"], "sk": image["sk"]}, "NewImage": image, "SequenceNumber": str(place)}
    return {"eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": change}


def _pulls(size: int) -> Batch:
    lines = [
        AuditEntry(
            secrets.token_hex(16), _now(), Operation.PULL, _ACTOR, repository=REPOSITORY,
            digest=f"sha256:{place % 20:064x}", size=1000,
        )
        for place in range(size)
    ]  # fmt: skip
    events = [
        {"id": secrets.token_hex(28), "timestamp": one.at, "message": json.dumps({"audit": one.as_json()})}
        for one in lines
    ]
    document = json.dumps({"messageType": "DATA_MESSAGE", "logEvents": events}).encode()
    return {"awslogs": {"data": base64.b64encode(gzip.compress(document)).decode()}}


def _now() -> int:
    return int(time.time() * 1000)
