"""Work that takes long."""

from __future__ import annotations

from cli.remote.shapes import (
    OWN,
    Argument,
    Command,
    showing,
)

COMMANDS: tuple[Command, ...] = (
    showing("execution", "show an execution", f"{OWN}/executions/{{execution}}", Argument("execution", "its id")),
    Command(
        "execution",
        "stop",
        "stop an execution",
        "POST",
        f"{OWN}/executions/{{execution}}/stop",
        (Argument("execution", "its id"),),
    ),
)
