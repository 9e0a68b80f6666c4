"""What a row of the management API's route table says: the request, the access that it needs, and its handler.

Each module of `functions.management.handlers` ends with its rows, `ROUTES`. `functions.management.routes` puts all rows
together.
"""

from __future__ import annotations

from dataclasses import dataclass

from functions.management.call import Handler
from functions.management.paths import Template
from roadstead.identity.permissions import Permission

HARBOR = "/api/v2.0"
OWN = "/api/roadstead/v1"


@dataclass(frozen=True, slots=True)
class Nothing:
    """No access is needed, and credentials are not read: the caller is anonymous."""


@dataclass(frozen=True, slots=True)
class Anybody:
    """No access is needed, but credentials that are sent must be right."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Any authenticated caller."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user who has signed in by password or session: no robot, and nobody with a token."""


@dataclass(frozen=True, slots=True)
class SystemAdmin:
    """A system administrator, or a robot with `permission` in the system as a whole; without one, no robot."""

    permission: Permission | None = None


@dataclass(frozen=True, slots=True)
class InProject:
    """A permission in the project that the path names."""

    permission: Permission


Needs = Nothing | Anybody | SignedIn | Person | SystemAdmin | InProject


@dataclass(frozen=True, slots=True)
class Route:
    """`operation` is Harbor's operationId, or ours for what Harbor does not have."""

    operation: str
    method: str
    template: Template
    needs: Needs
    handler: Handler


@dataclass(frozen=True, slots=True)
class Match:
    """A request's route and the decoded parameters of its path."""

    route: Route
    parameters: dict[str, str]


def route(operation: str, method: str, path: str, needs: Needs, handler: Handler) -> Route:
    """Return a row. `path` has parameters in braces; `project` or `project_name` is the project of `InProject`."""
    return Route(operation, method, Template(path), needs, handler)


def in_system(resource: str, action: str) -> SystemAdmin:
    """Return the need of a permission in the system as a whole. Raises ValueError if there is no such permission."""
    return SystemAdmin(Permission.parse(resource, action))


def in_project(resource: str, action: str) -> InProject:
    """Return the need of a permission in the path's project. Raises ValueError if there is no such permission."""
    return InProject(Permission.parse(resource, action))


def in_words(needs: Needs) -> str:
    """Return what a row needs, as a part of a sentence."""
    match needs:
        case Nothing():
            return "nothing; credentials are not read"
        case Anybody():
            return "nothing"
        case SignedIn():
            return "a sign-in"
        case Person():
            return "a sign-in by password or session"
        case SystemAdmin(None):
            return "a system administrator"
        case SystemAdmin(permission):
            return f"a system administrator, or a robot with `{permission}`"
        case InProject(permission):
            return f"`{permission}` in the project"
