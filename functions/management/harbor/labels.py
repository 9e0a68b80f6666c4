"""Harbor's document of a label, as its `ToSwagger` makes it (src/server/v2.0/handler/model/label.go)."""

from __future__ import annotations

from typing import Any

from functions.management.harbor.shapes import timestamp
from roadstead.catalog.labels import GLOBAL, Label

GLOBAL_SCOPE, PROJECT_SCOPE = "g", "p"


def label_document(label: Label) -> dict[str, Any]:
    return {
        "id": label.id,
        "name": label.name,
        "description": label.description,
        "color": label.color,
        "scope": GLOBAL_SCOPE if label.project_id == GLOBAL else PROJECT_SCOPE,
        "project_id": label.project_id,
        "creation_time": timestamp(label.created),
        "update_time": timestamp(label.updated),
    }
