"""Signing in by user name and password, as the token endpoint and the management API do.

One read of the store returns the user, the projects and the failed logins so far. A known name is tried at its own
provider alone, so a password that is kept here never reaches a directory; an unknown name is tried at the directory, if
there is one. Without a directory the same work is done and the same refusal returned whether or not there is a user.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from roadstead.conflicts import Conflict
from roadstead.identity.directory import LOCAL, Identity, User, UserName
from roadstead.identity.people import Person
from roadstead.identity.providers.onboarding import Onboarding
from roadstead.identity.sign_in.attempts import Attempt, AttemptStore, Scope
from roadstead.identity.sign_in.passwords import PasswordVerifier
from roadstead.identity.stores import Identities, Users
from roadstead.names import ProjectName
from roadstead.recent import Recent
from roadstead.trail.entries import Actor, ActorKind

REMEMBERED_SECONDS = 60  # for which a password that a directory accepted is not sent to it again
_REMEMBERED = 1_024
_NOWHERE = Actor("", ActorKind.ANONYMOUS)


class WrongPassword(Exception):
    """The name or the password is wrong, or the account is disabled. `locks` are what this failure has locked."""

    def __init__(self, locks: tuple[Scope, ...] = ()) -> None:
        super().__init__("the user name or the password is wrong")
        self.locks = locks


class PasswordProvider(Protocol):
    """A provider outside of the registry that checks passwords."""

    name: str

    def authenticate(self, name: str, password: str) -> Person | None:
        """Return the person, or None if there is none or the password is wrong. Raises ProviderFailed."""
        ...


class LoginStore(Identities, AttemptStore, Users, Protocol):
    """The parts of the identity store that signing in needs."""


class PasswordLogin:
    """Verifies names and passwords, and counts failures. Costs one read; a failure costs two updates more.

    `provider` returns the provider of passwords outside of the registry, or None while none is configured.
    """

    def __init__(
        self,
        store: LoginStore,
        passwords: PasswordVerifier,
        onboarding: Onboarding,
        provider: Callable[[], PasswordProvider | None] = lambda: None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._onboarding = onboarding
        self._provider = provider
        self._clock = clock
        self._key = os.urandom(32)
        self._remembered: Recent[bytes, UserName] = Recent(REMEMBERED_SECONDS, _REMEMBERED, clock)

    def sign_in(
        self, name: str, password: str, projects: Iterable[ProjectName] = (), *, source: Actor = _NOWHERE
    ) -> tuple[User, Identity]:
        """Return the user, and what the store has of them and of `projects`. `source` is where the request is from.

        Raises WrongPassword, TooManyAttempts; with a provider also ProviderFailed, which is not counted, NotOnboarded.
        """
        projects = tuple(projects)
        provider = self._provider()
        parsed = _user_name(name if provider is None else name.lower())
        attempt = Attempt.of(parsed, source.source_ip, self._clock())
        identity = self._store.read(parsed, projects, attempts=attempt.keys)
        attempt.check(identity.attempts)
        user = identity.user
        if provider is not None and (user is None or user.provider == provider.name):
            found = self._by_provider(provider, identity, name, password, projects, source)
            if found is None or found.user is None or found.user.disabled:
                raise WrongPassword(attempt.fail(self._store, identity.attempts))
            return found.user, found
        known = user.password if user is not None and user.provider == LOCAL else None
        is_right = self._passwords.verify(parsed or name, password, known)
        if user is None or not is_right or user.disabled:
            raise WrongPassword(attempt.fail(self._store, identity.attempts))
        self._renew(user, password)
        return user, identity

    def _by_provider(
        self,
        provider: PasswordProvider,
        identity: Identity,
        name: str,
        password: str,
        projects: tuple[ProjectName, ...],
        source: Actor,
    ) -> Identity | None:
        known, asked = identity.user, list[User]()

        def ask() -> UserName:
            person = provider.authenticate(name, password)
            if person is None:
                raise WrongPassword
            asked.append(self._onboarding.sign_in(person, source, known=known))
            return asked[0].name

        try:
            account = self._remembered.get(self._mac(known, password), ask) if known is not None else ask()
        except WrongPassword:
            return None
        if known is not None and account == known.name and asked in ([], [known]):
            return identity
        # The account is new, has another name than was typed, or has changed: its roles may be others.
        return self._store.read(account, projects)

    def _mac(self, user: User, password: str) -> bytes:
        """Of what was accepted, without the password. Another epoch, as of a disabled account, is another one."""
        said = "\0".join((user.name, user.subject, str(user.epoch), password))
        return hmac.digest(self._key, said.encode("utf-8", "surrogatepass"), "sha256")

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
