"""Groups of users."""

from __future__ import annotations

from cli.remote.shapes import GROUP, HARBOR, OWN, Argument, Command, Option, deleting, listing, showing

_KINDS = {"ldap": 1, "local": 2, "oidc": 3}
_OWN_GROUP = f"{OWN}/usergroups/{{group}}"
_MEMBER = Argument("user", "the user's name")

COMMANDS: tuple[Command, ...] = (
    listing("group", "list groups", f"{HARBOR}/usergroups", {"NAME": "group_name", "ID": "id", "TYPE": "group_type"}),
    showing("group", "show a group", _OWN_GROUP, GROUP),
    Command(
        "group",
        "create",
        "create a group",
        "POST",
        f"{HARBOR}/usergroups",
        (Argument("name"),),
        (
            Option("kind", "where its members are known (default: local)", choices=tuple(_KINDS)),
            Option("dn", "the distinguished name of a group of the LDAP directory"),
        ),
        lambda o: {
            "group_name": o["name"],
            "group_type": _KINDS[o["kind"] or ("ldap" if o["dn"] else "local")],
            "ldap_group_dn": o["dn"],
        },
    ),
    Command(
        "group",
        "rename",
        "give a group another name",
        "PUT",
        f"{HARBOR}/usergroups/{{group}}",
        (GROUP, Argument("name", "the new name")),
        body=lambda o: {"group_name": o["name"]},
    ),
    Command(
        "group",
        "set-admin",
        "make the members of a group system administrators",
        "PUT",
        f"{_OWN_GROUP}/admin",
        (GROUP,),
        (Option("off", "take the right away", kind="flag"),),
        lambda o: {"admin": not o["off"]},
    ),
    listing(
        "group",
        "list the members of a local group",
        f"{_OWN_GROUP}/members",
        {"NAME": "username", "ID": "user_id"},
        GROUP,
        name="members",
        options=(),
    ),
    Command(
        "group",
        "add-member",
        "add a user to a local group",
        "POST",
        f"{_OWN_GROUP}/members",
        (GROUP, _MEMBER),
        body=lambda o: {"username": o["user"]},
    ),
    deleting(
        "group",
        "remove a user from a local group",
        f"{_OWN_GROUP}/members/{{user}}",
        GROUP,
        _MEMBER,
        name="remove-member",
    ),
    deleting("group", "delete a group", f"{HARBOR}/usergroups/{{group}}", GROUP),
)
