"""Signing in by user name and password, as the token endpoint and the management API do.

One read of the store returns the user, the projects and the failed logins so far. The same work is done and the same
refusal returned whether or not there is such a user.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from roadstead.conflicts import Conflict
from roadstead.identity.attempts import Attempt, AttemptStore, Scope
from roadstead.identity.directory import Identities, Identity, User, UserName, Users
from roadstead.identity.passwords import PasswordVerifier
from roadstead.names import ProjectName


class WrongPassword(Exception):
    """The name or the password is wrong, or the account is disabled. `locks` are what this failure has locked."""

    def __init__(self, locks: tuple[Scope, ...] = ()) -> None:
        super().__init__("the user name or the password is wrong")
        self.locks = locks


class LoginStore(Identities, AttemptStore, Users, Protocol):
    """The parts of the identity store that signing in needs."""


class PasswordLogin:
    """Verifies names and passwords, and counts failures. Costs one read; a failure costs two updates more."""

    def __init__(
        self, store: LoginStore, passwords: PasswordVerifier, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._clock = clock

    def sign_in(
        self, name: str, password: str, projects: Iterable[ProjectName] = (), *, address: str = ""
    ) -> tuple[User, Identity]:
        """Return the user, and what the store has of them and of `projects`. Raises WrongPassword, TooManyAttempts."""
        parsed = _user_name(name)
        attempt = Attempt.of(parsed, address, self._clock())
        identity = self._store.read(parsed, projects, attempts=attempt.keys)
        attempt.check(identity.attempts)
        user = identity.user
        is_right = self._passwords.verify(name, password, user.password if user is not None else None)
        if user is None or not is_right or user.disabled:
            raise WrongPassword(attempt.fail(self._store, identity.attempts))
        self._renew(user, password)
        return user, identity

    def _renew(self, user: User, password: str) -> None:
        renewed = self._passwords.renewed(password, user.password)
        if renewed is not None:
            # A conflict means that the hash was renewed, or the password changed, meanwhile.
            with contextlib.suppress(Conflict):
                self._store.replace_password(user.name, user.password, renewed)


def _user_name(text: str) -> UserName | None:
    try:
        return UserName.parse(text)
    except ValueError:
        return None
