"""`Candidates` on the index table."""

from __future__ import annotations

import hashlib

from roadstead.aws.content.index_items import candidate_key
from roadstead.aws.table import Table


class DynamoCandidates:
    def __init__(self, table: Table) -> None:
        self._table = table

    def note_object(self, key: str, upload_id: str, *, at: int) -> None:
        # Named by the object and time, so that an event that is delivered again writes the same item.
        name = hashlib.sha256(f"{key} {at}".encode()).digest()[:9]
        self._table.put_item(candidate_key(at, name), {"kind": "object", "key": key, "upload": upload_id})
