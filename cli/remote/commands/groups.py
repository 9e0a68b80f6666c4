"""Groups of users."""

from __future__ import annotations

from cli.remote.shapes import (
    GROUP,
    HARBOR,
    Argument,
    Command,
    deleting,
    listing,
)

COMMANDS: tuple[Command, ...] = (
    listing("group", "list groups", f"{HARBOR}/usergroups", {"NAME": "group_name", "ID": "id", "TYPE": "group_type"}),
    Command(
        "group",
        "create",
        "create a local group",
        "POST",
        f"{HARBOR}/usergroups",
        (Argument("name"),),
        (),
        lambda o: {"group_name": o["name"], "group_type": 2},
    ),
    deleting("group", "delete a group", f"{HARBOR}/usergroups/{{group}}", GROUP),
)
