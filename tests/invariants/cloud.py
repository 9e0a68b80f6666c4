"""AWS within the test's own process: every call can be refused, lost, repeated or made to wait for its turn.

The answers are ministack's, asked without its server: a call costs about a millisecond, and nothing happens between
two of them. Its transactions are all or nothing, name the conditions that failed, and honour a repeated
ClientRequestToken as DynamoDB does (moto does not, and copies the table for each).
"""

from __future__ import annotations

import base64
import contextlib
import copy
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.awsrequest import AWSResponse
from botocore.endpoint import convert_to_response_dict
from botocore.httpchecksum import apply_request_checksum
from botocore.parsers import create_parser
from ministack.services import dynamodb, s3

from roadstead.aws.attributes import Item, decode
from tests import aws

Answer = tuple[AWSResponse, dict[str, Any]]
Perform = Callable[[], Answer]
Rows = dict[tuple[str, str], Item]  # by `pk` and `sk`
Interceptor = Callable[[str, Perform], Answer]  # the call's name ("dynamodb.GetItem"), and what makes it

INDEX, IDENTITY, BUCKET = "invariants-index", "invariants-identity", "invariants-bucket"
_NOWHERE = "http://127.0.0.1:1"  # never connected to: every call is answered before it is sent


class Clock:
    """Seconds since the epoch; moves by a millisecond whenever somebody looks, and as the test says."""

    def __init__(self) -> None:
        self._now = float(int(time.time()))

    def __call__(self) -> float:
        self._now += 0.001
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds


@dataclass
class Cloud:
    """One index table and one bucket. `events` are those of all mutations that took place, in their order."""

    clock: Clock = field(default_factory=Clock)
    events: list[Item] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._local = threading.local()
        self._lock = threading.Lock()
        self._parsers: dict[str, Any] = {}
        self._told: set[str] = set()
        self.dynamodb = aws.client("dynamodb", _NOWHERE)
        self.s3 = aws.client("s3", _NOWHERE)
        for client in (self.dynamodb, self.s3):
            client.meta.events.register("before-call", self._answer)
        aws.make_tables(self.dynamodb, INDEX, IDENTITY)
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": aws.REGION})
        self._empty = self.freeze()

    @contextlib.contextmanager
    def intercepted(self, interceptor: Interceptor) -> Iterator[None]:
        """Let `interceptor` have the calls that this thread makes."""
        self._local.interceptor = interceptor
        try:
            yield
        finally:
            self._local.interceptor = None

    def freeze(self) -> tuple[Any, ...]:
        """All that is stored, to be brought back by `thaw`."""
        uploads = {name: dict(getattr(s3, name).items()) for name in _UPLOADS}
        state = (dynamodb._tables[INDEX], s3._buckets[BUCKET], uploads, self.events, self._told)
        return copy.deepcopy(state)

    def thaw(self, frozen: tuple[Any, ...] | None = None) -> None:
        """Go back to what was frozen, or to nothing at all."""
        table, bucket, uploads, events, told = copy.deepcopy(frozen or self._empty)
        dynamodb._tables[INDEX], s3._buckets[BUCKET] = table, bucket
        for name in _UPLOADS:
            stored = getattr(s3, name)
            stored.clear()
            for key, value in uploads[name].items():
                stored[key] = value
        self.events, self._told = events, told

    def rows(self, prefix: str = "") -> Rows:
        """Every item of the index whose `pk` begins with `prefix`, taken from where ministack keeps it: a Scan through
        botocore would be most of the tests' time."""
        return {
            (pk, sk): {name: _value(wire) for name, wire in item.items()}
            for pk, partition in dynamodb._tables[INDEX]["items"].items()
            if pk.startswith(prefix)
            for sk, item in partition.items()
        }

    def objects(self) -> dict[str, bytes]:
        return objects(self.s3)

    def _answer(self, model: Any, params: dict[str, Any], **_: Any) -> Answer:
        interceptor: Interceptor | None = getattr(self._local, "interceptor", None)
        name = f"{model.service_model.service_name}.{model.name}"

        def perform() -> Answer:
            with self._lock:
                return self._perform(model, params)

        return interceptor(name, perform) if interceptor else perform()

    def _perform(self, model: Any, params: dict[str, Any]) -> Answer:
        if model.service_model.service_name == "s3":
            apply_request_checksum(params)
        url, body = urlsplit(params["url"]), _bytes(params["body"])
        headers = {name.lower(): _text(value) for name, value in params["headers"].items()}
        query = parse_qs(url.query, keep_blank_values=True)
        module = s3 if model.service_model.service_name == "s3" else dynamodb
        status, answered, content = _finish(module.handle_request(params["method"], url.path, headers, body, query))[:3]
        if model.name == "TransactWriteItems" and status == 200:
            self._note_events(json.loads(body))
        raw = {name: str(value) for name, value in answered.items()}
        http = AWSResponse(params["url"], status, raw, _Raw(_bytes(content)))
        protocol = model.service_model.resolved_protocol
        parser = self._parsers.setdefault(protocol, create_parser(protocol))
        response = convert_to_response_dict(http, model)
        parsed = parser.parse(response, model.output_shape)
        if status >= 300:  # as botocore does it: the fields of the error itself, CancellationReasons among them
            shape = model.service_model.shape_for_error_code(parsed["Error"]["Code"])
            parsed |= parser.parse(response, shape) if shape is not None else {}
        return http, parsed

    def _note_events(self, transaction: dict[str, Any]) -> None:
        for action in transaction["TransactItems"]:
            wire = action.get("Put", {}).get("Item", {})
            if wire and wire["pk"]["S"].startswith("event#") and wire["id"]["S"] not in self._told:
                self._told.add(wire["id"]["S"])
                self.events.append(decode(wire))


def rows(dynamodb_client: Any) -> Rows:
    """Every item of the index."""
    found: Rows = {}
    for page in dynamodb_client.get_paginator("scan").paginate(TableName=INDEX, ConsistentRead=True):
        for wire in page["Items"]:
            item = decode(wire)
            found[(item["pk"], item["sk"])] = item
    return found


def objects(s3_client: Any) -> dict[str, bytes]:
    """Every object's bytes by its key."""
    pages = s3_client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    return {key: s3_client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}


_UPLOADS = ("_multipart_uploads", "_completed_multipart_uploads")


class _Raw:
    """What urllib3 would hand out: a body that is read once."""

    def __init__(self, content: bytes) -> None:
        self._left = content

    def read(self, amount: int | None = None) -> bytes:
        taken = self._left if amount is None else self._left[:amount]
        self._left = self._left[len(taken) :]
        return taken

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


def _finish(coroutine: Any) -> Any:
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("this request of ministack's would have to wait for something")


def _value(wire: dict[str, Any]) -> Any:
    """A value as `Table` gives it, from the JSON of an item."""
    ((kind, value),) = wire.items()
    if kind == "N":
        return int(value)
    if kind == "B":
        return base64.b64decode(value)
    if kind == "L":
        return [_value(element) for element in value]
    if kind == "M":
        return {name: _value(element) for name, element in value.items()}
    assert kind in ("S", "BOOL"), kind
    return value


def _bytes(value: Any) -> bytes:
    if hasattr(value, "read"):
        value.seek(0)  # a repeated request sends its body again
        value = value.read()
    return value.encode() if isinstance(value, str) else bytes(value or b"")


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
