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
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from roadstead.aws.attributes import Item as Item  # whoever has a table has items
from roadstead.aws.attributes import decode, encode
from roadstead.aws.clients import error_code
from roadstead.aws.ranges import BY_KEY, Order, Range
from roadstead.conflicts import Conflict, Throttled

Key = tuple[str, str]

BATCH_GET = 100  # keys in one BatchGetItem
BATCH_WRITE = 25  # requests in one BatchWriteItem
TRANSACTION = 100  # actions in one TransactWriteItems
_ATTEMPTS = 8
_CONFLICTS = frozenset({"TransactionConflictException", "TransactionInProgressException"})


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


class Count(NamedTuple):
    items: int
    whole: bool  # or there are more


class Table:
    """A table with the keys `pk` and `sk`."""

    def __init__(self, client: Any, name: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self.name = name
        self._sleep = sleep

    def get(self, key: Key) -> Item | None:
        """One GetItem."""
        answer = self._client.get_item(TableName=self.name, Key=_key(key), ConsistentRead=True)
        return decode(answer["Item"]) if "Item" in answer else None

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
            for wire in answer["Responses"].get(self.name, []):
                item = decode(wire)
                found[(item["pk"], item["sk"])] = item
            left = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            # As long as keys are answered, also those of no item, it goes on.
            attempt = 0 if len(left) < len(batch) else self._wait(attempt)
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
        backward: bool = False,
        order: Order = BY_KEY,
    ) -> Iterator[Item]:
        """Items of a partition whose sort key begins with `prefix`, those that come after `after`, in byte order.

        `backward` turns the order around, and with it what comes after `after`, which may be any text, as clients send
        it. Reads page after page as they are consumed; `limit` bounds how many items are answered. `order` is the
        table's own or that of an index, whose reads are eventually consistent.
        """
        wanted = Range(pk, prefix, after, backward, order)
        if limit == 0 or wanted.empty:
            return
        request = self._query(wanted, attributes)
        left = limit
        while left is None or left > 0:
            if left is not None:
                request["Limit"] = left + wanted.inclusive
            answer = self._client.query(**request)
            for wire in answer["Items"]:
                item = decode(wire)
                if wanted.inclusive and item[order.key] == wanted.after:
                    continue
                yield item
                if left is not None:
                    left -= 1
                    if left == 0:
                        return
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def count(
        self,
        pk: str,
        *,
        prefix: str = "",
        after: str | None = None,
        pages: int | None = None,
        order: Order = BY_KEY,
    ) -> Count:
        """How many items of a partition begin with `prefix` and come after `after`: a Query for each MB of them, which
        answers no item.

        After `pages` of them the number is what was counted so far, and `whole` is false if there is more.
        """
        request = self._query(Range(pk, prefix, after, order=order), ())
        request["Select"] = "COUNT"
        items = 0
        while True:
            answer = self._client.query(**request)
            items += answer["Count"]
            if "LastEvaluatedKey" not in answer:
                return Count(items, whole=True)
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
            if pages is not None:
                pages -= 1
                if pages <= 0:
                    return Count(items, whole=False)

    def _query(self, wanted: Range, attributes: Sequence[str]) -> dict[str, Any]:
        condition, values, names = wanted.condition()
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": encode(values),
            "ScanIndexForward": not wanted.backward,
        }
        if wanted.order.index:
            request["IndexName"] = wanted.order.index
        else:
            request["ConsistentRead"] = True
        if attributes:
            own = ("pk", "sk", *attributes)
            projected = {f"#a{place}": name for place, name in enumerate(dict.fromkeys((*own, wanted.order.key)))}
            names |= projected
            request["ProjectionExpression"] = ",".join(projected)
        request["ExpressionAttributeNames"] = names
        return request

    def put_item(self, key: Key, item: Mapping[str, Any]) -> None:
        """One unconditional PutItem, retried as in `write`."""
        self.write(put(key, item))

    def scan_keys(self) -> Iterator[Key]:
        """Yield the key of every item. Reads the whole table, page after page as they are consumed."""
        yield from ((item["pk"], item["sk"]) for item in self.scan(()))

    def scan(self, attributes: Sequence[str]) -> Iterator[Item]:
        """Yield every item with its key and `attributes`. Reads the whole table, page after page as consumed."""
        names = {f"#{place}": name for place, name in enumerate(("pk", "sk", *attributes))}
        request: dict[str, Any] = {
            "TableName": self.name,
            "ProjectionExpression": ",".join(names),
            "ExpressionAttributeNames": names,
            "ConsistentRead": True,
        }
        while True:
            answer = self._client.scan(**request)
            for wire in answer["Items"]:
                yield decode(wire)
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

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
                    return decode(answer.get("Attributes", {}))
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
        """Unconditional writes, 25 to a request; not atomic, each of them idempotent.

        Of several puts of a key the last counts: DynamoDB refuses a request that has a key twice.
        """
        wanted = dict(puts).items()
        pending: list[dict[str, Any]] = [{"PutRequest": {"Item": encode(_with_key(key, item))}} for key, item in wanted]
        pending += [{"DeleteRequest": {"Key": _key(key)}} for key in dict.fromkeys(deletes)]
        attempt = 0
        while pending:
            batch, pending = pending[:BATCH_WRITE], pending[BATCH_WRITE:]
            answer = self._client.batch_write_item(RequestItems={self.name: batch})
            left = answer.get("UnprocessedItems", {}).get(self.name, [])
            if left:  # as long as something is written, it goes on
                attempt = self._wait(attempt if len(left) == len(batch) else 0)
            pending = left + pending

    def _wait(self, attempt: int) -> int:
        if attempt >= _ATTEMPTS:
            raise Throttled(f"{self.name}: still busy after {_ATTEMPTS} attempts")
        self._sleep(random.uniform(0, min(1.0, 0.02 * 2**attempt)))  # noqa: S311 - jitter, no secret
        return attempt + 1


def _key(key: Key) -> dict[str, Any]:
    return {"pk": {"S": str(key[0])}, "sk": {"S": str(key[1])}}


def _with_key(key: Key, item: Mapping[str, Any]) -> dict[str, Any]:
    return {"pk": key[0], "sk": key[1], **item}


def _request(table: str, write: Write) -> dict[str, Any]:
    request: dict[str, Any] = {"TableName": table}
    if write.action == "Put":
        request["Item"] = encode(_with_key(write.key, write.item))
    else:
        request["Key"] = _key(write.key)
    if write.update:
        request["UpdateExpression"] = write.update
    if write.condition:
        request["ConditionExpression"] = write.condition
    if write.values:
        request["ExpressionAttributeValues"] = encode(write.values)
    if write.names:
        request["ExpressionAttributeNames"] = dict(write.names)
    return request
