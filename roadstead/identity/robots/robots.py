"""Robots: accounts of programs, of one project or of the system, and the Protocol of the store that keeps them.

A robot has permissions instead of roles. It belongs to its project by the project's id, and so does each of its
permissions: a project of the same name that is created anew has no robots, and no robot may do anything there.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from roadstead import base64url
from roadstead.identity.permissions import Action, Permission, Resource
from roadstead.identity.providers.trust import TrustRule
from roadstead.identity.robots.robot_names import RobotName
from roadstead.names import ProjectName
from roadstead.trail.entries import ActorKind, Event

NEVER = -1  # as a duration, and as the time of an expiry
DAY = 86_400
KEPT_EXPIRED = 14 * DAY  # for which an expired robot is among those that `Robots.expiring` returns
WARN_SECONDS = 7 * DAY  # before its expiry a robot leaves an event, once; half its life where that is shorter
_SECRET_BYTES = 32
_GENERATED = "sha256$"
_FORM = re.compile(r"[A-Za-z0-9_-]{43}")
_CLASSES = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"[0-9]"))
_MIN_CHOSEN, _MAX_CHOSEN = 8, 128  # characters of a chosen secret

_PULL = Permission(Resource.REPOSITORY, Action.PULL)
_PUSH = Permission(Resource.REPOSITORY, Action.PUSH)


class Scope(StrEnum):
    """What a grant is about, with Harbor's words for it (`kind`)."""

    SYSTEM = "system"
    PROJECT = "project"


@dataclass(frozen=True, slots=True)
class RobotGrant:
    """Permissions in one place: in the system, in one project, or (`project` is None) in every project.

    Permissions with `patterns` hold for repositories that match one of them (`roadstead.identity.limits`).
    """

    scope: Scope
    permissions: frozenset[Permission]
    project: ProjectName | None = None
    project_id: int = 0
    patterns: tuple[str, ...] = ()  # of repositories that the permissions are limited to; empty for all

    def applies_to(self, project: ProjectName, project_id: int) -> bool:
        """Whether the grant holds in this project, which may have been created anew."""
        if self.scope is not Scope.PROJECT:
            return False
        return self.project is None or (self.project, self.project_id) == (project, project_id)


@dataclass(frozen=True, slots=True)
class Robot:
    """A robot as it is kept. Times in seconds, `duration` in days; NEVER for one that does not expire.

    `secret` is `sha256$<hex>` of a secret that the registry generated, or an Argon2id PHC string of a chosen one.
    """

    name: RobotName
    project_id: int  # 0 for a system robot
    secret: str = field(repr=False)
    grants: tuple[RobotGrant, ...]
    created: int
    duration: int
    creator: str
    creator_kind: ActorKind
    creator_id: int
    id: int = 0  # 0 until the store has claimed one
    description: str = ""
    disabled: bool = False
    updated: int = 0
    warned: int = 0  # the expiry that an event has warned of
    trust: tuple[TrustRule, ...] = ()  # whose identity tokens count in place of the secret

    @property
    def expires(self) -> int:
        """When the robot expires, counted from its creation; NEVER if it does not."""
        return NEVER if self.duration == NEVER else self.created + self.duration * DAY

    def has_expired(self, now: float) -> bool:
        return self.expires != NEVER and self.expires <= now

    def is_of(self, project: ProjectName, project_id: int) -> bool:
        """Whether this is a robot of that project."""
        return (self.name.project, self.project_id) == (project, project_id)

    def grants_in(self, project: ProjectName, project_id: int) -> tuple[RobotGrant, ...]:
        """Return the grants that hold in an existing project, limited ones too."""
        if self.name.project is not None and not self.is_of(project, project_id):
            return ()
        return tuple(grant for grant in self.grants if grant.applies_to(project, project_id))

    def permissions_in(self, project: ProjectName, project_id: int) -> frozenset[Permission]:
        """Return what the robot may do in the whole of an existing project."""
        return permissions_of_grants(grant for grant in self.grants_in(project, project_id) if not grant.patterns)

    @property
    def system_permissions(self) -> frozenset[Permission]:
        """Return what the robot may do in the system as a whole."""
        return permissions_of_grants(grant for grant in self.grants if grant.scope is Scope.SYSTEM)


@dataclass(frozen=True, slots=True)
class DueWarning:
    """A note that the robot with this id is to be looked at, at a time in seconds."""

    at: int
    name: RobotName
    id: int


def warn_at(robot: Robot) -> int | None:
    """Return when an event shall warn of the robot's expiry; None if none shall, or one has."""
    if robot.expires == NEVER or robot.disabled or robot.warned == robot.expires:
        return None
    return robot.expires - min(WARN_SECONDS, robot.duration * DAY // 2)


def permissions_of_grants(grants: Iterable[RobotGrant]) -> frozenset[Permission]:
    """Return everything that `grants` permit. A push implies a pull, as in Harbor: clients cannot push without."""
    found = frozenset(permission for grant in grants for permission in grant.permissions)
    return found | {_PULL} if _PUSH in found else found


class WeakSecret(ValueError):
    """A chosen secret breaks a rule. The message is a sentence for a person."""


def new_secret() -> str:
    """Return a new secret of 32 random bytes, which also satisfies the rules for chosen ones."""
    while True:
        secret = base64url.encode(secrets.token_bytes(_SECRET_BYTES))
        if _has_every_class(secret):
            return secret


def check_secret(secret: str) -> None:
    """Check a chosen secret by Harbor's rules. Raises WeakSecret."""
    if not (_MIN_CHOSEN <= len(secret) <= _MAX_CHOSEN and _has_every_class(secret)):
        raise WeakSecret(
            f"a robot's secret has {_MIN_CHOSEN} to {_MAX_CHOSEN} characters, among them an upper-case letter, a "
            "lower-case letter and a digit; leave it empty to get a generated one"
        )


def generated_hash(secret: str) -> str:
    """Return the stored form of a generated secret. It has 256 random bits, so a plain SHA-256 is enough."""
    return _GENERATED + hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def has_generated_form(secret: str) -> bool:
    """Whether `secret` could be one that the registry generated. A chosen one may have that form, too."""
    return _FORM.fullmatch(secret) is not None


def is_generated(stored: str) -> bool:
    """Whether `stored` is of a secret that the registry generated, which nobody can guess."""
    return stored.startswith(_GENERATED)


def is_generated_secret(secret: str, stored: str) -> bool:
    """Whether `secret` is the generated secret with this stored form, in constant time."""
    return is_generated(stored) and hmac.compare_digest(generated_hash(secret), stored)


def _has_every_class(secret: str) -> bool:
    return all(pattern.search(secret) for pattern in _CLASSES)


class UnknownRobot(Exception):
    """There is no such robot any more."""


class Robots(Protocol):
    """Stores an `event` in the transaction of the change that it records. A robot's own read is `Identities.read`."""

    def find_robot(self, name: RobotName) -> Robot | None: ...

    def list_robots(self, project: ProjectName | None) -> tuple[Robot, ...]:
        """Return the robots under a project's name, or the system's, in the byte order of their names.

        Robots of an earlier project of that name may be among them. Costs one Query for each MB.
        """
        ...

    def create_robot(self, robot: Robot, *, event: Event | None = None) -> Robot:
        """Create a robot and return it with the id that was claimed for it. Costs one transaction, which also notes
        when to look at it (`warn_at`).

        A robot of an earlier project under the same name is replaced. Raises Conflict if the name is taken,
        UnknownProject if the robot's project is gone.
        """
        ...

    def update_robot(self, robot: Robot, *, event: Event | None = None) -> None:
        """Replace grants, description, duration, disabled and updated, if the robot with this id still exists, and note
        when to look at it (`warn_at`).

        Costs one transaction. Raises UnknownRobot.
        """
        ...

    def set_robot_secret(self, robot: Robot, secret: str, *, event: Event | None = None) -> None:
        """Replace the stored secret, if the robot with this id still exists. Raises UnknownRobot."""
        ...

    def set_robot_trust(self, robot: Robot, *, event: Event | None = None) -> None:
        """Replace the trust rules, if the robot with this id still exists. Raises UnknownRobot."""
        ...

    def set_robot_warned(self, robot: Robot, *, event: Event | None = None) -> None:
        """Record that `event` warns of the robot's expiry. Raises Conflict if that is recorded or the robot is gone."""
        ...

    def due_warnings(self, before: int, most: int) -> tuple[DueWarning, ...]:
        """Return the notes of robots to look at up to `before`, the oldest first. Costs one Query."""
        ...

    def expiring(self, since: int, until: int, most: int) -> tuple[tuple[Robot, ...], bool]:
        """Return up to `most` robots of all projects and of the system that expire from `since` to `until`, in seconds,
        the earliest first; no disabled ones. And whether there may be more. Costs one Query, and one read for each 100.

        A robot of a project that is gone, or was created anew, may be among them. Robots are forgotten here
        KEPT_EXPIRED after their expiry.
        """
        ...

    def forget_warning(self, due: DueWarning) -> None:
        """Remove a note. One that is gone is not an error."""
        ...

    def remove_robot(self, robot: Robot, *, event: Event | None = None) -> None:
        """Remove the robot with this id. A robot that is gone is not an error; then no event is kept."""
        ...
