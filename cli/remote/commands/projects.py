"""Projects."""

from __future__ import annotations

from cli.remote.shapes import (
    HARBOR,
    OF_PROJECT,
    PROJECT,
    TIMES,
    Argument,
    Command,
    Option,
    deleting,
    listing,
    showing,
    text,
)

KEY = Argument("key", "such as severity or auto_scan")

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
        (
            Option("public", "let anybody pull from it", kind="flag"),
            Option("storage", "bytes that it may store; -1: any", kind="number"),
        ),
        lambda o: {
            "project_name": o["project"],
            "metadata": {"public": text(bool(o["public"]))},
            "storage_limit": o["storage"],
        },
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
    Command(
        "project",
        "set",
        "set a value of a project's metadata",
        "PUT",
        OF_PROJECT,
        (PROJECT, KEY, Argument("value")),
        body=lambda o: {"metadata": {o["key"]: o["value"]}},
    ),
    deleting(
        "project",
        "remove a value of a project's metadata",
        f"{OF_PROJECT}/metadatas/{{key}}",
        PROJECT,
        KEY,
        name="unset",
    ),
    showing("project", "show whether a project can be deleted", f"{OF_PROJECT}/_deletable", PROJECT, name="deletable"),
    deleting("project", "delete an empty project", OF_PROJECT, PROJECT),
)
