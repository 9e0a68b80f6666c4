"""The members of a project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from functions.management.call import Call, text
from functions.management.errors import ManagementError, bad_request, conflict, not_found
from functions.management.handlers.identity.usergroups import accounts_of, kind_of, refused
from functions.management.harbor.paging import page_response, requested_page
from functions.management.harbor.robots import asked_patterns
from functions.management.harbor.shapes import ROLES, member_document, member_group_document, owner_ids
from functions.management.route import HARBOR, OWN, in_project, route
from roadstead.http import Response
from roadstead.identity.accounts import AccountRefused, PatternRefused
from roadstead.identity.directory import Member, MemberGroup, Patterns, Role, UserName
from roadstead.identity.groups import MAX_NAME, Group, GroupKind
from roadstead.ids import IdKind


def list_members(call: Call, project: str) -> Response:
    """Users and groups by name. Costs the lists of both members, of users and of groups.

    `entityname` filters by a part of the name.
    """
    request = call.request
    page = requested_page(request)
    wanted = (request.parameter("entityname") or "").casefold()
    found = sorted(_documents(call), key=lambda one: str(one["entity_name"]))
    found = [one for one in found if wanted in str(one["entity_name"]).casefold()]
    return page_response(request, page, len(found), page.of(found))


def create_member(call: Call, project: str) -> Response:
    """Add a user or a group. Raises 400, 404 for an unknown one, 409 for somebody who is a member already.

    A group of LDAP or OIDC that is not known yet becomes known by this.
    """
    return _create(call, project, call.document(), None)


def create_limited_member(call: Call, project: str) -> Response:
    """As `create_member`, with `repositories`: patterns that limit the role. Raises 400, 404, 409."""
    document = call.document()
    return _create(call, project, document, asked_patterns(document.get("repositories", [])))


def _create(call: Call, project: str, document: Mapping[str, Any], patterns: Patterns | None) -> Response:
    access = call.project
    role, name = _role(document), access.project.name
    group = _group(call, document)
    if group is not None:
        if group.id in access.project.groups:
            raise conflict(f"the group {group.name} is a member of {name} already")
        member_id = refused(lambda: accounts_of(call).set_role(name, group, role, patterns)).id
    else:
        user = _user(call, document)
        if any(one.user == user for one in call.services.lists.list_members(name)):
            raise conflict(f"{user} is a member of {name} already")
        try:
            member_id = call.accounts().set_member(name, user, role, patterns).id
        except PatternRefused as error:
            raise bad_request(str(error)) from error
        except AccountRefused as error:
            raise not_found(str(error)) from error
    return Response(201, (("Location", f"/api/v2.0/projects/{project}/members/{member_id}"),))


def get_member(call: Call, project: str, member: str) -> Response:
    """Costs the lists of members, of users and of groups."""
    return Response.json(200, _document(call, member))


def get_limited_member(call: Call, project: str, member: str) -> Response:
    """As `get_member`, with the patterns that limit the role."""
    patterns = _member(call, member).patterns
    return Response.json(200, {**_document(call, member), "repositories": list(patterns)})


def update_member(call: Call, project: str, member: str) -> Response:
    """Change the role; patterns that limit it stay. Raises 400, 404."""
    return _update(call, member, _role(call.document()), None)


def update_limited_member(call: Call, project: str, member: str) -> Response:
    """Change the role and the patterns that limit it: none for the whole project. Raises 400, 404."""
    document = call.document()
    return _update(call, member, _role(document), asked_patterns(document.get("repositories")))


def _update(call: Call, member: str, role: Role, patterns: Patterns | None) -> Response:
    match _member(call, member):
        case Member(name, user):
            call.accounts().set_member(name, user, role, patterns)
        case MemberGroup(name, id_):
            group = call.services.directory.find_group(id_)
            if group is None:
                raise _no_member(member)
            refused(lambda: accounts_of(call).set_role(name, group, role, patterns))
    return Response(200)


def delete_member(call: Call, project: str, member: str) -> Response:
    match _member(call, member):
        case Member(name, user):
            call.accounts().remove_member(name, user)
        case MemberGroup(name, id_):
            refused(lambda: accounts_of(call).remove_role(name, id_))
    return Response(200)


def _document(call: Call, member: str) -> dict[str, Any]:
    found = next((one for one in _documents(call) if str(one["id"]) == member), None)
    if found is None:
        raise _no_member(member)
    return found


def _documents(call: Call) -> list[dict[str, Any]]:
    lists, project = call.services.lists, call.project.project
    users, groups = lists.list_members(project.name), lists.list_member_groups(project.name)
    ids = owner_ids(lists.list_users()) if users else {}
    names = {group.id: group.name for group in call.services.directory.list_groups()} if groups else {}
    return [
        *(member_document(one, project_id=project.id, user_id=ids.get(one.user, 0)) for one in users),
        *(
            member_group_document(one, project_id=project.id, name=names[one.group])
            for one in groups
            if one.group in names
        ),
    ]


def _member(call: Call, text: str) -> Member | MemberGroup:
    """The member of the path's project with this id; a member of another project is 404."""
    lists, name = call.services.lists, call.project.project.name
    members: Iterator[Member | MemberGroup] = chain(lists.list_members(name), lists.list_member_groups(name))
    found = next((one for one in members if str(one.id) == text), None)
    if found is None:
        raise _no_member(text)
    return found


def _no_member(text: str) -> ManagementError:
    return not_found(f"the project has no member {text[:20]!r}")


def _group(call: Call, document: Mapping[str, Any]) -> Group | None:
    """Return the group that the document names, by id, by DN, or by name and type; None if it names none."""
    asked = document.get("member_group")
    if not isinstance(asked, dict):
        return None
    number = asked.get("id")
    if isinstance(number, int) and not isinstance(number, bool) and number > 0:
        found = call.services.directory.find_group(number)
        if found is None:
            raise not_found(f"there is no group with the id {number}")
        return found
    name, dn = text(asked, "group_name", "", most=MAX_NAME), text(asked, "ldap_group_dn", "", most=MAX_NAME)
    if not (name or dn):
        return None
    kind = GroupKind.LDAP if dn and not asked.get("group_type") else kind_of(asked.get("group_type"))
    if kind is GroupKind.LDAP and not dn:
        raise bad_request("a group of LDAP is named by its ldap_group_dn, or by its id")
    group: Group = refused(lambda: accounts_of(call).onboarded(kind, name, dn))
    return group


def _role(document: Mapping[str, Any]) -> Role:
    number = document.get("role_id")
    role = ROLES.get(number) if isinstance(number, int) and not isinstance(number, bool) else None
    if role is None:
        raise bad_request("role_id must be 1 (admin), 2 (developer), 3 (guest), 4 (maintainer) or 5 (limited guest)")
    return role


def _user(call: Call, document: Mapping[str, Any]) -> UserName:
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
_OWN_MEMBERS = f"{OWN}/projects/{{project}}/members"
_OWN_MEMBER = f"{_OWN_MEMBERS}/{{member}}"
ROUTES = (
    route("listProjectMembers", "GET", _MEMBERS, in_project("member", "list"), list_members),
    route("createProjectMember", "POST", _MEMBERS, in_project("member", "create"), create_member),
    route("getProjectMember", "GET", _MEMBER, in_project("member", "read"), get_member),
    route("updateProjectMember", "PUT", _MEMBER, in_project("member", "update"), update_member),
    route("deleteProjectMember", "DELETE", _MEMBER, in_project("member", "delete"), delete_member),
    route("createLimitedMember", "POST", _OWN_MEMBERS, in_project("member", "create"), create_limited_member),
    route("getLimitedMember", "GET", _OWN_MEMBER, in_project("member", "read"), get_limited_member),
    route("updateLimitedMember", "PUT", _OWN_MEMBER, in_project("member", "update"), update_limited_member),
)
