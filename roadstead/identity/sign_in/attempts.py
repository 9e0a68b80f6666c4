"""Failed logins by password: counted by name and by address, slowed down, then locked for minutes, never for good.

Failures are counted in buckets of 15 minutes; this bucket and the last one count. A store returns them with the user,
in the same read, so a login that succeeds costs no call more and writes nothing. A failure costs two updates, and a
transaction for each lock that it begins. An attempt during a pause or a lock costs the read: its password is not
looked at, and it is not counted.

    what is counted                        pauses of 1, 2, 4, 8, 16 s     locked for 15 minutes
    a name from one address                after 5 to 9 failures          after 10
    a name from anywhere                   after 50 to 99                 after 100
    an address, by whatever names          after 50 to 99                 after 100

Time counts from the last failure. Every failure after the tenth begins a lock anew. Only passwords are counted, since
people choose them: a secret that was generated here has 256 bits and cannot be guessed.

Requests that run at the same time may all be verified before the first of them is counted, so a limit can be exceeded
by as many as run at once.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

from roadstead.identity.directory import AttemptKey, Counts, Failures
from roadstead.identity.stores import Identities
from roadstead.trail.entries import Actor, AuditEntry, Event, Operation, Outcome, entry_id

BUCKET_SECONDS = 900
LOCK_SECONDS = 900  # at most BUCKET_SECONDS: an older bucket is not read any more
FREE, LOCKED = 5, 10  # failures of a name from one address until there are pauses, until it is locked
MANY = 10  # times as many of a name from anywhere, and of an address
IPV6_NETWORK = 64  # bits: a subscriber has at least that many addresses
ALL = "all"  # the count of a subject from anywhere


class AttemptStore(Protocol):
    """Keeps buckets. They are read by `Identities.read`, beside the user."""

    def count_failure(self, key: AttemptKey, places: Iterable[str], *, at: int, expires: int) -> Counts:
        """Add a failure at `at` to each of `places` and return all counts of the bucket. One unconditional update."""
        ...

    def lock(self, key: AttemptKey, place: str, lock: LoginLock) -> None:
        """Note when a lock ends, in the bucket and in the list of locks. One unconditional transaction."""
        ...

    def noted_locks(self, after: int, most: int) -> Sequence[LoginLock]:
        """Return up to `most` locks that were noted to end after a time in seconds, the first to end first. One Query.

        Each is a hint: somebody may have ended it, and what failed at the same time may have prolonged it.
        """
        ...

    def forget_failures(self, keys: Iterable[AttemptKey], *, event: Event | None = None) -> None:
        """Remove buckets. Costs one transaction."""
        ...


class Scope(Enum):
    """What is limited. The value stands in the trail."""

    NAME_AND_ADDRESS = "name-and-address"
    NAME = "name"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class LoginLock:
    """What is locked, until when (seconds): `name` is empty for an address, `network` for a name from anywhere.

    A robot's `name` is `robot <name>`.
    """

    scope: Scope
    name: str
    network: str
    until: int


class TooManyAttempts(Exception):
    """The password was not looked at. `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        wait = f"{retry_after} seconds" if retry_after < 120 else f"{math.ceil(retry_after / 60)} minutes"
        super().__init__(
            f"there were too many failed logins by this name or from this address: try again in {wait}, or use an "
            "access token"
        )
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Attempt:
    """One login by password. `network` is empty if unknown.

    `name` is a user's, or `robot <name>` for a robot's chosen secret; None for what can be neither.
    """

    name: str | None
    network: str
    at: int  # seconds since the epoch

    @classmethod
    def of(cls, name: str | None, address: str, at: float) -> Attempt:
        return cls(name, network_of(address), int(at))

    @property
    def keys(self) -> tuple[AttemptKey, ...]:
        """The buckets to read."""
        bucket = self.at // BUCKET_SECONDS
        return tuple(AttemptKey(subject, number) for subject in self._subjects() for number in (bucket - 1, bucket))

    def check(self, found: Mapping[AttemptKey, Counts]) -> None:
        """Raises TooManyAttempts during a pause or a lock."""
        if not found:  # as for nearly every login: nothing failed lately
            return
        waits = [self._wait(found, limit) for limit in self._limits()]
        if any(waits):
            raise TooManyAttempts(min(max(waits), LOCK_SECONDS))

    def fail(self, store: AttemptStore, found: Mapping[AttemptKey, Counts]) -> tuple[Scope, ...]:
        """Count a failure, and return what it locks: of requests at the same time, one returns a lock.

        Costs two updates, and a transaction for each lock.
        """
        bucket = self.at // BUCKET_SECONDS
        counted = dict(found)
        for subject in self._subjects():
            places = [limit.place for limit in self._limits() if limit.subject == subject]
            key = AttemptKey(subject, bucket)
            counted[key] = store.count_failure(key, places, at=self.at, expires=(bucket + 2) * BUCKET_SECONDS)
        locked = [limit for limit in self._limits() if self._begins_lock(counted, limit)]
        for limit in locked:
            name = "" if limit.scope is Scope.ADDRESS else self.name or ""
            network = "" if limit.scope is Scope.NAME else self.network
            lock = LoginLock(limit.scope, name, network, self.at + LOCK_SECONDS)
            store.lock(AttemptKey(limit.subject, bucket), limit.place, lock)
        return tuple(limit.scope for limit in locked)

    def locked_until(self, found: Mapping[AttemptKey, Counts], scope: Scope) -> int | None:
        """Return when a lock of this scope ends, in seconds; None if there is none."""
        for limit in self._limits():
            if limit.scope is scope:
                old, new = self._seen(found, limit)
                ends = [max(old.until, new.until)]
                if limit.is_locked(old.count + new.count):
                    ends.append(max(old.last, new.last) + LOCK_SECONDS)
                return max(ends) if max(ends) > self.at else None
        return None

    def _subjects(self) -> tuple[str, ...]:
        return (
            *([name_subject(self.name)] if self.name is not None else []),
            *([address_subject(self.network)] if self.network else []),
        )

    def _limits(self) -> tuple[_Limit, ...]:
        limits: list[_Limit] = []
        if self.name is not None and self.network:
            limits.append(_Limit(Scope.NAME_AND_ADDRESS, name_subject(self.name), _tag(self.network), 1))
        if self.name is not None:
            limits.append(_Limit(Scope.NAME, name_subject(self.name), ALL, MANY))
        if self.network:
            limits.append(_Limit(Scope.ADDRESS, address_subject(self.network), ALL, MANY))
        return tuple(limits)

    def _seen(self, found: Mapping[AttemptKey, Counts], limit: _Limit) -> tuple[Failures, Failures]:
        bucket, none = self.at // BUCKET_SECONDS, Failures(0, 0)
        old, new = (found.get(AttemptKey(limit.subject, number), {}) for number in (bucket - 1, bucket))
        return old.get(limit.place, none), new.get(limit.place, none)

    def _wait(self, found: Mapping[AttemptKey, Counts], limit: _Limit) -> int:
        old, new = self._seen(found, limit)
        pause_ends = max(old.last, new.last) + limit.pause(old.count + new.count)
        return max(0, max(pause_ends, old.until, new.until) - self.at)

    def _begins_lock(self, counted: Mapping[AttemptKey, Counts], limit: _Limit) -> bool:
        old, new = self._seen(counted, limit)
        count, before = old.count + new.count, max(old.last, new.before)
        was_locked = limit.is_locked(count - 1) and self.at < before + LOCK_SECONDS
        return limit.is_locked(count) and not was_locked


@dataclass(frozen=True, slots=True)
class _Limit:
    scope: Scope
    subject: str
    place: str
    times: int

    def is_locked(self, count: int) -> bool:
        return count >= LOCKED * self.times

    def pause(self, count: int) -> int:
        """Return the seconds after the last of so many failures."""
        if self.is_locked(count):
            return LOCK_SECONDS
        return 1 << (count // self.times - FREE) if count >= FREE * self.times else 0


class LockStore(AttemptStore, Identities, Protocol):
    """The parts of the identity store that the list of locks needs."""


def current_locks(store: LockStore, now: int, *, most: int) -> tuple[Sequence[LoginLock], bool]:
    """Return the locks that hold now, the first to end first, of the first `most` that are noted; and whether more are.

    Costs one Query, and if there are any one read for each 25 of them.
    """
    noted = store.noted_locks(now, most + 1)
    some = list({(one.scope, one.name, one.network): one for one in noted[:most]}.values())
    attempts = [Attempt(one.name or None, one.network, now) for one in some]
    keys = dict.fromkeys(key for attempt in attempts for key in attempt.keys)
    found = store.read(None, (), attempts=keys).attempts if keys else {}
    ends = [attempt.locked_until(found, one.scope) for one, attempt in zip(some, attempts, strict=True)]
    locks = [replace(one, until=end) for one, end in zip(some, ends, strict=True) if end is not None]
    return sorted(locks, key=lambda one: (one.until, one.name, one.network)), len(noted) > most


def network_of(address: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 of an IPv6 one; empty for anything else."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), IPV6_NETWORK), strict=False))
    return str(parsed)


def lock_entries(actor: Actor, locks: Iterable[Scope], at_ms: int) -> list[AuditEntry]:
    """Return the trail's entries of what a failed login locked."""
    return [
        AuditEntry(
            entry_id(),
            at_ms,
            Operation.LOCK_LOGIN,
            actor,
            Outcome.REFUSED,
            user=actor.name,
            detail=f"scope={scope.value} minutes={LOCK_SECONDS // 60}",
        )
        for scope in locks
    ]


def name_subject(name: str) -> str:
    return f"n#{name}"


def address_subject(network: str) -> str:
    return f"a#{network}"


def _tag(network: str) -> str:
    """A short name of a network; two that share one share a count, which does no harm."""
    return hashlib.sha256(network.encode()).hexdigest()[:12]
