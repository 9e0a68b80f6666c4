"""Access tokens."""

from __future__ import annotations

from cli.remote.shapes import (
    OWN,
    Command,
    listing,
)

COMMANDS: tuple[Command, ...] = (
    listing(
        "token",
        "list your access tokens",
        f"{OWN}/users/current/tokens",
        {"NAME": "name", "ID": "id", "EXPIRES": "expires", "USED": "last_used"},
        options=(),
    ),
)
