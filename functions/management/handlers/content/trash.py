"""The trash of a project: what was deleted and can be restored, and for how long."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from functions.management.call import Call, document_of
from functions.management.errors import bad_request, conflict, not_found
from functions.management.handlers.system.executions import location_of
from functions.management.harbor.shapes import milliseconds
from functions.management.route import OWN, in_project, route
from roadstead.content.deletion.trash import MAX_TAGS_OF_UNIT, Unit
from roadstead.http import Response
from roadstead.lifecycle.deletion.restoration import RESTORE
from roadstead.lifecycle.deletion.trash import EMPTY
from roadstead.lifecycle.executions.executions import Running
from roadstead.names import ProjectName, RepositoryName, Tag

MAX_UNITS = 100  # in a page
_SHOWN_TAGS = 100  # of a unit


def list_trash(call: Call, project: str) -> Response:
    """A page of units, newest first; `repository` keeps those of one, `before` is the id of the last one seen."""
    name, repository = call.project.project.name, call.request.parameter("repository") or ""
    if repository:
        try:
            repository = RepositoryName.parse(f"{name}/{repository}")
        except ValueError as error:
            raise bad_request(str(error)) from error
    before = call.request.parameter("before") or None
    try:
        units = call.services.trash.list(name, before=before, limit=MAX_UNITS, repository=repository)
    except ValueError as error:
        raise bad_request(str(error)) from error
    headers = []
    if len(units) == MAX_UNITS:
        kept = [("repository", call.request.parameter("repository") or "")] if repository else []
        query = urlencode([*kept, ("before", units[-1].id)])
        headers = [("Link", f'<{call.request.path}?{query}>; rel="next"')]
    return Response.json(200, [_document(one) for one in units], headers)


def get_trashed(call: Call, project: str, unit: str) -> Response:
    return Response.json(200, _document(_found(call, unit)))


def restore(call: Call, project: str, unit: str) -> Response:
    """Start to restore a unit: 201 with the execution. Raises 400, 404, 409 if that is under way."""
    found, name = _found(call, unit), call.project.project.name
    tags = _renamed(document_of(call.request).get("tags", {}) if call.request.body else {})
    return _start(call, RESTORE, name, {"unit": found.id, "tags": tags}, f"restore {name} {found.id}")


def empty_one(call: Call, project: str, unit: str) -> Response:
    """Start to remove a unit for good: 202 with the execution. Raises 404, 409."""
    found, name = _found(call, unit), call.project.project.name
    return _start(call, EMPTY, name, {"unit": found.id}, f"restore {name} {found.id}", status=202)


def empty_all(call: Call, project: str) -> Response:
    """Start to empty the trash: 202 with the execution. What is deleted later stays in it. Raises 409."""
    name = call.project.project.name
    return _start(call, EMPTY, name, {}, f"empty {name}", status=202)


def get_grace(call: Call, project: str) -> Response:
    return Response.json(200, {"seconds": call.services.trash.grace(call.project.project.name)})


def set_grace(call: Call, project: str) -> Response:
    """Set for how long later deletions can be undone. Raises 400."""
    seconds = call.document().get("seconds")
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise bad_request("seconds must be a number")
    try:
        call.services.trash.set_grace(call.project.project.name, seconds, actor=call.actor)
    except ValueError as error:
        raise bad_request(str(error)) from error
    return Response(200)


def _start(
    call: Call, kind: str, project: ProjectName, parameters: dict[str, Any], exclusive: str, *, status: int = 201
) -> Response:
    try:
        started = call.services.starter.start(kind, project, parameters, actor=call.actor, exclusive=exclusive)
    except Running as error:
        raise conflict(f"execution {error.id} does that already, or restores it") from error
    return Response(status, (location_of(started),))


def _found(call: Call, unit: str) -> Unit:
    found = call.services.trash.find(call.project.project.name, unit)
    if found is None:
        raise not_found(f"the trash has no {unit[:60]!r}: it was restored, it was removed, or its time is over")
    return found


def _renamed(tags: Any) -> dict[str, str]:
    """Return the new names of tags; an empty one leaves the tag out."""
    if not isinstance(tags, dict) or len(tags) > MAX_TAGS_OF_UNIT:
        raise bad_request('tags must be an object such as {"latest": "latest-restored", "v1": ""}')
    for old, new in tags.items():
        if not isinstance(new, str):
            raise bad_request("the new name of a tag must be text; an empty one leaves the tag out")
        try:
            Tag.parse(old)
            if new:
                Tag.parse(new)
        except ValueError as error:
            raise bad_request(str(error)) from error
    return tags


def _document(one: Unit) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": str(one.kind),
        "repository": one.repository,
        "digest": one.digest or "",
        "media_type": one.media_type,
        "size": one.size,
        "tags": list(one.tags[:_SHOWN_TAGS]),
        "tag_count": len(one.tags),
        "deleted_by": one.by,
        "deleted": milliseconds(one.at),
        "expires": milliseconds(one.expires),
    }


_TRASH, _GRACE = f"{OWN}/projects/{{project}}/trash", f"{OWN}/projects/{{project}}/trash-grace"
_UNIT = f"{_TRASH}/{{unit}}"
ROUTES = (
    route("listTrash", "GET", _TRASH, in_project("trash", "list"), list_trash),
    route("emptyTrash", "DELETE", _TRASH, in_project("trash", "delete"), empty_all),
    route("getTrashed", "GET", _UNIT, in_project("trash", "read"), get_trashed),
    route("emptyTrashed", "DELETE", _UNIT, in_project("trash", "delete"), empty_one),
    route("restoreTrashed", "POST", f"{_UNIT}/restore", in_project("trash", "update"), restore),
    route("getTrashGrace", "GET", _GRACE, in_project("trash", "read"), get_grace),
    route("setTrashGrace", "PUT", _GRACE, in_project("configuration", "update"), set_grace),
)
