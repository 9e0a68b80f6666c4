"""Members of projects."""

from __future__ import annotations

from cli.remote.shapes import (
    MEMBER,
    OF_PROJECT,
    PROJECT,
    ROLE,
    ROLES,
    Argument,
    Command,
    deleting,
    listing,
)

COMMANDS: tuple[Command, ...] = (
    listing(
        "member",
        "list a project's members",
        f"{OF_PROJECT}/members",
        {"NAME": "entity_name", "ROLE": "role_name", "KIND": "entity_type", "ID": "id"},
        PROJECT,
    ),
    Command(
        "member",
        "add",
        "add a user to a project",
        "POST",
        f"{OF_PROJECT}/members",
        (PROJECT, Argument("user", "the user's name"), ROLE),
        (),
        lambda o: {"member_user": {"username": o["user"]}, "role_id": ROLES[o["role"]]},
    ),
    Command(
        "member",
        "set-role",
        "change a member's role",
        "PUT",
        f"{OF_PROJECT}/members/{{member}}",
        (PROJECT, MEMBER, ROLE),
        (),
        lambda o: {"role_id": ROLES[o["role"]]},
    ),
    deleting("member", "remove a member", f"{OF_PROJECT}/members/{{member}}", PROJECT, MEMBER, name="remove"),
)
