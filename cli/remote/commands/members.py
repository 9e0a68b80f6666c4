"""Members of projects: users and groups."""

from __future__ import annotations

from cli.remote.shapes import (
    GROUP,
    HARBOR,
    MEMBER,
    OF_PROJECT,
    OWN_OF_PROJECT,
    PROJECT,
    ROLE,
    ROLES,
    Argument,
    Command,
    Option,
    deleting,
    listing,
    showing,
)

LIMIT = Option("repositories", "a pattern of repositories, to which the role is limited; may be repeated", kind="list")

COMMANDS: tuple[Command, ...] = (
    listing(
        "member",
        "list a project's members",
        f"{OF_PROJECT}/members",
        {"NAME": "entity_name", "ROLE": "role_name", "KIND": "entity_type", "ID": "id"},
        PROJECT,
    ),
    showing(
        "member", "show a member, with what limits the role", f"{OWN_OF_PROJECT}/members/{{member}}", PROJECT, MEMBER
    ),
    Command(
        "member",
        "add",
        "add a user to a project",
        "POST",
        f"{OWN_OF_PROJECT}/members",
        (PROJECT, Argument("user", "the user's name"), ROLE),
        (LIMIT,),
        lambda o: {
            "member_user": {"username": o["user"]},
            "role_id": ROLES[o["role"]],
            "repositories": o["repositories"] or [],
        },
    ),
    Command(
        "member",
        "add-group",
        "give the members of a group a role in a project",
        "POST",
        f"{OWN_OF_PROJECT}/members",
        (PROJECT, GROUP, ROLE),
        (LIMIT,),
        lambda o: {
            "member_group": {"id": int(o["group"])},
            "role_id": ROLES[o["role"]],
            "repositories": o["repositories"] or [],
        },
    ),
    Command(
        "member",
        "add-ldap-group",
        "give the members of a group of the directory a role in a project",
        "POST",
        f"{OF_PROJECT}/members",
        (PROJECT, Argument("dn", "the group's distinguished name"), ROLE),
        body=lambda o: {"member_group": {"ldap_group_dn": o["dn"], "group_type": 1}, "role_id": ROLES[o["role"]]},
    ),
    Command(
        "member",
        "set-role",
        "change a member's role; what limits it stays",
        "PUT",
        f"{OF_PROJECT}/members/{{member}}",
        (PROJECT, MEMBER, ROLE),
        body=lambda o: {"role_id": ROLES[o["role"]]},
    ),
    Command(
        "member",
        "limit",
        "limit a member's role to repositories; without a pattern to none of them: it holds in the whole project",
        "PUT",
        f"{OWN_OF_PROJECT}/members/{{member}}",
        (PROJECT, MEMBER),
        (LIMIT,),
        lambda o: {"role_id": o["was"]["role_id"], "repositories": o["repositories"] or []},
        base=f"{HARBOR}/projects/{{project}}/members/{{member}}",
    ),
    deleting("member", "remove a member", f"{OF_PROJECT}/members/{{member}}", PROJECT, MEMBER, name="remove"),
)
