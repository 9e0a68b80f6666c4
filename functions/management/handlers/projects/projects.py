"""Projects: listed as far as the caller may see them, created, changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from functions.management.authorization import require_in_project, require_in_system
from functions.management.call import Call, text
from functions.management.errors import ManagementCode, ManagementError, bad_request, conflict, not_found
from functions.management.harbor.metadata import asked_metadata, boolean
from functions.management.harbor.paging import page_response, requested_page
from functions.management.harbor.query import Sort, parse_query
from functions.management.harbor.quotas import amounts, storage_limit
from functions.management.harbor.shapes import milliseconds, owner_ids, project_document
from functions.management.route import HARBOR, Anybody, SignedIn, in_project, route
from roadstead.administration.project_deletion import NameKept, NotEmpty
from roadstead.conflicts import Conflict
from roadstead.http import Response
from roadstead.identity.accounts import AccountRefused
from roadstead.identity.directory import Role
from roadstead.identity.lists import VisibleProject
from roadstead.identity.permissions import Action, Permission, Resource
from roadstead.names import ProjectName

DELETION_SECONDS = 15.0  # for which a request clears what hangs on a project's name; the gateway waits for 30

_FIELDS: Mapping[str, Callable[[VisibleProject], Any]] = {
    "name": lambda one: one.project.name,
    "project_id": lambda one: one.project.id,
    "public": lambda one: one.project.public,
    "owner": lambda one: one.project.created_by,
    "creation_time": lambda one: one.project.created,
}
_COUNTED = {
    "project_admin_count": Role.ADMIN,
    "maintainer_count": Role.MAINTAINER,
    "developer_count": Role.DEVELOPER,
    "guest_count": Role.GUEST,
    "limited_guest_count": Role.LIMITED_GUEST,
}
_CREATE = Permission(Resource.PROJECT, Action.CREATE)


def list_projects(call: Call) -> Response:
    """Costs the list of projects and the caller's memberships, and one read for the rules of those that are shown.

    Sorted by name unless told otherwise.
    """
    request, lists = call.request, call.services.lists
    page, query = requested_page(request), parse_query(request.parameter("q"), request.parameter("sort"))
    found = query.filtered(call.visible_projects(), _FIELDS)
    name, public, owner = (request.parameter(one) for one in ("name", "public", "owner"))
    if name:
        found = [one for one in found if name.casefold() in one.project.name]
    if public:
        found = [one for one in found if one.project.public == boolean("public", public)]
    if owner:
        found = [one for one in found if one.project.created_by == owner]
    found = query.sorted(found, _FIELDS, (Sort("name"),))
    shown = page.of(found)
    owners = owner_ids(lists.list_users()) if shown else {}
    counts = call.services.pages.count_repositories([one.project.name for one in shown])
    ruled = call.services.retention.find_projects({one.project.name: one.project.id for one in shown})
    documents = [
        project_document(
            one.project,
            owner_id=owners.get(one.project.created_by, 0),
            role=one.role,
            repositories=counts[one.project.name],
            has_retention=one.project.name in ruled,
        )
        for one in shown
    ]
    return page_response(request, page, len(found), documents)


def find_project(call: Call) -> Response:
    """`HEAD /projects?project_name=`: whether a project exists that the caller may see. Raises 403, 404.

    Costs one read.
    """
    name = call.request.parameter("project_name") or ""
    try:
        parsed = ProjectName.parse(name)
    except ValueError as error:
        raise not_found(f"there is no project {name[:100]!r}") from error
    require_in_project(call.services, call.caller, parsed, Permission(Resource.PROJECT, Action.READ))
    return Response(200)


def create_project(call: Call) -> Response:
    """Create a project with the caller as its administrator, unless that is a robot. Raises 400, 403, 409.

    Its quota is the configuration's `storage_per_project`, unless whoever may create projects anyway gives a
    `storage_limit`: another's is ignored, as by Harbor, whose clients always send one.
    """
    caller, document = call.caller, call.document()
    by_everyone = call.services.configuration.read().text("project_creation_restriction") == "everyone"
    may_always = caller.is_admin or _CREATE in caller.system_permissions
    if caller.user is None or not by_everyone:
        require_in_system(caller, _CREATE)
    if caller.access_token is not None and caller.access_token.projects:
        raise ManagementError(ManagementCode.FORBIDDEN, "an access token for some projects creates no others")
    name = text(document, "project_name", most=255)
    if document.get("registry_id"):
        raise ManagementError(ManagementCode.UNSUPPORTED, "proxy caches are not supported; leave out registry_id")
    public, metadata = asked_metadata(document)
    storage = storage_limit(document, "storage_limit") if document.get("storage_limit") != 0 else None
    if storage is None or not may_always:
        storage = call.services.configuration.read().number("storage_per_project")
    try:
        parsed = ProjectName.parse(name)
    except ValueError as error:
        raise bad_request(str(error)) from error
    accounts = call.accounts()
    if accounts.find_project(parsed) is not None:
        raise conflict(f"there is a project {parsed} already")
    try:
        call.services.project_deletion.claim(parsed, by_admin=caller.is_admin, go_on=_in_time())
    except NameKept as error:
        later = f"until {milliseconds(error.until)}" if error.until else "for some moments: try again"
        raise conflict(f"a project {parsed} was deleted, and its name is kept {later}") from error
    except Conflict as error:
        raise conflict(f"there is a project {parsed} already") from error
    try:
        project = accounts.create_project(parsed, public=bool(public), created_by=call.actor.name)
        if caller.user is not None:
            accounts.set_member(parsed, caller.user.name, Role.ADMIN)
        if metadata:
            accounts.change_project(parsed, metadata=metadata)
    except AccountRefused as error:  # somebody created it meanwhile
        raise conflict(str(error)) from error
    call.services.policies.set_quota(parsed, lambda quota: replace(quota, storage=storage), call.actor)
    named = (call.request.header("x-resource-name-in-location") or "").lower() == "true"
    location = f"/api/v2.0/projects/{project.name if named else project.id}"
    return Response(201, (("Location", location),))


def get_project(call: Call, project: str) -> Response:
    access = call.project
    owners = owner_ids(call.services.lists.list_users())
    owner_id = owners.get(access.project.created_by, 0)
    count = call.services.pages.count_repositories([access.project.name])[access.project.name]
    shown = project_document(
        access.project,
        owner_id=owner_id,
        role=access.role,
        repositories=count,
        has_retention=call.services.retention.find(access.project.name, access.project.id) is not None,
    )
    return Response.json(200, shown)


def update_project(call: Call, project: str) -> Response:
    """Change the metadata that the document names; what it does not name stays. Raises 400."""
    public, metadata = asked_metadata(call.document())
    call.accounts().change_project(call.project.project.name, public=public, metadata=metadata)
    return Response(200)


def delete_project(call: Call, project: str) -> Response:
    """Delete an empty project. Raises 404 where somebody else has done so, 412 with what is in it."""
    own = call.project.project
    try:
        call.services.project_deletion.delete(own, call.actor, go_on=_in_time())
    except NotEmpty as error:
        raise ManagementError(ManagementCode.PRECONDITION, str(error)) from error
    except Conflict as error:
        raise not_found(f"there is no project {own.name}") from error
    return Response(200)


def get_deletable(call: Call, project: str) -> Response:
    """Whether a project can be deleted, and if not, why. Costs two Queries."""
    refusal = call.services.project_deletion.refusal(call.project.project.name)
    return Response.json(200, {"deletable": refusal is None, "message": refusal or ""})


def get_summary(call: Call, project: str) -> Response:
    """Costs the lists of members, and one read more for the quota; each is left out for who may not see it."""
    access = call.project
    lists, name = call.services.lists, access.project.name
    document: dict[str, Any] = {"repo_count": call.services.pages.count_repositories([name])[name]}
    if Permission(Resource.MEMBER, Action.LIST) in access.permissions:
        roles = [one.role for one in lists.list_members(name)] + [one.role for one in lists.list_member_groups(name)]
        document |= {key: roles.count(role) for key, role in _COUNTED.items()}
    if Permission(Resource.QUOTA, Action.READ) in access.permissions:
        policy, used = call.services.policies.find_many([name])[name]
        document["quota"] = amounts(policy.quota, used)
    return Response.json(200, document)


def _in_time() -> Callable[[], bool]:
    end = time.monotonic() + DELETION_SECONDS
    return lambda: time.monotonic() < end


_PROJECTS = f"{HARBOR}/projects"
_PROJECT = f"{_PROJECTS}/{{project}}"
ROUTES = (
    route("listProjects", "GET", _PROJECTS, Anybody(), list_projects),
    route("headProject", "HEAD", _PROJECTS, SignedIn(), find_project),
    route("createProject", "POST", _PROJECTS, SignedIn(), create_project),
    route("getProject", "GET", _PROJECT, in_project("project", "read"), get_project),
    route("updateProject", "PUT", _PROJECT, in_project("project", "update"), update_project),
    route("deleteProject", "DELETE", _PROJECT, in_project("project", "delete"), delete_project),
    route("getProjectDeletable", "GET", f"{_PROJECT}/_deletable", in_project("project", "delete"), get_deletable),
    route("getProjectSummary", "GET", f"{_PROJECT}/summary", in_project("project", "read"), get_summary),
)
