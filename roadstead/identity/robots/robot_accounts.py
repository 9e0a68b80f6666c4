"""Changes of robots, in the name of whoever makes them. A robot never gets more than its maker has.

Whether the caller may change robots here at all is decided before, by the permission `robot:<action>` in the project or
in the system.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from roadstead.conflicts import Conflict
from roadstead.identity.directory import Identity
from roadstead.identity.limits import check_patterns
from roadstead.identity.permissions import PROJECT_CATALOGUE, SYSTEM_CATALOGUE, Action, Permission, Resource
from roadstead.identity.providers.trust import TrustRule
from roadstead.identity.rights import limited_rights, whole_permissions
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.robots.robots import (
    NEVER,
    Robot,
    RobotGrant,
    Robots,
    Scope,
    UnknownRobot,
    WeakSecret,
    check_secret,
    generated_hash,
    new_secret,
    permissions_of_grants,
)
from roadstead.identity.sign_in.passwords import Hasher
from roadstead.identity.stores import UnknownProject
from roadstead.trail.entries import Actor, Event, Operation
from roadstead.trail.events import EventMaker

MAX_ROBOTS = 1_000  # of one project, and of the system
MAX_GRANTS = 100  # of one robot: projects that it names
MAX_DESCRIPTION = 1_024  # characters
MAX_DURATION = 2**31 - 1  # days
_MAX_DETAIL = 2_000  # characters of an event
_CATALOGUES = {Scope.SYSTEM: frozenset(SYSTEM_CATALOGUE), Scope.PROJECT: frozenset(PROJECT_CATALOGUE)}
# A project's role has no `list` of metadata: whoever reads them all lists them.
_READ_METADATA = Permission(Resource.METADATA, Action.READ)
_LIST_METADATA = Permission(Resource.METADATA, Action.LIST)


class RobotRuleBroken(ValueError):
    """The change breaks a rule. The message is a sentence for a person."""


class RobotExists(RobotRuleBroken):
    """The name is taken."""


class RobotGone(RobotRuleBroken):
    """The robot, or its project, does not exist any more."""


class MoreThanItsMaker(RobotRuleBroken):
    """The robot would get a permission that its maker does not have."""


@dataclass(frozen=True, slots=True)
class Maker:
    """Who makes or changes a robot. `identity` has the projects that the robot's grants name."""

    actor: Actor
    identity: Identity

    @property
    def id(self) -> int:
        robot, user = self.identity.robot, self.identity.user
        return robot.id if robot is not None else user.id if user is not None else 0

    def lacks(self, grant: RobotGrant) -> frozenset[Permission]:
        """Return what the maker does not have of a grant, and so cannot give."""
        robot, user = self.identity.robot, self.identity.user
        if robot is None and user is not None and user.admin:
            return frozenset()
        held: frozenset[Permission] = frozenset()
        if grant.scope is Scope.PROJECT and grant.project is not None:
            held = whole_permissions(grant.project, self.identity)
            for right in limited_rights(grant.project, self.identity):
                if grant.patterns and set(grant.patterns) <= set(right.patterns):
                    held |= right.permissions
        elif robot is not None and grant.scope is Scope.SYSTEM:
            held = robot.system_permissions
        elif robot is not None and robot.name.project is None:
            every = (
                one
                for one in robot.grants
                if one.scope is Scope.PROJECT
                and one.project is None
                and (not one.patterns or (grant.patterns and set(grant.patterns) <= set(one.patterns)))
            )
            held = permissions_of_grants(every)
        implied = frozenset([_LIST_METADATA]) if _READ_METADATA in held else frozenset()
        return permissions_of_grants([grant]) - held - implied


@dataclass(frozen=True, slots=True)
class RobotChange:
    """What a robot is made with, or what replaces it. `duration` in days, NEVER for a robot that does not expire."""

    grants: tuple[RobotGrant, ...]
    duration: int
    description: str = ""
    disabled: bool = False


class RobotAccounts:
    """Makes and changes robots, and keeps an event with every change. `prefix` begins their names.

    Every method raises RobotRuleBroken.
    """

    def __init__(
        self, store: Robots, hasher: Hasher, maker: Maker, *, prefix: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._hasher = hasher
        self._maker = maker
        self._prefix = prefix
        self._clock = clock
        self._events = EventMaker(clock)

    def create(self, name: RobotName, project_id: int, change: RobotChange) -> tuple[Robot, str]:
        """Create a robot; return it with its secret, which nobody can read again.

        Costs the list of robots beside it and one transaction.
        """
        self._check(name, project_id, change)
        if len(self._store.list_robots(name.project)) >= MAX_ROBOTS:
            where = f"the project {name.project}" if name.project else "the system"
            raise RobotRuleBroken(f"{where} has {MAX_ROBOTS} robots, which is the limit: remove some first")
        secret, now = new_secret(), int(self._clock())
        actor = self._maker.actor
        robot = Robot(
            name=name,
            project_id=project_id,
            secret=generated_hash(secret),
            grants=merged(change.grants),
            created=now,
            duration=change.duration,
            creator=actor.name,
            creator_kind=actor.kind,
            creator_id=self._maker.id,
            description=change.description,
            disabled=change.disabled,
            updated=now,
        )
        event = self._event(Operation.CREATE_ROBOT, robot, _described(robot))
        try:
            return self._store.create_robot(robot, event=event), secret
        except UnknownProject as error:
            raise RobotGone(f"there is no project {name.project}") from error
        except Conflict as error:
            raise RobotExists(f"there is a robot {name.full(self._prefix)} already") from error

    def update(self, robot: Robot, change: RobotChange) -> Robot:
        """Replace the permissions, the duration (which counts from the creation), the description and `disabled`."""
        self._check(robot.name, robot.project_id, change)
        changed = replace(
            robot,
            grants=merged(change.grants),
            duration=change.duration,
            description=change.description,
            disabled=change.disabled,
            updated=int(self._clock()),
        )
        event = self._event(Operation.CHANGE_ROBOT, robot, f"robot={robot.id} {_described(changed)}")
        try:
            self._store.update_robot(changed, event=event)
        except UnknownRobot as error:
            raise RobotGone(f"there is no robot {robot.name.full(self._prefix)} any more") from error
        return changed

    def change_secret(self, robot: Robot, chosen: str = "") -> str:
        """Give a robot another secret: `chosen`, or a new one. Return it. The old one ends at once."""
        if chosen:
            try:
                check_secret(chosen)
            except WeakSecret as error:
                raise RobotRuleBroken(str(error)) from error
        secret = chosen or new_secret()
        stored = self._hasher.hash(secret) if chosen else generated_hash(secret)
        event = self._event(
            Operation.CHANGE_ROBOT_SECRET, robot, f"robot={robot.id} chosen={'true' if chosen else 'false'}"
        )
        try:
            self._store.set_robot_secret(robot, stored, event=event)
        except UnknownRobot as error:
            raise RobotGone(f"there is no robot {robot.name.full(self._prefix)} any more") from error
        return secret

    def trust(self, robot: Robot, rules: tuple[TrustRule, ...]) -> None:
        """Replace the rules by which identity tokens count in place of the secret. They were checked."""
        said = " ".join(f"issuer={rule.issuer} {_claims(rule)}" for rule in rules) or "-"
        event = self._event(Operation.CHANGE_ROBOT, robot, f"robot={robot.id} trust {said}"[:_MAX_DETAIL])
        try:
            self._store.set_robot_trust(replace(robot, trust=rules), event=event)
        except UnknownRobot as error:
            raise RobotGone(f"there is no robot {robot.name.full(self._prefix)} any more") from error

    def remove(self, robot: Robot) -> None:
        """Remove a robot. One that is gone is not an error."""
        self._store.remove_robot(robot, event=self._event(Operation.DELETE_ROBOT, robot, f"robot={robot.id}"))

    def _check(self, name: RobotName, project_id: int, change: RobotChange) -> None:
        if change.duration != NEVER and not 0 < change.duration < MAX_DURATION:
            raise RobotRuleBroken(
                f"duration is in days, from 1 to {MAX_DURATION - 1}, or -1 for a robot without an expiry"
            )
        if len(change.description) > MAX_DESCRIPTION:
            raise RobotRuleBroken(f"a description has at most {MAX_DESCRIPTION} characters")
        if not change.grants or any(not grant.permissions for grant in change.grants):
            raise RobotRuleBroken("a robot needs permissions, and each of them at least one access")
        if len(change.grants) > MAX_GRANTS:
            raise RobotRuleBroken(f"a robot has permissions in at most {MAX_GRANTS} places")
        if name.project is not None and [
            (grant.scope, grant.project, grant.project_id) for grant in merged(change.grants)
        ] != [(Scope.PROJECT, name.project, project_id)]:
            raise RobotRuleBroken("a project's robot has exactly one permission, whose namespace is that project")
        for grant in change.grants:
            _check_patterns(grant)
            unknown = grant.permissions - _CATALOGUES[grant.scope]
            if unknown:
                raise RobotRuleBroken(
                    f"a robot cannot have {_listed(unknown)} in {_place(grant)}; see GET /api/v2.0/permissions"
                )
            lacking = self._maker.lacks(grant)
            if lacking:
                raise MoreThanItsMaker(f"{self._maker.actor.name} has no {_listed(lacking)} in {_place(grant)} to give")

    def _event(self, operation: Operation, robot: Robot, detail: str) -> Event:
        return self._events.make(
            operation,
            self._maker.actor,
            "",
            project=robot.name.project or "",
            user=robot.name.full(self._prefix),
            detail=detail,
        )


def _claims(rule: TrustRule) -> str:
    return " ".join(f"{name}={pattern}" for name, pattern in sorted(rule.claims.items()))


def merged(grants: Iterable[RobotGrant]) -> tuple[RobotGrant, ...]:
    """Return the grants with one for each place, in the order of first mention."""
    found: dict[tuple[Scope, object, int, tuple[str, ...]], RobotGrant] = {}
    for grant in grants:
        place = (grant.scope, grant.project, grant.project_id, grant.patterns)
        earlier = found[place].permissions if place in found else frozenset()
        found[place] = replace(grant, permissions=grant.permissions | earlier)
    return tuple(found.values())


def _check_patterns(grant: RobotGrant) -> None:
    if grant.patterns and grant.scope is not Scope.PROJECT:
        raise RobotRuleBroken("permissions in the system are not limited to repositories")
    try:
        check_patterns(grant.patterns)
    except ValueError as error:
        raise RobotRuleBroken(str(error)) from error


def _described(robot: Robot) -> str:
    """What the trail says of a robot: how long it lives, and what it may do where, cut where it is very long."""
    places = " ".join(f"{_place(grant)}={_listed(grant.permissions)}" for grant in robot.grants)
    text = f"duration={robot.duration} disabled={str(robot.disabled).lower()} {places}"
    return text if len(text) <= _MAX_DETAIL else f"{text[: _MAX_DETAIL - 1]}…"


def _place(grant: RobotGrant) -> str:
    if grant.scope is Scope.SYSTEM:
        return "system"
    limits = f"[{','.join(grant.patterns)}]" if grant.patterns else ""
    return f"project:{grant.project or '*'}{limits}"


def _listed(permissions: Iterable[Permission]) -> str:
    return ",".join(sorted(str(permission) for permission in permissions))
