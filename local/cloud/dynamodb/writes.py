"""PutItem, UpdateItem, DeleteItem, BatchWriteItem and TransactWriteItems."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.cloud.database import Database
from local.cloud.dynamodb import evaluation, expressions, requests, storage, values
from local.cloud.dynamodb.evaluation import Names
from local.cloud.dynamodb.expressions import Node
from local.cloud.dynamodb.tables import Table, Tables
from local.cloud.dynamodb.values import Item
from local.cloud.errors import AwsError, validation
from local.cloud.faults import Faults

BATCH = 25  # requests
TRANSACTION = 100  # actions
TRANSACTION_BYTES = 4 * 1024 * 1024
TOKEN_SECONDS = 600  # for which a transaction's token is remembered

_CONDITION = (
    "TableName", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues",
    "ReturnValuesOnConditionCheckFailure",
)  # fmt: skip
_OWN = {"Put": ("Item",), "Delete": ("Key",), "Update": ("Key", "UpdateExpression"), "ConditionCheck": ("Key",)}
_CONFLICT = "Transaction is ongoing for the item"


class _ConditionFailed(Exception):
    def __init__(self, item: Item | None) -> None:
        super().__init__()
        self.item = item  # to be returned


@dataclass(frozen=True, slots=True)
class _Action:
    """One write as a request has it, checked and ready to be applied."""

    kind: str
    table: Table
    key: tuple[bytes, bytes]
    item: Item
    condition: Node | None
    update: tuple[Node, ...]
    names: Names
    returns_old: bool  # when the condition fails

    @classmethod
    def of(cls, kind: str, request: Mapping[str, Any], tables: Tables) -> _Action:
        table = tables.find(request.get("TableName"))
        item: Item = {}
        if kind == "Put":
            item = values.normal_item(request.get("Item"))
            key = table.key(item)
            if values.size_of(item) > values.ITEM_LIMIT:
                raise validation("Item size has exceeded the maximum allowed size")
            for index in table.indexes:
                index.row(table, item)
        else:
            key = table.only_key(request.get("Key"))
        text, update = request.get("ConditionExpression"), request.get("UpdateExpression")
        if kind == "ConditionCheck" and text is None:
            raise validation("ConditionExpression is missing.")
        names = Names.of(request, text, update)
        return cls(
            kind,
            table,
            key,
            item,
            expressions.condition(text) if text is not None else None,
            expressions.update(update) if update is not None else (),
            names,
            requests.choice(request, "ReturnValuesOnConditionCheckFailure", "NONE", "ALL_OLD") == "ALL_OLD",
        )

    def prepared(self, connection: sqlite3.Connection) -> tuple[Item | None, Item | None, set[str]]:
        """The item before and after, and the attributes that an update touches. Raises _ConditionFailed, AwsError."""
        old = storage.read(connection, self.table, *self.key)
        if self.condition is not None and not evaluation.holds(self.condition, old or {}, self.names):
            raise _ConditionFailed(old if self.returns_old else None)
        if self.kind == "Put":
            return old, self.item, set()
        if self.kind == "Delete":
            return old, None, set()
        if self.kind == "ConditionCheck":
            return old, old, set()
        base = old if old is not None else self.table.key_item(*self.key)
        keys = (self.table.hash, self.table.range)
        new, touched = evaluation.updated(self.update, base, self.names, keys)
        return old, new, touched


class Writes:
    def __init__(self, database: Database, tables: Tables, faults: Faults) -> None:
        self._database = database
        self._tables = tables
        self._faults = faults

    async def put(self, request: Mapping[str, Any]) -> bytes:
        return await self._one("Put", request, "NONE", "ALL_OLD")

    async def delete(self, request: Mapping[str, Any]) -> bytes:
        return await self._one("Delete", request, "NONE", "ALL_OLD")

    async def update(self, request: Mapping[str, Any]) -> bytes:
        return await self._one("Update", request, "NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW")

    async def batch(self, request: Mapping[str, Any]) -> bytes:
        requests.check(request, "RequestItems")
        actions: list[tuple[str, Any, _Action]] = []
        for name, ones in requests.mapping(request, "RequestItems").items():
            for one in ones:
                ((kind, content),) = one.items()
                if kind not in ("PutRequest", "DeleteRequest"):
                    raise validation(f"A batch has PutRequest and DeleteRequest, not {kind}")
                action = _Action.of(kind.removesuffix("Request"), {**content, "TableName": name}, self._tables)
                actions.append((name, one, action))
        if not 0 < len(actions) <= BATCH:
            raise validation("Too many items requested for the BatchWriteItem call, or none")
        if len({(action.table.id, *action.key) for _, _, action in actions}) != len(actions):
            raise validation("Provided list of item keys contains duplicates")
        processed = self._faults.processed(len(actions))

        def work(connection: sqlite3.Connection) -> None:
            for _, _, action in actions[:processed]:
                old, new, _ = action.prepared(connection)
                storage.write(connection, action.table, action.key, old, new)

        await self._database.write(work)
        left: dict[str, list[Any]] = {}
        for name, one, _ in actions[processed:]:
            left.setdefault(name, []).append(one)
        return values.stored({"UnprocessedItems": left})

    async def transact(self, request: Mapping[str, Any]) -> bytes:
        requests.check(request, "TransactItems", "ClientRequestToken")
        actions = [self._transacted(one) for one in request.get("TransactItems", ())]
        if not 0 < len(actions) <= TRANSACTION:
            raise validation(f"Member must have length less than or equal to {TRANSACTION}, and at least 1")
        if len({(action.table.id, *action.key) for action in actions}) != len(actions):
            raise validation("Transaction request cannot include multiple operations on one item")
        if sum(values.size_of(action.item) for action in actions) > TRANSACTION_BYTES:
            raise validation("Collection size of items in the transaction exceeds the limit of 4 MB")
        if self._faults.conflict():
            raise _cancelled([("TransactionConflict", _CONFLICT, None)] + [("None", "", None)] * (len(actions) - 1))
        token = request.get("ClientRequestToken")
        digest = hashlib.sha256(json.dumps(request["TransactItems"], sort_keys=True).encode()).digest()

        def work(connection: sqlite3.Connection) -> None:
            if token is None or not _was_done(connection, str(token), digest):
                _apply_all(connection, actions)

        await self._database.write(work)
        return b"{}"

    def _transacted(self, one: Mapping[str, Any]) -> _Action:
        if len(one) != 1:
            raise validation("TransactItems can only contain one of Check, Put, Update or Delete")
        ((kind, content),) = one.items()
        if kind not in _OWN:
            raise validation(f"{kind} is not an action of a transaction")
        requests.check(content, *_CONDITION, *_OWN[kind])
        return _Action.of(kind, content, self._tables)

    async def _one(self, kind: str, request: Mapping[str, Any], *returns: str) -> bytes:
        requests.check(request, *_CONDITION, *_OWN[kind], "ReturnValues")
        wanted = requests.choice(request, "ReturnValues", *returns)
        action = _Action.of(kind, request, self._tables)
        if self._faults.conflict():
            raise AwsError("TransactionConflictException", _CONFLICT)

        def work(connection: sqlite3.Connection) -> Item | None:
            old, new, touched = action.prepared(connection)
            storage.write(connection, action.table, action.key, old, new)
            return _returned(wanted, old, new, touched)

        try:
            returned = await self._database.write(work)
        except _ConditionFailed as failed:
            fields: dict[str, Any] = {"Item": failed.item} if failed.item is not None else {}
            raise AwsError("ConditionalCheckFailedException", "The conditional request failed", **fields) from None
        return b"{}" if returned is None else b'{"Attributes":' + values.stored(returned) + b"}"


def _apply_all(connection: sqlite3.Connection, actions: list[_Action]) -> None:
    """All or none of a transaction's actions. Raises AwsError with a reason for each of them."""
    reasons: list[tuple[str, str, Item | None]] = []
    changes = []
    for action in actions:
        try:
            changes.append(action.prepared(connection))
            reasons.append(("None", "", None))
        except _ConditionFailed as failed:
            reasons.append(("ConditionalCheckFailed", "The conditional request failed", failed.item))
        except AwsError as error:
            reasons.append(("ValidationError", error.message, None))
    if any(code != "None" for code, _, _ in reasons):
        raise _cancelled(reasons)
    for action, (old, new, _) in zip(actions, changes, strict=True):
        if action.kind != "ConditionCheck":
            storage.write(connection, action.table, action.key, old, new)


def _cancelled(reasons: Sequence[tuple[str, str, Item | None]]) -> AwsError:
    listed = [
        {"Code": code} | ({"Message": message} if message else {}) | ({"Item": item} if item is not None else {})
        for code, message, item in reasons
    ]
    codes = ", ".join(code for code, _, _ in reasons)
    return AwsError(
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        CancellationReasons=listed,
    )


def _was_done(connection: sqlite3.Connection, token: str, digest: bytes) -> bool:
    """Whether a transaction with this token was done within ten minutes. Raises AwsError when it was another one."""
    now = int(time.time())
    row = connection.execute("SELECT request, at FROM tokens WHERE token=?", (token,)).fetchone()
    if row is not None and row[1] > now - TOKEN_SECONDS:
        if row[0] != digest:
            raise AwsError(
                "IdempotentParameterMismatchException",
                "Request was rejected because a request with the same token had other parameters.",
            )
        return True
    connection.execute("INSERT OR REPLACE INTO tokens VALUES (?, ?, ?)", (token, digest, now))
    return False


def _returned(wanted: str, old: Item | None, new: Item | None, touched: set[str]) -> Item | None:
    if wanted == "ALL_OLD":
        return old
    if wanted == "ALL_NEW":
        return new
    if wanted.startswith("UPDATED"):
        item = (old if wanted == "UPDATED_OLD" else new) or {}
        return {name: item[name] for name in touched if name in item}
    return None
