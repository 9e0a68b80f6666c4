"""Groups of users."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import (
    Described,
    Parameter,
    Schema,
    created,
    flag,
    number,
    obj,
    page_of,
    ref,
    text,
)

_TYPE = number("1 LDAP, 2 local, 3 OIDC", minimum=1, maximum=3)
_GROUP: Mapping[str, Schema] = {"id": number(), "group_name": text(), "group_type": _TYPE}

SCHEMAS: Mapping[str, Schema] = {
    "UserGroup": obj(_GROUP, {"ldap_group_dn": text()}),
    "FoundUserGroup": obj(_GROUP),
    "NewUserGroup": obj(
        {"group_name": text(maxLength=255), "group_type": _TYPE}, {"ldap_group_dn": text(maxLength=255)}
    ),
    "UserGroupChange": obj({"group_name": text(maxLength=255)}),
    "UserGroupDetails": obj(
        {**_GROUP, "admin": flag("its members are system administrators")}, {"ldap_group_dn": text()}
    ),
    "UserGroupAdmin": obj({"admin": flag()}),
    "GroupMember": obj({"user_id": number("0 if the user is gone"), "username": text()}),
    "NewGroupMember": obj({"username": text()}),
}

OPERATIONS: Mapping[str, Described] = {
    "listUserGroups": page_of(
        "List groups",
        ref("UserGroup"),
        Parameter("group_name", text(), "a part of the name"),
        Parameter("ldap_group_dn", text(), "the whole DN"),
    ),
    "createUserGroup": created("Create a group", ref("NewUserGroup")),
    "searchUserGroups": page_of(
        "Find groups by a part of their name", ref("FoundUserGroup"), Parameter("groupname", text(), required=True)
    ),
    "getUserGroup": Described("A group", ref("UserGroup")),
    "updateUserGroup": Described("Give a group another name", body=ref("UserGroupChange"), also=(409,)),
    "deleteUserGroup": Described("Remove a group with its roles"),
    "getGroupDetails": Described("A group, with what Harbor does not have", ref("UserGroupDetails")),
    "setGroupAdmin": Described("Make a group's members system administrators, or not", body=ref("UserGroupAdmin")),
    "listGroupMembers": page_of("List the members of a local group", ref("GroupMember")),
    "addGroupMember": created("Add a user to a local group", ref("NewGroupMember"), also=(404, 409)),
    "removeGroupMember": Described("Remove a user from a local group"),
}
