"""`Projects` on the identity table: projects, their members and the roles of groups, each with its inverse."""

from __future__ import annotations

import contextlib
from typing import Any

from roadstead.aws import id_claims
from roadstead.aws.identity.identity_items import (
    ABSENT,
    MEMBER,
    MEMBER_GROUP,
    PRESENT,
    USABLE,
    deleted_project_key,
    group_key,
    group_role_key,
    held_item,
    listed_project_key,
    member_from,
    member_group_from,
    member_group_key,
    member_key,
    membership_key,
    project_from,
    project_key,
    role_item,
    told,
    user_key,
)
from roadstead.aws.identity.user_removal import NOT_MARKED
from roadstead.aws.table import TRANSACTION, Item, Table, TransactionFailed, Write, check, delete, put, update
from roadstead.conflicts import Conflict, Throttled
from roadstead.identity.directory import (
    MAX_GROUPS,
    DeletedProject,
    Member,
    MemberGroup,
    Patterns,
    Project,
    Role,
    UserName,
)
from roadstead.identity.stores import TooManyGroups, UnknownGroup, UnknownProject, UnknownUser
from roadstead.ids import IdKind, clock_id
from roadstead.names import ProjectName
from roadstead.trail.entries import Event

_ATTEMPTS = 10  # each lost race means that somebody else has changed the same member


class DynamoProjects:
    def __init__(self, table: Table) -> None:
        self._table = table

    def find_project(self, name: ProjectName) -> Project | None:
        item = self._table.get(project_key(name))
        return project_from(name, item) if item else None

    def create_project(self, project: Project, *, event: Event | None = None) -> Project:
        def writes(id_: int) -> list[Write]:
            listed: dict[str, Any] = {
                "public": project.public,
                "created": project.created,
                "created_by": project.created_by,
                "id": id_,
            }
            return [
                put(project_key(project.name), {**listed, "groups": {}}, ABSENT),
                check(deleted_project_key(project.name), f"{ABSENT} OR cleared = :true", {":true": True}),
                put(listed_project_key(project.name), listed),
                *told(event),
            ]

        wanted = project.id or clock_id(project.created)
        id_ = id_claims.create(self._table, IdKind.PROJECT, wanted, project.name, writes)
        return Project(project.name, project.public, project.created, project.created_by, id_)

    def delete_project(self, project: Project, *, at: int, event: Event | None = None) -> None:
        same = ("id = :id", {":id": project.id})
        gone = {"id": project.id, "at": at, "cleared": False}
        self._table.transact(
            [
                delete(project_key(project.name), *same),
                delete(listed_project_key(project.name), *same),
                put(deleted_project_key(project.name), gone),
                *told(event),
            ]
        )

    def find_deleted_project(self, name: ProjectName) -> DeletedProject | None:
        item = self._table.get(deleted_project_key(name))
        return DeletedProject(item["id"], item["at"], item["cleared"]) if item is not None else None

    def clear_members(self, name: ProjectName) -> None:
        writes: list[Write] = []
        for item in self._table.query(f"project#{name}", prefix=MEMBER):
            user = UserName(item["sk"].removeprefix(MEMBER))
            writes += [delete(member_key(name, user)), delete(membership_key(user, name))]
        for item in self._table.query(f"project#{name}", prefix=MEMBER_GROUP):
            group = int(item["sk"].removeprefix(MEMBER_GROUP))
            writes += [delete(member_group_key(name, group)), delete(group_role_key(group, name))]
        for start in range(0, len(writes), TRANSACTION - 2):
            absent = check(project_key(name), ABSENT)
            self._table.transact([absent, *writes[start : start + TRANSACTION - 2]])

    def set_project_cleared(self, name: ProjectName, *, at: int) -> None:
        change = update(
            deleted_project_key(name), "SET cleared = :true", "#at = :at", {":true": True, ":at": at}, {"#at": "at"}
        )
        with contextlib.suppress(Conflict):  # one of that name was made, and deleted again
            self._table.write(change)

    def set_public(self, name: ProjectName, public: bool, *, event: Event | None = None) -> None:
        # `public` is a reserved word of DynamoDB's expressions.
        change: Any = ("SET #public = :public", PRESENT, {":public": public}, {"#public": "public"})
        keys = (project_key(name), listed_project_key(name))
        try:
            self._table.transact([*(update(key, *change) for key in keys), *told(event)])
        except TransactionFailed as error:
            raise UnknownProject(name) from error

    def change_project(self, project: Project, *, replaces: Project, event: Event | None = None) -> None:
        unchanged = "id = :id AND #public = :was AND metadata = :before"
        if not replaces.metadata:
            unchanged = "id = :id AND #public = :was AND (attribute_not_exists(metadata) OR metadata = :before)"
        change: Any = (
            "SET #public = :public, metadata = :metadata",
            unchanged,
            {
                ":id": replaces.id,
                ":was": replaces.public,
                ":before": dict(replaces.metadata),
                ":public": project.public,
                ":metadata": dict(project.metadata),
            },
            {"#public": "public"},
        )
        keys = (project_key(project.name), listed_project_key(project.name))
        self._table.transact([*(update(key, *change) for key in keys), *told(event)])

    def set_member(
        self,
        project: ProjectName,
        user: UserName,
        role: Role,
        *,
        at: int = 0,
        patterns: Patterns | None = None,
        event: Event | None = None,
    ) -> Member:
        key, inverse = member_key(project, user), membership_key(user, project)
        both = [check(project_key(project), PRESENT), check(user_key(user), NOT_MARKED)]

        def added(id_: int) -> list[Write]:
            own = role_item(role, patterns or ())
            item: Item = {**own, "id": id_, "at": at}
            return [*both, put(key, item, ABSENT), put(inverse, own), *told(event)]

        for _ in range(_ATTEMPTS):
            found = self._table.get(key)
            try:
                if found is None:
                    name = f"{project}/{user}"
                    id_ = id_claims.create(self._table, IdKind.MEMBER, clock_id(at), name, added)
                    return Member(project, user, role, id_, at, patterns or ())
                own = role_item(role, tuple(found.get("patterns", ())) if patterns is None else patterns)
                item = {**own, "id": found["id"], "at": found["at"]}
                same = put(key, item, "id = :id", {":id": found["id"]})
                self._table.transact([*both, same, put(inverse, own), *told(event)])
                return member_from(project, {**item, "sk": found["sk"]})
            except TransactionFailed as error:
                if 0 in error.failed:
                    raise UnknownProject(project) from error
                if 1 in error.failed:
                    raise UnknownUser(user) from error
        raise Throttled(f"too many writers of the member {user} of {project}")

    def remove_member(self, project: ProjectName, user: UserName, *, event: Event | None = None) -> None:
        key = member_key(project, user)
        for _ in range(_ATTEMPTS):
            found = self._table.get(key)
            if found is None:
                return
            gone = delete(key, "id = :id", {":id": found["id"]})
            try:
                self._table.transact([gone, delete(membership_key(user, project)), *told(event)])
                return
            except Conflict:
                continue
        raise Throttled(f"too many writers of the member {user} of {project}")

    def set_group_role(
        self,
        project: ProjectName,
        group: int,
        role: Role,
        *,
        at: int = 0,
        patterns: Patterns | None = None,
        event: Event | None = None,
    ) -> MemberGroup:
        key = member_group_key(project, group)

        def common(own: Patterns) -> list[Write]:
            room = f"{PRESENT} AND (attribute_exists(groups.#group) OR size(groups) < :most)"
            values = {":role": held_item(role, own), ":most": MAX_GROUPS}
            names = {"#group": str(group)}
            return [
                update(project_key(project), "SET groups.#group = :role", room, values, names),
                check(group_key(group), USABLE),
                put(group_role_key(group, project), role_item(role, own)),
                *told(event),
            ]

        def added(id_: int) -> list[Write]:
            item = {**role_item(role, patterns or ()), "id": id_, "at": at}
            return [*common(patterns or ()), put(key, item, ABSENT)]

        for _ in range(_ATTEMPTS):
            found = self._table.get(key)
            try:
                if found is None:
                    name = f"{project}/group:{group}"
                    id_ = id_claims.create(self._table, IdKind.MEMBER, clock_id(at), name, added)
                    return MemberGroup(project, group, role, id_, at, patterns or ())
                own = tuple(found.get("patterns", ())) if patterns is None else patterns
                item = {**role_item(role, own), "id": found["id"], "at": found["at"]}
                self._table.transact([*common(own), put(key, item, "id = :id", {":id": found["id"]})])
                return member_group_from(project, {**item, "sk": found["sk"]})
            except TransactionFailed as error:
                if 1 in error.failed:
                    raise UnknownGroup(str(group)) from error
                if 0 in error.failed:
                    if self._table.get(project_key(project)) is None:
                        raise UnknownProject(project) from error
                    raise TooManyGroups(f"{project} has roles for {MAX_GROUPS} groups already") from error
        raise Throttled(f"too many writers of the group {group} of {project}")

    def remove_group_role(self, project: ProjectName, group: int, *, event: Event | None = None) -> None:
        names, key = {"#group": str(group)}, project_key(project)
        change = update(key, "REMOVE groups.#group", "attribute_exists(groups.#group)", names=names)
        gone = [delete(member_group_key(project, group)), delete(group_role_key(group, project))]
        try:
            self._table.transact([change, *gone, *told(event)])
        except TransactionFailed as error:
            if self._table.get(key) is None:
                raise UnknownProject(project) from error
