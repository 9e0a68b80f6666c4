"""Retention policies and their runs."""

from __future__ import annotations

from cli.remote.shapes import (
    HARBOR,
    Argument,
    Command,
    Option,
    listing,
    showing,
)

COMMANDS: tuple[Command, ...] = (
    showing("retention", "show a policy", f"{HARBOR}/retentions/{{policy}}", Argument("policy", "the policy's id")),
    listing(
        "retention",
        "list a policy's runs",
        f"{HARBOR}/retentions/{{policy}}/executions",
        {"ID": "id", "STATUS": "status", "STARTED": "start_time", "DRY RUN": "dry_run"},
        Argument("policy", "the policy's id"),
        name="runs",
        options=(),
    ),
    Command(
        "retention",
        "run",
        "run a policy now",
        "POST",
        f"{HARBOR}/retentions/{{policy}}/executions",
        (Argument("policy", "the policy's id"),),
        (Option("dry-run", "say what would go, and delete nothing", kind="flag"),),
        lambda o: {"dry_run": bool(o["dry_run"])},
    ),
)
