"""Labels of the registry, and of projects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cli.remote.shapes import (
    HARBOR,
    Argument,
    Command,
    Given,
    Named,
    Option,
    ProjectId,
    changed,
    id_of_project,
    listing,
)

_LABELS, _LABEL = f"{HARBOR}/labels", f"{HARBOR}/labels/{{label}}"


def _labels_of(given: Given, project_id: ProjectId) -> Mapping[str, str]:
    """The query for a project's labels, or for the registry's where no project is named."""
    return {"scope": "p", "project_id": project_id(given["project"])} if given["project"] else {"scope": "g"}


def _of_path(_: str, given: Given, project_id: ProjectId) -> Mapping[str, str]:
    return _labels_of(given, project_id)


_OF_REGISTRY = Named(_LABELS, query=lambda *_: {"scope": "g"})
OF_PROJECT_OR_REGISTRY = Named(_LABELS, query=_of_path, otherwise=_OF_REGISTRY)
LABEL = Argument("label", "a label's name or id", Named(_LABELS, query=_of_path))
PROJECT = Option("project", "a label of this project, and not the registry's")
_COLOR, _DESCRIPTION = Option("color", "such as #48960C"), Option("description", "a sentence")


def _label(given: Given) -> dict[str, Any]:
    number = given["project"]
    members = {name: given[name] for name in ("name", "color", "description")}
    return {**members, "scope": "g" if number is None else "p", "project_id": None if number is None else int(number)}


COMMANDS: tuple[Command, ...] = (
    listing(
        "label",
        "list the registry's labels, or a project's",
        _LABELS,
        {"NAME": "name", "ID": "id", "COLOR": "color", "SCOPE": "scope"},
        options=(PROJECT,),
        query=_labels_of,
    ),
    Command(
        "label",
        "create",
        "create a label",
        "POST",
        _LABELS,
        (Argument("name"),),
        (_COLOR, _DESCRIPTION, Option("project", PROJECT.help, lookup=id_of_project("project"))),
        _label,
    ),
    Command(
        "label",
        "set",
        "change a label",
        "PUT",
        _LABEL,
        (LABEL,),
        (Option("name", "another name"), _COLOR, _DESCRIPTION, PROJECT),
        lambda o: changed(o["was"], name=o["name"], color=o["color"], description=o["description"]),
        base=_LABEL,
    ),
    Command("label", "delete", "delete a label", "DELETE", _LABEL, (LABEL,), (PROJECT,)),
)
