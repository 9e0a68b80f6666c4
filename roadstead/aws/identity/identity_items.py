"""Keys of the identity table's items, and what is read from them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from roadstead.aws.content.index_items import event_write
from roadstead.aws.table import Item, Key, Write
from roadstead.identity.directory import (
    LOCAL,
    AccessToken,
    HeldRole,
    Member,
    MemberGroup,
    Patterns,
    Profile,
    Project,
    RefreshToken,
    Role,
    Session,
    TokenLevel,
    User,
    UserName,
)
from roadstead.identity.robots.robots import NEVER
from roadstead.names import ProjectName
from roadstead.trail.entries import Event

META, MEMBER, MEMBER_GROUP, IN = "meta", "member#", "group#", "in#"
PROJECTS, USERS, GROUPS = "projects", "users", "groups"  # the compact partitions that lists read
ADMIN_GROUPS: Key = ("admin-groups", "ids")
SESSION_FIELDS = ("epoch", "created", "seen", "expires", "provider", "address", "user_agent")
ABSENT, PRESENT = "attribute_not_exists(pk)", "attribute_exists(pk)"
USABLE = f"{PRESENT} AND attribute_not_exists(deleting)"  # of a group that is not being removed


def user_key(name: UserName) -> Key:
    return f"user#{name}", META


def listed_user_key(name: UserName) -> Key:
    return USERS, name


def refresh_key(user: UserName, hash_: str) -> Key:
    return f"user#{user}", f"refresh#{hash_}"


def session_key(user: UserName, hash_: str) -> Key:
    return f"user#{user}", f"session#{hash_}"


def access_token_key(user: UserName, hash_: str) -> Key:
    return f"user#{user}", f"access#{hash_}"


def project_key(name: ProjectName) -> Key:
    return f"project#{name}", META


def listed_project_key(name: ProjectName) -> Key:
    return PROJECTS, name


def deleted_project_key(name: ProjectName) -> Key:
    """The last project of that name that was deleted."""
    return f"project#{name}", "gone"


def member_key(project: ProjectName, user: UserName) -> Key:
    return f"project#{project}", f"{MEMBER}{user}"


def membership_key(user: UserName, project: ProjectName) -> Key:
    """The inverse of a member."""
    return f"user#{user}", f"{IN}{project}"


def group_role_key(group: int, project: ProjectName) -> Key:
    """The inverse of a group's role on a project's item."""
    return f"group#{group}", f"{IN}{project}"


def group_key(id_: int) -> Key:
    return f"group#{id_}", META


def listed_group_key(kind: int, key: str) -> Key:
    return GROUPS, f"{int(kind)}#{key}"


def group_member_key(group: int, user: UserName) -> Key:
    """A member of a local group."""
    return f"group#{group}", f"{MEMBER}{user}"


def user_group_key(user: UserName, group: int) -> Key:
    """The inverse of a member of a local group."""
    return f"user#{user}", f"{MEMBER_GROUP}{group}"


def member_group_key(project: ProjectName, group: int) -> Key:
    """A group as a member of a project."""
    return f"project#{project}", f"{MEMBER_GROUP}{group}"


def told(event: Event | None) -> list[Write]:
    return [event_write(event)] if event is not None else []


def subject_key(provider: str, subject: str) -> Key:
    """By hash: a subject may be long, and may hold anything."""
    return f"subject#{provider}", hashlib.sha256(subject.encode()).hexdigest()


def is_admin(item: Item) -> bool:
    """Whether a user's item, or what lists have of it, says that the user is an administrator, by whatever way."""
    return bool(item["admin"] or item.get("admin_by_provider"))


def user_from(name: UserName, item: Item) -> User:
    return User(
        name,
        item["password"],
        item["created"],
        is_admin(item),
        item["disabled"],
        item["epoch"],
        item["id"],
        tuple(item["groups"]),
        profile_from(item),
        tuple(sorted(item.get("local_groups", ()))),
        provider=item.get("provider", LOCAL),
        subject=item.get("subject", ""),
        admin_by_provider=item.get("admin_by_provider", False),
        confirmed=item.get("confirmed", 0),
    )


def profile_from(item: Item) -> Profile:
    return Profile(**item.get("profile", {}))


def project_from(name: ProjectName, item: Item) -> Project:
    held = {int(group): held_from(value) for group, value in item["groups"].items()}
    groups = {group: one.role for group, one in held.items()}
    patterns = {group: one.patterns for group, one in held.items() if one.patterns}
    return Project(
        name=name,
        public=item["public"],
        created=item["created"],
        created_by=item["created_by"],
        id=item["id"],
        groups=groups,
        metadata=item.get("metadata", {}),
        group_patterns=patterns,
    )


def held_item(role: Role, patterns: Patterns) -> Any:
    """A group's role as the project's item keeps it: its name, with patterns a map."""
    return {"role": role, "patterns": list(patterns)} if patterns else role


def held_from(value: Any) -> HeldRole:
    if isinstance(value, str):
        return HeldRole(Role(value))
    return HeldRole(Role(value["role"]), tuple(value.get("patterns", ())))


def member_from(project: ProjectName, item: Item) -> Member:
    user = UserName(item["sk"].removeprefix(MEMBER))
    return Member(project, user, Role(item["role"]), item["id"], item["at"], tuple(item.get("patterns", ())))


def member_group_from(project: ProjectName, item: Item) -> MemberGroup:
    group = int(item["sk"].removeprefix(MEMBER_GROUP))
    return MemberGroup(project, group, Role(item["role"]), item["id"], item["at"], tuple(item.get("patterns", ())))


def refresh_token_from(user: UserName, item: Item) -> RefreshToken:
    hash_ = item["sk"].removeprefix("refresh#")
    return RefreshToken(user, hash_, item["client"], item["epoch"], item["created"], item["expires"], item["ends"])


def access_token_from(user: UserName, item: Item) -> AccessToken:
    return AccessToken(
        user=user,
        user_id=item["user_id"],
        hash=item["sk"].removeprefix("access#"),
        name=item["name"],
        level=TokenLevel(item["level"]),
        projects=tuple((ProjectName(one["name"]), one["id"]) for one in item["projects"]),
        created=item["created"],
        expires=item.get("expires", NEVER),
        used=item["used"],
    )


def session_from(user: UserName, item: Item) -> Session:
    fields = {name: item[name] for name in SESSION_FIELDS}
    return Session(user=user, hash=item["sk"].removeprefix("session#"), **fields)


def roles_in(project: Project | None, member: Item | None, groups: Iterable[int]) -> tuple[HeldRole, ...]:
    """Return the roles in a project: that of the member's item, and those of `groups`."""
    roles = [held_from(member)] if member is not None else []
    if project is not None:
        held, patterns = project.groups, project.group_patterns
        roles += [HeldRole(held[group], patterns.get(group, ())) for group in groups if group in held]
    return tuple(roles)


def role_item(role: Role, patterns: Patterns) -> Item:
    """Return the attributes of a role on an item of its own."""
    return {"role": role, "patterns": list(patterns)} if patterns else {"role": role}
