"""One DynamoDB table as `pk`, `sk` and plain Python values; every read strongly consistent.

Numbers are ints, binary is bytes. Retries what DynamoDB leaves unprocessed, and conflicts between transactions
(botocore repeats neither), with full jitter.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from roadstead.aws.clients import error_code
from roadstead.conflicts import Conflict, Throttled

Item = dict[str, Any]
Key = tuple[str, str]

BATCH_GET = 100  # keys in one BatchGetItem
BATCH_WRITE = 25  # requests in one BatchWriteItem
TRANSACTION = 100  # actions in one TransactWriteItems
MAX_SORT_KEY = 1_000  # bytes of a sort key that is searched for: DynamoDB takes 1,024, and no key of ours has half
_LAST = "\U0010ffff"  # sorts behind every other character
_ATTEMPTS = 8
_CONFLICTS = frozenset({"TransactionConflictException", "TransactionInProgressException"})

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value)
    if isinstance(value, Binary):
        return bytes(value.value)
    if isinstance(value, list):
        return [_plain(element) for element in value]
    if isinstance(value, dict):
        return {name: _plain(element) for name, element in value.items()}
    return value


def _to_wire(item: Mapping[str, Any]) -> dict[str, Any]:
    # str subclasses (names, digests) are plain strings on the wire.
    return {name: _serialize(str(value) if isinstance(value, str) else value) for name, value in item.items()}


def _from_wire(item: Mapping[str, Any]) -> Item:
    return {name: _plain(_deserialize(value)) for name, value in item.items()}


def item_from_image(image: Mapping[str, Any]) -> Item:
    """The item in a record of the table's stream. Raises ValueError when it is none."""
    try:
        return _from_wire(image)
    except (AttributeError, TypeError) as error:
        raise ValueError(f"no image of an item: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Write:
    """One action of a transaction. `values` feed the `:name` placeholders, `names` the `#name` ones."""

    action: str  # Put, Update, Delete or ConditionCheck
    key: Key
    item: Mapping[str, Any] = field(default_factory=dict)
    update: str = ""
    condition: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


def put(
    key: Key,
    item: Mapping[str, Any],
    condition: str = "",
    values: Mapping[str, Any] = {},
    names: Mapping[str, str] = {},
) -> Write:
    return Write("Put", key, item, condition=condition, values=values, names=names)


def delete(key: Key, condition: str = "", values: Mapping[str, Any] = {}, names: Mapping[str, str] = {}) -> Write:
    return Write("Delete", key, condition=condition, values=values, names=names)


def update(
    key: Key, expression: str, condition: str = "", values: Mapping[str, Any] = {}, names: Mapping[str, str] = {}
) -> Write:
    return Write("Update", key, update=expression, condition=condition, values=values, names=names)


def check(key: Key, condition: str, values: Mapping[str, Any] = {}, names: Mapping[str, str] = {}) -> Write:
    return Write("ConditionCheck", key, condition=condition, values=values, names=names)


class TransactionFailed(Conflict):
    """A transaction's conditions did not hold; `failed` are the places of the actions that said so."""

    def __init__(self, failed: Sequence[int]) -> None:
        super().__init__(f"conditions {list(failed)} did not hold")
        self.failed = tuple(failed)


class Table:
    """A table with the keys `pk` and `sk`."""

    def __init__(self, client: Any, name: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self.name = name
        self._sleep = sleep

    def get(self, key: Key) -> Item | None:
        """One GetItem."""
        answer = self._client.get_item(TableName=self.name, Key=_key(key), ConsistentRead=True)
        return _from_wire(answer["Item"]) if "Item" in answer else None

    def batch_get(self, keys: Iterable[Key], attributes: Sequence[str] = ()) -> dict[Key, Item]:
        """The items that exist among `keys`: one BatchGetItem for each 100 (fewer fit when the items are large).

        `attributes` projects; `pk` and `sk` always come along.
        """
        found: dict[Key, Item] = {}
        pending = [_key(key) for key in dict.fromkeys(keys)]
        projection: dict[str, Any] = {}
        if attributes:
            names = {f"#{place}": name for place, name in enumerate(("pk", "sk", *attributes))}
            projection = {"ProjectionExpression": ",".join(names), "ExpressionAttributeNames": names}
        attempt = 0
        while pending:
            batch, pending = pending[:BATCH_GET], pending[BATCH_GET:]
            answer = self._client.batch_get_item(
                RequestItems={self.name: {"Keys": batch, "ConsistentRead": True, **projection}}
            )
            items = answer["Responses"].get(self.name, [])
            for wire in items:
                item = _from_wire(wire)
                found[(item["pk"], item["sk"])] = item
            left = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            if left and not items:
                attempt = self._wait(attempt)
            pending = left + pending
        return found

    def query(
        self,
        pk: str,
        *,
        prefix: str = "",
        after: str | None = None,
        limit: int | None = None,
        attributes: Sequence[str] = (),
    ) -> Iterator[Item]:
        """Items of a partition whose `sk` begins with `prefix` and sorts behind `after`, in byte order.

        `after` may be any text, as clients send it. Reads page after page as they are consumed; `limit` bounds how
        many items are read.
        """
        names = {"#pk": "pk", "#sk": "sk"}
        values: dict[str, Any] = {":pk": pk}
        condition = "#pk = :pk"
        if after is not None and after >= prefix:
            # A key condition is one range: from behind `after` to the last key that can have the prefix.
            first, last = _shortened(after) + "\0", prefix + _LAST
            if first > last:  # DynamoDB refuses a range that is upside down
                return
            values |= {":from": first, ":to": last}
            condition += " AND #sk BETWEEN :from AND :to"
        elif prefix:
            values[":prefix"] = prefix
            condition += " AND begins_with(#sk, :prefix)"
        else:
            del names["#sk"]
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": _to_wire(values),
            "ConsistentRead": True,
        }
        if attributes:
            projected = {f"#a{place}": name for place, name in enumerate(("pk", "sk", *attributes))}
            names |= projected
            request["ProjectionExpression"] = ",".join(projected)
        request["ExpressionAttributeNames"] = names
        left = limit
        while left is None or left > 0:
            if left is not None:
                request["Limit"] = left
            answer = self._client.query(**request)
            for wire in answer["Items"]:
                yield _from_wire(wire)
            if left is not None:
                left -= len(answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def put(self, key: Key, item: Mapping[str, Any]) -> None:
        """One unconditional PutItem."""
        self._client.put_item(TableName=self.name, Item=_to_wire(_with_key(key, item)))

    def write(self, write: Write) -> Item | None:
        """One conditional write by itself; answers the new item of an Update, None otherwise. Raises Conflict.

        A collision with a transaction on the same item is retried here, as in `transact`.
        """
        request = _request(self.name, write)
        attempt = 0
        while True:
            try:
                if write.action == "Put":
                    self._client.put_item(**request)
                elif write.action == "Delete":
                    self._client.delete_item(**request)
                else:
                    answer = self._client.update_item(ReturnValues="ALL_NEW", **request)
                    return _from_wire(answer.get("Attributes", {}))
                return None
            except ClientError as error:
                code = error_code(error)
                if code == "ConditionalCheckFailedException":
                    raise Conflict(f"{write.key}: the condition did not hold") from error
                if code not in _CONFLICTS:
                    raise
                attempt = self._wait(attempt)

    def transact(self, writes: Sequence[Write]) -> None:
        """All or none of `writes` (at most 100). Raises TransactionFailed when a condition did not hold.

        A collision with another transaction on the same items is retried here, with jitter, then a Throttled. Every
        try has the same token: one that went through unheard is not taken for somebody else's write by the next.
        """
        actions = [{write.action: _request(self.name, write)} for write in writes]
        token = secrets.token_hex(16)
        attempt = 0
        while True:
            try:
                self._client.transact_write_items(TransactItems=actions, ClientRequestToken=token)
                return
            except ClientError as error:
                code = error_code(error)
                if code == "TransactionCanceledException":
                    reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
                    failed = [place for place, reason in enumerate(reasons) if reason == "ConditionalCheckFailed"]
                    if failed:
                        raise TransactionFailed(failed) from error
                    if not {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"} & set(reasons):
                        raise
                elif code not in _CONFLICTS:
                    raise
                attempt = self._wait(attempt)

    def batch_write(self, puts: Iterable[tuple[Key, Mapping[str, Any]]] = (), deletes: Iterable[Key] = ()) -> None:
        """Unconditional writes, 25 to a request; not atomic, each of them idempotent."""
        pending: list[dict[str, Any]] = [{"PutRequest": {"Item": _to_wire(_with_key(key, item))}} for key, item in puts]
        pending += [{"DeleteRequest": {"Key": _key(key)}} for key in deletes]
        attempt = 0
        while pending:
            batch, pending = pending[:BATCH_WRITE], pending[BATCH_WRITE:]
            answer = self._client.batch_write_item(RequestItems={self.name: batch})
            left = answer.get("UnprocessedItems", {}).get(self.name, [])
            if left:
                attempt = self._wait(attempt)
            pending = left + pending

    def _wait(self, attempt: int) -> int:
        if attempt >= _ATTEMPTS:
            raise Throttled(f"{self.name}: still busy after {_ATTEMPTS} attempts")
        self._sleep(random.uniform(0, min(1.0, 0.02 * 2**attempt)))  # noqa: S311 - jitter, no secret
        return attempt + 1


def _shortened(key: str) -> str:
    """A key to begin behind, cut to what DynamoDB takes; the same, to keys that are shorter than the cut."""
    return key.encode("utf-8", "replace")[:MAX_SORT_KEY].decode("utf-8", "ignore")


def _key(key: Key) -> dict[str, Any]:
    return {"pk": {"S": str(key[0])}, "sk": {"S": str(key[1])}}


def _with_key(key: Key, item: Mapping[str, Any]) -> dict[str, Any]:
    return {"pk": key[0], "sk": key[1], **item}


def _request(table: str, write: Write) -> dict[str, Any]:
    request: dict[str, Any] = {"TableName": table}
    if write.action == "Put":
        request["Item"] = _to_wire(_with_key(write.key, write.item))
    else:
        request["Key"] = _key(write.key)
    if write.update:
        request["UpdateExpression"] = write.update
    if write.condition:
        request["ConditionExpression"] = write.condition
    if write.values:
        request["ExpressionAttributeValues"] = _to_wire(write.values)
    if write.names:
        request["ExpressionAttributeNames"] = dict(write.names)
    return request
