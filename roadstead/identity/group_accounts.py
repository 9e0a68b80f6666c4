"""Changes of groups, in the name of whoever makes them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from roadstead.conflicts import Conflict
from roadstead.identity.directory import MemberGroup, Patterns, Role, UserName
from roadstead.identity.groups import (
    MAX_GROUPS_IN_ALL,
    MAX_MEMBERS,
    MAX_NAME,
    Group,
    GroupKey,
    GroupKind,
    Groups,
    TooManyMembers,
)
from roadstead.identity.limits import check_patterns, said_patterns
from roadstead.identity.stores import Projects, TooManyGroups, UnknownGroup, UnknownProject, UnknownUser
from roadstead.names import ProjectName
from roadstead.trail.entries import Actor, Event, Operation
from roadstead.trail.events import EventMaker


class GroupRuleBroken(ValueError):
    """The change breaks a rule. The message is a sentence for a person."""


class GroupExists(GroupRuleBroken):
    """There is such a group."""


class NoSuchGroup(GroupRuleBroken):
    """The group, the user or the project does not exist."""


class GroupStore(Groups, Projects, Protocol):
    """The parts of the identity store that groups need."""


class GroupAccounts:
    """Makes and changes groups, and keeps an event by `actor` with every change.

    Every method raises GroupRuleBroken.
    """

    def __init__(self, store: GroupStore, *, actor: Actor, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._actor = actor
        self._clock = clock
        self._events = EventMaker(clock)

    def create(self, kind: GroupKind, name: str, dn: str = "") -> Group:
        """Create a group. Costs the list of groups and one transaction."""
        group = self._new(kind, name, dn)
        try:
            return self._store.create_group(group, event=self._event(Operation.CREATE_GROUP, _named(group)))
        except Conflict as error:
            raise GroupExists(f"there is a group {dn or name!r} of this type already") from error

    def rename(self, group: Group, name: str) -> Group:
        _check_name("the name of a group", name)
        event = self._event(Operation.CHANGE_GROUP, f"group={group.id} {_named(group)} to={name}")
        try:
            return self._store.rename_group(group, name, event=event)
        except Conflict as error:
            raise GroupExists(f"there is a group {name!r} of this type already") from error
        except UnknownGroup as error:
            raise _gone(group) from error

    def set_admin(self, group: Group, admin: bool) -> None:
        """Make the members system administrators, or ordinary users. Tokens issued before keep what they grant."""
        detail = f"group={group.id} {_named(group)} admin={str(admin).lower()}"
        try:
            self._store.set_group_admin(group, admin, event=self._event(Operation.CHANGE_GROUP, detail))
        except TooManyMembers as error:
            raise GroupRuleBroken(str(error)) from error
        except UnknownGroup as error:
            raise _gone(group) from error

    def remove(self, group: Group) -> None:
        event = self._event(Operation.DELETE_GROUP, f"group={group.id} {_named(group)}")
        self._store.remove_group(group, event=event)

    def add_member(self, group: Group, user: UserName) -> None:
        """Add a user to a local group. One who is in it is not an error; then no event is kept."""
        if group.kind is not GroupKind.LOCAL:
            raise GroupRuleBroken("the members of this group are told by its provider at each sign-in")
        if len(self._store.list_group_members(group.id)) >= MAX_MEMBERS:
            raise GroupRuleBroken(f"the group has {MAX_MEMBERS} members, which is the limit")
        event = self._event(Operation.ADD_GROUP_MEMBER, f"group={group.id} {_named(group)}", user=user)
        try:
            self._store.add_group_member(group, user, event=event)
        except TooManyGroups as error:
            raise GroupRuleBroken(str(error)) from error
        except UnknownUser as error:
            raise NoSuchGroup(f"there is no user {user}") from error
        except UnknownGroup as error:
            raise _gone(group) from error

    def remove_member(self, group: Group, user: UserName) -> None:
        event = self._event(Operation.REMOVE_GROUP_MEMBER, f"group={group.id} {_named(group)}", user=user)
        if not self._store.remove_group_member(group, user, event=event):
            raise NoSuchGroup(f"{user} is not in the group")

    def onboarded(self, kind: GroupKind, name: str, dn: str = "") -> Group:
        """Return the group of a provider, created if it is unknown. No event of its own: its first role has one."""
        key = GroupKey.of(kind, name, dn)
        found = self._store.find_groups([key]).get(key)
        if found is not None:
            return found
        if kind is GroupKind.LOCAL:
            raise NoSuchGroup(f"there is no local group {name[:100]!r}; a system administrator can create it")
        try:
            return self._store.create_group(self._new(kind, name or dn, dn))
        except Conflict:  # somebody else onboarded it meanwhile
            return self._store.find_groups([key])[key]

    def set_role(self, project: ProjectName, group: Group, role: Role, patterns: Patterns | None = None) -> MemberGroup:
        """Give a group a role in a project, or change it and the patterns that limit it.

        Without `patterns` a group keeps those that it has.
        """
        try:
            limits = check_patterns(patterns) if patterns is not None else None
        except ValueError as error:
            raise GroupRuleBroken(str(error)) from error
        detail = f"role={role}{said_patterns(limits)} group={group.id} {_named(group)}"
        event = self._event(Operation.SET_MEMBER, detail, project=project)
        try:
            now = int(self._clock())
            return self._store.set_group_role(project, group.id, role, at=now, patterns=limits, event=event)
        except TooManyGroups as error:
            raise GroupRuleBroken(str(error)) from error
        except UnknownProject as error:
            raise NoSuchGroup(f"there is no project {project}") from error
        except UnknownGroup as error:
            raise _gone(group) from error

    def remove_role(self, project: ProjectName, group: int) -> None:
        event = self._event(Operation.REMOVE_MEMBER, f"group={group}", project=project)
        try:
            self._store.remove_group_role(project, group, event=event)
        except UnknownProject as error:
            raise NoSuchGroup(f"there is no project {project}") from error

    def _new(self, kind: GroupKind, name: str, dn: str) -> Group:
        _check_name("the name of a group", name)
        if kind is GroupKind.LDAP:
            _check_name("ldap_group_dn", dn)
        if len(self._store.list_groups()) >= MAX_GROUPS_IN_ALL:
            raise GroupRuleBroken(f"there are {MAX_GROUPS_IN_ALL} groups, which is the limit")
        return Group(kind, name, int(self._clock()), dn if kind is GroupKind.LDAP else "")

    def _event(self, operation: Operation, detail: str, *, project: str = "", user: str = "") -> Event:
        return self._events.make(operation, self._actor, "", project=project, user=user, detail=detail)


def _check_name(what: str, text: str) -> None:
    if not text.strip() or len(text) > MAX_NAME or not text.isprintable():
        raise GroupRuleBroken(f"{what} has 1 to {MAX_NAME} printable characters")


def _named(group: Group) -> str:
    return f"type={group.kind.name.lower()} name={group.dn or group.name}"


def _gone(group: Group) -> NoSuchGroup:
    return NoSuchGroup(f"there is no group {group.name!r} any more")
