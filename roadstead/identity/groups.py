"""Groups: of LDAP and OpenID Connect, whose members the provider tells at each sign-in, and local ones, whose members
are kept here. A group has roles in projects, like a user; members of an administrator group are system administrators.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Protocol

from roadstead.identity.directory import UserName
from roadstead.trail.entries import Event

_SEPARATOR = re.compile(r"(?<!\\),")  # of a DN: a comma without a backslash before it
MAX_NAME = 255  # characters, also of a DN
MAX_GROUPS_IN_ALL = 10_000
MAX_MEMBERS = 1_000  # of a local group
MAX_ADMIN_GROUPS = 100


class GroupKind(IntEnum):
    """With Harbor's numbers (`group_type`)."""

    LDAP = 1
    LOCAL = 2
    OIDC = 3


class GroupKey(NamedTuple):
    """What identifies a group at its provider: an LDAP group's DN without regard to case, any other group's name."""

    kind: GroupKind
    text: str

    @classmethod
    def of(cls, kind: GroupKind, name: str, dn: str = "") -> GroupKey:
        if kind is not GroupKind.LDAP:
            return cls(kind, name)
        return cls(kind, ",".join(part.strip() for part in _SEPARATOR.split(dn.casefold())))


@dataclass(frozen=True, slots=True)
class Group:
    """`dn` is an LDAP group's. `created` in seconds since the epoch."""

    kind: GroupKind
    name: str
    created: int
    dn: str = ""
    admin: bool = False
    id: int = 0  # 0 until the store has claimed one

    @property
    def key(self) -> GroupKey:
        return GroupKey.of(self.kind, self.name, self.dn)


class TooManyMembers(Exception):
    """The group, or the set of administrator groups, is full."""


class Groups(Protocol):
    """Stores an `event` in the transaction of the change that it records."""

    def list_groups(self) -> tuple[Group, ...]:
        """Return all groups, by kind and key. Costs one Query for each MB, about 6,000 groups."""
        ...

    def find_groups(self, keys: Iterable[GroupKey]) -> Mapping[GroupKey, Group]:
        """Return the groups that exist among `keys`. Costs one read for each 100 of them."""
        ...

    def find_group(self, id_: int) -> Group | None:
        """Costs one read."""
        ...

    def create_group(self, group: Group, *, event: Event | None = None) -> Group:
        """Create a group and return it with the id that was claimed for it. Costs one transaction.

        Raises Conflict if there is a group with that key.
        """
        ...

    def rename_group(self, group: Group, name: str, *, event: Event | None = None) -> Group:
        """Give a group another name. Raises UnknownGroup; Conflict if another group has the key."""
        ...

    def set_group_admin(self, group: Group, admin: bool, *, event: Event | None = None) -> None:
        """Make a group's members system administrators, or not. Takes effect with the next read of an identity.

        Raises UnknownGroup; TooManyMembers if there are MAX_ADMIN_GROUPS others.
        """
        ...

    def remove_group(self, group: Group, *, event: Event | None = None) -> None:
        """Remove a group, its roles and its members. It grants nothing any more once this has begun.

        Resumable: a call after one that died goes on. Costs a transaction for each role and each local member. A group
        that is gone is not an error; then no event is kept.
        """
        ...

    def add_group_member(self, group: Group, user: UserName, *, event: Event | None = None) -> bool:
        """Add a user to a local group; return whether they were not in it. Costs one transaction.

        Raises UnknownGroup, UnknownUser; TooManyGroups if the user is in MAX_GROUPS local groups.
        """
        ...

    def remove_group_member(self, group: Group, user: UserName, *, event: Event | None = None) -> bool:
        """Remove a user from a local group; return whether they were in it."""
        ...

    def list_group_members(self, group: int) -> tuple[UserName, ...]:
        """Return the members of a local group in the byte order of their names. Costs one Query."""
        ...
