"""Lists of users, projects and members, and what each user may see of them.

These sets are small (up to 10,000), so a list is read whole, strongly consistent, and the caller filters, sorts and
counts in memory: every filter works, and every count is exact. A list costs one Query for each MB and one read unit for
each 4 KB; ten thousand projects are about 1.2 MB: two Queries, 300 units.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from roadstead.identity.directory import (
    NO_PROFILE,
    HeldRole,
    Member,
    MemberGroup,
    Patterns,
    Profile,
    Role,
    User,
    UserName,
    strongest,
)
from roadstead.identity.limits import matches_any
from roadstead.identity.permissions import Action, Permission, Resource
from roadstead.identity.robots.robots import Robot
from roadstead.ids import IdKind
from roadstead.names import ProjectName, RepositoryName

_LIST = Permission(Resource.PROJECT, Action.LIST)


@dataclass(frozen=True, slots=True)
class ListedProject:
    """A project as lists have it. `created` in seconds since the epoch."""

    name: ProjectName
    id: int
    public: bool
    created: int
    created_by: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListedUser:
    """A user as lists have it: no password is read for it. `created` in seconds since the epoch."""

    name: UserName
    id: int
    admin: bool
    disabled: bool
    created: int
    profile: Profile = NO_PROFILE
    admin_by_provider: bool = False


class DirectoryLists(Protocol):
    """Every list is in the byte order of its names and strongly consistent."""

    def list_projects(self) -> tuple[ListedProject, ...]:
        """Return all projects. Costs one Query for each MB, about 9,000 projects."""
        ...

    def list_users(self) -> tuple[ListedUser, ...]:
        """Return all users. Costs one Query for each MB, about 9,000 users."""
        ...

    def list_members(self, project: ProjectName) -> tuple[Member, ...]:
        """Return a project's members; none for a project that does not exist. Costs one Query for each MB."""
        ...

    def list_member_groups(self, project: ProjectName) -> tuple[MemberGroup, ...]:
        """Return the groups that have a role in a project, by id as text. Costs one Query."""
        ...

    def list_memberships(self, user: UserName) -> Mapping[ProjectName, HeldRole]:
        """Return the projects that a user is a member of. Costs one Query."""
        ...

    def list_group_roles(self, group: int) -> Mapping[ProjectName, HeldRole]:
        """Return the projects in which a group has a role. Costs one Query."""
        ...

    def find_by_id(self, kind: IdKind, id_: int) -> str | None:
        """Return the name that an id was claimed for, or None. Costs one read. `<project>/<user>` for a member,
        `<project>/group:<id>` for a group as a member.

        What has the name may be gone, or have been created anew with another id: compare the id of what is found.
        """
        ...


@dataclass(frozen=True, slots=True)
class VisibleProject:
    """A project that the caller may see; `role` is that in the whole project, or None.

    With `patterns` they may see only repositories that match one of them.
    """

    project: ListedProject
    role: Role | None
    patterns: Patterns = ()

    def shows(self, repository: RepositoryName) -> bool:
        """Whether the caller may see a repository of the project."""
        return not self.patterns or matches_any(self.patterns, repository)


def visible_projects(
    lists: DirectoryLists, user: User | None, robot: Robot | None = None, *, roles: bool = True
) -> Sequence[VisibleProject]:
    """Return the projects that a user or a robot (neither: an anonymous caller) may see, in the order of their names.

    A robot sees the projects that it has any permission in, and all with `project:list` in the system. Costs the list
    of projects, and for a user one Query more and one for each group that they are in. Without `roles`, those of a
    system administrator, who sees everything, are not read.
    """
    projects = lists.list_projects()
    held = _held(lists, user) if user is not None and (roles or not user.admin) else {}
    everything = (user is not None and user.admin) or (robot is not None and _LIST in robot.system_permissions)
    found = []
    for project in projects:
        of_project = held.get(project.name, ())
        limits = [one.patterns for one in of_project]
        if robot is not None:
            limits += [one.patterns for one in robot.grants_in(project.name, project.id)]
        if everything or project.public or limits:
            is_whole = everything or project.public or () in limits
            patterns = () if is_whole else tuple(dict.fromkeys(pattern for some in limits for pattern in some))
            role = strongest(one.role for one in of_project if not one.patterns)
            found.append(VisibleProject(project, role, patterns))
    return found


def _held(lists: DirectoryLists, user: User) -> Mapping[ProjectName, list[HeldRole]]:
    found: dict[ProjectName, list[HeldRole]] = {}
    held: Iterable[Mapping[ProjectName, HeldRole]] = (
        lists.list_memberships(user.name),
        *(lists.list_group_roles(group) for group in user.all_groups),
    )
    for roles in held:
        for project, role in roles.items():
            found.setdefault(project, []).append(role)
    return found
