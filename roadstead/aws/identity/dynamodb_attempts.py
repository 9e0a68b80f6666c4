"""Failed logins by password, in the identity table; the table's TTL removes them.

    pk                     sk          what
    attempt#n#<name>       <bucket>    count#<place>, last#<place>, before#<place>, until#<place>, expires
    attempt#a#<address>    <bucket>    the same
    locks                  <until>#<hash>    scope, name, network: the lock of a name or an address; expires

A place is `all` or, of a name, the tag of an address. An item has at most about a hundred of them, because the name is
locked by then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from roadstead.aws.identity.identity_items import told
from roadstead.aws.table import Item, Key, Table, delete, put, update
from roadstead.identity.directory import AttemptKey, Counts, Failures
from roadstead.identity.sign_in.attempts import LoginLock, Scope
from roadstead.trail.entries import Event

_LOCKS = "locks"


class DynamoAttempts:
    """AttemptStore."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def count_failure(self, key: AttemptKey, places: Iterable[str], *, at: int, expires: int) -> Counts:
        names, adds, sets = {"#expires": "expires"}, [], ["#expires = :expires"]
        for number, place in enumerate(places):
            count, last, before = (f"#{field}{number}" for field in ("count", "last", "before"))
            names |= {count: f"count#{place}", last: f"last#{place}", before: f"before#{place}"}
            adds.append(f"{count} :one")
            sets += [f"{before} = if_not_exists({last}, :never)", f"{last} = :at"]
        expression = f"ADD {', '.join(adds)} SET {', '.join(sets)}"
        values = {":one": 1, ":never": 0, ":at": at, ":expires": expires}
        return failures_from(self._table.write(update(attempt_key(key), expression, "", values, names)) or {})

    def lock(self, key: AttemptKey, place: str, lock: LoginLock) -> None:
        names, values = {"#until": f"until#{place}"}, {":until": lock.until}
        noted = {"scope": lock.scope.value, "name": lock.name, "network": lock.network, "expires": lock.until}
        self._table.transact(
            [update(attempt_key(key), "SET #until = :until", "", values, names), put(_lock_key(lock), noted)]
        )

    def noted_locks(self, after: int, most: int) -> tuple[LoginLock, ...]:
        found = self._table.query(_LOCKS, after=f"{after + 1:012d}", limit=most)
        return tuple(
            LoginLock(Scope(item["scope"]), item["name"], item["network"], int(item["sk"].partition("#")[0]))
            for item in found
        )

    def forget_failures(self, keys: Iterable[AttemptKey], *, event: Event | None = None) -> None:
        self._table.transact([*(delete(attempt_key(key)) for key in keys), *told(event)])


def _lock_key(lock: LoginLock) -> Key:
    what = hashlib.sha256(f"{lock.scope.value}#{lock.name}#{lock.network}".encode()).hexdigest()[:32]
    return _LOCKS, f"{lock.until:012d}#{what}"


def attempt_key(key: AttemptKey) -> Key:
    return f"attempt#{key.subject}", f"{key.bucket:010d}"


def failures_from(item: Item) -> Counts:
    return {place: _failures(item, place) for name in item if (place := name.removeprefix("count#")) != name}


def _failures(item: Item, place: str) -> Failures:
    count, last, before = (item[f"{field}#{place}"] for field in ("count", "last", "before"))
    return Failures(count, last, before, item.get(f"until#{place}", 0))
