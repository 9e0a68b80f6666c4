"""Labels of the registry and of projects, and labels of artifacts.

Everybody who is signed in sees the registry's labels; a project's are for those who may list its labels. The registry's
are changed by system administrators.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from functions.management.authorization import require_in_project, require_in_system
from functions.management.call import Call, text
from functions.management.content_names import reference_in, repository_in
from functions.management.errors import ManagementCode, ManagementError, bad_request, conflict, not_found
from functions.management.harbor.labels import GLOBAL_SCOPE, PROJECT_SCOPE, label_document
from functions.management.harbor.paging import page_response, requested_page
from functions.management.harbor.query import Sort, parse_query
from functions.management.project_ids import is_id
from functions.management.route import HARBOR, Anybody, SignedIn, in_project, route
from roadstead.catalog.labels import GLOBAL, Label, LabelExists, LabelRefused, Labels
from roadstead.http import Response
from roadstead.identity.permissions import Action, Permission, Resource
from roadstead.ids import IdKind
from roadstead.names import ProjectName

T = TypeVar("T")

_FIELDS: Mapping[str, Callable[[Label], Any]] = {
    "id": lambda one: one.id,
    "name": lambda one: one.name,
    "description": lambda one: one.description,
    "color": lambda one: one.color,
    "creation_time": lambda one: one.created,
    "update_time": lambda one: one.updated,
}


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where a label is: in a project, or in the registry (None, and GLOBAL)."""

    project: ProjectName | None
    project_id: int


def list_labels(call: Call) -> Response:
    """Those of the registry (`scope=g`) or of a project (`scope=p&project_id=`). Costs one Query. Raises 400."""
    request, scope = call.request, call.request.parameter("scope")
    page, query = requested_page(request), parse_query(request.parameter("q"), request.parameter("sort"))
    if scope == GLOBAL_SCOPE:
        _signed_in(call)
        where = _Scope(None, GLOBAL)
    elif scope == PROJECT_SCOPE:
        where = _of_project(call, request.parameter("project_id") or "", Action.LIST)
    else:
        raise bad_request("scope must be g (the registry's labels) or p (a project's, with project_id)")
    name = (request.parameter("name") or "").casefold()
    listed = [one for one in call.services.labels.list_labels(where.project_id) if name in one.name.casefold()]
    found = query.sorted(query.filtered(listed, _FIELDS), _FIELDS, (Sort("id"),))
    return page_response(request, page, len(found), [label_document(one) for one in page.of(found)])


def create_label(call: Call) -> Response:
    """Raises 400, 403, 404, 409."""
    document = call.document()
    scope = document.get("scope")
    if scope == GLOBAL_SCOPE:
        require_in_system(call.caller, Permission(Resource.LABEL, Action.CREATE))
        where = _Scope(None, GLOBAL)
    elif scope == PROJECT_SCOPE:
        where = _of_project(call, str(document.get("project_id", "")), Action.CREATE)
    else:
        raise bad_request("scope must be g (a label of the registry) or p (a project's, with project_id)")
    made = _refused(lambda: _labels(call).create(**_said(document), project=where.project, project_id=where.project_id))
    return Response(201, (("Location", f"{HARBOR}/labels/{made.id}"),))


def get_label(call: Call, label: str) -> Response:
    found, _ = _found(call, label, Action.READ)
    return Response.json(200, label_document(found))


def update_label(call: Call, label: str) -> Response:
    """Replace name, description and color. Raises 400, 403, 404, 409."""
    found, where = _found(call, label, Action.UPDATE)
    said = _said(call.document())
    _refused(lambda: _labels(call).update(found, **said, project=where.project))
    return Response(200)


def delete_label(call: Call, label: str) -> Response:
    """Delete a label; artifacts that have it lose it. Raises 403, 404."""
    found, where = _found(call, label, Action.DELETE)
    _labels(call).delete(found, project=where.project)
    return Response(200)


def add_label(call: Call, project_name: str, repository: str, reference: str) -> Response:
    """Put a label of the project or the registry on an artifact. Raises 400, 404, 409."""
    name = repository_in(call, repository)
    label_id = call.document().get("id")
    if not isinstance(label_id, int) or isinstance(label_id, bool):
        raise bad_request("id must be the number of a label")
    label = _usable(call, label_id)
    digest = call.services.artifacts.digest_of(name, reference_in(reference))
    known = [one.id for one in labels_in(call)]
    _refused(lambda: _labels(call).add(name, digest, label, known=known))
    return Response(200)


def remove_label(call: Call, project_name: str, repository: str, reference: str, label_id: str) -> Response:
    """Take a label off an artifact. Raises 404."""
    name = repository_in(call, repository)
    label = _usable(call, _number(label_id))
    digest = call.services.artifacts.digest_of(name, reference_in(reference))
    try:
        _labels(call).remove(name, digest, label)
    except LabelRefused as error:
        raise not_found(str(error)) from error
    return Response(200)


def labels_in(call: Call) -> list[Label]:
    """Return the labels that artifacts of the path's project can have: the registry's and its own. Two Queries."""
    store = call.services.labels
    return [*store.list_labels(GLOBAL), *store.list_labels(call.project.project.id)]


def _usable(call: Call, label_id: int) -> Label:
    """Return a label that the path's project may use. Raises 404."""
    label = call.services.labels.find_label(label_id)
    if label is None or label.project_id not in (GLOBAL, call.project.project.id):
        raise not_found(f"there is no label {label_id} of the project or of the registry")
    return label


def _found(call: Call, text: str, action: Action) -> tuple[Label, _Scope]:
    """Return a label with which the caller may do `action`: two reads, or four. Raises 401 to 404."""
    label = call.services.labels.find_label(_number(text))
    if label is None:
        _signed_in(call)
        raise not_found(f"there is no label {text[:20]}")
    if label.project_id != GLOBAL:
        return label, _of_project(call, str(label.project_id), action)
    if action is Action.READ:
        _signed_in(call)
    else:
        require_in_system(call.caller, Permission(Resource.LABEL, action))
    return label, _Scope(None, GLOBAL)


def _of_project(call: Call, id_: str, action: Action) -> _Scope:
    """Check a permission on labels in a project, which is named by its id. Raises 400 to 404."""
    if not is_id(id_) or int(id_) == GLOBAL:
        raise bad_request("project_id must be the number of a project")
    found = call.services.lists.find_by_id(IdKind.PROJECT, int(id_))
    name = ProjectName(found) if found is not None else ProjectName(id_)
    permission = Permission(Resource.LABEL, action)
    access = require_in_project(call.services, call.caller, name, permission, id_=int(id_))
    return _Scope(access.project.name, access.project.id)


def _signed_in(call: Call) -> None:
    if not call.caller.is_signed_in:
        raise ManagementError(ManagementCode.UNAUTHORIZED, "sign in, or send Basic credentials, to see labels")


def _labels(call: Call) -> Labels:
    return Labels(call.services.labels, actor=call.actor, clock=call.services.clock)


def _said(document: Mapping[str, Any]) -> dict[str, str]:
    return {
        "name": text(document, "name", most=4_096),
        "description": text(document, "description", "", most=4_096),
        "color": text(document, "color", ""),
    }


def _refused(change: Callable[[], T]) -> T:
    """Return what `change` returns. Raises 409 for what is there already, 400 for what cannot be."""
    try:
        return change()
    except LabelExists as error:
        raise conflict(str(error)) from error
    except LabelRefused as error:
        raise bad_request(str(error)) from error


def _number(text: str) -> int:
    if not is_id(text):
        raise not_found(f"there is no label {text[:20]!r}")
    return int(text)


_LABELS = f"{HARBOR}/labels"
_LABEL = f"{_LABELS}/{{label}}"
_OF_ARTIFACT = f"{HARBOR}/projects/{{project_name}}/repositories/{{repository}}/artifacts/{{reference}}/labels"
ROUTES = (
    route("ListLabels", "GET", _LABELS, Anybody(), list_labels),
    route("CreateLabel", "POST", _LABELS, SignedIn(), create_label),
    route("GetLabelByID", "GET", _LABEL, Anybody(), get_label),
    route("UpdateLabel", "PUT", _LABEL, SignedIn(), update_label),
    route("DeleteLabel", "DELETE", _LABEL, SignedIn(), delete_label),
    route("addLabel", "POST", _OF_ARTIFACT, in_project("artifact-label", "create"), add_label),
    route(
        "removeLabel", "DELETE", f"{_OF_ARTIFACT}/{{label_id}}", in_project("artifact-label", "delete"), remove_label
    ),
)
