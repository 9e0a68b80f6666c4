"""Robots, of projects and of the system.

A robot of a project is its project's: what is needed is `robot:<action>` there. For a system robot it is the same
permission in the system, which system administrators have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from functions.management.authorization import identity_of, require_in_project, require_in_system
from functions.management.call import Call, text
from functions.management.errors import ManagementCode, ManagementError, bad_request, conflict, not_found
from functions.management.harbor.paging import page_response, requested_page
from functions.management.harbor.query import Exact, Sort, parse_query
from functions.management.harbor.robots import (
    AskedGrant,
    AskedRobot,
    asked_robot,
    created_document,
    level_of,
    robot_document,
)
from functions.management.project_ids import is_id
from functions.management.route import HARBOR, OWN, SignedIn, route
from roadstead.http import Response
from roadstead.identity.directory import Patterns
from roadstead.identity.permissions import PROJECT_CATALOGUE, SYSTEM_CATALOGUE, Action, Permission, Resource
from roadstead.identity.robots.robot_accounts import (
    Maker,
    MoreThanItsMaker,
    RobotAccounts,
    RobotChange,
    RobotExists,
    RobotGone,
    RobotRuleBroken,
)
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.robots.robots import Robot, RobotGrant, Scope
from roadstead.ids import IdKind
from roadstead.names import ProjectName

_MAX_PROJECTS = 40  # that one robot names: they are read in one request, with a role in each


def get_permissions(call: Call) -> Response:
    """What a robot can have: in a project, and for those who make system robots in the system."""
    document = {"project": _catalogue(PROJECT_CATALOGUE)}
    create = Permission(Resource.ROBOT, Action.CREATE)
    if call.caller.is_admin or create in call.caller.system_permissions:
        document["system"] = _catalogue(SYSTEM_CATALOGUE)
    return Response.json(200, document)


def list_robots(call: Call) -> Response:
    """System robots, or with `q=Level=project,ProjectID=<id>` those of a project.

    Costs their list and that of projects.
    """
    request = call.request
    page, query = requested_page(request), parse_query(request.parameter("q"), request.parameter("sort"))
    level = query.terms.get("Level", Exact(Scope.SYSTEM))
    project = None
    if level == Exact(Scope.PROJECT):
        project, id_ = _asked_project(call, query.terms.get("ProjectID"))
        require_in_project(call.services, call.caller, project, Permission(Resource.ROBOT, Action.LIST), id_=id_)
    elif level == Exact(Scope.SYSTEM):
        require_in_system(call.caller, Permission(Resource.ROBOT, Action.LIST))
    else:
        raise bad_request("Level must be system or project")
    existing = _existing(call)
    listed = [robot for robot in call.services.directory.list_robots(project) if _is_live(robot, existing)]
    fields = _fields(_prefix(call))
    found = query.sorted(query.filtered(listed, fields), fields, (Sort("name"),))
    documents = [robot_document(robot, _prefix(call), existing) for robot in page.of(found)]
    return page_response(request, page, len(found), documents)


def create_robot(call: Call) -> Response:
    """The response alone has the secret; one in the request is ignored. Raises 400, 403, 404, 409."""
    return _create(call, asked_robot(call.document()))


def create_limited_robot(call: Call) -> Response:
    """As `create_robot`, with `repositories` in a permission: patterns that limit it."""
    return _create(call, asked_robot(call.document(), limited=True))


def _create(call: Call, asked: AskedRobot) -> Response:
    if asked.duration is None:
        raise bad_request("duration is missing: a number of days, or -1 for a robot that does not expire")
    owner = _owner(call, asked, Action.CREATE)
    maker, grants = _maker(call, asked)
    project = maker.identity.projects[owner] if owner is not None else None
    try:
        name = RobotName.parse(owner, asked.name)
    except ValueError as error:
        raise bad_request(str(error)) from error
    change = RobotChange(grants, asked.duration, asked.description, asked.disabled)
    accounts = _accounts(call, maker)
    robot, secret = refused_as_errors(lambda: accounts.create(name, project.id if project is not None else 0, change))
    location = f"{HARBOR}/robots/{robot.id}"
    return Response.json(201, created_document(robot, _prefix(call), secret), [("Location", location)])


def get_robot(call: Call, robot: str) -> Response:
    found = found_robot(call, robot, Action.READ)
    return Response.json(200, robot_document(found, _prefix(call), _existing(call)))


def get_limited_robot(call: Call, robot: str) -> Response:
    """As `get_robot`, with the patterns that limit each permission."""
    found = found_robot(call, robot, Action.READ)
    return Response.json(200, robot_document(found, _prefix(call), _existing(call), limited=True))


def update_robot(call: Call, robot: str) -> Response:
    """Replace what the document says. It repeats the level and the full name. Raises 400, 403, 404.

    Patterns that limit a permission, which the document cannot say, stay.
    """
    return _update(call, robot, asked_robot(call.document()))


def update_limited_robot(call: Call, robot: str) -> Response:
    """As `update_robot`, with `repositories` in a permission: patterns that limit it, none where they are left out."""
    return _update(call, robot, asked_robot(call.document(), limited=True))


def _update(call: Call, robot: str, asked: AskedRobot) -> Response:
    found = found_robot(call, robot, Action.UPDATE)
    if asked.level != level_of(found) or asked.name != found.name.full(_prefix(call)):
        raise bad_request(
            f"the level and the name of a robot cannot change: repeat {level_of(found)} "
            f"and {found.name.full(_prefix(call))}"
        )
    maker, grants = _maker(call, asked, found)
    duration = asked.duration if asked.duration is not None else found.duration
    change = RobotChange(grants, duration, asked.description, asked.disabled)
    refused_as_errors(lambda: _accounts(call, maker).update(found, change))
    return Response(200)


def refresh_secret(call: Call, robot: str) -> Response:
    """Give a robot the secret of the document, or a new one, which the response has. Raises 400, 403, 404."""
    chosen = text(call.document(), "secret", "") if call.request.body else ""
    found = found_robot(call, robot, Action.UPDATE)
    secret = refused_as_errors(lambda: own_accounts(call).change_secret(found, chosen))
    return Response.json(200, {"secret": "" if chosen else secret})


def delete_robot(call: Call, robot: str) -> Response:
    found = found_robot(call, robot, Action.DELETE)
    own_accounts(call).remove(found)
    return Response(200)


def found_robot(call: Call, text: str, action: Action) -> Robot:
    """Return the robot with this id, if the caller may do `action` with it. Costs two reads, or three in a project.

    Whoever may not gets 403 whether or not there is such a robot; a system administrator gets 404.
    """
    local = call.services.lists.find_by_id(IdKind.ROBOT, int(text)) if is_id(text) else None
    robot = call.services.directory.find_robot(RobotName.parse_local(local)) if local is not None else None
    permission = Permission(Resource.ROBOT, action)
    if robot is None or str(robot.id) != text:
        require_in_system(call.caller, permission)
        raise not_found(f"there is no robot with the id {text[:20]!r}")
    if robot.name.project is None:
        require_in_system(call.caller, permission)
    else:
        require_in_project(call.services, call.caller, robot.name.project, permission, id_=robot.project_id)
    return robot


def _owner(call: Call, asked: AskedRobot, action: Action) -> ProjectName | None:
    """Return the project of a robot that is asked for; None for a system robot. Raises 400, 401, 403, 404."""
    permission = Permission(Resource.ROBOT, action)
    if asked.level is Scope.SYSTEM:
        require_in_system(call.caller, permission)
        return None
    (grant,) = asked.grants
    if grant.scope is not Scope.PROJECT or grant.project is None:
        raise bad_request("the permission of a project's robot has the kind project and that project as its namespace")
    return require_in_project(call.services, call.caller, grant.project, permission).project.name


def _maker(call: Call, asked: AskedRobot, robot: Robot | None = None) -> tuple[Maker, tuple[RobotGrant, ...]]:
    """Return the caller as a maker of robots, and the grants, with the ids of their projects. Raises 400, 404.

    A grant of which no patterns are asked keeps those that the `robot` has there.
    """
    names = tuple(dict.fromkeys(grant.project for grant in asked.grants if grant.project is not None))
    if len(names) > _MAX_PROJECTS:
        raise bad_request(f"a robot names at most {_MAX_PROJECTS} projects; the namespace * means all")
    identity = identity_of(call.services, call.caller, names)
    absent = next((name for name in names if name not in identity.projects), None)
    if absent is not None:
        raise not_found(f"there is no project {absent}")
    grants = tuple(
        RobotGrant(
            grant.scope,
            grant.permissions,
            grant.project,
            identity.projects[grant.project].id if grant.project is not None else 0,
            grant.patterns if grant.patterns is not None else _kept(robot, grant),
        )
        for grant in asked.grants
    )
    return Maker(call.actor, identity), grants


def _kept(robot: Robot | None, asked: AskedGrant) -> Patterns:
    """Return the patterns of a robot's grant in the same place; none where it has several, or is not limited."""
    if robot is None:
        return ()
    there = [one.patterns for one in robot.grants if (one.scope, one.project) == (asked.scope, asked.project)]
    if len(there) > 1:
        raise bad_request(f"this robot has several limits in one place: change it at {OWN}/robots/{robot.id}")
    return there[0] if there else ()


def own_accounts(call: Call) -> RobotAccounts:
    """Return what changes robots in the name of the caller, and grants nothing."""
    return _accounts(call, Maker(call.actor, identity_of(call.services, call.caller, ())))


def _accounts(call: Call, maker: Maker) -> RobotAccounts:
    services = call.services
    return RobotAccounts(services.directory, services.hasher, maker, prefix=_prefix(call), clock=services.clock)


def _asked_project(call: Call, term: object) -> tuple[ProjectName, int]:
    text = term.value if isinstance(term, Exact) else ""
    if not is_id(text):
        raise bad_request("with Level=project, ProjectID must be the id of a project")
    name = call.services.lists.find_by_id(IdKind.PROJECT, int(text))
    if name is None:
        require_in_system(call.caller, Permission(Resource.ROBOT, Action.LIST))
        raise not_found(f"there is no project with the id {text}")
    return ProjectName(name), int(text)


def _existing(call: Call) -> frozenset[tuple[str, int]]:
    return frozenset((project.name, project.id) for project in call.services.lists.list_projects())


def _is_live(robot: Robot, existing: frozenset[tuple[str, int]]) -> bool:
    """Whether the robot's project is still the one that it was made in."""
    return robot.name.project is None or (robot.name.project, robot.project_id) in existing


def _fields(prefix: str) -> Mapping[str, Callable[[Robot], Any]]:
    return {
        "name": lambda robot: robot.name.full(prefix),
        "id": lambda robot: robot.id,
        "description": lambda robot: robot.description,
        "disabled": lambda robot: robot.disabled,
        "creation_time": lambda robot: robot.created,
        "update_time": lambda robot: robot.updated,
        "expires_at": lambda robot: robot.expires,
    }


def _prefix(call: Call) -> str:
    return call.services.configuration.read().text("robot_name_prefix")


def _catalogue(permissions: tuple[Permission, ...]) -> list[dict[str, str]]:
    return [{"resource": str(one.resource), "action": str(one.action)} for one in permissions]


def refused_as_errors(change: Callable[[], Any]) -> Any:
    try:
        return change()
    except RobotExists as error:
        raise conflict(str(error)) from error
    except RobotGone as error:
        raise not_found(str(error)) from error
    except MoreThanItsMaker as error:
        raise ManagementError(ManagementCode.FORBIDDEN, str(error)) from error
    except RobotRuleBroken as error:
        raise bad_request(str(error)) from error


_ROBOTS = f"{HARBOR}/robots"
_ROBOT = f"{_ROBOTS}/{{robot}}"
ROUTES = (
    route("getPermissions", "GET", f"{HARBOR}/permissions", SignedIn(), get_permissions),
    route("ListRobot", "GET", _ROBOTS, SignedIn(), list_robots),
    route("CreateRobot", "POST", _ROBOTS, SignedIn(), create_robot),
    route("GetRobotByID", "GET", _ROBOT, SignedIn(), get_robot),
    route("UpdateRobot", "PUT", _ROBOT, SignedIn(), update_robot),
    route("RefreshSec", "PATCH", _ROBOT, SignedIn(), refresh_secret),
    route("DeleteRobot", "DELETE", _ROBOT, SignedIn(), delete_robot),
    route("createLimitedRobot", "POST", f"{OWN}/robots", SignedIn(), create_limited_robot),
    route("getLimitedRobot", "GET", f"{OWN}/robots/{{robot}}", SignedIn(), get_limited_robot),
    route("updateLimitedRobot", "PUT", f"{OWN}/robots/{{robot}}", SignedIn(), update_limited_robot),
)
