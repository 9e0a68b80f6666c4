"""The registry's configuration."""

from __future__ import annotations

from cli.remote.shapes import HARBOR, Argument, Command, Option, value_of

_ALL = f"{HARBOR}/configurations"
_KEY = Argument("key", "as in `config show`")

COMMANDS: tuple[Command, ...] = (
    Command(
        "config",
        "show",
        "show the configuration",
        "GET",
        _ALL,
        columns={"KEY": "key", "VALUE": "value", "EDITABLE": "editable"},
        rows=lambda found: [{"key": key, **one} for key, one in sorted(found.items())],
    ),
    Command(
        "config",
        "set",
        "change a key of the configuration",
        "PUT",
        _ALL,
        (_KEY, Argument("value", "JSON, or text")),
        body=lambda o: {o["key"]: value_of(o["value"])},
    ),
    Command(
        "config",
        "set-secret",
        "change a key that holds a password",
        "PUT",
        _ALL,
        (_KEY,),
        (Option("password-stdin", "read it from standard input", kind="secret"),),
        lambda o: {o["key"]: o["password_stdin"]},
    ),
)
