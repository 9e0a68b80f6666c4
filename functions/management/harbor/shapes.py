"""Harbor's documents of projects, members and users, as its `ToSwagger` functions make them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from functions.management.harbor.metadata import PUBLIC, RETENTION_ID
from roadstead.identity.directory import Member, MemberGroup, Project, Role, User
from roadstead.identity.groups import Group
from roadstead.identity.lists import ListedProject, ListedUser

ROLE_IDS = {Role.ADMIN: 1, Role.DEVELOPER: 2, Role.GUEST: 3, Role.MAINTAINER: 4, Role.LIMITED_GUEST: 5}
ROLES = {id_: role for role, id_ in ROLE_IDS.items()}
ROLE_NAMES = {
    Role.ADMIN: "projectAdmin",
    Role.MAINTAINER: "maintainer",
    Role.DEVELOPER: "developer",
    Role.GUEST: "guest",
    Role.LIMITED_GUEST: "limitedGuest",
}


def timestamp(seconds: int) -> str:
    """RFC 3339 in milliseconds, ending in Z."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def milliseconds(at: int) -> str:
    """RFC 3339 in milliseconds, of a time in milliseconds; the year 1 for 0, which Harbor shows for "never"."""
    if at == 0:
        return "0001-01-01T00:00:00.000Z"
    return f"{datetime.fromtimestamp(at // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"


def project_document(
    project: Project | ListedProject,
    *,
    owner_id: int,
    role: Role | None,
    repositories: int | None = None,
    has_retention: bool = False,
) -> dict[str, Any]:
    """Booleans in metadata are text. `registry_id` is left out, never 0: a project here is no proxy cache.

    `update_time` is the time of creation, as in Harbor, where nothing but its deletion writes a project's row: what
    changes is its metadata.

    `cve_allowlist` is always empty: nothing is scanned, so there is nothing to allow.
    """
    document: dict[str, Any] = {
        "project_id": project.id,
        "name": project.name,
        "owner_id": owner_id,
        "owner_name": project.created_by,
        "creation_time": timestamp(project.created),
        "update_time": timestamp(project.created),
        "deleted": False,
        "togglable": False,
        "metadata": metadata_document(project, has_retention=has_retention),
        "cve_allowlist": {
            "id": project.id,
            "project_id": project.id,
            "items": [],
            "creation_time": timestamp(project.created),
            "update_time": timestamp(project.created),
        },
        "current_user_role_id": ROLE_IDS[role] if role is not None else 0,
        "current_user_role_ids": [ROLE_IDS[role]] if role is not None else [],
    }
    if repositories is not None:
        document["repo_count"] = repositories
    return document


def metadata_document(project: Project | ListedProject, *, has_retention: bool = False) -> dict[str, str]:
    """By `retention_id`, which is the project's own id, clients find the retention rules."""
    ruled = {RETENTION_ID: str(project.id)} if has_retention else {}
    return {PUBLIC: "true" if project.public else "false", **project.metadata, **ruled}


def member_document(member: Member, *, project_id: int, user_id: int) -> dict[str, Any]:
    return {
        "id": member.id,
        "project_id": project_id,
        "entity_name": member.user,
        "entity_id": user_id,
        "entity_type": "u",
        "role_id": ROLE_IDS[member.role],
        "role_name": ROLE_NAMES[member.role],
    }


def member_group_document(member: MemberGroup, *, project_id: int, name: str) -> dict[str, Any]:
    return {
        "id": member.id,
        "project_id": project_id,
        "entity_name": name,
        "entity_id": member.group,
        "entity_type": "g",
        "role_id": ROLE_IDS[member.role],
        "role_name": ROLE_NAMES[member.role],
    }


def group_document(group: Group) -> dict[str, Any]:
    """`ldap_group_dn` is left out of groups that are not LDAP's, as Harbor leaves out an empty one."""
    document = {"id": group.id, "group_name": group.name, "group_type": int(group.kind)}
    return {**document, "ldap_group_dn": group.dn} if group.dn else document


def user_document(user: User | ListedUser) -> dict[str, Any]:
    return {
        "user_id": user.id,
        "username": user.name,
        "email": user.profile.email,
        "realname": user.profile.realname,
        "comment": user.profile.comment,
        "sysadmin_flag": user.admin,
        "admin_role_in_auth": user.admin_by_provider or (isinstance(user, User) and user.admin_by_group),
        "creation_time": timestamp(user.created),
        "update_time": timestamp(user.created),
    }


def owner_ids(users: Iterable[ListedUser]) -> dict[str, int]:
    """Return the ids of users by their names."""
    return {user.name: user.id for user in users}
