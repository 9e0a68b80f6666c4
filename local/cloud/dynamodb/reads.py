"""GetItem, BatchGetItem, TransactGetItems, Query and Scan.

An item is kept as the JSON in which it is answered, so that a read that wants all of it copies bytes. All of them see
what is committed when they begin, and so are strongly consistent.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.cloud.database import Database
from local.cloud.dynamodb import evaluation, expressions, requests, storage, values
from local.cloud.dynamodb.evaluation import Names
from local.cloud.dynamodb.expressions import Node
from local.cloud.dynamodb.tables import Index, Table, Tables
from local.cloud.errors import AwsError, validation
from local.cloud.faults import Faults

PAGE = 1024 * 1024  # bytes of items that one Query or Scan looks at
BATCH = 100  # keys
BATCH_BYTES = 16 * 1024 * 1024
_ROWS = 64  # fetched at a time
_PROJECTION = ("ProjectionExpression", "ExpressionAttributeNames")


class Reads:
    def __init__(self, database: Database, tables: Tables, faults: Faults) -> None:
        self._reader = database.reader
        self._tables = tables
        self._faults = faults

    def get(self, request: Mapping[str, Any]) -> bytes:
        requests.check(request, "TableName", "Key", "ConsistentRead", *_PROJECTION)
        table = self._tables.find(request.get("TableName"))
        pk, sk = table.only_key(request.get("Key"))
        shape = _Shape.of(request)
        found = storage.read_stored(self._reader, table, pk, sk)
        return b"{}" if found is None else b'{"Item":' + shape.apply(found) + b"}"

    def batch_get(self, request: Mapping[str, Any]) -> bytes:
        requests.check(request, "RequestItems")
        wanted: list[tuple[str, Table, tuple[bytes, bytes], dict[str, Any], _Shape]] = []
        for name, one in requests.mapping(request, "RequestItems").items():
            requests.check(one, "Keys", "ConsistentRead", *_PROJECTION)
            table, shape = self._tables.find(name), _Shape.of(one)
            keys = [(table.only_key(key), key) for key in one.get("Keys", ())]
            if len({key for key, _ in keys}) != len(keys):
                raise validation("Provided list of item keys contains duplicates")
            wanted += [(name, table, key, wire, shape) for key, wire in keys]
        if not 0 < len(wanted) <= BATCH:
            raise validation(f"Too many items requested for the BatchGetItem call, or none: {len(wanted)}")
        processed, found, size = self._faults.processed(len(wanted)), dict[str, list[bytes]](), 0
        for place, (name, table, key, _, shape) in enumerate(wanted[:processed]):
            item = storage.read_stored(self._reader, table, *key)
            size += len(item or b"")
            if size > BATCH_BYTES:
                processed = place
                break
            found.setdefault(name, [])
            if item is not None:
                found[name].append(shape.apply(item))
        left: dict[str, dict[str, Any]] = {}
        for name, _, _, wire, _ in wanted[processed:]:
            rest = {part: value for part, value in request["RequestItems"][name].items() if part != "Keys"}
            left.setdefault(name, {**rest, "Keys": []})["Keys"].append(wire)
        responses = b",".join(
            json.dumps(name).encode() + b":[" + b",".join(items) + b"]" for name, items in found.items()
        )
        return b'{"Responses":{' + responses + b'},"UnprocessedKeys":' + json.dumps(left).encode() + b"}"

    def transact_get(self, request: Mapping[str, Any]) -> bytes:
        requests.check(request, "TransactItems")
        actions = request.get("TransactItems", ())
        if not 0 < len(actions) <= BATCH:
            raise validation("TransactItems has between 1 and 100 members")
        wanted = []
        for action in actions:
            one = requests.mapping(action, "Get")
            requests.check(one, "TableName", "Key", *_PROJECTION)
            table = self._tables.find(one.get("TableName"))
            wanted.append((table, table.only_key(one.get("Key")), _Shape.of(one)))
        self._reader.execute("BEGIN")
        try:
            found = [(storage.read_stored(self._reader, table, *key), shape) for table, key, shape in wanted]
        finally:
            self._reader.execute("COMMIT")
        items = (b"{}" if item is None else b'{"Item":' + shape.apply(item) + b"}" for item, shape in found)
        return b'{"Responses":[' + b",".join(items) + b"]}"

    def query(self, request: Mapping[str, Any]) -> bytes:
        requests.check(
            request, "TableName", "IndexName", "KeyConditionExpression", "FilterExpression", "ScanIndexForward",
            "Limit", "ExclusiveStartKey", "ConsistentRead", "Select", "ExpressionAttributeValues", *_PROJECTION,
        )  # fmt: skip
        source = self._source(request)
        text = request.get("KeyConditionExpression")
        if text is None:
            raise validation("Either the KeyConditions or KeyConditionExpression parameter must be specified")
        shape = _Shape.of(request, text)
        bounds = _Bounds.of(expressions.condition(text, "KeyConditionExpression"), source, shape.names)
        return self._page(request, source, bounds, shape)

    def scan(self, request: Mapping[str, Any]) -> bytes:
        requests.check(
            request, "TableName", "IndexName", "FilterExpression", "Limit", "ExclusiveStartKey", "ConsistentRead",
            "Select", "ExpressionAttributeValues", *_PROJECTION,
        )  # fmt: skip
        return self._page(request, self._source(request), None, _Shape.of(request))

    def _source(self, request: Mapping[str, Any]) -> _Source:
        table = self._tables.find(request.get("TableName"))
        if "IndexName" not in request:
            return _Source(table, None)
        if request.get("ConsistentRead"):
            raise validation("Consistent reads are not supported on global secondary indexes")
        return _Source(table, table.index(request["IndexName"]))

    def _page(self, request: Mapping[str, Any], source: _Source, bounds: _Bounds | None, shape: _Shape) -> bytes:
        limit = request.get("Limit")
        if limit is not None and (type(limit) is not int or limit < 1):
            raise validation("Limit must be greater than or equal to 1")
        forward = request.get("ScanIndexForward", True) is True
        after = source.position(request["ExclusiveStartKey"]) if "ExclusiveStartKey" in request else None
        if after is not None and bounds is not None and after[0] != bounds.hash:
            raise validation("The provided starting key is outside query boundaries based on provided conditions")
        filtering = request.get("FilterExpression")
        test = expressions.condition(filtering, "FilterExpression") if filtering is not None else None
        counts = _counts_only(request, source)
        found, scanned, size = list[bytes](), 0, 0
        last: tuple[bytes, ...] | None = None
        matched = 0
        rows = source.rows(self._reader, bounds, after, forward)
        try:
            for *position, length, item in rows:
                scanned += 1
                size += length
                if test is None or evaluation.holds(test, json.loads(item), shape.names):
                    matched += 1
                    if not counts:
                        found.append(shape.apply(item))
                if scanned == limit or size >= PAGE:
                    last = tuple(position)
                    break
        finally:
            rows.close()
        parts = [b'"Count":%d,"ScannedCount":%d' % (matched, scanned)]
        if not counts:
            parts.append(b'"Items":[' + b",".join(found) + b"]")
        if last is not None:
            parts.append(b'"LastEvaluatedKey":' + values.stored(source.key_item(last)))
        return b"{" + b",".join(parts) + b"}"


@dataclass(frozen=True, slots=True)
class _Shape:
    """What of an item is answered."""

    names: Names
    paths: tuple[tuple[Any, ...], ...] | None

    @classmethod
    def of(cls, request: Mapping[str, Any], key_condition: str | None = None) -> _Shape:
        text = request.get("ProjectionExpression")
        names = Names.of(request, text, request.get("FilterExpression"), key_condition)
        paths = None if text is None else tuple(names.steps(path) for path in expressions.projection(text))
        return cls(names, paths)

    def apply(self, item: bytes) -> bytes:
        return item if self.paths is None else values.stored(evaluation.project(self.paths, json.loads(item)))


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Where a Query looks: one hash key, and a range of range keys with or without its ends."""

    hash: bytes
    low: bytes | None = None
    low_included: bool = True
    high: bytes | None = None
    high_included: bool = True

    @classmethod
    def of(cls, node: Node, source: _Source, names: Names) -> _Bounds:
        parts = [node[1], node[2]] if node[0] == "and" else [node]
        hashes = [part for part in parts if _subject(part, names) == source.hash]
        ranges = [part for part in parts if _subject(part, names) == source.range]
        if len(hashes) != 1 or hashes[0][0] != "=" or len(ranges) != len(parts) - 1:
            raise validation("Query condition missed key schema element, or is not one of the key's attributes")
        hash_key = _text(hashes[0][2], names)
        if not ranges:
            return cls(hash_key)
        kind, _, *operands = ranges[0]
        texts = [_text(operand, names) for operand in operands]
        if kind == "between":
            low, high = texts
            if low > high:
                raise validation(
                    "Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be greater than or "
                    "equal to lower bound"
                )
            return cls(hash_key, low, True, high, True)
        (text,) = texts
        if kind == "begins_with":
            return cls(hash_key, text, True, _behind(text), False)
        if kind == "=":
            return cls(hash_key, text, True, text, True)
        if kind in (">", ">="):
            return cls(hash_key, text, kind == ">=")
        if kind in ("<", "<="):
            return cls(hash_key, None, True, text, kind == "<=")
        raise validation(f"Invalid operator used in KeyConditionExpression: {kind}")


@dataclass(frozen=True, slots=True)
class _Source:
    """A table, or one of its indexes, as rows in the order of their keys."""

    table: Table
    index: Index | None

    @property
    def hash(self) -> str:
        return self.index.hash if self.index else self.table.hash

    @property
    def range(self) -> str:
        return self.index.range if self.index else self.table.range

    @property
    def columns(self) -> tuple[str, ...]:
        return ("hash", "range", "pk", "sk") if self.index else ("pk", "sk")

    def position(self, key: object) -> tuple[bytes, ...]:
        """Of an ExclusiveStartKey. Raises AwsError."""
        names = (self.hash, self.range, self.table.hash, self.table.range)
        if not isinstance(key, dict) or key.keys() != set(names):
            raise validation("The provided starting key is invalid")
        limits = (values.PK_LIMIT, values.SK_LIMIT) * 2
        normal = {name: values.normal(value) for name, value in key.items()}
        return tuple(
            values.key_bytes(normal, name, limit)
            for name, limit in zip(names[: len(self.columns)] if self.index else names[:2], limits, strict=False)
        )

    def key_item(self, position: Sequence[bytes]) -> dict[str, Any]:
        names = (self.hash, self.range, self.table.hash, self.table.range)
        return {name: {"S": part.decode()} for name, part in zip(names, position, strict=False)}

    def rows(
        self, reader: sqlite3.Connection, bounds: _Bounds | None, after: tuple[bytes, ...] | None, forward: bool
    ) -> Generator[tuple[Any, ...], None, None]:
        """(position…, size, item) in order, fetched as they are consumed."""
        columns = ", ".join(self.columns)
        where = ["tbl=?"]
        parameters: list[int | str | bytes] = [self.table.id]
        if self.index:
            where, parameters = [*where, "name=?"], [*parameters, self.index.name]
        if bounds is not None:
            first, second = self.columns[:2]
            where.append(f"{first}=?")
            parameters.append(bounds.hash)
            if bounds.low is not None:
                where.append(f"{second} {'>=' if bounds.low_included else '>'} ?")
                parameters.append(bounds.low)
            if bounds.high is not None:
                where.append(f"{second} {'<=' if bounds.high_included else '<'} ?")
                parameters.append(bounds.high)
        if after is not None:
            # Without the hash key where it is the same for all, so that SQLite seeks by the rest.
            skipped = 1 if bounds is not None else 0
            own = ", ".join(self.columns[skipped:])
            marks = ", ".join("?" * (len(self.columns) - skipped))
            where.append(f"({own}) {'>' if forward else '<'} ({marks})")
            parameters += after[skipped:]
        way = "ASC" if forward else "DESC"
        order = ", ".join(f"{column} {way}" for column in self.columns)
        source = "index_rows" if self.index else "items"
        # Every part is of this module's own making.
        text = f"SELECT {columns}, size, item FROM {source} WHERE {' AND '.join(where)} ORDER BY {order}"  # noqa: S608
        cursor = reader.execute(text, parameters)
        try:
            while rows := cursor.fetchmany(_ROWS):
                yield from rows
        finally:
            cursor.close()


def _counts_only(request: Mapping[str, Any], source: _Source) -> bool:
    select = request.get("Select")
    if select in (None, "ALL_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"):
        if select == "ALL_ATTRIBUTES" and source.index is not None and source.index.projected is not None:
            raise validation("Select type ALL_ATTRIBUTES is not supported for global secondary index")
        if select == "SPECIFIC_ATTRIBUTES" and "ProjectionExpression" not in request:
            raise validation(
                "Must specify the AttributesToGet or ProjectionExpression when choosing SPECIFIC_ATTRIBUTES"
            )
        return False
    if select != "COUNT":
        raise validation(f"Select is not one of the known ones: {select}")
    if "ProjectionExpression" in request:
        raise validation("Cannot specify the ProjectionExpression when choosing to get only the Count")
    return True


def _subject(node: Node, names: Names) -> str:
    """The attribute that a part of a key condition is about; empty when it is not about one."""
    one = node[1] if len(node) > 1 else ()
    if one and one[0] == "path":
        steps = names.steps(one)
        if len(steps) == 1:
            return str(steps[0])
    return ""


def _text(operand: Node, names: Names) -> bytes:
    if operand[0] != "value":
        raise validation("Invalid condition in KeyConditionExpression: keys are compared with values")
    value = names.values[operand[1]]
    if "S" not in value:
        raise validation(
            "One or more parameter values were invalid: Condition parameter type does not match schema type"
        )
    data: bytes = value["S"].encode()
    if not data:
        raise validation(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            "empty string value."
        )
    if len(data) > values.PK_LIMIT:
        raise AwsError("ValidationException", "One or more parameter values were invalid: the key is too long")
    return data


def _behind(prefix: bytes) -> bytes | None:
    """The first key behind all that begin with `prefix`; None when there is none."""
    cut = prefix.rstrip(b"\xff")
    return cut[:-1] + bytes([cut[-1] + 1]) if cut else None
