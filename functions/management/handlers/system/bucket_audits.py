"""Audits of bucket and usage: started by hand, their schedule, and what they found."""

from __future__ import annotations

from functions.management.call import Call, document_of
from functions.management.errors import bad_request, conflict
from functions.management.handlers.system.executions import execution_document, location_of
from functions.management.harbor.paging import page_response, requested_page
from functions.management.harbor.shapes import milliseconds
from functions.management.route import OWN, in_system, route
from roadstead.conflicts import Conflict
from roadstead.http import Response
from roadstead.lifecycle.bucket_audit.execution import KIND
from roadstead.lifecycle.executions.executions import Running

_MAX_CRON = 200  # characters


def list_audits(call: Call) -> Response:
    """The executions, newest first; `progress` is what each found."""
    page, executions = requested_page(call.request), call.services.executions
    found = executions.list_newest(KIND, "", limit=page.start + page.size)[page.start :]
    return page_response(call.request, page, executions.count(KIND, ""), [execution_document(one) for one in found])


def start(call: Call) -> Response:
    """Start one now: 201 with the execution.

    `{"repair": true}` hands what nothing explains to the collector, and counts anew what counts wrongly.
    Raises 400, 409 if one is under way.
    """
    repair = document_of(call.request).get("repair", False) if call.request.body else False
    if not isinstance(repair, bool):
        raise bad_request("repair must be true or false")
    try:
        started = call.services.audits.start(repair=repair, actor=call.actor)
    except Running as error:
        raise conflict(f"execution {error.id} looks at the bucket already: stop it, or wait for its end") from error
    return Response.json(201, execution_document(started), [location_of(started)])


def get_schedule(call: Call) -> Response:
    found = call.services.audits.schedule()
    following = milliseconds(found.next) if found.next is not None else None
    return Response.json(200, {"cron": found.cron, "next": following})


def set_schedule(call: Call) -> Response:
    """Set when audits start: six fields of cron, UTC, or "" for never. Raises 400, 409."""
    cron = call.document().get("cron")
    if not isinstance(cron, str) or len(cron) > _MAX_CRON:
        raise bad_request('cron must be six fields, as "0 0 4 * * 0", or "" for never')
    try:
        call.services.audits.set_schedule(cron, actor=call.actor)
    except ValueError as error:
        raise bad_request(str(error)) from error
    except Conflict as error:
        raise conflict("somebody else changes the schedule: try again") from error
    return Response(200)


_ALL = f"{OWN}/system/bucket-audits"
_SCHEDULE = f"{_ALL}/schedule"
ROUTES = (
    route("listBucketAudits", "GET", _ALL, in_system("garbage-collection", "list"), list_audits),
    route("startBucketAudit", "POST", _ALL, in_system("garbage-collection", "create"), start),
    route("getBucketAuditSchedule", "GET", _SCHEDULE, in_system("garbage-collection", "read"), get_schedule),
    route("setBucketAuditSchedule", "PUT", _SCHEDULE, in_system("garbage-collection", "update"), set_schedule),
)
