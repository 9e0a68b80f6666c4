"""Quotas: Harbor's, which limit bytes, and ours, which limit repositories and artifacts too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from functions.management.call import Call
from functions.management.errors import bad_request, not_found
from functions.management.harbor.paging import page_response, requested_page
from functions.management.harbor.query import Sort, parse_query
from functions.management.harbor.quotas import quota_document, storage_limit
from functions.management.project_ids import find_listed, is_id
from functions.management.route import HARBOR, OWN, SystemAdmin, in_project, route
from roadstead.http import Response
from roadstead.identity.lists import ListedProject
from roadstead.identity.permissions import Action, Permission, Resource
from roadstead.lifecycle.policy.quotas import MAX_NUMBER, Quota
from roadstead.names import ProjectName


@dataclass(frozen=True, slots=True)
class _Listed:
    project: ListedProject
    quota: Quota
    used: int


_FIELDS: Mapping[str, Callable[[_Listed], Any]] = {
    "creation_time": lambda one: (one.project.created, one.project.id),
    "id": lambda one: one.project.id,
    "hard.storage": lambda one: one.quota.storage,
    "used.storage": lambda one: one.used,
}
_QUOTAS = f"{HARBOR}/quotas"
_QUOTA, _OWN = f"{_QUOTAS}/{{id}}", f"{OWN}/projects/{{project}}/quota"


def list_quotas(call: Call) -> Response:
    """Costs the list of projects, and a read for each 50 of them. The newest project first unless told otherwise."""
    request, services = call.request, call.services
    page, query = requested_page(request), parse_query(None, request.parameter("sort"))
    reference, number = request.parameter("reference") or "project", request.parameter("reference_id")
    projects = services.lists.list_projects() if reference == "project" else ()
    wanted = [one for one in projects if not number or str(one.id) == number]
    if any(sort.key in ("hard.storage", "used.storage") for sort in query.sorts):
        listed = query.sorted(_with_quotas(call, wanted), _FIELDS, ())
        shown = page.of(listed)
    else:
        bare = [_Listed(one, Quota(), 0) for one in wanted]
        ordered = query.sorted(bare, _FIELDS, (Sort("creation_time", descending=True),))
        shown = _with_quotas(call, [one.project for one in page.of(ordered)])
    documents = [quota_document(one.project, one.quota, one.used) for one in shown]
    return page_response(request, page, len(wanted), documents)


def get_quota(call: Call, id: str) -> Response:
    (found,) = _with_quotas(call, [_project(call, id)])
    return Response.json(200, quota_document(found.project, found.quota, found.used))


def update_quota(call: Call, id: str) -> Response:
    """Raises 400, 404."""
    hard = call.document().get("hard")
    if not isinstance(hard, dict) or not hard:
        raise bad_request('hard must be an object: {"storage": 10737418240}')
    if unknown := sorted(hard.keys() - {"storage"}):
        raise bad_request(f"{unknown[0][:40]!r} has no quota here; only storage has")
    storage = storage_limit(hard, "storage")
    if storage is None:
        raise bad_request("hard.storage must be a number of bytes, or -1 for no limit")
    project = _project(call, id)
    call.services.policies.set_quota(project.name, lambda quota: replace(quota, storage=storage), call.actor)
    return Response(200)


def get_own(call: Call, project: str) -> Response:
    """Costs two reads, and one for each MB of the project's repositories."""
    name = call.project.project.name
    policy, used = call.services.policies.find_many([name])[name]
    listed = call.services.pages.list_repositories(name)
    return Response.json(
        200,
        {
            "storage": {"limit": policy.quota.storage, "used": used, "hard": policy.quota.hard},
            "repositories": {"limit": policy.quota.repositories, "used": len(listed)},
            "artifacts": {"limit": policy.quota.artifacts, "used": sum(one.artifacts for one in listed)},
        },
    )


def set_own(call: Call, project: str) -> Response:
    """Change the limits that the document names; the others stay. Raises 400, 404."""
    document = call.document()
    limits = {
        "storage": storage_limit(document, "storage"),
        "repositories": storage_limit(document, "repositories", most=MAX_NUMBER),
        "artifacts": storage_limit(document, "artifacts", most=MAX_NUMBER),
    }
    changes: dict[str, Any] = {name: limit for name, limit in limits.items() if limit is not None}
    if "hard" in document:
        if not isinstance(document["hard"], bool):
            raise bad_request("hard must be true or false")
        changes["hard"] = document["hard"]
    if not changes:
        raise bad_request("name what changes: storage, repositories or artifacts (-1 is no limit), or hard")
    is_name = (call.request.header("x-is-resource-name") or "").lower() == "true"
    name = find_listed(call.services.lists, project, is_name=is_name)
    if name is None:
        raise not_found(f"there is no project {project[:100]!r}")
    call.services.policies.set_quota(name, lambda quota: replace(quota, **changes), call.actor)
    return Response(200)


def _with_quotas(call: Call, projects: list[ListedProject]) -> list[_Listed]:
    found: Mapping[ProjectName, Any] = call.services.policies.find_many([one.name for one in projects])
    return [_Listed(one, found[one.name][0].quota, found[one.name][1]) for one in projects]


def _project(call: Call, text: str) -> ListedProject:
    if not is_id(text):
        raise bad_request("the id of a quota is a number")
    found = next((one for one in call.services.lists.list_projects() if one.id == int(text)), None)
    if found is None:
        raise not_found(f"there is no quota {text[:20]}: a quota has the id of its project")
    return found


ROUTES = (
    route("listQuotas", "GET", _QUOTAS, SystemAdmin(Permission(Resource.QUOTA, Action.LIST)), list_quotas),
    route("getQuota", "GET", _QUOTA, SystemAdmin(Permission(Resource.QUOTA, Action.READ)), get_quota),
    route("updateQuota", "PUT", _QUOTA, SystemAdmin(Permission(Resource.QUOTA, Action.UPDATE)), update_quota),
    route("getProjectQuota", "GET", _OWN, in_project("quota", "read"), get_own),
    route("updateProjectQuota", "PUT", _OWN, SystemAdmin(Permission(Resource.QUOTA, Action.UPDATE)), set_own),
)
