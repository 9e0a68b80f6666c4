"""Users."""

from __future__ import annotations

from cli.remote.shapes import (
    HARBOR,
    TIMES,
    USER,
    Argument,
    Command,
    Option,
    deleting,
    listing,
    showing,
)

COMMANDS: tuple[Command, ...] = (
    listing(
        "user",
        "list users",
        f"{HARBOR}/users",
        {"NAME": "username", "ID": "user_id", "ADMIN": "sysadmin_flag", "EMAIL": "email", **TIMES},
    ),
    showing("user", "show a user", f"{HARBOR}/users/{{user}}", USER),
    showing("user", "show who you are", f"{HARBOR}/users/current", name="whoami"),
    Command(
        "user",
        "create",
        "create a user",
        "POST",
        f"{HARBOR}/users",
        (Argument("name"),),
        (
            Option("password-stdin", "read the password from standard input", kind="secret"),
            Option("email", "an address"),
            Option("realname", "a name for people"),
        ),
        lambda o: {
            "username": o["name"],
            "password": o["password_stdin"],
            "email": o["email"],
            "realname": o["realname"],
        },
    ),
    Command(
        "user",
        "set-password",
        "set a user's password",
        "PUT",
        f"{HARBOR}/users/{{user}}/password",
        (USER,),
        (Option("password-stdin", "read the new password from standard input", kind="secret"),),
        lambda o: {"new_password": o["password_stdin"]},
    ),
    Command(
        "user",
        "set-admin",
        "make a user a system administrator",
        "PUT",
        f"{HARBOR}/users/{{user}}/sysadmin",
        (USER,),
        (Option("off", "take the right away", kind="flag"),),
        lambda o: {"sysadmin_flag": not o["off"]},
    ),
    deleting("user", "remove a user", f"{HARBOR}/users/{{user}}", USER),
)
