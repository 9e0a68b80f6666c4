"""Sessions of the console: an opaque token in a cookie, kept as a hash, good until it is idle, old or revoked.

A token is `<user>.<secret>`: the user's name makes the session's key known at once, so the session is read together
with its user. The secret has 256 bits, so a plain SHA-256 is hash enough. A session ends when its user's password
changes or the account is disabled, because either raises the user's epoch.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from roadstead import base64url
from roadstead.conflicts import Conflict
from roadstead.identity.directory import Session, User, UserName
from roadstead.trail.entries import Actor, Event, Operation
from roadstead.trail.events import EventMaker

SEEN_SECONDS = 300  # a use is written down at most this often
MAX_TOKEN = 128  # characters; ours have at most 108
AT_ONCE = 50  # sessions that one transaction removes
_SECRET_BYTES = 32


class NoSuchSession(LookupError):
    """The user has no such session that counts. The message is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """In seconds. `idle` ends a session that nobody uses, `lifetime` every session."""

    idle: int = 3_600
    lifetime: int = 43_200


class Sessions(Protocol):
    """The store of sessions. A session itself is read by `Identities.read`, beside its user."""

    def store_session(self, session: Session) -> None: ...

    def set_seen(self, user: UserName, hash_: str, at: int) -> None:
        """Record a use, in seconds since the epoch. Raises Conflict if the session is gone."""
        ...

    def remove_session(self, user: UserName, hash_: str) -> None:
        """Do nothing if the session is gone."""
        ...

    def remove_sessions(self, sessions: Iterable[Session], *, event: Event) -> None:
        """Remove up to AT_ONCE sessions, and keep the event, in one transaction. Those that are gone change nothing."""
        ...

    def sessions(self, user: UserName) -> list[Session]:
        """Return all sessions of a user, expired ones too, in no order. Costs one query."""
        ...


class SessionService:
    """Begins, checks and ends sessions."""

    def __init__(
        self, store: Sessions, limits: SessionLimits | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._limits = limits or SessionLimits()
        self._clock = clock
        self._events = EventMaker(clock)

    def begin(self, user: User, *, provider: str = "local", address: str = "", user_agent: str = "") -> str:
        """Return the token of a new session. Costs one write."""
        token = f"{user.name}.{base64url.encode(secrets.token_bytes(_SECRET_BYTES))}"
        now = int(self._clock())
        self._store.store_session(
            Session(
                user=user.name,
                hash=session_hash(token),
                epoch=user.epoch,
                created=now,
                seen=now,
                expires=now + self._limits.lifetime,
                provider=provider,
                address=address,
                user_agent=user_agent[:256],
            )
        )
        return token

    def is_live(self, session: Session, user: User) -> bool:
        """Return whether the session counts now. Costs nothing."""
        now = self._clock()
        recent = now < session.expires and now < session.seen + self._limits.idle + SEEN_SECONDS
        return recent and session.epoch == user.epoch and not user.disabled

    def touch(self, session: Session) -> None:
        """Record that the session is in use. Costs one write every SEEN_SECONDS at most."""
        now = int(self._clock())
        if now - session.seen >= SEEN_SECONDS:
            with contextlib.suppress(Conflict):  # it has ended meanwhile: the next request sees that
                self._store.set_seen(session.user, session.hash, now)

    def end(self, token: str) -> None:
        """End the session of a token, if it is one. Costs one write."""
        user = session_user(token)
        if user is not None:
            self._store.remove_session(user, session_hash(token))

    def live_sessions(self, user: User) -> list[Session]:
        """Return the sessions that count now, the newest first. Costs one query."""
        found = [session for session in self._store.sessions(user.name) if self.is_live(session, user)]
        return sorted(found, key=lambda session: (-session.created, session.hash))

    def end_one(self, user: User, id_: str, *, by: Actor) -> None:
        """End one of a user's sessions by its id. Costs one query and one transaction. Raises NoSuchSession."""
        found = [one for one in self.live_sessions(user) if hmac.compare_digest(one.id.encode(), id_.encode())]
        if not found:
            raise NoSuchSession(f"{user.name} has no session {id_[:20]!r}; it may have ended")
        self._end(user, found[:1], by)

    def end_others(self, user: User, kept: Session | None, *, by: Actor) -> int:
        """End all sessions of a user but `kept`, and return how many. Costs one query, and a transaction for each 50.

        One that begins meanwhile may stay.
        """
        others = [one for one in self.live_sessions(user) if kept is None or one.hash != kept.hash]
        for start in range(0, len(others), AT_ONCE):
            self._end(user, others[start : start + AT_ONCE], by)
        return len(others)

    def _end(self, user: User, sessions: list[Session], by: Actor) -> None:
        detail = f"session={sessions[0].id}" if len(sessions) == 1 else f"sessions={len(sessions)}"
        event = self._events.make(Operation.DELETE_SESSION, by, "", user=user.name, detail=detail)
        self._store.remove_sessions(sessions, event=event)


def session_hash(token: str) -> str:
    """Return the key by which a session is kept: hexadecimal SHA-256."""
    return hashlib.sha256(token.encode()).hexdigest()


def session_user(token: str) -> UserName | None:
    """Return the user that a token claims, or None if it does not have the form of a token."""
    name, dot, secret = token.rpartition(".")
    if len(token) > MAX_TOKEN or not (dot and secret and token.isascii()):
        return None
    try:
        return UserName.parse(name)
    except ValueError:
        return None


def csrf_token(token: str) -> str:
    """Return the CSRF token of a session. Only who holds the session's token can compute it."""
    return base64url.encode(hmac.digest(token.encode(), b"csrf", "sha256"))


def is_csrf_token(token: str, given: str | None) -> bool:
    """Return whether `given` is the session's CSRF token, in constant time."""
    return given is not None and hmac.compare_digest(csrf_token(token).encode(), given.encode())
