"""Garbage collection over Harbor's API: its history, its schedule, runs by hand."""

from __future__ import annotations

from functions.management.call import Call
from functions.management.errors import bad_request, conflict, not_found
from functions.management.handlers.system.executions import log_response
from functions.management.harbor.collections import history_document, parse_schedule, schedule_document
from functions.management.harbor.paging import page_response, requested_page
from functions.management.route import HARBOR, in_system, route
from roadstead.conflicts import Conflict
from roadstead.http import Response
from roadstead.lifecycle.collector.execution import KIND
from roadstead.lifecycle.executions.executions import Execution, Running


def list_history(call: Call) -> Response:
    page, executions = requested_page(call.request), call.services.executions
    found = executions.list_newest(KIND, "", limit=page.start + page.size)[page.start :]
    return page_response(call.request, page, executions.count(KIND, ""), [history_document(one) for one in found])


def get(call: Call, gc_id: str) -> Response:
    return Response.json(200, history_document(_found(call, gc_id)))


def stop(call: Call, gc_id: str) -> Response:
    """Let it end after the step that is under way. Raises 404, 400 if it is over."""
    found = _found(call, gc_id)
    try:
        call.services.starter.stop(found, actor=call.actor)
    except Conflict as error:
        raise bad_request(f"collection {found.id} is over already") from error
    return Response(200)


def get_log(call: Call, gc_id: str) -> Response:
    return log_response(call, _found(call, gc_id).id, 1)


def get_schedule(call: Call) -> Response:
    return Response.json(200, schedule_document(call.services.collections.schedule()))


def create_schedule(call: Call) -> Response:
    """Run it now with the type Manual, or set the schedule. Raises 400, 409 if it runs, or if a schedule was set."""
    every, _, untagged, dry = parse_schedule(call.document())
    if every is None:
        try:
            started = call.services.collections.start(dry=dry, delete_untagged=untagged, actor=call.actor)
        except Running as error:
            raise conflict(f"collection {error.id} is under way: stop it, or wait for its end") from error
        return Response(201, (("Location", f"{HARBOR}/system/gc/{started.id}"),))
    current = call.services.collections.schedule()
    if current.changed and current.next is not None:
        raise conflict("there is a schedule already: change it by PUT")
    update_schedule(call)
    return Response(201, (("Location", f"{HARBOR}/system/gc/schedule"),))


def update_schedule(call: Call) -> Response:
    """Set how often it runs. Raises 400. With the type Manual it runs once, now."""
    every, cron, untagged, _ = parse_schedule(call.document())
    if every is None:
        create_schedule(call)
        return Response(200)
    try:
        call.services.collections.set_schedule(every, cron, delete_untagged=untagged, actor=call.actor)
    except ValueError as error:
        raise bad_request(str(error)) from error
    except Conflict as error:
        raise conflict("somebody else changes the schedule: try again") from error
    return Response(200)


def _found(call: Call, gc_id: str) -> Execution:
    number = int(gc_id) if gc_id.isascii() and gc_id.isdigit() and len(gc_id) <= 16 else 0
    found = call.services.executions.find(number) if number else None
    if found is None or found.kind != KIND:
        raise not_found(f"there is no collection {gc_id[:20]!r}")
    return found


_ALL = f"{HARBOR}/system/gc"
_SCHEDULE, _ONE = f"{_ALL}/schedule", f"{_ALL}/{{gc_id}}"
ROUTES = (
    route("getGCHistory", "GET", _ALL, in_system("garbage-collection", "list"), list_history),
    route("getGCSchedule", "GET", _SCHEDULE, in_system("garbage-collection", "read"), get_schedule),
    route("createGCSchedule", "POST", _SCHEDULE, in_system("garbage-collection", "create"), create_schedule),
    route("updateGCSchedule", "PUT", _SCHEDULE, in_system("garbage-collection", "update"), update_schedule),
    route("getGC", "GET", _ONE, in_system("garbage-collection", "read"), get),
    route("stopGC", "PUT", _ONE, in_system("garbage-collection", "stop"), stop),
    route("getGCLog", "GET", f"{_ONE}/log", in_system("garbage-collection", "read"), get_log),
)
