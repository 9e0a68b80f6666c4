"""Users."""

from __future__ import annotations

from cli.remote.shapes import (
    HARBOR,
    OWN,
    TIMES,
    USER,
    Argument,
    Command,
    Option,
    changed,
    deleting,
    listing,
    showing,
)

_USER = f"{HARBOR}/users/{{user}}"
_PROFILE = (
    Option("email", "an address"),
    Option("realname", "a name for people"),
    Option("comment", "a remark"),
)

COMMANDS: tuple[Command, ...] = (
    listing(
        "user",
        "list users",
        f"{OWN}/users",
        {
            "NAME": "username",
            "ID": "user_id",
            "ADMIN": "sysadmin_flag",
            "DISABLED": "disabled",
            "EMAIL": "email",
            **TIMES,
        },
    ),
    showing("user", "show a user", _USER, USER),
    showing("user", "show who you are", f"{HARBOR}/users/current", name="whoami"),
    Command(
        "user",
        "create",
        "create a user",
        "POST",
        f"{HARBOR}/users",
        (Argument("name"),),
        (Option("password-stdin", "read the password from standard input", kind="secret"), *_PROFILE),
        lambda o: {
            "username": o["name"],
            "password": o["password_stdin"],
            "email": o["email"],
            "realname": o["realname"],
            "comment": o["comment"],
        },
    ),
    Command(
        "user",
        "set",
        "change what is said of a user",
        "PUT",
        _USER,
        (USER,),
        _PROFILE,
        lambda o: changed(
            {name: o["was"].get(name) for name in ("email", "realname", "comment")},
            email=o["email"],
            realname=o["realname"],
            comment=o["comment"],
        ),
        base=_USER,
    ),
    Command(
        "user",
        "set-password",
        "set a user's password",
        "PUT",
        f"{_USER}/password",
        (USER,),
        (Option("password-stdin", "read the new password from standard input", kind="secret"),),
        lambda o: {"new_password": o["password_stdin"]},
    ),
    Command(
        "user",
        "set-admin",
        "make a user a system administrator",
        "PUT",
        f"{_USER}/sysadmin",
        (USER,),
        (Option("off", "take the right away", kind="flag"),),
        lambda o: {"sysadmin_flag": not o["off"]},
    ),
    *(
        Command(
            "user",
            name,
            said,
            "PUT",
            f"{OWN}/users/{{user}}/disabled",
            (USER,),
            body=lambda _, disabled=disabled: {"disabled": disabled},  # type: ignore[misc]
        )
        for name, disabled, said in (
            ("disable", True, "keep a user out; tokens of the registry that are out stay valid for up to 15 minutes"),
            ("enable", False, "let a disabled user sign in again"),
        )
    ),
    Command(
        "user",
        "release",
        "let a user sign in again who is locked out by failed sign-ins",
        "POST",
        f"{OWN}/users/{{user}}/release",
        (USER,),
    ),
    Command(
        "user",
        "locks",
        "list names and addresses that are locked out by failed sign-ins",
        "GET",
        f"{OWN}/login-locks",
        columns={"SCOPE": "scope", "NAME": "name", "ROBOT": "robot", "ADDRESS": "address", "UNTIL": "until"},
        rows=lambda found: found["locks"],
    ),
    Command(
        "user",
        "unlock",
        "end the lock of a name, a robot or an address",
        "POST",
        f"{OWN}/login-locks/release",
        (),
        (
            Option("name", "a user's name; its locks from single addresses end too"),
            Option("robot", "a robot's name without the prefix: PROJECT+NAME, or NAME"),
            Option("address", "an address, or the IPv6 network that is listed"),
        ),
        lambda o: {"name": o["name"], "robot": o["robot"], "address": o["address"]},
    ),
    deleting("user", "remove a user", _USER, USER),
)
