"""DynamoDB Streams: one shard a table, kept for 24 hours. An iterator says where it is, so none has to be kept."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from local.cloud.database import Database
from local.cloud.dynamodb import requests
from local.cloud.dynamodb.tables import Table, Tables
from local.cloud.errors import AwsError, validation

KEPT = 86_400  # seconds
SHARD = "shardId-00000000000000000000-00000000"
_LIMIT = 1000  # records


class Streams:
    def __init__(self, database: Database, tables: Tables, region: str) -> None:
        self._reader = database.reader
        self._tables = tables
        self._region = region

    def list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        requests.check(request, "TableName")
        wanted = request.get("TableName")
        found = [table for table in self._tables.all() if table.stream and wanted in (None, table.name)]
        return {
            "Streams": [
                {"StreamArn": self._tables.stream_arn(one), "StreamLabel": one.label, "TableName": one.name}
                for one in found
            ]
        }

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        requests.check(request, "StreamArn")
        table = self._table(request)
        return {
            "StreamDescription": {
                "StreamArn": self._tables.stream_arn(table),
                "StreamLabel": table.label,
                "StreamStatus": "ENABLED",
                "StreamViewType": table.stream,
                "TableName": table.name,
                "Shards": [{"ShardId": SHARD, "SequenceNumberRange": {"StartingSequenceNumber": _number(0)}}],
            }
        }

    def iterator(self, request: Mapping[str, Any]) -> dict[str, Any]:
        requests.check(request, "StreamArn", "ShardId", "ShardIteratorType", "SequenceNumber")
        table = self._table(request)
        if request.get("ShardId") != SHARD:
            raise AwsError("ResourceNotFoundException", "Requested resource not found: the shard does not exist")
        kind = requests.choice(
            request, "ShardIteratorType", "TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"
        )
        if kind == "TRIM_HORIZON":
            return {"ShardIterator": _iterator(table, 0)}
        if kind == "LATEST":
            row = self._reader.execute("SELECT max(sequence) FROM changes WHERE tbl=?", (table.id,)).fetchone()
            return {"ShardIterator": _iterator(table, row[0] or 0)}
        number = str(request.get("SequenceNumber", ""))
        if not number.isdigit():
            raise validation("SequenceNumber is missing, or not one of this stream")
        after = int(number) - (1 if kind == "AT_SEQUENCE_NUMBER" else 0)
        (trimmed,) = self._reader.execute("SELECT sequence FROM trimmed").fetchone()
        if after < trimmed:
            raise AwsError(
                "TrimmedDataAccessException", "The requested records were trimmed: they are older than 24 hours."
            )
        return {"ShardIterator": _iterator(table, after)}

    def records(self, request: Mapping[str, Any]) -> dict[str, Any]:
        requests.check(request, "ShardIterator", "Limit")
        limit = request.get("Limit", _LIMIT)
        if type(limit) is not int or not 0 < limit <= _LIMIT:
            raise validation(f"Limit is between 1 and {_LIMIT}")
        table, after = self._position(request.get("ShardIterator"))
        rows = self._reader.execute(
            "SELECT sequence, record FROM changes WHERE tbl=? AND sequence>? ORDER BY sequence LIMIT ?",
            (table.id, after, limit),
        ).fetchall()
        records = [self._record(sequence, json.loads(record)) for sequence, record in rows]
        return {"Records": records, "NextShardIterator": _iterator(table, rows[-1][0] if rows else after)}

    def _record(self, sequence: int, record: dict[str, Any]) -> dict[str, Any]:
        number = _number(sequence)
        return {
            "eventID": f"{sequence:032x}",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": self._region,
            **record,
            "dynamodb": {**record["dynamodb"], "SequenceNumber": number},
        }

    def _table(self, request: Mapping[str, Any]) -> Table:
        for table in self._tables.all():
            if table.stream and self._tables.stream_arn(table) == request.get("StreamArn"):
                return table
        raise AwsError("ResourceNotFoundException", "Requested resource not found: the stream does not exist")

    def _position(self, iterator: object) -> tuple[Table, int]:
        try:
            number, after = base64.b64decode(str(iterator), validate=True).decode().split(":")
            table = next(one for one in self._tables.all() if one.id == int(number))
            return table, int(after)
        except (binascii.Error, ValueError, StopIteration):
            raise validation("Invalid ShardIterator") from None


def _number(sequence: int) -> str:
    return f"{sequence:021d}"


def _iterator(table: Table, after: int) -> str:
    return base64.b64encode(f"{table.id}:{after}".encode()).decode()
