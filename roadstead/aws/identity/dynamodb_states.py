"""`SignIns` in the identity table, until the table's TTL, each under the SHA-256 of a secret.

state#<hash>     used    a sign-in that is over
newcomer#<hash>  person  somebody who has still to choose a name
"""

from __future__ import annotations

import hashlib

from roadstead.aws.identity.identity_items import ABSENT
from roadstead.aws.table import Key, Table, delete, put
from roadstead.conflicts import Conflict
from roadstead.identity.providers.sign_ins import Newcomer


class DynamoStates:
    def __init__(self, table: Table) -> None:
        self._table = table

    def use_state(self, state: str, *, expires: int) -> bool:
        try:
            self._table.write(put(_key("state", state, "used"), {"expires": expires}, ABSENT))
        except Conflict:
            return False
        return True

    def keep_newcomer(self, secret: str, newcomer: Newcomer) -> None:
        item = {"text": newcomer.as_text(), "expires": newcomer.until}
        self._table.write(put(_newcomer_key(secret), item, ABSENT))

    def find_newcomer(self, secret: str) -> Newcomer | None:
        item = self._table.get(_newcomer_key(secret))
        return Newcomer.of_text(item["text"], item["expires"]) if item else None

    def remove_newcomer(self, secret: str) -> None:
        self._table.write(delete(_newcomer_key(secret)))


def _newcomer_key(secret: str) -> Key:
    return _key("newcomer", secret, "person")


def _key(kind: str, secret: str, what: str) -> Key:
    return f"{kind}#{hashlib.sha256(secret.encode('utf-8', 'surrogatepass')).hexdigest()}", what
