"""Permissions: an action on a kind of resource. Roles, robots and personal access tokens are all sets of these.

Names are Harbor's (`GET /permissions`), so that its clients can use them unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Action(StrEnum):
    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    DELETE = "delete"
    LIST = "list"
    PULL = "pull"
    PUSH = "push"
    OPERATE = "operate"  # run, or stop
    START = "start"
    STOP = "stop"


class Resource(StrEnum):
    """What exists in a project (the upper half) and in the system."""

    PROJECT = "project"
    MEMBER = "member"
    METADATA = "metadata"
    LOG = "log"
    LABEL = "label"
    QUOTA = "quota"
    REPOSITORY = "repository"
    ARTIFACT = "artifact"
    TAG = "tag"
    ARTIFACT_LABEL = "artifact-label"
    ACCESSORY = "accessory"
    ADDITION = "artifact-addition"
    RETENTION = "tag-retention"
    IMMUTABLE_TAG = "immutable-tag"
    CONFIGURATION = "configuration"
    ROBOT = "robot"
    WEBHOOK = "notification-policy"
    TRASH = "trash"

    AUDIT_LOG = "audit-log"
    CATALOG = "catalog"
    GARBAGE_COLLECTION = "garbage-collection"
    REGISTRY = "registry"
    USER = "user"
    USER_GROUP = "user-group"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Permission:
    """One action on one kind of resource."""

    resource: Resource
    action: Action

    @classmethod
    def parse(cls, resource: str, action: str) -> Self:
        """Raises ValueError if there is no such resource or action."""
        try:
            return cls(Resource(resource), Action(action))
        except ValueError as error:
            raise ValueError(f"there is no permission {action[:50]!r} on {resource[:50]!r}") from error

    def __str__(self) -> str:
        return f"{self.resource}:{self.action}"


_LETTERS = {
    "C": Action.CREATE,
    "R": Action.READ,
    "U": Action.UPDATE,
    "D": Action.DELETE,
    "L": Action.LIST,
}


def parse_actions(text: str) -> frozenset[Action]:
    """Parse a cell of a permission table: letters of C, R, U, D, L, and whole words (`"CRL pull push"`)."""
    actions: set[Action] = set()
    for word in text.split():
        actions |= {_LETTERS[letter] for letter in word} if word.isupper() else {Action(word)}
    return frozenset(actions)


def _permissions(table: Iterable[tuple[Resource, str]]) -> tuple[Permission, ...]:
    return tuple(
        Permission(resource, action)
        for resource, cell in table
        for action in Action  # in the order of the enumeration
        if action in parse_actions(cell)
    )


# What a robot may hold, as Harbor's catalogue has it, as far as the resources exist here.
SYSTEM_CATALOGUE = _permissions(
    (
        (Resource.AUDIT_LOG, "L"),
        (Resource.CATALOG, "R"),
        (Resource.GARBAGE_COLLECTION, "CRUL stop"),
        (Resource.LABEL, "CRUD"),
        (Resource.PROJECT, "CL"),
        (Resource.QUOTA, "RUL"),
        (Resource.REGISTRY, "CRUDL"),
        (Resource.ROBOT, "CRDL"),
        (Resource.SYSTEM, "R"),
        (Resource.USER, "CRUDL"),
        (Resource.USER_GROUP, "CRUDL"),
    )
)
PROJECT_CATALOGUE = _permissions(
    (
        (Resource.PROJECT, "RUD"),
        (Resource.METADATA, "CRUDL"),
        (Resource.MEMBER, "CRUDL"),
        (Resource.LOG, "L"),
        (Resource.LABEL, "CRUDL"),
        (Resource.QUOTA, "R"),
        (Resource.REPOSITORY, "RUDL pull push"),
        (Resource.ARTIFACT, "CRDL"),
        (Resource.TAG, "CDL"),
        (Resource.ARTIFACT_LABEL, "CD"),
        (Resource.ACCESSORY, "L"),
        (Resource.ADDITION, "R"),
        (Resource.RETENTION, "CRUDL operate"),
        (Resource.IMMUTABLE_TAG, "CUDL"),
        (Resource.ROBOT, "CRDL"),
        (Resource.WEBHOOK, "CRUDL"),
    )
)
