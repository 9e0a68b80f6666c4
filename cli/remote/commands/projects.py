"""Projects."""

from __future__ import annotations

from cli.remote.shapes import (
    HARBOR,
    OF_PROJECT,
    PROJECT,
    TIMES,
    Command,
    Option,
    deleting,
    listing,
    showing,
    text,
)

COMMANDS: tuple[Command, ...] = (
    listing(
        "project",
        "list projects",
        f"{HARBOR}/projects",
        {"NAME": "name", "ID": "project_id", "OWNER": "owner_name", "PUBLIC": "metadata.public", **TIMES},
    ),
    showing("project", "show a project", OF_PROJECT, PROJECT),
    showing("project", "show a project's counts and quota", f"{OF_PROJECT}/summary", PROJECT, name="summary"),
    Command(
        "project",
        "create",
        "create a project",
        "POST",
        f"{HARBOR}/projects",
        (PROJECT,),
        (Option("public", "let anybody pull from it", kind="flag"),),
        lambda o: {"project_name": o["project"], "metadata": {"public": text(bool(o["public"]))}},
    ),
    Command(
        "project",
        "set-public",
        "let anybody pull from a project",
        "PUT",
        OF_PROJECT,
        (PROJECT,),
        body=lambda _: {"metadata": {"public": "true"}},
    ),
    Command(
        "project",
        "set-private",
        "let only members pull from a project",
        "PUT",
        OF_PROJECT,
        (PROJECT,),
        body=lambda _: {"metadata": {"public": "false"}},
    ),
    deleting("project", "delete an empty project", OF_PROJECT, PROJECT),
)
