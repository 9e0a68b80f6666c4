"""Items of robots in the identity table: `robot#<project>` / `<name>`, and `robot#` / `<name>` of system robots.

A robot's name gives its key, so it is read together with its project.
"""

from __future__ import annotations

import json
from typing import Any

from roadstead.aws.table import Item, Key
from roadstead.identity.permissions import Permission
from roadstead.identity.providers.trust import TrustRule
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.robots.robots import DueWarning, Robot, RobotGrant, Scope
from roadstead.names import ProjectName
from roadstead.trail.entries import ActorKind

ROBOTS_DUE = "robots-due"
ROBOTS_EXPIRING = "robots-expiring"


def robots_pk(project: ProjectName | None) -> str:
    return f"robot#{project or ''}"


def robot_key(name: RobotName) -> Key:
    return robots_pk(name.project), name.name


def due_key(due: DueWarning) -> Key:
    """Return the key of a note when to look at a robot: by time."""
    return ROBOTS_DUE, f"{due.at:012d}#{due.id}"


def expiring_key(robot: Robot) -> Key:
    """Return the key of a note when a robot expires: by time."""
    return ROBOTS_EXPIRING, f"{robot.expires:012d}#{robot.id}"


def changeable(robot: Robot) -> Item:
    """Return the attributes that a change of a robot replaces."""
    return {
        "grants": [_grant_item(grant) for grant in robot.grants],
        "description": robot.description,
        "duration": robot.duration,
        "disabled": robot.disabled,
        "updated": robot.updated,
    }


def robot_item(robot: Robot) -> Item:
    return {
        **changeable(robot),
        "id": robot.id,
        "project_id": robot.project_id,
        "secret": robot.secret,
        "created": robot.created,
        "creator": robot.creator,
        "creator_kind": robot.creator_kind,
        "creator_id": robot.creator_id,
        "warned": robot.warned,
    }


def trust_item(robot: Robot) -> list[str]:
    return [json.dumps(rule.as_json(), separators=(",", ":")) for rule in robot.trust]


def robot_from(name: RobotName, item: Item) -> Robot:
    return Robot(
        name=name,
        project_id=item["project_id"],
        secret=item["secret"],
        grants=tuple(_grant_from(grant) for grant in item["grants"]),
        created=item["created"],
        duration=item["duration"],
        creator=item["creator"],
        creator_kind=ActorKind(item["creator_kind"]),
        creator_id=item["creator_id"],
        id=item["id"],
        description=item["description"],
        disabled=item["disabled"],
        updated=item["updated"],
        warned=item["warned"],
        trust=tuple(TrustRule.from_json(json.loads(rule)) for rule in item.get("trust", ())),
    )


def _grant_item(grant: RobotGrant) -> dict[str, Any]:
    item: dict[str, Any] = {
        "scope": grant.scope,
        "access": sorted(str(permission) for permission in grant.permissions),
        "project_id": grant.project_id,
        **({"patterns": list(grant.patterns)} if grant.patterns else {}),
    }
    return item if grant.project is None else {**item, "project": grant.project}


def _grant_from(item: dict[str, Any]) -> RobotGrant:
    project = item.get("project")
    return RobotGrant(
        scope=Scope(item["scope"]),
        permissions=frozenset(Permission.parse(*text.split(":")) for text in item["access"]),
        project=ProjectName(project) if project is not None else None,
        project_id=item["project_id"],
        patterns=tuple(item.get("patterns", ())),
    )
