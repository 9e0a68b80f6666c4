"""`States` in the identity table: `state#<SHA-256>` / `used`, until the table's TTL."""

from __future__ import annotations

import hashlib

from roadstead.aws.identity.identity_items import ABSENT
from roadstead.aws.table import Table, put
from roadstead.conflicts import Conflict


class DynamoStates:
    def __init__(self, table: Table) -> None:
        self._table = table

    def use_state(self, state: str, *, expires: int) -> bool:
        key = f"state#{hashlib.sha256(state.encode('utf-8', 'surrogatepass')).hexdigest()}", "used"
        try:
            self._table.write(put(key, {"expires": expires}, ABSENT))
        except Conflict:
            return False
        return True
