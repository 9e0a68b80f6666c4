"""The role table, held to Harbor's, and to what each function reads of it."""

from __future__ import annotations

import pytest

from roadstead.identity.access import DELETE, PULL, PUSH
from roadstead.identity.directory import Role
from roadstead.identity.permissions import Action, Permission, Resource, parse_actions
from roadstead.identity.roles import (
    ALL_PROJECT_PERMISSIONS,
    PERMISSIONS,
    PUBLIC_PERMISSIONS,
    oci_actions,
    permissions_of,
)

# Harbor 2.16, src/common/rbac/project/rbac_role.go, written here once more as people read it; "trash" is ours.
HARBOR = """
resource            | admin           | maintainer      | developer      | guest   | limited guest
project             | RUD             | R               | R              | R       | R
member              | CRUDL           | RL              | RL             | RL      |
metadata            | CRUD            | R               |                |         |
log                 | L               |                 |                |         |
label               | CRUDL           | CRUDL           | RL             | RL      |
quota               | R               | R               | R              | R       | R
repository          | CRUDL pull push | CRUDL pull push | CRUL pull push | RL pull | RL pull
artifact            | CRDL            | CRDL            | CRL            | RL      | RL
tag                 | CDL             | CDL             | CL             | L       | L
artifact-label      | CD              | CD              | CD             |         |
accessory           | L               | L               | L              | L       | L
artifact-addition   | R               | R               | R              | R       | R
tag-retention       | CRUDL operate   | CRUDL operate   | CRUDL operate  |         |
immutable-tag       | CUDL            | CUDL            |                |         |
configuration       | RU              | R               | R              | R       | R
robot               | CRUDL           | RL              | RL             | RL      |
notification-policy | CRUDL           | RL              |                |         |
trash               | RUDL            | RUL             |                |         |
"""


def test_the_role_table_is_harbors() -> None:
    head, *rows = ([cell.strip() for cell in line.split("|")] for line in HARBOR.strip().splitlines())
    roles = [Role(name.replace(" ", "-")) for name in head[1:]]
    expected: dict[Role, set[Permission]] = {role: set() for role in roles}
    for resource, *cells in rows:
        for role, cell in zip(roles, cells, strict=True):
            expected[role] |= {Permission(Resource(resource), action) for action in parse_actions(cell)}
    assert expected == PERMISSIONS


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        (Role.LIMITED_GUEST, {PULL}),
        (Role.GUEST, {PULL}),
        (Role.DEVELOPER, {PULL, PUSH}),
        (Role.MAINTAINER, {PULL, PUSH, DELETE}),
        (Role.ADMIN, {PULL, PUSH, DELETE}),
    ],
)
def test_a_role_grants_the_oci_actions_of_its_permissions(role: Role, actions: set[str]) -> None:
    assert oci_actions(permissions_of(role, public=False, admin=False)) == actions


def test_anybody_may_only_look_and_pull_in_a_public_project() -> None:
    permissions = permissions_of(None, public=True, admin=False)
    assert permissions == PUBLIC_PERMISSIONS
    assert {permission.action for permission in permissions} == {Action.READ, Action.LIST, Action.PULL}
    assert Permission(Resource.MEMBER, Action.LIST) not in permissions
    assert oci_actions(permissions) == {PULL}


def test_a_stranger_may_do_nothing_in_a_private_project() -> None:
    assert permissions_of(None, public=False, admin=False) == frozenset()


def test_a_public_project_takes_nothing_from_a_member() -> None:
    for role in Role:
        assert permissions_of(role, public=True, admin=False) >= PERMISSIONS[role]


def test_a_system_administrator_may_do_everything_in_every_project() -> None:
    permissions = permissions_of(None, public=False, admin=True)
    assert permissions == ALL_PROJECT_PERMISSIONS
    for role in Role:
        assert permissions >= PERMISSIONS[role]


@pytest.mark.parametrize(("resource", "action"), [("repository", "fly"), ("teapot", "read"), ("", "")])
def test_an_unknown_permission_is_refused(resource: str, action: str) -> None:
    with pytest.raises(ValueError, match="there is no permission"):
        Permission.parse(resource, action)
