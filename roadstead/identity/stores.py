"""Protocols of the stores that keep users, projects, members, refresh tokens and sessions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from roadstead.identity.directory import (
    AttemptKey,
    DeletedProject,
    Identity,
    Member,
    MemberGroup,
    Patterns,
    Profile,
    Project,
    RefreshToken,
    Role,
    User,
    UserName,
)
from roadstead.identity.robots.robot_names import RobotName
from roadstead.names import ProjectName
from roadstead.trail.entries import Event


class TooManyGroups(Exception):
    """A project or a user has more groups than one item can keep."""


class UnknownGroup(Exception):
    """There is no such group, or it is being removed."""


class UnknownUser(Exception):
    """There is no such user."""


class UnknownProject(Exception):
    """There is no such project."""


class Identities(Protocol):
    """The read of a token request."""

    def read(
        self,
        user: UserName | None,
        projects: Iterable[ProjectName],
        refresh_token: str | None = None,
        session: str | None = None,
        attempts: Iterable[AttemptKey] = (),
        *,
        robot: RobotName | None = None,
        access_token: str | None = None,
    ) -> Identity:
        """Return the user, the projects, the user's role in each, and the user's refresh token and session.

        A member of an administrator group is a system administrator.

        Or, with `robot` and without `user`, the robot, its own project and the projects. `refresh_token`, `session` and
        `access_token` are hashes; `attempts` are buckets of failed logins. Strongly consistent; one request to the
        store for up to 46 projects, none when there is nothing to ask for.
        """
        ...


class RefreshTokens(Protocol):
    """The store of refresh tokens."""

    def refresh_tokens(self, user: UserName) -> list[RefreshToken]:
        """Return a user's tokens, in no order. Expired ones may be among them. Costs one read per 1 MB."""
        ...

    def store_refresh_token(self, token: RefreshToken, surplus: Iterable[str] = ()) -> None:
        """Store `token` and remove those of the same user whose hashes are in `surplus`. Not atomic, but idempotent."""
        ...

    def extend_refresh_token(self, user: UserName, hash_: str, expires: int) -> None:
        """Set when a token expires. Costs one write. Raises Conflict if there is no such token."""
        ...


class Users(Protocol):
    """Stores an `event` in the transaction of the change that it records."""

    def find_subject(self, provider: str, subject: str) -> UserName | None:
        """Return the user whom a provider knows by `subject`. Costs one read."""
        ...

    def confirm_user(
        self, name: UserName, groups: Iterable[int], *, admin: bool, at: int, event: Event | None = None
    ) -> None:
        """Set what the user's provider says: groups, whether they make the user an administrator, and when it said so.

        Costs one transaction. Raises UnknownUser, TooManyGroups.
        """
        ...

    def find_user(self, name: UserName) -> User | None: ...

    def create_user(self, user: User, *, event: Event | None = None) -> User:
        """Create a user and return it with the id that was claimed for it. Costs one transaction, or two and a Query
        if another user was created in the same second. Raises Conflict if the name is taken, or the subject has a user
        already."""
        ...

    def set_password(self, name: UserName, password: str, *, event: Event | None = None) -> None:
        """Replace the PHC string and increment the epoch, atomically. Raises UnknownUser."""
        ...

    def replace_password(self, name: UserName, old: str, new: str) -> None:
        """Replace the PHC string if it still is `old`, and keep the epoch. Raises Conflict otherwise."""
        ...

    def set_admin(self, name: UserName, admin: bool, *, event: Event | None = None) -> None:
        """Make a user a system administrator, or an ordinary user. Raises UnknownUser."""
        ...

    def set_disabled(self, name: UserName, disabled: bool, *, event: Event | None = None) -> None:
        """Disable or enable a user. Disabling also increments the epoch, which revokes refresh tokens for good.

        Raises UnknownUser, also for one whose removal has begun.
        """
        ...

    def set_profile(self, name: UserName, profile: Profile, *, event: Event | None = None) -> None:
        """Raises UnknownUser."""
        ...

    def remove_user(self, name: UserName, *, event: Event | None = None) -> None:
        """Remove a user with their memberships, sessions and tokens. The name is free when this returns.

        Can be repeated after a crash. Raises UnknownUser.
        """
        ...

    def set_groups(self, name: UserName, groups: Iterable[int]) -> None:
        """Replace the groups that the user is in. Costs one write. Raises UnknownUser, TooManyGroups."""
        ...


class Projects(Protocol):
    """Stores an `event` in the transaction of the change that it records."""

    def find_project(self, name: ProjectName) -> Project | None: ...

    def delete_project(self, project: Project, *, at: int, event: Event | None = None) -> None:
        """Remove a project from everybody's sight, and keep its name: one transaction. `at` in milliseconds.

        Members, robots and webhooks stay under the name. Raises Conflict if it is gone, or another one of that name.
        """
        ...

    def find_deleted_project(self, name: ProjectName) -> DeletedProject | None:
        """Return the last project of a name that was deleted, also if there is one of that name by now. One read."""
        ...

    def clear_members(self, name: ProjectName) -> None:
        """Remove all members of a deleted project, users and groups, with their inverses: a transaction for each 49.

        Raises Conflict if there is a new project of that name.
        """
        ...

    def set_project_cleared(self, name: ProjectName, *, at: int) -> None:
        """Note that nothing hangs on the name of the project that was deleted `at` (ms). One write; idempotent."""
        ...

    def create_project(self, project: Project, *, event: Event | None = None) -> Project:
        """Create a project without groups and return it with the id that was claimed for it. Costs one transaction, or
        two and a Query if another project was created in the same second. Raises Conflict if the name is taken."""
        ...

    def set_public(self, name: ProjectName, public: bool, *, event: Event | None = None) -> None:
        """Make a project public or private. Raises UnknownProject."""
        ...

    def change_project(self, project: Project, *, replaces: Project, event: Event | None = None) -> None:
        """Set `public` and `metadata`, if they are as in `replaces`. One transaction. Raises Conflict; the project may
        be gone, or be another one of that name."""
        ...

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
        """Add a member (since `at`, in seconds) or change the role, if both exist at that moment; return the member.

        Without `patterns` a member keeps those that they have.

        Costs one read and one transaction, which writes the inverse under the user too. Raises UnknownProject,
        UnknownUser.
        """
        ...

    def remove_member(self, project: ProjectName, user: UserName, *, event: Event | None = None) -> None:
        """Remove a member and the inverse under the user. Costs one read and one transaction. A user who is not a
        member is not an error; then no event is kept."""
        ...

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
        """Give a group a role in a project (since `at`, in seconds), or change it; return the group as a member.

        Without `patterns` a group keeps those that it has.

        Costs one read and one transaction, which writes the inverse under the group too. Raises UnknownProject,
        UnknownGroup; TooManyGroups if MAX_GROUPS others have a role.
        """
        ...

    def remove_group_role(self, project: ProjectName, group: int, *, event: Event | None = None) -> None:
        """Take a group's role in a project. Costs one transaction. A group without one is not an error; then no event
        is kept. Raises UnknownProject."""
        ...


class IdentityEvents(Protocol):
    """The events of the identity table. Its stream has keys only, so the webhook function reads the items."""

    def find_event_items(self, keys: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Mapping[str, Any]]:
        """Return the event items with these keys, not parsed. Items that have expired are left out."""
        ...
