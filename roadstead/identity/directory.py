"""Users, projects, members, refresh tokens and sessions: what is known of them.

A user name has 1 to 64 characters: lower-case letters, digits and `. _ - + @`, with a letter or digit at both ends. An
address such as `ada@example.com` is a valid name. A colon is not allowed, because Basic authentication separates name
and password by it. `$` is reserved for robots.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from roadstead.identity.permissions import Action, Permission
from roadstead.identity.robots.robots import NEVER, Robot
from roadstead.names import ProjectName

LOCAL = "local"  # the provider of users whose passwords are kept here
MAX_USER_NAME = 64
MAX_PROFILE = 255  # characters of each field
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
MAX_GROUPS = 100  # of a user, and with a role in a project: they ride in items that every token request reads
_READING = frozenset({Action.READ, Action.LIST, Action.PULL})
_USER = re.compile(r"[a-z0-9](?:[a-z0-9._+@-]*[a-z0-9])?")


class UserName(str):
    """A user's name, by the grammar above."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> UserName:
        """Parse a name. Raises ValueError with a sentence for a person."""
        if len(text) > MAX_USER_NAME or _USER.fullmatch(text) is None:
            raise ValueError(
                f"{text[:70]!r} is not a user name: 1 to {MAX_USER_NAME} lower-case letters, digits and . _ - + @ "
                "in between"
            )
        return cls(text)


class Role(StrEnum):
    """A member's role in a project, weakest first. `roadstead.identity.roles` says what each role may do."""

    LIMITED_GUEST = "limited-guest"
    GUEST = "guest"
    DEVELOPER = "developer"
    MAINTAINER = "maintainer"
    ADMIN = "admin"


_WEAKEST_FIRST = tuple(Role)

# Patterns of repositories (roadstead.patterns) to which rights in a project are limited, without the project's name.
# Empty: rights in the whole project.
Patterns = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role in a project, limited to some repositories if there are `patterns`."""

    role: Role
    patterns: Patterns = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """What people say of themselves. It decides nothing."""

    email: str = ""
    realname: str = ""
    comment: str = ""


NO_PROFILE = Profile()


@dataclass(frozen=True, slots=True)
class User:
    """A user. `password` is an Argon2id PHC string, empty for a user whom a provider outside of the registry knows.

    A refresh token or session counts only with its user's `epoch`. A name belongs to the provider that onboarded it.
    """

    name: UserName
    password: str = field(repr=False)
    created: int  # seconds since the epoch
    admin: bool = False
    disabled: bool = False
    epoch: int = 0
    id: int = 0  # 0 until the store has claimed one
    groups: tuple[int, ...] = ()  # ids of the provider's groups, as of the last sign-in; at most MAX_GROUPS
    profile: Profile = NO_PROFILE
    local_groups: tuple[int, ...] = ()  # ids of local groups; at most MAX_GROUPS
    admin_by_group: bool = False  # whether `admin` comes from a group; only what `Identities.read` returns has it
    provider: str = LOCAL
    subject: str = ""  # by which the provider knows the user; "" for a local one
    admin_by_provider: bool = False  # whether a group of the provider makes the user an administrator; `admin` says so
    confirmed: int = 0  # when the provider last confirmed the user, in seconds, give or take a day

    @property
    def all_groups(self) -> tuple[int, ...]:
        return (*self.groups, *self.local_groups)


@dataclass(frozen=True, slots=True)
class Project:
    name: ProjectName
    public: bool
    created: int  # seconds since the epoch
    created_by: str
    id: int = 0  # 0 until the store has claimed one
    groups: Mapping[int, Role] = field(default_factory=dict)  # roles of groups, by their ids; at most MAX_GROUPS
    metadata: Mapping[str, str] = field(default_factory=dict)  # what clients keep with it, without effect
    group_patterns: Mapping[int, Patterns] = field(default_factory=dict)  # of groups whose role is limited


@dataclass(frozen=True, slots=True)
class DeletedProject:
    """The last project of a name, deleted `at` (ms). `cleared`: nothing hangs on the name any more."""

    id: int
    at: int
    cleared: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A user's role in a project. `id` stays the same while the role changes."""

    project: ProjectName
    user: UserName
    role: Role
    id: int
    since: int  # seconds since the epoch
    patterns: Patterns = ()


@dataclass(frozen=True, slots=True)
class MemberGroup:
    """A group's role in a project. `id` is of the same kind as a member's, and stays while the role changes."""

    project: ProjectName
    group: int
    role: Role
    id: int
    since: int  # seconds since the epoch
    patterns: Patterns = ()


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token's record. `hash` is the hexadecimal SHA-256 of the token. Times are in seconds."""

    user: UserName
    hash: str
    client: str  # the client_id of the request that it was issued to
    epoch: int
    created: int
    expires: int  # moves on when the token is used, but not beyond `ends`
    ends: int


class TokenLevel(StrEnum):
    """What an access token carries of its user's rights."""

    READ = "read"  # pull, and look
    WRITE = "write"  # what the user's roles in projects permit
    ADMIN = "admin"  # system administration, too


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A personal access token's record. `hash` is the hexadecimal SHA-256 of the token. Times in seconds.

    `projects` are names and ids of projects that the token is limited to; empty for all. `expires` is NEVER for no
    expiry. `used` is when it was last used, give or take five minutes; 0 if it never was.
    """

    user: UserName
    user_id: int
    hash: str
    name: str
    level: TokenLevel
    projects: tuple[tuple[ProjectName, int], ...]
    created: int
    expires: int
    used: int = 0

    @property
    def id(self) -> str:
        """What names the token in the API and in the trail. It tells nothing of the secret."""
        return self.hash[:16]

    def has_expired(self, now: float) -> bool:
        return self.expires != NEVER and self.expires <= now

    def reaches(self, project: ProjectName, project_id: int) -> bool:
        """Whether the token is for this project, which may have been created anew."""
        return not self.projects or (project, project_id) in self.projects

    def limited(self, permissions: frozenset[Permission]) -> frozenset[Permission]:
        """Return what the token carries of its user's permissions in a project that it reaches."""
        if self.level is not TokenLevel.READ:
            return permissions
        return frozenset(permission for permission in permissions if permission.action in _READING)


@dataclass(frozen=True, slots=True)
class Session:
    """A session of the console as it is kept: `hash` is the hexadecimal SHA-256 of its token. Times in seconds.

    `address` and `user_agent` are those of the sign-in, for the user to recognise it.
    """

    user: UserName
    hash: str
    epoch: int
    created: int
    seen: int
    expires: int
    provider: str = "local"
    address: str = ""
    user_agent: str = ""

    @property
    def id(self) -> str:
        """By which its user names the session: a part of the hash, from which nobody can derive the token."""
        return self.hash[:16]


class AttemptKey(NamedTuple):
    """A bucket of failed logins of a subject (`n#<name>`, `a#<address>`); `sign_in.attempts` counts them."""

    subject: str
    bucket: int  # seconds since the epoch / attempts.BUCKET_SECONDS


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed logins in a bucket: how many, when the last one was and the one before it (0: none), in seconds.

    A lock that began in the bucket ends at `until`.
    """

    count: int
    last: int
    before: int = 0
    until: int = 0


Counts = Mapping[str, Failures]  # of one bucket: attempts.ALL, and of a name also by the tag of an address


@dataclass(frozen=True, slots=True)
class Identity:
    """The result of one read: a user or a robot, and some projects. Absent ones are left out.

    `roles` has the strongest role that the user has in a whole project, as a member or by a group; `limited_roles` has
    the roles that are limited to some repositories. `proof` is what the trail keeps of the identity token by which a
    robot came in; "" for a secret.
    """

    user: User | None = None
    refresh_token: RefreshToken | None = None
    projects: Mapping[ProjectName, Project] = field(default_factory=dict)
    roles: Mapping[ProjectName, Role] = field(default_factory=dict)
    session: Session | None = None
    attempts: Mapping[AttemptKey, Counts] = field(default_factory=dict)
    robot: Robot | None = None
    access_token: AccessToken | None = None  # by which the user came in: it limits them
    limited_roles: Mapping[ProjectName, tuple[HeldRole, ...]] = field(default_factory=dict)
    proof: str = ""


def strongest(roles: Iterable[Role]) -> Role | None:
    """Return the role that may do the most, or None if there is none."""
    return max(roles, key=_WEAKEST_FIRST.index, default=None)


def whole_roles(held: Mapping[ProjectName, Iterable[HeldRole]]) -> dict[ProjectName, Role]:
    """Return the strongest role in each whole project."""
    found = {name: strongest(one.role for one in roles if not one.patterns) for name, roles in held.items()}
    return {name: role for name, role in found.items() if role is not None}


def limited_roles(held: Mapping[ProjectName, Iterable[HeldRole]]) -> dict[ProjectName, tuple[HeldRole, ...]]:
    """Return the roles that are limited to some repositories."""
    found = {name: tuple(one for one in roles if one.patterns) for name, roles in held.items()}
    return {name: roles for name, roles in found.items() if roles}
