"""Robots."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cli.failures import USAGE, Failure
from cli.remote.shapes import (
    HARBOR,
    OWN,
    PROJECT,
    Argument,
    Command,
    Given,
    Named,
    Option,
    ProjectId,
    changed,
    deleting,
    listing,
    showing,
)

_ROBOTS, _OWN_ROBOT = f"{HARBOR}/robots", f"{OWN}/robots/{{robot}}"
_PROJECT_OF = re.compile(r"([a-z0-9][a-z0-9._-]*)\+")  # in `robot$ships+builder`, with whatever prefix


def _robots_of(project: str | None, project_id: ProjectId) -> Mapping[str, str]:
    return {"q": f"Level=project,ProjectID={project_id(project)}"} if project else {"q": "Level=system"}


def _beside(name: str, _: Given, project_id: ProjectId) -> Mapping[str, str]:
    """The query for the robots among which one with this name is."""
    found = _PROJECT_OF.search(name)
    return _robots_of(found[1] if found else None, project_id)


ROBOT = Argument("robot", "a robot's full name or id", Named(_ROBOTS, query=_beside))
ACCESS = Option("access", "resource:action, such as repository:push; may be repeated", kind="list", required=True)
DAYS = Option("days", "for how long it is valid (default: 30); -1: for ever", kind="number")
DESCRIPTION = Option("description", "a sentence")


def _access(given: Given) -> list[dict[str, str]]:
    return [dict(zip(("resource", "action"), one.partition(":")[::2], strict=True)) for one in given["access"]]


def _robot(given: Given) -> dict[str, Any]:
    permission = {"kind": "project", "namespace": given["project"], "access": _access(given)}
    if given["repositories"]:
        permission["repositories"] = given["repositories"]
    return _new(given, "project", permission)


def _system_robot(given: Given) -> dict[str, Any]:
    kinds = [("project", name) for name in given["in_project"] or ()] or [("system", "/")]
    return _new(given, "system", *({"kind": kind, "namespace": name, "access": _access(given)} for kind, name in kinds))


def _new(given: Given, level: str, *permissions: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": given["name"],
        "level": level,
        "description": given["description"],
        "disable": False,
        "duration": 30 if given["days"] is None else given["days"],
        "permissions": list(permissions),
    }


def _changed(given: Given) -> dict[str, Any]:
    """The whole robot with what changes: the API replaces it."""
    was: Mapping[str, Any] = given["was"]
    permissions = was["permissions"]
    if given["access"] or given["repositories"] is not None:
        if len(permissions) != 1:
            raise Failure("This robot has several permissions: make another one in its place.", USAGE)
        new = {"access": _access(given) if given["access"] else None, "repositories": given["repositories"]}
        permissions = [changed(permissions[0], **new)]
    kept = {name: was[name] for name in ("name", "level", "description", "disable", "duration") if name in was}
    more = {"description": given["description"], "duration": given["days"], "permissions": permissions}
    return changed(kept, **more, disable=None if given["state"] is None else given["state"] == "disabled")


COMMANDS: tuple[Command, ...] = (
    listing(
        "robot",
        "list the robots of the registry, or of a project",
        _ROBOTS,
        {"NAME": "name", "ID": "id", "LEVEL": "level", "DISABLED": "disable", "EXPIRES": "expires_at"},
        options=(Option("project", "the robots of this project"),),
        query=lambda given, project_id: _robots_of(given["project"], project_id),
    ),
    showing("robot", "show a robot, with what limits it", _OWN_ROBOT, ROBOT),
    Command(
        "robot",
        "create",
        "create a robot of a project; its secret is shown once",
        "POST",
        f"{OWN}/robots",
        (PROJECT, Argument("name")),
        (
            ACCESS,
            Option("repositories", "a pattern of repositories that limits it; may be repeated", kind="list"),
            DAYS,
            DESCRIPTION,
        ),
        _robot,
    ),
    Command(
        "robot",
        "create-system",
        "create a robot of the registry; its secret is shown once",
        "POST",
        _ROBOTS,
        (Argument("name"),),
        (
            ACCESS,
            Option("in-project", "a project in which it has the access, or * for all; may be repeated", kind="list"),
            DAYS,
            DESCRIPTION,
        ),
        _system_robot,
    ),
    Command(
        "robot",
        "set",
        "change a robot",
        "PUT",
        _OWN_ROBOT,
        (ROBOT,),
        (
            Option("access", "its whole access from now on; may be repeated", kind="list"),
            Option("repositories", "all patterns that limit it from now on; may be repeated", kind="list"),
            Option("days", "for how long it is valid from its creation on; -1: for ever", kind="number"),
            DESCRIPTION,
            Option("state", "whether it may sign in", choices=("enabled", "disabled")),
        ),
        _changed,
        base=_OWN_ROBOT,
    ),
    Command(
        "robot",
        "refresh",
        "give a robot a new secret, which is shown once",
        "PATCH",
        f"{_ROBOTS}/{{robot}}",
        (ROBOT,),
        body=lambda _: {},
    ),
    deleting("robot", "delete a robot", f"{_ROBOTS}/{{robot}}", ROBOT),
)
