"""Handles records of the tables' streams: the event items that mutations wrote in their own transactions.

The index table's stream has images. The identity table's has keys only, which keeps password hashes out of streams; its
event items are read by key, and the function may read no other items of it. The removal of an event item by TTL is
ignored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from functions.webhook.batch import Received, process
from functions.webhook.services import WebhookServices
from roadstead.aws.attributes import decode
from roadstead.aws.content.index_items import event_from, is_event_key
from roadstead.trail.entries import AuditEntry

Record = Mapping[str, Any]
Key = tuple[str, str]


def handle(services: WebhookServices, records: Sequence[Record]) -> dict[str, Any]:
    """Record the events; return the first record that failed: the event source mapping retries from it on."""
    wanted = [record for record in records if _is_event(record)]
    missing = [key for record in wanted if (key := _key(record)) is not None and "NewImage" not in record["dynamodb"]]
    found = services.identity_events.find_event_items(missing) if missing else {}
    batch = [_read(record, found) for record in wanted]
    failed = process(services, "stream", batch, in_order=True)
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}


def _is_event(record: Record) -> bool:
    """Whether the record is an inserted event item. A record without a key counts as one and becomes a dead letter."""
    if record.get("eventName") in ("MODIFY", "REMOVE"):
        return False
    key = _key(record)
    return key is None or is_event_key(key[0])


def _key(record: Record) -> Key | None:
    try:
        keys = record["dynamodb"]["Keys"]
        return str(keys["pk"]["S"]), str(keys["sk"]["S"])
    except (KeyError, TypeError):
        return None


def _read(record: Record, found: Mapping[Key, Mapping[str, Any]]) -> Received:
    identifier = str(record.get("dynamodb", {}).get("SequenceNumber", ""))
    key = _key(record)
    try:
        if key is None:
            raise ValueError("the record has no key")
        image = record["dynamodb"].get("NewImage")
        item = decode(image) if image is not None else found.get(key)
        if item is None:
            raise ValueError(f"the event {key[1]} is no longer in the table")
        return Received(identifier, record, (AuditEntry.of_event(event_from(item)),))
    except ValueError as error:
        return Received(identifier, record, problem=str(error))
