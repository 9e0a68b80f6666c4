"""Labels."""

from __future__ import annotations

from typing import Any

from cli.remote.shapes import (
    HARBOR,
    LABEL,
    Argument,
    Command,
    Given,
    Option,
    deleting,
    listing,
)


def _label(given: Given) -> dict[str, Any]:
    scope = "g" if given["project_id"] is None else "p"
    members = {name: given[name] for name in ("name", "color", "description", "project_id")}
    return {**members, "scope": scope}


COMMANDS: tuple[Command, ...] = (
    listing(
        "label",
        "list the registry's labels, or a project's",
        f"{HARBOR}/labels",
        {"NAME": "name", "ID": "id", "COLOR": "color", "SCOPE": "scope"},
        options=(
            Option("project-id", "the project's id; needs --scope p", query="project_id"),
            Option("scope", "g: the registry's, p: a project's", query="scope", choices=("g", "p")),
        ),
    ),
    Command(
        "label",
        "create",
        "create a label",
        "POST",
        f"{HARBOR}/labels",
        (Argument("name"),),
        (
            Option("color", "such as #48960C"),
            Option("description", "a sentence"),
            Option("project-id", "make it the label of this project", kind="number"),
        ),
        _label,
    ),
    deleting("label", "delete a label", f"{HARBOR}/labels/{{label}}", LABEL),
)
