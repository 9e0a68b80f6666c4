"""Keys of the identity table's items, and what is read from them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from roadstead.aws.index_items import event_write
from roadstead.aws.table import Item, Key, Write
from roadstead.identity.directory import (
    LOCAL,
    AccessToken,
    Member,
    MemberGroup,
    Profile,
    Project,
    RefreshToken,
    Role,
    Session,
    TokenLevel,
    User,
    UserName,
    strongest,
)
from roadstead.identity.robots import NEVER
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
    groups = {int(group): Role(role) for group, role in item["groups"].items()}
    return Project(
        name, item["public"], item["created"], item["created_by"], item["id"], groups, item.get("metadata", {})
    )


def member_from(project: ProjectName, item: Item) -> Member:
    user = UserName(item["sk"].removeprefix(MEMBER))
    return Member(project, user, Role(item["role"]), item["id"], item["at"])


def member_group_from(project: ProjectName, item: Item) -> MemberGroup:
    group = int(item["sk"].removeprefix(MEMBER_GROUP))
    return MemberGroup(project, group, Role(item["role"]), item["id"], item["at"])


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


def role_in(project: Project | None, member: Item | None, groups: Iterable[int]) -> Role | None:
    """Return the strongest role in a project: that of the member's item, or of one of `groups`."""
    roles = [Role(member["role"])] if member is not None else []
    if project is not None:
        roles += [project.groups[group] for group in groups if group in project.groups]
    return strongest(roles)
