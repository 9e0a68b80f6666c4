"""The garbage collector."""

from __future__ import annotations

from cli.remote.shapes import (
    HARBOR,
    Command,
    Option,
    listing,
    showing,
)

COMMANDS: tuple[Command, ...] = (
    listing(
        "gc",
        "list the collector's runs",
        f"{HARBOR}/system/gc",
        {"ID": "id", "STATUS": "job_status", "STARTED": "creation_time"},
        options=(),
    ),
    showing("gc", "show the collector's schedule", f"{HARBOR}/system/gc/schedule", name="schedule"),
    Command(
        "gc",
        "run",
        "run the collector now",
        "POST",
        f"{HARBOR}/system/gc/schedule",
        (),
        (Option("dry-run", "say what would go, and delete nothing", kind="flag"),),
        lambda o: {"schedule": {"type": "Manual"}, "parameters": {"dry_run": bool(o["dry_run"])}},
    ),
)
