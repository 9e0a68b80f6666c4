"""One call of the management API: the request, the caller, and what the route's check has read already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from functions.management.errors import bad_request
from functions.management.services import Services
from roadstead.documents import AmbiguousDocument, read
from roadstead.http import Request, Response
from roadstead.identity.accounts import Accounts
from roadstead.identity.directory import AccessToken, Identity, Project, Role, Session, User
from roadstead.identity.lists import VisibleProject, visible_projects
from roadstead.identity.permissions import Permission
from roadstead.identity.rights import permissions_in, permissions_on, sees
from roadstead.identity.robots.robots import Robot
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor

MAX_BODY = 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a user, a robot, or (neither) an anonymous caller. `session` is set where its cookie was sent.

    A user who came by an `access_token` is a system administrator only if the token is for that. `by_id_token` is
    whether a user came by an id token of a provider.
    """

    actor: Actor
    user: User | None = None
    session: Session | None = None
    robot: Robot | None = None
    access_token: AccessToken | None = None
    by_id_token: bool = False

    @property
    def is_person(self) -> bool:
        """Whether a user came by password or session, and not by a token, which somebody else may have got hold of."""
        return self.user is not None and self.access_token is None and not self.by_id_token

    @property
    def is_signed_in(self) -> bool:
        return self.user is not None or self.robot is not None

    @property
    def system_permissions(self) -> frozenset[Permission]:
        """Return what a robot may do in the system as a whole. A system administrator may do everything there."""
        return self.robot.system_permissions if self.robot is not None else frozenset()

    @property
    def is_admin(self) -> bool:
        return self.user is not None and self.user.admin


@dataclass(frozen=True, slots=True)
class ProjectAccess:
    """A project, and what the caller may do in it. `role` is that in the whole project, or None.

    Where the path names a repository, `permissions` are those on it.
    """

    project: Project
    role: Role | None
    permissions: frozenset[Permission]
    identity: Identity

    @classmethod
    def of(cls, project: Project, identity: Identity) -> ProjectAccess:
        """Return the access of the caller of `identity`, which has the project."""
        return cls(project, identity.roles.get(project.name), permissions_in(project.name, identity), identity)

    def on(self, repository: RepositoryName) -> ProjectAccess:
        """Return the access with the permissions on one repository."""
        return replace(self, permissions=permissions_on(repository, self.identity))

    def sees(self, repository: RepositoryName) -> bool:
        """Whether the caller may see that a repository of the project exists."""
        return sees(repository, self.identity)


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler gets, beside the parameters of its path."""

    request: Request
    services: Services
    caller: Caller
    access: ProjectAccess | None = None  # set where the route is about a project

    @property
    def actor(self) -> Actor:
        return self.caller.actor

    @property
    def project(self) -> ProjectAccess:
        """The project of the path. Only routes that need a permission in a project have one."""
        if self.access is None:
            raise LookupError("the route does not name a project")
        return self.access

    def visible_projects(self, *, roles: bool = True) -> Sequence[VisibleProject]:
        """Return the projects that the caller may see. Costs the list of projects and the caller's roles; without
        `roles` not those of a system administrator."""
        caller = self.caller
        found = visible_projects(self.services.lists, caller.user, caller.robot, roles=roles)
        token = caller.access_token
        if token is None:
            return found
        reached = (one if token.reaches(one.project.name, one.project.id) else replace(one, role=None) for one in found)
        return [one for one in reached if one.project.public or token.reaches(one.project.name, one.project.id)]

    def accounts(self) -> Accounts:
        """Return the accounts, changed in the caller's name."""
        return Accounts(self.services.directory, self.services.hasher, actor=self.actor, clock=self.services.clock)

    def document(self) -> dict[str, Any]:
        """Return the body's JSON object. Raises 400. Unknown members are the handler's to ignore."""
        return document_of(self.request)


Handler = Callable[..., Response]  # (call, **parameters of the path)


def document_of(request: Request) -> dict[str, Any]:
    """Raises 400 unless the body is one JSON object of at most MAX_BODY bytes."""
    if len(request.body) > MAX_BODY:
        raise bad_request(f"the body has {len(request.body)} bytes; at most {MAX_BODY} are accepted")
    try:
        document = read(request.body)
    except AmbiguousDocument as error:
        raise bad_request(str(error)) from error
    except ValueError as error:
        raise bad_request("the body must be a JSON object") from error
    if not isinstance(document, dict):
        raise bad_request("the body must be a JSON object")
    return document


def text(document: Mapping[str, Any], name: str, default: str | None = None, *, most: int = 1_024) -> str:
    """Return a member of a document. Raises 400 if it is absent without a default, not text, or too long."""
    value = document.get(name, default)
    if value is None:
        raise bad_request(f"{name} is missing")
    if not isinstance(value, str):
        raise bad_request(f"{name} must be text")
    if len(value) > most:
        raise bad_request(f"{name} has {len(value)} characters; at most {most} are accepted")
    return value
