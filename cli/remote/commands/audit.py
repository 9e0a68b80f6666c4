"""The audit trail."""

from __future__ import annotations

from cli.remote.shapes import (
    HARBOR,
    OF_PROJECT,
    PROJECT,
    Command,
    listing,
)

COMMANDS: tuple[Command, ...] = (
    listing(
        "audit",
        "list the trail, the last entry first",
        f"{HARBOR}/auditlog-exts",
        {
            "TIME": "op_time",
            "WHO": "username",
            "DID": "operation",
            "KIND": "resource_type",
            "WHAT": "resource",
            "SUCCESS": "operation_result",
        },
    ),
    listing(
        "audit",
        "list a project's trail",
        f"{OF_PROJECT}/auditlog-exts",
        {
            "TIME": "op_time",
            "WHO": "username",
            "DID": "operation",
            "KIND": "resource_type",
            "WHAT": "resource",
            "SUCCESS": "operation_result",
        },
        PROJECT,
        name="project",
    ),
)
