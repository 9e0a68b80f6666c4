"""The audit trail of the last 90 days, in both of Harbor's shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from functions.management.call import Call
from functions.management.errors import ManagementCode, ManagementError, bad_request
from functions.management.harbor.audit import (
    EVENT_TYPES,
    audit_log_document,
    audit_log_ext_document,
    kind_of,
    resource_of,
)
from functions.management.harbor.paging import page_response, requested_page
from functions.management.harbor.query import Between, Query, parse_query
from functions.management.route import HARBOR, SignedIn, in_project, route
from roadstead.http import Response
from roadstead.identity.lists import VisibleProject
from roadstead.identity.permissions import Action, Permission, Resource
from roadstead.identity.roles import permissions_of
from roadstead.parallel import each
from roadstead.trail.entries import AuditEntry
from roadstead.trail.pages import Asked, TooManyEntries, ask

MAX_PROJECTS = 50  # of a caller who is no system administrator
_TIME = "op_time"
_FIELDS: Mapping[str, Callable[[AuditEntry], Any]] = {
    "username": lambda entry: entry.actor.name,
    "operation": lambda entry: kind_of(entry.operation)[0],
    "resource_type": lambda entry: kind_of(entry.operation)[1],
    "event_type": lambda entry: "_".join(kind_of(entry.operation)),
    "resource": resource_of,
    "project": lambda entry: entry.project,
}
_EVERYTHING = Permission(Resource.AUDIT_LOG, Action.LIST)
_OF_PROJECT = Permission(Resource.LOG, Action.LIST)
Shape = Callable[[AuditEntry], dict[str, Any]]


def list_audit_logs(call: Call) -> Response:
    return _everything(call, audit_log_document)


def list_audit_log_exts(call: Call) -> Response:
    return _everything(call, audit_log_ext_document)


def list_event_types(call: Call) -> Response:
    return Response.json(200, [{"event_type": name} for name in EVENT_TYPES])


def list_project_logs(call: Call, project_name: str) -> Response:
    return _of_project(call, audit_log_document)


def list_project_log_exts(call: Call, project_name: str) -> Response:
    return _of_project(call, audit_log_ext_document)


def _everything(call: Call, shape: Shape) -> Response:
    """All entries for a system administrator; for others those of the projects whose logs they may list."""
    if _sees_everything(call):
        return _page(call, None, shape)
    projects = _logged(call, call.visible_projects())
    if len(projects) > MAX_PROJECTS:
        raise bad_request(f"you may see the logs of more than {MAX_PROJECTS} projects; ask for those of one project")
    return _page(call, projects, shape)


def newest_entries(call: Call, visible: Sequence[VisibleProject], limit: int) -> Sequence[AuditEntry]:
    """Return the last entries that the caller may see; none if these are of more than MAX_PROJECTS projects.

    Costs what `TrailPages.newest` does for a system administrator, a Query for each project for others.
    """
    if _sees_everything(call):
        return call.services.trail.newest(limit)
    projects = _logged(call, visible)
    if len(projects) > MAX_PROJECTS:
        return ()
    found = each(lambda one: call.services.trail.read(one[0], since=one[1], limit=limit), projects.items())
    return sorted((one for some in found for one in some), key=lambda one: (one.at, one.id), reverse=True)[:limit]


def _sees_everything(call: Call) -> bool:
    return call.caller.is_admin or _EVERYTHING in call.caller.system_permissions


def _logged(call: Call, visible: Sequence[VisibleProject]) -> dict[str, int]:
    """The projects whose logs the caller may list, and when (ms) each was created."""
    return {one.project.name: one.project.created * 1000 for one in visible if _OF_PROJECT in _permissions(call, one)}


def _permissions(call: Call, one: VisibleProject) -> frozenset[Permission]:
    if call.caller.robot is not None:
        return call.caller.robot.permissions_in(one.project.name, one.project.id)
    return permissions_of(one.role, public=one.project.public, admin=False)


def _of_project(call: Call, shape: Shape) -> Response:
    """Entries from before the project was created are of another one that had its name."""
    project = call.project.project
    return _page(call, {str(project.name): project.created * 1000}, shape)


def _page(call: Call, projects: dict[str, int] | None, shape: Shape) -> Response:
    """Raises 400 for a question that would look at too many entries; ask for less time."""
    page = requested_page(call.request)
    query = parse_query(call.request.parameter("q"), call.request.parameter("sort"))
    since, until = _range(query)
    known = query.terms.keys() & _FIELDS.keys()
    asked = Asked(
        projects,
        since,
        until,
        (lambda entry: bool(query.filtered([entry], _FIELDS))) if known else None,
        oldest_first=any(sort.key == _TIME and not sort.descending for sort in query.sorts),
    )
    try:
        found, total = ask(call.services.trail, asked, start=page.start, size=page.size)
    except TooManyEntries as error:
        raise ManagementError(ManagementCode.BAD_REQUEST, str(error)) from error
    return page_response(call.request, page, total, [shape(entry) for entry in found])


def _range(query: Query) -> tuple[int, int | None]:
    """The range of `op_time`, in milliseconds, both ends included."""
    term = query.terms.get(_TIME)
    if term is None:
        return 0, None
    if not isinstance(term, Between):
        raise bad_request("op_time takes a range: op_time=[2026-01-01T00:00:00~2026-01-31T23:59:59]")
    since = _milliseconds(term.least) if term.least is not None else 0
    until = _milliseconds(term.most) + 999 if term.most is not None else None
    return since, until


def _milliseconds(end: object) -> int:
    """A time, or seconds since the epoch."""
    if isinstance(end, datetime):
        return int(end.timestamp()) * 1000
    if isinstance(end, int) and 0 <= end < 1 << 40:
        return end * 1000
    raise bad_request("a time in q has the form 2026-01-31T23:59:59, in UTC")


_LOGS = in_project("log", "list")
ROUTES = (
    route("listAuditLogs", "GET", f"{HARBOR}/audit-logs", SignedIn(), list_audit_logs),
    route("listAuditLogExts", "GET", f"{HARBOR}/auditlog-exts", SignedIn(), list_audit_log_exts),
    route("listAuditLogEventTypes", "GET", f"{HARBOR}/auditlog-exts/events", SignedIn(), list_event_types),
    route("getLogs", "GET", f"{HARBOR}/projects/{{project_name}}/logs", _LOGS, list_project_logs),
    route("getLogExts", "GET", f"{HARBOR}/projects/{{project_name}}/auditlog-exts", _LOGS, list_project_log_exts),
)
