"""What was deleted and can be restored."""

from __future__ import annotations

from cli.remote.shapes import (
    OWN_OF_PROJECT,
    PROJECT,
    Argument,
    Command,
    listing,
)

COMMANDS: tuple[Command, ...] = (
    listing("trash", "list what can be restored", f"{OWN_OF_PROJECT}/trash", {}, PROJECT, options=()),
    Command(
        "trash",
        "restore",
        "restore a deletion",
        "POST",
        f"{OWN_OF_PROJECT}/trash/{{unit}}/restore",
        (PROJECT, Argument("unit", "the deletion's id")),
    ),
)
