"""Signing in as a robot, by its name and secret, as the token endpoint and the management API do.

A generated secret costs one read and one SHA-256. A chosen one costs what a password costs: Argon2id, failures counted
(`sign_in.attempts`), remembered for a minute. A robot that does not exist is refused as fast as one with a
generated secret, so timing tells which robots have a chosen secret, and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

from roadstead.identity.directory import Identity
from roadstead.identity.providers.trust import TrustRule, is_keyless
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.robots.robots import Robot, has_generated_form, is_generated, is_generated_secret
from roadstead.identity.sign_in.attempts import Attempt, AttemptStore
from roadstead.identity.sign_in.attempts import Scope as LockScope
from roadstead.identity.sign_in.passwords import PasswordVerifier
from roadstead.identity.stores import Identities
from roadstead.names import ProjectName


class RobotRefused(Exception):
    """The robot may not come in. The message is a sentence for a person, and tells nothing without the right secret.

    `locks` are what this failure has locked. `proof` is what the trail keeps of an identity token, "" for a secret.
    """

    def __init__(self, message: str, locks: tuple[LockScope, ...] = (), proof: str = "") -> None:
        super().__init__(message)
        self.locks = locks
        self.proof = proof


class RobotStore(Identities, AttemptStore, Protocol):
    """The parts of the identity store that signing in as a robot needs."""


class TokenNotTrusted(Exception):
    """The identity token is worth nothing for this robot. The message is a sentence for whoever sent it.

    `proof` is what the trail keeps of it.
    """

    def __init__(self, message: str, proof: str) -> None:
        super().__init__(message)
        self.proof = proof


class Keyless(Protocol):
    """Verifies identity tokens and signed calls. `roadstead.identity.providers.keyless` has the one."""

    def check(self, token: str, rules: Iterable[TrustRule]) -> str:
        """Return what the trail keeps of a token that is verified and fits a rule.

        Raises TokenNotTrusted for any other, ProviderFailed if that is unknown.
        """
        ...

    def describe(self, token: str) -> str:
        """Return what the trail keeps of a token that was not verified."""
        ...


class RobotLogin:
    """Verifies names and secrets of robots. Costs one read, or two for a chosen secret in the form of a generated one.

    A wrong guess at a chosen secret costs two updates more.
    """

    def __init__(
        self,
        store: RobotStore,
        passwords: PasswordVerifier,
        keyless: Callable[[], Keyless] | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._keyless = keyless
        self._passwords = passwords
        self._clock = clock

    def sign_in(
        self, name: RobotName | None, secret: str, projects: Iterable[ProjectName] = (), *, address: str = ""
    ) -> tuple[Robot, Identity]:
        """Return the robot, and what the store has of it, its project and `projects`.

        Raises RobotRefused, and TooManyAttempts if the robot's secret is a chosen one. An identity token or a signed
        call in place of the secret is verified by the robot's rules, and described in the identity's `proof`. Raises
        ProviderFailed if its issuer cannot be asked.
        """
        if name is None:
            raise _wrong()
        now = self._clock()
        if self._keyless is not None and is_keyless(secret):
            return self._by_identity_token(self._keyless, name, secret, projects)
        attempt = Attempt.of(f"robot {name.local}", address, now)
        keys = () if has_generated_form(secret) else attempt.keys
        identity = self._store.read(None, projects, robot=name, attempts=keys)
        robot = identity.robot
        if robot is None:
            raise _wrong()
        if is_generated(robot.secret):
            if not is_generated_secret(secret, robot.secret):
                raise _wrong()
        else:
            failed = identity.attempts if keys else self._store.read(None, (), attempts=attempt.keys).attempts
            attempt.check(failed)
            if not self._passwords.verify(f"robot {robot.id}", secret, robot.secret):
                raise _wrong(attempt.fail(self._store, failed))
        _check_alive(robot, identity, now)
        return robot, identity

    def _by_identity_token(
        self, keyless: Callable[[], Keyless], name: RobotName, token: str, projects: Iterable[ProjectName]
    ) -> tuple[Robot, Identity]:
        identity = self._store.read(None, projects, robot=name)
        robot = identity.robot
        if robot is None or not robot.trust:
            message = "there is no such robot, or it trusts no identity token"
            raise RobotRefused(message, proof=keyless().describe(token))
        try:
            proof = keyless().check(token, robot.trust)
        except TokenNotTrusted as error:
            raise RobotRefused(str(error), proof=error.proof) from error
        _check_alive(robot, identity, self._clock(), proof)
        return robot, replace(identity, proof=proof)


def _check_alive(robot: Robot, identity: Identity, now: float, proof: str = "") -> None:
    project = robot.name.project
    if project is not None:
        found = identity.projects.get(project)
        if found is None or not robot.is_of(project, found.id):
            raise RobotRefused("the robot's project was deleted, and the robot with it", proof=proof)
    if robot.disabled:
        raise RobotRefused("the robot is disabled", proof=proof)
    if robot.has_expired(now):
        message = "the robot has expired: give it a longer duration, which counts from its creation"
        raise RobotRefused(message, proof=proof)


def _wrong(locks: tuple[LockScope, ...] = ()) -> RobotRefused:
    return RobotRefused("the robot's name or its secret is wrong", locks)
