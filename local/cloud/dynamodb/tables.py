"""Tables: two keys of the type S, global secondary indexes of the same kind, a stream, TTL.

The definitions are few and are kept in memory; each is also a row of the database.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from local.cloud.database import Database
from local.cloud.dynamodb import values
from local.cloud.dynamodb.values import Item
from local.cloud.errors import AwsError, validation

VIEWS = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
ACCOUNT = "000000000000"


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index. `projected` is None for ALL, else the attributes besides the keys."""

    name: str
    hash: str
    range: str
    projected: tuple[str, ...] | None

    def row(self, table: Table, item: Item) -> tuple[bytes, bytes] | None:
        """The item's key in the index; None when it is not in it. Raises AwsError."""
        if self.hash not in item or self.range not in item:
            return None
        del table
        return (
            values.key_bytes(item, self.hash, values.PK_LIMIT),
            values.key_bytes(item, self.range, values.SK_LIMIT),
        )

    def projection(self, table: Table, item: Item) -> Item:
        if self.projected is None:
            return item
        kept = (table.hash, table.range, self.hash, self.range, *self.projected)
        return {name: item[name] for name in dict.fromkeys(kept) if name in item}


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was created. `stream` is the view of its stream, "" without one; `ttl` an attribute's name."""

    id: int
    name: str
    hash: str
    range: str
    created: float
    identifier: str
    indexes: tuple[Index, ...] = ()
    stream: str = ""
    label: str = ""
    ttl: str = ""

    def key(self, item: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """The item's key. Raises AwsError."""
        return (
            values.key_bytes(item, self.hash, values.PK_LIMIT),
            values.key_bytes(item, self.range, values.SK_LIMIT),
        )

    def only_key(self, key: object) -> tuple[bytes, bytes]:
        """A key that a request names. Raises AwsError when it has other attributes, too."""
        if not isinstance(key, dict) or key.keys() != {self.hash, self.range}:
            raise validation("The provided key element does not match the schema")
        return self.key({name: values.normal(value) for name, value in key.items()})

    def key_item(self, pk: bytes, sk: bytes) -> Item:
        return {self.hash: {"S": pk.decode()}, self.range: {"S": sk.decode()}}

    def index(self, name: str) -> Index:
        for index in self.indexes:
            if index.name == name:
                return index
        raise validation(f"The table does not have the specified index: {name}")


def defined(connection: sqlite3.Connection) -> dict[str, Table]:
    """Return the tables of a database by their names."""
    rows = connection.execute("SELECT id, name, definition FROM tables").fetchall()
    return {name: _loaded(number, name, json.loads(definition)) for number, name, definition in rows}


class Tables:
    """All of them."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region
        self._tables = defined(database.reader)

    def all(self) -> list[Table]:
        return list(self._tables.values())

    def find(self, name: object) -> Table:
        """By its name. Raises AwsError."""
        table = self._tables.get(name) if isinstance(name, str) else None
        if table is None:
            raise AwsError("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found")
        return table

    def arn(self, table: Table) -> str:
        return f"arn:aws:dynamodb:{self._region}:{ACCOUNT}:table/{table.name}"

    def stream_arn(self, table: Table) -> str:
        return f"{self.arn(table)}/stream/{table.label}"

    async def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = request.get("TableName")
        if not isinstance(name, str) or not 3 <= len(name) <= 255:
            raise validation("TableName must be at least 3 characters long and at most 255 characters long")
        types = {one["AttributeName"]: one["AttributeType"] for one in request.get("AttributeDefinitions", ())}
        key = _schema(request.get("KeySchema", ()), types)
        indexes = tuple(_index(one, types) for one in request.get("GlobalSecondaryIndexes", ()))
        if request.get("LocalSecondaryIndexes"):
            raise validation("The embedded DynamoDB does not have local secondary indexes.")
        if unused := types.keys() - {*key, *(part for one in indexes for part in (one.hash, one.range))}:
            raise validation(f"Some AttributeDefinitions are not used: {sorted(unused)}")
        now = time.time()
        stream, label = _stream(request.get("StreamSpecification"), now)
        made = Table(0, name, *key, now, str(uuid.uuid4()), indexes, stream, label)
        await self._database.write(lambda connection: self._insert(connection, made))
        return {"TableDescription": self.described(self.find(name))}

    async def update(self, request: Mapping[str, Any]) -> dict[str, Any]:
        table = self.find(request.get("TableName"))
        stream, label = _stream(request.get("StreamSpecification"), time.time())
        if stream and table.stream:
            raise AwsError("ResourceInUseException", f"Table already has an enabled stream: TableName {table.name}")
        await self._replace(replace(table, stream=stream, label=label or table.label))
        return {"TableDescription": self.described(self.find(table.name))}

    async def set_ttl(self, request: Mapping[str, Any]) -> dict[str, Any]:
        table = self.find(request.get("TableName"))
        specification = request.get("TimeToLiveSpecification", {})
        attribute = str(specification.get("AttributeName", ""))
        if not attribute or specification.get("Enabled") is not True:
            raise validation("The embedded DynamoDB enables TTL; it does not disable it.")
        if table.ttl:
            raise validation("TimeToLive is already enabled")
        await self._replace(replace(table, ttl=attribute))
        return {"TimeToLiveSpecification": {"Enabled": True, "AttributeName": attribute}}

    def ttl(self, request: Mapping[str, Any]) -> dict[str, Any]:
        table = self.find(request.get("TableName"))
        if not table.ttl:
            return {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": table.ttl}}

    def backups(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self.find(request.get("TableName"))
        recovery = {"PointInTimeRecoveryStatus": "DISABLED"}
        return {
            "ContinuousBackupsDescription": {
                "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": recovery,
            }
        }

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"Table": self.described(self.find(request.get("TableName")))}

    def list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        del request
        return {"TableNames": sorted(self._tables)}

    async def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        table = self.find(request.get("TableName"))
        described = self.described(table)

        def remove(connection: sqlite3.Connection) -> None:
            for name in ("items", "index_rows", "changes"):
                connection.execute(f"DELETE FROM {name} WHERE tbl=?", (table.id,))  # noqa: S608 - names of ours
            connection.execute("DELETE FROM tables WHERE id=?", (table.id,))

        await self._database.write(remove)
        self._tables.pop(table.name, None)
        return {"TableDescription": described | {"TableStatus": "DELETING"}}

    def described(self, table: Table) -> dict[str, Any]:
        (count, size) = self._database.reader.execute(
            "SELECT count(*), coalesce(sum(size), 0) FROM items WHERE tbl=?", (table.id,)
        ).fetchone()
        names = [table.hash, table.range, *(part for one in table.indexes for part in (one.hash, one.range))]
        described: dict[str, Any] = {
            "TableName": table.name,
            "TableArn": self.arn(table),
            "TableId": table.identifier,
            "TableStatus": "ACTIVE",
            "CreationDateTime": table.created,
            "KeySchema": _key_schema(table.hash, table.range),
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in dict.fromkeys(names)],
            "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
            "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
            "ItemCount": count,
            "TableSizeBytes": size,
            "DeletionProtectionEnabled": False,
        }
        if table.indexes:
            described["GlobalSecondaryIndexes"] = [
                {
                    "IndexName": one.name,
                    "IndexStatus": "ACTIVE",
                    "IndexArn": f"{self.arn(table)}/index/{one.name}",
                    "KeySchema": _key_schema(one.hash, one.range),
                    "Projection": _projection(one),
                }
                for one in table.indexes
            ]
        if table.stream:
            described |= {
                "StreamSpecification": {"StreamEnabled": True, "StreamViewType": table.stream},
                "LatestStreamArn": self.stream_arn(table),
                "LatestStreamLabel": table.label,
            }
        return described

    def _insert(self, connection: sqlite3.Connection, table: Table) -> None:
        if connection.execute("SELECT 1 FROM tables WHERE name=?", (table.name,)).fetchone():
            raise AwsError("ResourceInUseException", f"Table already exists: {table.name}")
        cursor = connection.execute(
            "INSERT INTO tables (name, definition) VALUES (?, ?)", (table.name, json.dumps(asdict(table)))
        )
        self._tables[table.name] = replace(table, id=int(cursor.lastrowid or 0))

    async def _replace(self, table: Table) -> None:
        definition = json.dumps(asdict(table))
        await self._database.write(
            lambda connection: connection.execute("UPDATE tables SET definition=? WHERE id=?", (definition, table.id))
        )
        self._tables[table.name] = table


def _loaded(number: int, name: str, definition: dict[str, Any]) -> Table:
    indexes = tuple(
        Index(one["name"], one["hash"], one["range"], None if one["projected"] is None else tuple(one["projected"]))
        for one in definition.pop("indexes")
    )
    return Table(**{**definition, "id": number, "name": name, "indexes": indexes})


def _schema(schema: Sequence[Mapping[str, str]], types: Mapping[str, str]) -> tuple[str, str]:
    """The names of hash and range key. Raises AwsError for what is not two keys of the type S."""
    roles = [one.get("KeyType") for one in schema]
    names = [one.get("AttributeName", "") for one in schema]
    if roles != ["HASH", "RANGE"]:
        raise validation("The embedded DynamoDB has tables and indexes with a HASH and a RANGE key only.")
    for name in names:
        if name not in types:
            raise validation(f"One or more parameter values were invalid: {name} is not in AttributeDefinitions")
        if types[name] != "S":
            raise validation("The embedded DynamoDB has keys of the type S only.")
    return names[0], names[1]


def _index(definition: Mapping[str, Any], types: Mapping[str, str]) -> Index:
    hash_key, range_key = _schema(definition.get("KeySchema", ()), types)
    projection = definition.get("Projection", {})
    kind = projection.get("ProjectionType")
    if kind not in ("ALL", "KEYS_ONLY", "INCLUDE"):
        raise validation(f"Unknown ProjectionType: {kind}")
    projected = None if kind == "ALL" else tuple(projection.get("NonKeyAttributes", ()))
    return Index(str(definition["IndexName"]), hash_key, range_key, projected)


def _projection(index: Index) -> dict[str, Any]:
    if index.projected is None:
        return {"ProjectionType": "ALL"}
    if not index.projected:
        return {"ProjectionType": "KEYS_ONLY"}
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.projected)}


def _key_schema(hash_key: str, range_key: str) -> list[dict[str, str]]:
    return [{"AttributeName": hash_key, "KeyType": "HASH"}, {"AttributeName": range_key, "KeyType": "RANGE"}]


def _stream(specification: Mapping[str, Any] | None, now: float) -> tuple[str, str]:
    """The view and the label of a stream; empty without one. Raises AwsError."""
    if not specification or not specification.get("StreamEnabled"):
        return "", ""
    view = specification.get("StreamViewType")
    if view not in VIEWS:
        raise validation(f"StreamViewType must be one of {', '.join(VIEWS)}")
    moment = time.gmtime(now)
    return str(view), f"{time.strftime('%Y-%m-%dT%H:%M:%S', moment)}.{int(now * 1000) % 1000:03d}"
