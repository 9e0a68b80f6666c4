"""Labels, and labels of artifacts."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import (
    Described,
    Parameter,
    Schema,
    created,
    number,
    obj,
    one_of,
    page_of,
    ref,
    text,
    time,
)

_TEXTS = {"name": text(maxLength=128), "description": text(maxLength=1_024), "color": text("such as #2563eb")}
SCHEMAS: Mapping[str, Schema] = {
    "Label": obj(
        {
            "id": number(),
            **_TEXTS,
            "scope": one_of("g", "p"),
            "project_id": number("0 for a label of the registry"),
            "creation_time": time(),
            "update_time": time(),
        }
    ),
    "NewLabel": obj(
        {"name": _TEXTS["name"], "scope": one_of("g", "p")},
        {"description": _TEXTS["description"], "color": _TEXTS["color"], "project_id": number("with the scope p")},
    ),
    "ChangedLabel": obj({"name": _TEXTS["name"]}, {"description": _TEXTS["description"], "color": _TEXTS["color"]}),
}

OPERATIONS: Mapping[str, Described] = {
    "ListLabels": page_of(
        "List labels of the registry, or of a project",
        ref("Label"),
        Parameter("scope", one_of("g", "p"), required=True),
        Parameter("project_id", number(), "with the scope p"),
        Parameter("name", text(), "a part of the name"),
        also=(403, 404),
    ),
    "CreateLabel": created("Create a label", ref("NewLabel"), also=(400, 404, 409)),
    "GetLabelByID": Described("A label", ref("Label"), also=(403,)),
    "UpdateLabel": Described("Change a label", body=ref("ChangedLabel"), also=(409,)),
    "DeleteLabel": Described("Delete a label; artifacts that have it lose it"),
    "addLabel": Described("Put a label on an artifact", body=obj({"id": number()}), also=(409,)),
    "removeLabel": Described("Take a label off an artifact"),
}
