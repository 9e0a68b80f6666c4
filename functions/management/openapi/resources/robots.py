"""Robots and what they can have."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import (
    Described,
    Schema,
    array,
    created,
    flag,
    mapping,
    nullable,
    number,
    obj,
    one_of,
    page_of,
    ref,
    text,
    time,
)

_LEVEL = one_of("system", "project")
_DURATION = number("days from the creation; -1 for no expiry")
_CHANGEABLE: Mapping[str, Schema] = {
    "description": text(maxLength=1_024),
    "disable": flag(),
    "secret": text("ignored: a secret is generated"),
}

SCHEMAS: Mapping[str, Schema] = {
    "RobotTrust": obj(
        {
            "rules": array(
                obj({"issuer": text("a URL, or aws"), "audience": text(), "claims": mapping(text("* is any text"))})
            )
        }
    ),
    "Robot": obj(
        {
            "id": number(),
            "name": text("with the prefix, and of a project's robot with the project"),
            "description": text(),
            "level": _LEVEL,
            "duration": _DURATION,
            "expires_at": number("seconds since the epoch; -1 for no expiry"),
            "disable": flag(),
            "editable": flag(),
            "creation_time": time(),
            "update_time": time(),
            "permissions": array(ref("RobotPermission")),
            "creator_type": one_of("local", "robot", description="a user or a robot"),
            "creator_ref": number("the id of the user or robot who made it"),
        }
    ),
    "RobotPermission": obj(
        {
            "kind": _LEVEL,
            "namespace": text("/ for the system, a project's name, or * for every project"),
            "access": array(ref("RobotAccess")),
        }
    ),
    "LimitedRobotPermission": obj(
        {"kind": _LEVEL, "namespace": text(), "access": array(ref("RobotAccess"))},
        {"repositories": array(text(), "patterns of repositories that it is limited to, such as team-a/**")},
    ),
    "LimitedRobot": obj(
        {"id": number(), "name": text(), "level": _LEVEL, "permissions": array(ref("LimitedRobotPermission"))},
        description="A robot with the patterns that limit its permissions",
    ),
    "NewLimitedRobot": obj(
        {
            "name": text("without prefix and project"),
            "level": _LEVEL,
            "duration": _DURATION,
            "permissions": array(ref("LimitedRobotPermission")),
        },
        _CHANGEABLE,
    ),
    "LimitedRobotChange": obj(
        {"name": text("the full name, repeated"), "level": _LEVEL, "permissions": array(ref("LimitedRobotPermission"))},
        {**_CHANGEABLE, "duration": nullable(_DURATION)},
    ),
    "RobotAccess": obj({"resource": text(), "action": text()}, {"effect": one_of("allow")}),
    "NewRobot": obj(
        {
            "name": text("without prefix and project"),
            "level": _LEVEL,
            "duration": _DURATION,
            "permissions": array(ref("RobotPermission")),
        },
        _CHANGEABLE,
    ),
    "RobotChange": obj(
        {
            "name": text("the full name, repeated"),
            "level": _LEVEL,
            "permissions": array(ref("RobotPermission")),
        },
        {**_CHANGEABLE, "duration": nullable(_DURATION)},
    ),
    "CreatedRobot": obj(
        {
            "id": number(),
            "name": text(),
            "secret": text("shown in this response alone"),
            "creation_time": time(),
            "expires_at": number(),
        }
    ),
    "RobotSecret": obj(
        {}, {"secret": text("8 to 128 characters with upper and lower case and a digit; empty: a new one")}
    ),
    "ShownSecret": obj({"secret": text("a generated secret; empty if it was chosen")}),
    "Permissions": obj({"project": array(ref("Permission"))}, {"system": array(ref("Permission"))}),
    "Permission": obj({"resource": text(), "action": text()}),
}

OPERATIONS: Mapping[str, Described] = {
    "getPermissions": Described("List what a robot can have", ref("Permissions")),
    "ListRobot": page_of(
        "List system robots, or with `q=Level=project,ProjectID=<id>` those of a project", ref("Robot"), also=(404,)
    ),
    "CreateRobot": created("Make a robot", ref("NewRobot"), ref("CreatedRobot"), also=(400, 404, 409)),
    "GetRobotByID": Described("Show a robot", ref("Robot")),
    "UpdateRobot": Described("Replace a robot's permissions, duration, description and state", body=ref("RobotChange")),
    "RefreshSec": Described("Give a robot another secret", ref("ShownSecret"), body=ref("RobotSecret")),
    "DeleteRobot": Described("Remove a robot"),
    "createLimitedRobot": created(
        "Make a robot that is limited to repositories",
        ref("NewLimitedRobot"),
        ref("CreatedRobot"),
        also=(400, 404, 409),
    ),
    "getRobotTrust": Described("Show whose identity tokens a robot takes", ref("RobotTrust")),
    "setRobotTrust": Described("Replace whose identity tokens a robot takes", body=ref("RobotTrust")),
    "getLimitedRobot": Described("Show a robot with its limits", ref("LimitedRobot")),
    "updateLimitedRobot": Described("Replace a robot's permissions with their limits", body=ref("LimitedRobotChange")),
}
