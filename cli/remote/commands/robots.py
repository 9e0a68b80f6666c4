"""Robots."""

from __future__ import annotations

from typing import Any

from cli.remote.shapes import (
    HARBOR,
    PROJECT,
    ROBOT,
    Argument,
    Command,
    Given,
    Option,
    deleting,
    listing,
    showing,
)


def _robot(given: Given) -> dict[str, Any]:
    access = [dict(zip(("resource", "action"), one.partition(":")[::2], strict=True)) for one in given["access"]]
    permission = {"kind": "project", "namespace": given["project"], "access": access}
    days = 30 if given["days"] is None else given["days"]
    return {"name": given["name"], "level": "project", "disable": False, "duration": days, "permissions": [permission]}


COMMANDS: tuple[Command, ...] = (
    listing(
        "robot",
        "list robots",
        f"{HARBOR}/robots",
        {"NAME": "name", "ID": "id", "LEVEL": "level", "DISABLED": "disable", "EXPIRES": "expires_at"},
    ),
    Command(
        "robot",
        "create",
        "create a robot of a project; its secret is shown once",
        "POST",
        f"{HARBOR}/robots",
        (PROJECT, Argument("name")),
        (
            Option("access", "resource:action, such as repository:push; may be repeated", kind="list", required=True),
            Option("days", "for how long it is valid; -1: for ever", kind="number"),
        ),
        _robot,
    ),
    showing("robot", "show a robot", f"{HARBOR}/robots/{{robot}}", ROBOT),
    deleting("robot", "delete a robot", f"{HARBOR}/robots/{{robot}}", ROBOT),
)
