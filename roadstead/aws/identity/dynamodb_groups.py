"""`Groups` on the identity table.

    group#<id>       meta             kind, name, dn, admin, created; deleting while it is removed
    group#<id>       in#<project>     a role of the group in a project
    group#<id>       member#<user>    a member of a local group
    groups           <kind>#<key>     what lists show, and what keeps keys unique
    admin-groups     ids              the ids of the groups whose members are system administrators

    user#<name>      group#<id>       the inverse of a member, so that removing the user finds the group

The ids of a user's local groups are a set on the user's item.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from roadstead.aws import id_claims
from roadstead.aws.identity.identity_items import (
    ABSENT,
    ADMIN_GROUPS,
    GROUPS,
    IN,
    MEMBER,
    PRESENT,
    USABLE,
    group_key,
    group_member_key,
    listed_group_key,
    told,
    user_group_key,
    user_key,
)
from roadstead.aws.identity.user_removal import NOT_MARKED
from roadstead.aws.table import Item, Table, TransactionFailed, Write, check, delete, put, update
from roadstead.conflicts import Conflict
from roadstead.identity.directory import MAX_GROUPS, UserName
from roadstead.identity.groups import MAX_ADMIN_GROUPS, Group, GroupKey, GroupKind, TooManyMembers
from roadstead.identity.stores import TooManyGroups, UnknownGroup, UnknownUser
from roadstead.ids import IdKind, clock_id
from roadstead.names import ProjectName
from roadstead.trail.entries import Event


class DynamoGroups:
    def __init__(self, table: Table) -> None:
        self._table = table

    def list_groups(self) -> tuple[Group, ...]:
        return tuple(_group_from(item) for item in self._table.query(GROUPS))

    def find_groups(self, keys: Iterable[GroupKey]) -> Mapping[GroupKey, Group]:
        places = {listed_group_key(key.kind, key.text): key for key in keys}
        return {places[place]: _group_from(item) for place, item in self._table.batch_get(places).items()}

    def find_group(self, id_: int) -> Group | None:
        item = self._table.get(group_key(id_))
        return _group_from(item) if item else None

    def create_group(self, group: Group, *, event: Event | None = None) -> Group:
        def writes(id_: int) -> list[Write]:
            item = _item(replace(group, id=id_))
            listed = put(listed_group_key(*group.key), item, ABSENT)
            return [listed, put(group_key(id_), item), *_admin(group.admin, id_), *told(event)]

        name = f"{group.kind}#{group.key.text}"
        id_ = id_claims.create(self._table, IdKind.GROUP, group.id or clock_id(group.created), name, writes)
        return replace(group, id=id_)

    def rename_group(self, group: Group, name: str, *, event: Event | None = None) -> Group:
        renamed = replace(group, name=name)
        own = update(group_key(group.id), "SET #name = :name", USABLE, {":name": name}, {"#name": "name"})
        if renamed.key == group.key:
            listed = [put(listed_group_key(*group.key), _item(renamed), "id = :id", {":id": group.id})]
        else:
            listed = [
                put(listed_group_key(*renamed.key), _item(renamed), ABSENT),
                delete(listed_group_key(*group.key), "id = :id", {":id": group.id}),
            ]
        try:
            self._table.transact([own, *listed, *told(event)])
        except TransactionFailed as error:
            if renamed.key != group.key and 1 in error.failed and 0 not in error.failed:
                raise
            raise UnknownGroup(group.name) from error
        return renamed

    def set_group_admin(self, group: Group, admin: bool, *, event: Event | None = None) -> None:
        keys = (group_key(group.id), listed_group_key(*group.key))
        flags = [update(keys[0], "SET admin = :admin", USABLE, {":admin": admin})]
        flags.append(update(keys[1], "SET admin = :admin", "id = :id", {":admin": admin, ":id": group.id}))
        try:
            self._table.transact([*flags, *_admin(admin, group.id, removes=True), *told(event)])
        except TransactionFailed as error:
            if error.failed == (2,):
                raise TooManyMembers(f"{MAX_ADMIN_GROUPS} administrator groups are the limit") from error
            raise UnknownGroup(group.name) from error

    def remove_group(self, group: Group, *, event: Event | None = None) -> None:
        try:
            mark = update(group_key(group.id), "SET deleting = :true", PRESENT, {":true": True})
            self._table.transact([mark, *_admin(False, group.id, removes=True)])
        except Conflict:
            return
        for item in self._table.query(f"group#{group.id}"):
            self._remove_from(group.id, item["sk"])
        gone = delete(group_key(group.id), PRESENT)
        listed = delete(listed_group_key(*group.key), f"{ABSENT} OR id = :id", {":id": group.id})
        try:
            self._table.transact([gone, listed, *told(event)])
        except Conflict:
            return  # somebody else removed it

    def _remove_from(self, id_: int, sk: str) -> None:
        """Remove one role or one member, with its inverse."""
        inverse = delete((f"group#{id_}", sk))
        if sk.startswith(IN):
            project = ProjectName(sk.removeprefix(IN))
            names = {"#group": str(id_)}
            role = update((f"project#{project}", "meta"), "REMOVE groups.#group", PRESENT, names=names)
            self._removed([role, delete((f"project#{project}", f"group#{id_}")), inverse], inverse)
        elif sk.startswith(MEMBER):
            user = UserName(sk.removeprefix(MEMBER))
            self._removed([*_user_without(user, id_), inverse], inverse)

    def _removed(self, writes: list[Write], inverse: Write) -> None:
        try:
            self._table.transact(writes)
        except Conflict:
            self._table.write(inverse)  # the project, or the user, is gone

    def add_group_member(self, group: Group, user: UserName, *, event: Event | None = None) -> bool:
        member = put(group_member_key(group.id, user), {}, ABSENT)
        room = f"{NOT_MARKED} AND (attribute_not_exists(local_groups) OR size(local_groups) < :most)"
        own = update(user_key(user), "ADD local_groups :group", room, {":group": {group.id}, ":most": MAX_GROUPS})
        inverse = put(user_group_key(user, group.id), {})
        try:
            self._table.transact([check(group_key(group.id), USABLE), member, own, inverse, *told(event)])
        except TransactionFailed as error:
            if 0 in error.failed:
                raise UnknownGroup(group.name) from error
            if 1 in error.failed:
                return False
            if self._table.get(user_key(user)) is None:
                raise UnknownUser(user) from error
            raise TooManyGroups(f"{user} is in {MAX_GROUPS} local groups, which is the limit") from error
        return True

    def remove_group_member(self, group: Group, user: UserName, *, event: Event | None = None) -> bool:
        gone = delete(group_member_key(group.id, user), PRESENT)
        try:
            self._table.transact([gone, *_user_without(user, group.id), *told(event)])
        except TransactionFailed as error:
            if 0 in error.failed:
                return False
            self._table.write(gone)  # the user is gone
        return True

    def list_group_members(self, group: int) -> tuple[UserName, ...]:
        found = self._table.query(f"group#{group}", prefix=MEMBER)
        return tuple(UserName(item["sk"].removeprefix(MEMBER)) for item in found)


def _user_without(user: UserName, group: int) -> list[Write]:
    left = update(user_key(user), "DELETE local_groups :group", PRESENT, {":group": {group}})
    return [left, delete(user_group_key(user, group))]


def _admin(admin: bool, id_: int, *, removes: bool = False) -> list[Write]:
    """Return the write that keeps the set of administrator groups, if there is anything to write."""
    if admin:
        room = "attribute_not_exists(ids) OR size(ids) < :most OR contains(ids, :one)"
        values: dict[str, Any] = {":id": {id_}, ":most": MAX_ADMIN_GROUPS, ":one": id_}
        return [update(ADMIN_GROUPS, "ADD ids :id", room, values)]
    return [update(ADMIN_GROUPS, "DELETE ids :id", values={":id": {id_}})] if removes else []


def _item(group: Group) -> Item:
    return {
        "kind": int(group.kind),
        "name": group.name,
        "dn": group.dn,
        "admin": group.admin,
        "created": group.created,
        "id": group.id,
    }


def _group_from(item: Item) -> Group:
    return Group(GroupKind(item["kind"]), item["name"], item["created"], item["dn"], item["admin"], item["id"])
