"""The members of a project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.management.call import Call
from functions.management.errors import ManagementCode, ManagementError, bad_request, conflict, not_found
from functions.management.harbor.paging import page_response, requested_page
from functions.management.harbor.shapes import ROLES, member_document, owner_ids
from functions.management.route import HARBOR, in_project, route
from roadstead.http import Response
from roadstead.identity.accounts import AccountRefused
from roadstead.identity.directory import Member, Role, UserName
from roadstead.ids import IdKind


def list_members(call: Call, project: str) -> Response:
    """Costs the list of members and the list of users. `entityname` filters by a part of the name."""
    request, access = call.request, call.project
    page = requested_page(request)
    wanted = (request.parameter("entityname") or "").casefold()
    found = [one for one in call.services.lists.list_members(access.project.name) if wanted in one.user]
    ids = owner_ids(call.services.lists.list_users())
    documents = [
        member_document(one, project_id=access.project.id, user_id=ids.get(one.user, 0)) for one in page.of(found)
    ]
    return page_response(request, page, len(found), documents)


def create_member(call: Call, project: str) -> Response:
    """Add a user. Raises 400, 404 for an unknown user, 409 for somebody who is a member already."""
    access, document = call.project, call.document()
    role = _role(document)
    user = _user(call, document)
    if any(one.user == user for one in call.services.lists.list_members(access.project.name)):
        raise conflict(f"{user} is a member of {access.project.name} already")
    try:
        member = call.accounts().set_member(access.project.name, user, role)
    except AccountRefused as error:
        raise not_found(str(error)) from error
    return Response(201, (("Location", f"/api/v2.0/projects/{project}/members/{member.id}"),))


def get_member(call: Call, project: str, member: str) -> Response:
    found = _member(call, member)
    ids = owner_ids(call.services.lists.list_users())
    document = member_document(found, project_id=call.project.project.id, user_id=ids.get(found.user, 0))
    return Response.json(200, document)


def update_member(call: Call, project: str, member: str) -> Response:
    """Change the role. Raises 400, 404."""
    role = _role(call.document())
    found = _member(call, member)
    call.accounts().set_member(found.project, found.user, role)
    return Response(200)


def delete_member(call: Call, project: str, member: str) -> Response:
    found = _member(call, member)
    call.accounts().remove_member(found.project, found.user)
    return Response(200)


def _member(call: Call, text: str) -> Member:
    """The member of the path's project with this id; a member of another project is 404."""
    members = call.services.lists.list_members(call.project.project.name)
    found = next((one for one in members if str(one.id) == text), None)
    if found is None:
        raise not_found(f"the project has no member {text[:20]!r}")
    return found


def _role(document: Mapping[str, Any]) -> Role:
    number = document.get("role_id")
    role = ROLES.get(number) if isinstance(number, int) and not isinstance(number, bool) else None
    if role is None:
        raise bad_request("role_id must be 1 (admin), 2 (developer), 3 (guest), 4 (maintainer) or 5 (limited guest)")
    return role


def _user(call: Call, document: Mapping[str, Any]) -> UserName:
    group = document.get("member_group")
    if isinstance(group, dict) and any(group.get(name) for name in ("id", "group_name", "ldap_group_dn")):
        raise ManagementError(ManagementCode.UNSUPPORTED, "groups are not supported yet; name a member_user")
    member = document.get("member_user")
    if not isinstance(member, dict):
        raise bad_request('member_user must name a user: {"username": …} or {"user_id": …}')
    number, name = member.get("user_id"), member.get("username")
    if isinstance(number, int) and not isinstance(number, bool) and number > 0:
        name = call.services.lists.find_by_id(IdKind.USER, number)
        if name is None:
            raise not_found(f"there is no user with the id {number}")
    if not isinstance(name, str) or not name:
        raise bad_request('member_user must name a user: {"username": …} or {"user_id": …}')
    try:
        return UserName.parse(name)
    except ValueError as error:
        raise bad_request(str(error)) from error


_MEMBERS = f"{HARBOR}/projects/{{project}}/members"
_MEMBER = f"{_MEMBERS}/{{member}}"
ROUTES = (
    route("listProjectMembers", "GET", _MEMBERS, in_project("member", "list"), list_members),
    route("createProjectMember", "POST", _MEMBERS, in_project("member", "create"), create_member),
    route("getProjectMember", "GET", _MEMBER, in_project("member", "read"), get_member),
    route("updateProjectMember", "PUT", _MEMBER, in_project("member", "update"), update_member),
    route("deleteProjectMember", "DELETE", _MEMBER, in_project("member", "delete"), delete_member),
)
