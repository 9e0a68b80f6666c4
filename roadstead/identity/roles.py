"""What each role may do in a project: one table, which tokens and the management API share.

The table is that of Harbor's code (`rbac_role.go`), which differs from its documentation in places.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from roadstead.identity.access import DELETE, PULL, PUSH
from roadstead.identity.directory import Role
from roadstead.identity.permissions import Action, Permission, Resource, parse_actions

# C, R, U, D, L: create, read, update, delete, list.
_COLUMNS = (Role.ADMIN, Role.MAINTAINER, Role.DEVELOPER, Role.GUEST, Role.LIMITED_GUEST)
_TABLE = {
    Resource.PROJECT: ("RUD", "R", "R", "R", "R"),
    Resource.MEMBER: ("CRUDL", "RL", "RL", "RL", ""),
    Resource.METADATA: ("CRUD", "R", "", "", ""),
    Resource.LOG: ("L", "", "", "", ""),
    Resource.LABEL: ("CRUDL", "CRUDL", "RL", "RL", ""),
    Resource.QUOTA: ("R", "R", "R", "R", "R"),
    Resource.REPOSITORY: ("CRUDL pull push", "CRUDL pull push", "CRUL pull push", "RL pull", "RL pull"),
    Resource.ARTIFACT: ("CRDL", "CRDL", "CRL", "RL", "RL"),
    Resource.TAG: ("CDL", "CDL", "CL", "L", "L"),
    Resource.ARTIFACT_LABEL: ("CD", "CD", "CD", "", ""),
    Resource.ACCESSORY: ("L", "L", "L", "L", "L"),
    Resource.ADDITION: ("R", "R", "R", "R", "R"),
    Resource.RETENTION: ("CRUDL operate", "CRUDL operate", "CRUDL operate", "", ""),
    Resource.IMMUTABLE_TAG: ("CUDL", "CUDL", "", "", ""),
    Resource.CONFIGURATION: ("RU", "R", "R", "R", "R"),
    Resource.ROBOT: ("CRUDL", "RL", "RL", "RL", ""),
    Resource.WEBHOOK: ("CRUDL", "RL", "", "", ""),
    # Not in Harbor, which has no undo: whoever may delete an artifact sees what was deleted and restores it.
    Resource.TRASH: ("RUDL", "RUL", "", "", ""),
}
# What anybody may do in a public project, logged in or not.
_PUBLIC = {
    Resource.PROJECT: "R",
    Resource.LABEL: "RL",
    Resource.REPOSITORY: "L pull",
    Resource.ARTIFACT: "RL",
    Resource.TAG: "L",
    Resource.ADDITION: "R",
    Resource.ACCESSORY: "L",
}


def _column(cells: Mapping[Resource, str]) -> frozenset[Permission]:
    return frozenset(Permission(resource, action) for resource, cell in cells.items() for action in parse_actions(cell))


PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        role: _column({resource: cells[index] for resource, cells in _TABLE.items()})
        for index, role in enumerate(_COLUMNS)
    }
)
PUBLIC_PERMISSIONS = _column(_PUBLIC)
ALL_PROJECT_PERMISSIONS = frozenset(Permission(resource, action) for resource in _TABLE for action in Action)


def permissions_of(role: Role | None, *, public: bool, admin: bool) -> frozenset[Permission]:
    """Return what a caller may do in a project.

    `role` is the caller's role there, or None; `public` is the project's; `admin` marks a system administrator.
    """
    if admin:
        return ALL_PROJECT_PERMISSIONS
    by_role = PERMISSIONS[role] if role is not None else frozenset()
    return by_role | PUBLIC_PERMISSIONS if public else by_role


# The actions of OCI scopes, and the permission that each stands for.
OCI_PERMISSIONS = {
    PULL: Permission(Resource.REPOSITORY, Action.PULL),
    PUSH: Permission(Resource.REPOSITORY, Action.PUSH),
    DELETE: Permission(Resource.ARTIFACT, Action.DELETE),
}


def oci_actions(permissions: frozenset[Permission]) -> frozenset[str]:
    """Return the actions of an OCI scope that `permissions` grant on a project's repositories."""
    return frozenset(action for action, permission in OCI_PERMISSIONS.items() if permission in permissions)
