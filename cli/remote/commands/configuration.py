"""The registry's configuration."""

from __future__ import annotations

import json
from typing import Any

from cli.remote.shapes import (
    HARBOR,
    Argument,
    Command,
    showing,
)


def _value(text: str) -> Any:
    """JSON where it is JSON, and text otherwise: `true`, `30`, `oidc_auth`."""
    try:
        return json.loads(text)
    except ValueError:
        return text


COMMANDS: tuple[Command, ...] = (
    showing("config", "show the configuration", f"{HARBOR}/configurations"),
    Command(
        "config",
        "set",
        "change a key of the configuration",
        "PUT",
        f"{HARBOR}/configurations",
        (Argument("key"), Argument("value", "JSON, or text")),
        (),
        lambda o: {o["key"]: _value(o["value"])},
    ),
)
