"""Access tokens, and sessions of the console."""

from __future__ import annotations

from cli.remote.shapes import OWN, USER, Argument, Command, Named, Option, deleting, listing

_OWN_TOKENS, _TOKENS = f"{OWN}/users/current/tokens", f"{OWN}/users/{{user}}/tokens"
_COLUMNS = {
    "NAME": "name",
    "ID": "id",
    "ACCESS": "access",
    "PROJECTS": "projects",
    "EXPIRES": "expires_at",
    "USED": "last_used",
}

COMMANDS: tuple[Command, ...] = (
    listing("token", "list your access tokens", _OWN_TOKENS, _COLUMNS, options=()),
    listing("token", "list a user's access tokens", _TOKENS, _COLUMNS, USER, name="list-of", options=()),
    Command(
        "token",
        "create",
        "create an access token of yours; it is shown once",
        "POST",
        _OWN_TOKENS,
        (Argument("name"),),
        (
            Option("access", "what it may do at most", choices=("read", "write", "admin"), required=True),
            Option("days", "for how long it is valid (default: 30); -1: for ever", kind="number"),
            Option("project", "a project that it is for alone; may be repeated", kind="list"),
        ),
        lambda o: {
            "name": o["name"],
            "access": o["access"],
            "duration": 30 if o["days"] is None else o["days"],
            "projects": o["project"],
        },
    ),
    deleting(
        "token",
        "revoke an access token of yours",
        f"{_OWN_TOKENS}/{{token}}",
        Argument("token", "its name or id", Named(_OWN_TOKENS)),
        name="revoke",
    ),
    deleting(
        "token",
        "revoke an access token of a user",
        f"{_TOKENS}/{{token}}",
        USER,
        Argument("token", "its name or id", Named(_TOKENS)),
        name="revoke-of",
    ),
    deleting("token", "revoke all access tokens of a user", _TOKENS, USER, name="revoke-all"),
)
