"""Whether a request may go on: decided once, before its handler runs, from the row of its route.

An unknown project is 404 for a system administrator and 403 for everybody else, so that nobody learns which private
projects exist; an anonymous caller gets 401, since signing in may help.
"""

from __future__ import annotations

from collections.abc import Iterable

from functions.hosting.viewer import origin
from functions.management.authentication import SAFE_METHODS, authenticate, credentials_of
from functions.management.call import Caller, ProjectAccess
from functions.management.errors import ManagementCode, ManagementError, not_found
from functions.management.paths import REPOSITORY
from functions.management.project_ids import is_id, name_of
from functions.management.route import Anybody, InProject, Match, Nothing, Person, SignedIn, SystemAdmin
from functions.management.services import Services
from roadstead.http import Request
from roadstead.identity.directory import Identity, TokenLevel
from roadstead.identity.permissions import Permission
from roadstead.identity.sign_in.access_tokens import limited
from roadstead.names import ProjectName, RepositoryName

PROJECT, PROJECT_NAME = "project", "project_name"  # the path parameters that mean a project; the second is no id


def authorize(services: Services, request: Request, match: Match) -> tuple[Caller, ProjectAccess | None]:
    """Return the caller, and their access to the path's project. Raises 401, 403 or 404. Costs one read."""
    needs = match.route.needs
    if isinstance(needs, Nothing):
        return Caller(origin(request)), None
    name = _project_name(services, request, match) if isinstance(needs, InProject) else None
    caller, identity = authenticate(services, request, credentials_of(request), (name,) if name is not None else ())
    token = caller.access_token
    if token is not None and token.level is TokenLevel.READ and request.method not in SAFE_METHODS:
        raise ManagementError(ManagementCode.FORBIDDEN, f"the access token {token.name!r} is for reading only")
    match needs:
        case Anybody():
            return caller, None
        case SignedIn():
            if not caller.is_signed_in:
                raise _sign_in()
            return caller, None
        case Person():
            if not caller.is_signed_in:
                raise _sign_in()
            if not caller.is_person:
                message = "only a user who signed in by password or session may do this"
                raise ManagementError(ManagementCode.FORBIDDEN, message)
            return caller, None
        case SystemAdmin(permission):
            require_in_system(caller, permission)
            return caller, None
        case InProject(permission):
            access = _access(identity, name, _project_text(match), is_name=_is_name(request, match))
            repository = match.parameters.get(REPOSITORY)
            if access is not None and repository is not None:
                access = _on(access, repository)
            return caller, _required(caller, access, permission, _project_text(match))


def require_in_system(caller: Caller, permission: Permission | None) -> None:
    """Raises 401 or 403 unless the caller is a system administrator, or a robot with `permission` in the system."""
    if not caller.is_signed_in:
        raise _sign_in()
    if caller.is_admin or (permission is not None and permission in caller.system_permissions):
        return
    also = f", or a robot with {permission} in the system" if permission is not None else ""
    raise ManagementError(ManagementCode.FORBIDDEN, f"only a system administrator may do this{also}")


def require_in_project(
    services: Services, caller: Caller, project: ProjectName, permission: Permission, *, id_: int | None = None
) -> ProjectAccess:
    """Return the caller's access to a project that the path does not name; with `id_`, only to the one with that id.

    Costs one read. Raises 401, 403 or 404.
    """
    identity = identity_of(services, caller, (project,))
    found = identity.projects.get(project)
    is_it = found is not None and id_ in (None, found.id)
    access = ProjectAccess.of(found, identity) if found is not None and is_it else None
    return _required(caller, access, permission, project)


def identity_of(services: Services, caller: Caller, projects: Iterable[ProjectName]) -> Identity:
    """Return the caller as the store has them, with `projects`. Costs one read."""
    user = caller.user.name if caller.user is not None else None
    robot = caller.robot.name if caller.robot is not None else None
    identity = services.directory.read(user, projects, robot=robot)
    return limited(identity, caller.access_token) if caller.access_token is not None else identity


def require_on_repository(
    services: Services, caller: Caller, repository: RepositoryName, permission: Permission
) -> ProjectAccess:
    """Return the caller's access to a repository that the path does not name. Costs one read. Raises 401, 403, 404."""
    identity = identity_of(services, caller, (repository.project,))
    found = identity.projects.get(repository.project)
    access = ProjectAccess.of(found, identity).on(repository) if found is not None else None
    return _required(caller, access, permission, repository.project)


def _on(access: ProjectAccess, text: str) -> ProjectAccess:
    """Return the access to a repository of the path; a malformed name, which is none, is for the handler to refuse."""
    try:
        return access.on(RepositoryName.parse(f"{access.project.name}/{text}"))
    except ValueError:
        return access


def _required(caller: Caller, access: ProjectAccess | None, permission: Permission, project: str) -> ProjectAccess:
    if access is not None and permission in access.permissions:
        return access
    if not caller.is_signed_in:
        raise _sign_in()
    if access is None and caller.is_admin:
        raise not_found(f"there is no project {project[:100]!r}")
    refused = f"{caller.actor.name} may not {permission.action} its {permission.resource}"
    raise ManagementError(ManagementCode.FORBIDDEN, f"the project does not exist, or {refused}")


def _project_name(services: Services, request: Request, match: Match) -> ProjectName | None:
    """Costs one read where the path has the project's id."""
    return name_of(services.lists, _project_text(match), is_name=_is_name(request, match))


def _project_text(match: Match) -> str:
    return match.parameters.get(PROJECT) or match.parameters[PROJECT_NAME]


def _is_name(request: Request, match: Match) -> bool:
    """Whether a number in the path is a name all the same."""
    return PROJECT_NAME in match.parameters or (request.header("x-is-resource-name") or "").lower() == "true"


def _access(identity: Identity, name: ProjectName | None, text: str, *, is_name: bool) -> ProjectAccess | None:
    project = identity.projects.get(name) if name is not None else None
    if project is None or (not is_name and is_id(text) and project.id != int(text)):
        return None  # a project of that name was created anew, with another id
    return ProjectAccess.of(project, identity)


def _sign_in() -> ManagementError:
    return ManagementError(ManagementCode.UNAUTHORIZED, "sign in, or send Basic credentials, to do this")
