"""Harbor's documents of robots, and what it accepts in their place.

Source: Harbor, src/server/v2.0/handler/robot.go, model/robot.go (ToSwagger), src/controller/robot/controller.go.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from functions.management.call import text
from functions.management.errors import bad_request
from functions.management.harbor.shapes import timestamp
from roadstead.identity.directory import Patterns
from roadstead.identity.limits import check_patterns
from roadstead.identity.permissions import Permission
from roadstead.identity.robots.robot_accounts import MAX_DESCRIPTION, MAX_GRANTS
from roadstead.identity.robots.robots import Robot, RobotGrant, Scope
from roadstead.names import ProjectName
from roadstead.trail.entries import ActorKind

EVERY_PROJECT, SYSTEM_NAMESPACE = "*", "/"
MAX_ACCESS = 200  # of one permission; the catalogue is shorter


@dataclass(frozen=True, slots=True)
class AskedGrant:
    """A permission as it was asked for: `project` is None for the system, and for every project."""

    scope: Scope
    project: ProjectName | None
    permissions: frozenset[Permission]
    patterns: Patterns | None = None  # None where nothing is said of them


@dataclass(frozen=True, slots=True)
class AskedRobot:
    """The body of POST and PUT. `duration` is None where it is not given."""

    name: str
    level: Scope
    description: str
    disabled: bool
    duration: int | None
    grants: tuple[AskedGrant, ...]


def asked_robot(document: Mapping[str, Any], *, limited: bool = False) -> AskedRobot:
    """Read a robot; where it can be `limited`, a permission has `repositories`, patterns, too. Raises 400."""
    level, duration = document.get("level"), document.get("duration")
    if level not in (Scope.SYSTEM, Scope.PROJECT):
        raise bad_request("level must be system or project")
    if duration is not None and (not isinstance(duration, int) or isinstance(duration, bool)):
        raise bad_request("duration must be a number of days, or -1 for a robot that does not expire")
    disabled = document.get("disable", False)
    if not isinstance(disabled, bool):
        raise bad_request("disable must be true or false")
    permissions = document.get("permissions")
    if not isinstance(permissions, list) or not permissions:
        raise bad_request("permissions must list at least one permission")
    if len(permissions) > MAX_GRANTS:
        raise bad_request(f"permissions has {len(permissions)} entries; at most {MAX_GRANTS} are accepted")
    if level == Scope.PROJECT and len(permissions) > 1:
        raise bad_request("a project's robot has exactly one permission, whose namespace is its project")
    return AskedRobot(
        name=text(document, "name", most=512),
        level=Scope(level),
        description=text(document, "description", "", most=MAX_DESCRIPTION),
        disabled=disabled,
        duration=duration,
        grants=tuple(_grant(one, limited=limited) for one in permissions),
    )


def asked_patterns(value: object) -> Patterns:
    """Read patterns of repositories. Raises 400."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise bad_request("repositories must list patterns such as team-a/**")
    try:
        return check_patterns(value)
    except ValueError as error:
        raise bad_request(str(error)) from error


def _grant(permission: object, *, limited: bool) -> AskedGrant:
    if not isinstance(permission, dict):
        raise bad_request("a permission must be an object with kind, namespace and access")
    kind, namespace, access = (permission.get(name) for name in ("kind", "namespace", "access"))
    if not isinstance(access, list) or not access or len(access) > MAX_ACCESS:
        raise bad_request(f"access must list 1 to {MAX_ACCESS} actions")
    permissions = frozenset(_permission(one) for one in access)
    patterns = asked_patterns(permission.get("repositories", [])) if limited else None
    if kind == Scope.SYSTEM:
        if namespace != SYSTEM_NAMESPACE:
            raise bad_request('the namespace of a permission of kind system must be "/"')
        return AskedGrant(Scope.SYSTEM, None, permissions, patterns)
    if kind != Scope.PROJECT or not isinstance(namespace, str):
        raise bad_request("the kind of a permission must be system or project, its namespace /, a project's name or *")
    if namespace == EVERY_PROJECT:
        return AskedGrant(Scope.PROJECT, None, permissions, patterns)
    try:
        return AskedGrant(Scope.PROJECT, ProjectName.parse(namespace), permissions, patterns)
    except ValueError as error:
        raise bad_request(str(error)) from error


def _permission(access: object) -> Permission:
    if not isinstance(access, dict):
        raise bad_request("an access must be an object with resource and action")
    resource, action, effect = access.get("resource"), access.get("action"), access.get("effect") or "allow"
    if effect != "allow":
        raise bad_request("the effect of an access must be allow")
    if not (isinstance(resource, str) and isinstance(action, str)):
        raise bad_request("an access needs a resource and an action")
    try:
        return Permission.parse(resource, action)
    except ValueError as error:
        raise bad_request(f"{error}; see GET /api/v2.0/permissions") from error


def robot_document(
    robot: Robot, prefix: str, projects: Collection[tuple[str, int]], *, limited: bool = False
) -> dict[str, Any]:
    """`projects` are the names and ids of existing projects; permissions in others are left out.

    With `limited` each permission has the patterns that limit it, which Harbor's document does not have.
    """
    return {
        "id": robot.id,
        "name": robot.name.full(prefix),
        "description": robot.description,
        "level": level_of(robot),
        "duration": robot.duration,
        "expires_at": robot.expires,
        "disable": robot.disabled,
        "editable": True,
        "creation_time": timestamp(robot.created),
        "update_time": timestamp(robot.updated),
        "permissions": [
            {**_permission_document(grant), **({"repositories": list(grant.patterns)} if limited else {})}
            for grant in robot.grants
            if grant.project is None or (grant.project, grant.project_id) in projects
        ],
        "creator_type": "robot" if robot.creator_kind is ActorKind.ROBOT else "local",
        "creator_ref": robot.creator_id,
    }


def created_document(robot: Robot, prefix: str, secret: str) -> dict[str, Any]:
    """The only document with the secret."""
    return {
        "id": robot.id,
        "name": robot.name.full(prefix),
        "secret": secret,
        "creation_time": timestamp(robot.created),
        "expires_at": robot.expires,
    }


def level_of(robot: Robot) -> Scope:
    return Scope.SYSTEM if robot.name.project is None else Scope.PROJECT


def _permission_document(grant: RobotGrant) -> dict[str, Any]:
    namespace = SYSTEM_NAMESPACE if grant.scope is Scope.SYSTEM else grant.project or EVERY_PROJECT
    access = [
        {"resource": str(one.resource), "action": str(one.action), "effect": "allow"}
        for one in sorted(grant.permissions, key=str)
    ]
    return {"kind": str(grant.scope), "namespace": namespace, "access": access}
