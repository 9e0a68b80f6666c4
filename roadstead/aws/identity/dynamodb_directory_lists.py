"""`DirectoryLists` on the identity table: compact partitions that are read whole."""

from __future__ import annotations

from collections.abc import Mapping

from roadstead.aws.id_claims import find_named
from roadstead.aws.identity.identity_items import (
    IN,
    MEMBER,
    MEMBER_GROUP,
    PROJECTS,
    USERS,
    held_from,
    is_admin,
    member_from,
    member_group_from,
    profile_from,
)
from roadstead.aws.table import Table
from roadstead.identity.directory import HeldRole, Member, MemberGroup, UserName
from roadstead.identity.lists import ListedProject, ListedUser
from roadstead.ids import IdKind
from roadstead.names import ProjectName


class DynamoDirectoryLists:
    def __init__(self, table: Table) -> None:
        self._table = table

    def list_projects(self) -> tuple[ListedProject, ...]:
        return tuple(
            ListedProject(
                ProjectName(item["sk"]),
                item["id"],
                item["public"],
                item["created"],
                item["created_by"],
                item.get("metadata", {}),
            )
            for item in self._table.query(PROJECTS)
        )

    def list_users(self) -> tuple[ListedUser, ...]:
        return tuple(
            ListedUser(
                UserName(item["sk"]),
                item["id"],
                is_admin(item),
                item["disabled"],
                item["created"],
                profile_from(item),
                item.get("admin_by_provider", False),
            )
            for item in self._table.query(USERS)
        )

    def list_members(self, project: ProjectName) -> tuple[Member, ...]:
        found = self._table.query(f"project#{project}", prefix=MEMBER)
        return tuple(member_from(project, item) for item in found)

    def list_member_groups(self, project: ProjectName) -> tuple[MemberGroup, ...]:
        found = self._table.query(f"project#{project}", prefix=MEMBER_GROUP)
        return tuple(member_group_from(project, item) for item in found)

    def list_memberships(self, user: UserName) -> Mapping[ProjectName, HeldRole]:
        return self._roles(f"user#{user}")

    def list_group_roles(self, group: int) -> Mapping[ProjectName, HeldRole]:
        return self._roles(f"group#{group}")

    def find_by_id(self, kind: IdKind, id_: int) -> str | None:
        return find_named(self._table, kind, id_)

    def _roles(self, pk: str) -> dict[ProjectName, HeldRole]:
        found = self._table.query(pk, prefix=IN)
        return {ProjectName(item["sk"].removeprefix(IN)): held_from(item) for item in found}
