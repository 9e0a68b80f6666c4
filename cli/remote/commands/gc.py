"""The garbage collector, and audits of the bucket."""

from __future__ import annotations

from cli.remote.shapes import EXECUTION, HARBOR, OWN, Argument, Command, Option, listing, showing

_ALL = f"{HARBOR}/system/gc"
_ONE, _SCHEDULE = f"{_ALL}/{{execution}}", f"{_ALL}/schedule"
_AUDITS = f"{OWN}/system/bucket-audits"
_UNTAGGED = Option("delete-untagged", "put artifacts without a tag into the trash first", kind="flag")

COMMANDS: tuple[Command, ...] = (
    listing(
        "gc",
        "list the collector's runs",
        _ALL,
        {"ID": "id", "STATUS": "job_status", "KIND": "job_kind", "STARTED": "creation_time", "ENDED": "update_time"},
        options=(),
    ),
    showing("gc", "show a run", _ONE, EXECUTION),
    showing("gc", "print a run's log", f"{_ONE}/log", EXECUTION, name="log"),
    Command(
        "gc",
        "run",
        "run the collector now",
        "POST",
        _SCHEDULE,
        (),
        (Option("dry-run", "say what would go, and delete nothing", kind="flag"), _UNTAGGED),
        lambda o: {
            "schedule": {"type": "Manual"},
            "parameters": {"dry_run": bool(o["dry_run"]), "delete_untagged": bool(o["delete_untagged"])},
        },
    ),
    Command("gc", "stop", "stop a run after the step that is under way", "PUT", _ONE, (EXECUTION,)),
    showing("gc", "show the collector's schedule", _SCHEDULE, name="schedule"),
    Command(
        "gc",
        "set-schedule",
        "set when the collector runs",
        "PUT",
        _SCHEDULE,
        (Argument("every", choices=("Hourly", "Daily", "Weekly", "Custom", "None")),),
        (Option("cron", "with Custom: six fields, seconds first, UTC"), _UNTAGGED),
        lambda o: {
            "schedule": {"type": o["every"], "cron": o["cron"]},
            "parameters": {"delete_untagged": bool(o["delete_untagged"])},
        },
    ),
    listing(
        "gc",
        "list audits, which compare the bucket with the index, and usage with what exists",
        _AUDITS,
        {"ID": "id", "STATUS": "status", "STARTED": "started", "ENDED": "ended"},
        name="audits",
        options=(),
    ),
    Command(
        "gc",
        "audit",
        "compare the bucket with the index, and usage with what exists, now",
        "POST",
        _AUDITS,
        (),
        (Option("repair", "hand what nothing explains to the collector; count wrong usage anew", kind="flag"),),
        lambda o: {"repair": bool(o["repair"])},
    ),
    showing("gc", "show when the bucket is audited", f"{_AUDITS}/schedule", name="audit-schedule"),
    Command(
        "gc",
        "set-audit-schedule",
        "set when the bucket is audited",
        "PUT",
        f"{_AUDITS}/schedule",
        (Argument("cron", help='six fields, seconds first, UTC; "" for never'),),
        (),
        lambda o: {"cron": o["cron"]},
    ),
)
