"""A project's metadata, one value at a time."""

from __future__ import annotations

from typing import Any

from functions.management.call import Call
from functions.management.errors import ManagementError, bad_request, conflict, not_found
from functions.management.harbor.metadata import KEPT, PUBLIC, REFUSED, RETENTION_ID, boolean, checked
from functions.management.harbor.shapes import metadata_document
from functions.management.route import HARBOR, in_project, route
from roadstead.http import Response


def list_metadata(call: Call, project: str) -> Response:
    """Costs one read, for the retention rules."""
    own = call.project.project
    ruled = call.services.retention.find(own.name, own.id) is not None
    return Response.json(200, metadata_document(own, has_retention=ruled))


def add_metadata(call: Call, project: str) -> Response:
    """Add one value: 200. Raises 400, and 409 for a value that is there."""
    name, value = _one(call.document())
    if name in metadata_document(call.project.project):
        raise conflict(f"the project has the metadata {name} already; PUT changes it")
    _set(call, name, value)
    return Response(200)


def get_metadata(call: Call, project: str, name: str) -> Response:
    if name == RETENTION_ID:
        own = call.project.project
        if call.services.retention.find(own.name, own.id) is None:
            raise _unknown(name)
        return Response.json(200, {name: str(own.id)})
    return Response.json(200, {name: _found(call, name)})


def update_metadata(call: Call, project: str, name: str) -> Response:
    """Change one value, which the document repeats by its name. Raises 400, 404."""
    _found(call, name)
    given, value = _one(call.document())
    if given != name:
        raise bad_request(f"the document must have the value of {name[:100]}, as the path says")
    _set(call, name, value)
    return Response(200)


def delete_metadata(call: Call, project: str, name: str) -> Response:
    """Remove one value; without `public` the project is private. Raises 404."""
    _found(call, name)
    accounts, own = call.accounts(), call.project.project.name
    if name == PUBLIC:
        accounts.change_project(own, public=False, metadata={})
    elif name in KEPT:
        accounts.change_project(own, metadata={name: None})
    else:
        raise bad_request(f"{name[:100]} is set by the registry itself")
    return Response(200)


def _one(document: dict[str, Any]) -> tuple[str, Any]:
    """Return the one value of a document. Raises 400."""
    if len(document) != 1:
        raise bad_request('the document must have exactly one value, such as {"severity": "high"}')
    ((name, value),) = document.items()
    if name not in KEPT | REFUSED | {PUBLIC}:
        raise bad_request(f"there is no metadata {name[:100]!r}")
    return name, value


def _set(call: Call, name: str, value: Any) -> None:
    accounts, own = call.accounts(), call.project.project.name
    if name == PUBLIC:
        accounts.change_project(own, public=boolean(name, value), metadata={})
    elif text := checked(name, value):
        accounts.change_project(own, metadata={name: text})


def _found(call: Call, name: str) -> str:
    """Raises 404."""
    found = metadata_document(call.project.project)
    if name not in found:
        raise _unknown(name)
    return found[name]


def _unknown(name: str) -> ManagementError:
    return not_found(f"the project has no metadata {name[:100]!r}")


_METADATAS = f"{HARBOR}/projects/{{project}}/metadatas"
_METADATA = f"{_METADATAS}/{{name}}"
ROUTES = (
    route("listProjectMetadatas", "GET", _METADATAS, in_project("metadata", "read"), list_metadata),
    route("addProjectMetadatas", "POST", _METADATAS, in_project("metadata", "create"), add_metadata),
    route("getProjectMetadata", "GET", _METADATA, in_project("metadata", "read"), get_metadata),
    route("updateProjectMetadata", "PUT", _METADATA, in_project("metadata", "update"), update_metadata),
    route("deleteProjectMetadata", "DELETE", _METADATA, in_project("metadata", "delete"), delete_metadata),
)
