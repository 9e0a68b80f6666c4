"""Records of the tables' streams: the event items that mutations wrote in their own transactions.

The index table's stream has images. The identity table's has keys alone, so that password hashes are in no stream; its
events are read by their keys, and by permission no other item of it. An event's removal by TTL is no event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from functions.webhook.batch import Received, work
from functions.webhook.services import WebhookServices
from roadstead.aws.attributes import decode
from roadstead.aws.index_items import event_from, is_event_key
from roadstead.trail.entries import AuditEntry

Record = Mapping[str, Any]
Key = tuple[str, str]


def handle(services: WebhookServices, records: Sequence[Record]) -> dict[str, Any]:
    """Answers what the event source mapping must bring again: the first record that failed, and all behind it."""
    wanted = [record for record in records if _is_event(record)]
    missing = [key for record in wanted if (key := _key(record)) is not None and "NewImage" not in record["dynamodb"]]
    found = services.identity_events.find_event_items(missing) if missing else {}
    batch = [_read(record, found) for record in wanted]
    failed = work(services, "stream", batch, in_order=True)
    services.trail.forget_deleted(entry for one in batch for entry in one.entries)
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}


def _is_event(record: Record) -> bool:
    """Whether an event item was written. What is malformed beyond telling is taken for one, to become a dead letter."""
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
            raise ValueError(f"the event {key[1]} is not in the table any more")
        return Received(identifier, record, (AuditEntry.of_event(event_from(item)),))
    except ValueError as error:
        return Received(identifier, record, problem=str(error))
