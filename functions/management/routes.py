"""The endpoints of the management API: a row each, with the access that it needs and its handler."""

from __future__ import annotations

from dataclasses import dataclass

from functions.management.call import Handler
from functions.management.errors import ManagementCode, ManagementError, bad_request, not_found
from functions.management.handlers import members, projects, repositories, search, sessions, system, users
from functions.management.paths import MalformedPath, Template
from roadstead.identity.permissions import Permission

HARBOR = "/api/v2.0"
OWN = "/api/roadstead/v1"
MAX_PATH = 2_048  # characters


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
class SystemAdmin:
    """A system administrator."""


@dataclass(frozen=True, slots=True)
class InProject:
    """A permission in the project that the path names."""

    permission: Permission


Needs = Nothing | Anybody | SignedIn | SystemAdmin | InProject


@dataclass(frozen=True, slots=True)
class Route:
    """`operation` is Harbor's operationId, or ours for what Harbor does not have."""

    operation: str
    method: str
    template: Template
    needs: Needs
    handler: Handler


def _route(operation: str, method: str, path: str, needs: Needs, handler: Handler) -> Route:
    return Route(operation, method, Template(path), needs, handler)


def _in_project(resource: str, action: str) -> InProject:
    return InProject(Permission.parse(resource, action))


_PROJECTS, _USERS = f"{HARBOR}/projects", f"{HARBOR}/users"
_PROJECT, _USER = f"{_PROJECTS}/{{project}}", f"{_USERS}/{{user}}"
_MEMBERS, _METADATA = f"{_PROJECT}/members", f"{_PROJECT}/metadatas"
_MEMBER = f"{_MEMBERS}/{{member}}"
_REPOSITORIES = f"{_PROJECTS}/{{project_name}}/repositories"
_TAGS = f"{OWN}/projects/{{project}}/repositories/{{repository}}/tags"

ROUTES = (
    _route("getPing", "GET", f"{HARBOR}/ping", Nothing(), system.ping),
    _route("getSystemInfo", "GET", f"{HARBOR}/systeminfo", Anybody(), system.info),
    _route("getVersion", "GET", "/api/version", Nothing(), system.version),
    _route("listProjects", "GET", _PROJECTS, Anybody(), projects.list_projects),
    _route("headProject", "HEAD", _PROJECTS, SignedIn(), projects.find_project),
    _route("createProject", "POST", _PROJECTS, SignedIn(), projects.create_project),
    _route("getProject", "GET", _PROJECT, _in_project("project", "read"), projects.get_project),
    _route("updateProject", "PUT", _PROJECT, _in_project("project", "update"), projects.update_project),
    _route("getProjectSummary", "GET", f"{_PROJECT}/summary", _in_project("project", "read"), projects.get_summary),
    _route(
        "listProjectMetadatas", "GET", f"{_PROJECT}/metadatas", _in_project("metadata", "read"), projects.list_metadata
    ),
    _route(
        "getProjectMetadata",
        "GET",
        f"{_PROJECT}/metadatas/{{name}}",
        _in_project("metadata", "read"),
        projects.get_metadata,
    ),
    _route("listProjectMembers", "GET", _MEMBERS, _in_project("member", "list"), members.list_members),
    _route("createProjectMember", "POST", _MEMBERS, _in_project("member", "create"), members.create_member),
    _route("getProjectMember", "GET", _MEMBER, _in_project("member", "read"), members.get_member),
    _route("updateProjectMember", "PUT", _MEMBER, _in_project("member", "update"), members.update_member),
    _route("deleteProjectMember", "DELETE", _MEMBER, _in_project("member", "delete"), members.delete_member),
    _route("listRepositories", "GET", _REPOSITORIES, _in_project("repository", "list"), repositories.list_repositories),
    _route(
        "getRepository",
        "GET",
        f"{_REPOSITORIES}/{{repository}}",
        _in_project("repository", "list"),
        repositories.get_repository,
    ),
    _route("listTagsOfRepository", "GET", _TAGS, _in_project("tag", "list"), repositories.list_tags),
    _route("search", "GET", f"{HARBOR}/search", Anybody(), search.search),
    _route("getCurrentUserInfo", "GET", f"{_USERS}/current", SignedIn(), system.current_user),
    _route("searchUsers", "GET", f"{_USERS}/search", SignedIn(), users.search_users),
    _route("listUsers", "GET", _USERS, SystemAdmin(), users.list_users),
    _route("createUser", "POST", _USERS, SystemAdmin(), users.create_user),
    _route("getUser", "GET", _USER, SystemAdmin(), users.get_user),
    _route("setUserSysAdmin", "PUT", f"{_USER}/sysadmin", SystemAdmin(), users.set_admin),
    _route("updateUserPassword", "PUT", f"{_USER}/password", SignedIn(), users.set_password),
    _route("getSession", "GET", f"{OWN}/session", Anybody(), sessions.get),
    _route("beginSession", "POST", f"{OWN}/session", Nothing(), sessions.begin),
    _route("endSession", "DELETE", f"{OWN}/session", Anybody(), sessions.end),
)


@dataclass(frozen=True, slots=True)
class Match:
    """A request's route and the decoded parameters of its path."""

    route: Route
    parameters: dict[str, str]


def match(method: str, path: str) -> Match:
    """Raises 404 for an unknown path, 405 with `Allow` for a wrong method, 400 for a malformed path.

    HEAD is GET without a body wherever GET is (RFC 9110 section 9.1). A trailing slash counts for nothing.
    """
    if len(path) > MAX_PATH:
        raise bad_request(f"the path has more than {MAX_PATH} characters")
    path = path.rstrip("/") or "/"
    allowed: set[str] = set()
    head: Match | None = None
    for route in ROUTES:
        try:
            found = route.template.match(path)
        except MalformedPath as error:
            raise bad_request(str(error)) from error
        if found is None:
            continue
        if route.method == method:
            return Match(route, dict(found))
        if route.method == "GET" and method == "HEAD" and head is None:
            head = Match(route, dict(found))
        allowed.add(route.method)
    if head is not None:
        return head
    if allowed:
        methods = sorted(allowed | ({"HEAD"} if "GET" in allowed else set()))
        raise ManagementError(
            ManagementCode.METHOD_NOT_ALLOWED,
            f"{method[:20]} is not a method of this endpoint",
            headers=[("Allow", ", ".join(methods))],
        )
    raise not_found("there is no such endpoint; check the path, and that the version in it is v2.0")
