"""The registry as a whole."""

from __future__ import annotations

from cli.remote.shapes import HARBOR, Command, showing

COMMANDS: tuple[Command, ...] = (
    showing("system", "show what the registry says of itself", f"{HARBOR}/systeminfo", name="info"),
    showing("system", "show whether the registry works", f"{HARBOR}/health", name="health"),
    showing("system", "count projects and repositories", f"{HARBOR}/statistics", name="statistics"),
)
