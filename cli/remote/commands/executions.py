"""Work that takes long."""

from __future__ import annotations

from cli.remote.shapes import EXECUTION, OWN, Argument, Command, listing, showing

_ONE = f"{OWN}/executions/{{execution}}"

COMMANDS: tuple[Command, ...] = (
    showing("execution", "show an execution", _ONE, EXECUTION),
    Command("execution", "wait", "wait for its end, and say how it goes", "GET", _ONE, (EXECUTION,), follows=True),
    listing(
        "execution",
        "list its tasks",
        f"{_ONE}/tasks",
        {"TASK": "number", "NAME": "name", "STATUS": "status", "STARTED": "started", "ENDED": "ended"},
        EXECUTION,
        name="tasks",
        options=(),
    ),
    showing(
        "execution", "print the log of a task", f"{_ONE}/tasks/{{task}}/log", EXECUTION, Argument("task"), name="log"
    ),
    Command("execution", "stop", "stop an execution", "POST", f"{_ONE}/stop", (EXECUTION,)),
)
