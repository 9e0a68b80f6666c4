"""Groups: Harbor's own endpoints, and ours for the members of local groups and for administrator groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from functions.management.call import Call, text
from functions.management.errors import bad_request, conflict, not_found
from functions.management.harbor.paging import page_response, requested_page
from functions.management.harbor.shapes import group_document, owner_ids
from functions.management.project_ids import is_id
from functions.management.route import HARBOR, OWN, SignedIn, SystemAdmin, in_system, route
from roadstead.http import Response
from roadstead.identity.directory import UserName
from roadstead.identity.group_accounts import GroupAccounts, GroupExists, GroupRuleBroken, NoSuchGroup
from roadstead.identity.groups import MAX_NAME, Group, GroupKey, GroupKind


def accounts_of(call: Call) -> GroupAccounts:
    return GroupAccounts(call.services.directory, actor=call.actor, clock=call.services.clock)


def list_groups(call: Call) -> Response:
    """Costs the list of groups. `group_name` filters by a part of the name, `ldap_group_dn` by the whole DN."""
    request = call.request
    page, wanted = requested_page(request), (request.parameter("group_name") or "").casefold()
    dn = request.parameter("ldap_group_dn")
    found = [one for one in call.services.directory.list_groups() if wanted in one.name.casefold()]
    if dn:
        key = GroupKey.of(GroupKind.LDAP, "", dn)
        found = [one for one in found if one.key == key]
    found.sort(key=lambda one: one.name)
    return page_response(request, page, len(found), [group_document(one) for one in page.of(found)])


def search_groups(call: Call) -> Response:
    """Find groups by a part of their name, for whoever adds members. Costs the list of groups."""
    request = call.request
    page, wanted = requested_page(request), (request.parameter("groupname") or "").casefold()
    if not wanted:
        raise bad_request("groupname must be given")
    found = [one for one in call.services.directory.list_groups() if wanted in one.name.casefold()]
    documents = [
        {"id": one.id, "group_name": one.name, "group_type": int(one.kind)}
        for one in page.of(sorted(found, key=lambda one: one.name))
    ]
    return page_response(request, page, len(found), documents)


def create_group(call: Call) -> Response:
    """Raises 400, 409. A group of LDAP needs `ldap_group_dn`; whether the directory has it is not looked up."""
    document = call.document()
    kind = kind_of(document.get("group_type"))
    name, dn = text(document, "group_name", most=MAX_NAME), text(document, "ldap_group_dn", "", most=MAX_NAME)
    group = refused(lambda: accounts_of(call).create(kind, name, dn))
    return Response(201, (("Location", f"{HARBOR}/usergroups/{group.id}"),))


def get_group(call: Call, group: str) -> Response:
    return Response.json(200, group_document(_found(call, group)))


def update_group(call: Call, group: str) -> Response:
    """Change the name. Raises 400, 404, 409."""
    name = text(call.document(), "group_name", most=MAX_NAME)
    found = _found(call, group)
    if name != found.name:
        refused(lambda: accounts_of(call).rename(found, name))
    return Response(200)


def delete_group(call: Call, group: str) -> Response:
    """Remove a group with its roles. It grants nothing any more from the beginning of the request."""
    accounts_of(call).remove(_found(call, group))
    return Response(200)


def get_details(call: Call, group: str) -> Response:
    """What Harbor's document does not say: whether the members are system administrators."""
    found = _found(call, group)
    return Response.json(200, {**group_document(found), "admin": found.admin})


def set_admin(call: Call, group: str) -> Response:
    """Make the members system administrators, or ordinary users. Raises 400, 404."""
    admin = call.document().get("admin")
    if not isinstance(admin, bool):
        raise bad_request("admin must be true or false")
    found = _found(call, group)
    if admin != found.admin:
        refused(lambda: accounts_of(call).set_admin(found, admin))
    return Response(200)


def list_group_members(call: Call, group: str) -> Response:
    """The members of a local group, by name. Costs two lists."""
    page = requested_page(call.request)
    found = call.services.directory.list_group_members(_found(call, group).id)
    ids = owner_ids(call.services.lists.list_users())
    documents = [{"user_id": ids.get(name, 0), "username": name} for name in page.of(found)]
    return page_response(call.request, page, len(found), documents)


def add_group_member(call: Call, group: str) -> Response:
    """Add `{"username"}` to a local group. Raises 400, 404, 409."""
    user = _user(text(call.document(), "username", most=255))
    found = _found(call, group)
    if user in call.services.directory.list_group_members(found.id):
        raise conflict(f"{user} is in the group already")
    refused(lambda: accounts_of(call).add_member(found, user))
    return Response(201, (("Location", f"{OWN}/usergroups/{found.id}/members/{user}"),))


def remove_group_member(call: Call, group: str, user_name: str) -> Response:
    name, found = _user(user_name), _found(call, group)
    refused(lambda: accounts_of(call).remove_member(found, name))
    return Response(200)


def kind_of(number: object) -> GroupKind:
    """Raises 400."""
    if not isinstance(number, int) or isinstance(number, bool) or number not in tuple(GroupKind):
        raise bad_request("group_type must be 1 (LDAP), 2 (local) or 3 (OIDC)")
    return GroupKind(number)


def refused(change: Callable[[], Any]) -> Any:
    """Run a change of groups. Raises 400, 404, 409."""
    try:
        return change()
    except GroupExists as error:
        raise conflict(str(error)) from error
    except NoSuchGroup as error:
        raise not_found(str(error)) from error
    except GroupRuleBroken as error:
        raise bad_request(str(error)) from error


def _found(call: Call, text: str) -> Group:
    group = call.services.directory.find_group(int(text)) if is_id(text) else None
    if group is None:
        raise not_found(f"there is no group with the id {text[:20]!r}")
    return group


def _user(text: str) -> UserName:
    try:
        return UserName.parse(text)
    except ValueError as error:
        raise bad_request(str(error)) from error


_GROUPS, _OWN_GROUP = f"{HARBOR}/usergroups", f"{OWN}/usergroups/{{group}}"
_GROUP = f"{_GROUPS}/{{group}}"
_READ, _UPDATE = in_system("user-group", "read"), in_system("user-group", "update")
ROUTES = (
    route("listUserGroups", "GET", _GROUPS, in_system("user-group", "list"), list_groups),
    route("createUserGroup", "POST", _GROUPS, in_system("user-group", "create"), create_group),
    route("searchUserGroups", "GET", f"{_GROUPS}/search", SignedIn(), search_groups),
    route("getUserGroup", "GET", _GROUP, _READ, get_group),
    route("updateUserGroup", "PUT", _GROUP, _UPDATE, update_group),
    route("deleteUserGroup", "DELETE", _GROUP, in_system("user-group", "delete"), delete_group),
    route("getGroupDetails", "GET", _OWN_GROUP, _READ, get_details),
    route("setGroupAdmin", "PUT", f"{_OWN_GROUP}/admin", SystemAdmin(), set_admin),
    route("listGroupMembers", "GET", f"{_OWN_GROUP}/members", _READ, list_group_members),
    route("addGroupMember", "POST", f"{_OWN_GROUP}/members", SystemAdmin(), add_group_member),
    route("removeGroupMember", "DELETE", f"{_OWN_GROUP}/members/{{user_name}}", SystemAdmin(), remove_group_member),
)
