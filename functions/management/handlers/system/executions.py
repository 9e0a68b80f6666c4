"""Executions: work that takes longer than a request, how far it is, and its end before its time."""

from __future__ import annotations

from typing import Any

from functions.management.authorization import identity_of
from functions.management.call import Call
from functions.management.errors import ManagementCode, ManagementError, bad_request, not_found
from functions.management.harbor.collections import stored_until_of
from functions.management.harbor.shapes import milliseconds
from functions.management.route import OWN, SignedIn, route
from roadstead.conflicts import Conflict
from roadstead.http import Response
from roadstead.identity.permissions import Action, Permission, Resource
from roadstead.identity.rights import permissions_in
from roadstead.lifecycle.executions.executions import Execution, Task
from roadstead.names import ProjectName

MAX_TASKS = 100  # in one page
MAX_SHOWN_LOG = 4 * 1024 * 1024  # bytes: a response of a Lambda function has 6 MB, as JSON
_SEES = Permission(Resource.REPOSITORY, Action.DELETE)  # whoever could do such things by hand


def get(call: Call, execution: str) -> Response:
    """Raises 404, also for an execution that the caller may not see."""
    return Response.json(200, execution_document(_found(call, execution)))


def stop(call: Call, execution: str) -> Response:
    """Ask for its end, after the step that is under way: 202. Raises 404, 409 if it is over."""
    found = _found(call, execution)
    try:
        call.services.starter.stop(found, actor=call.actor)
    except Conflict as error:
        raise ManagementError(ManagementCode.CONFLICT, f"execution {found.id} is over already") from error
    return Response(202)


def list_tasks(call: Call, execution: str) -> Response:
    """A page of up to 100 tasks with numbers above `after`; `Link` leads to the next. Raises 400, 404."""
    found = _found(call, execution)
    text = call.request.parameter("after") or "0"
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise bad_request("after must be the number of a task")
    tasks = call.services.executions.tasks(found.id, after=int(text), limit=MAX_TASKS)
    headers = []
    if len(tasks) == MAX_TASKS:
        headers = [("Link", f'<{call.request.path}?after={tasks[-1].number}>; rel="next"')]
    return Response.json(200, [task_document(task) for task in tasks], headers)


def get_log(call: Call, execution: str, task: str) -> Response:
    """The log of a task as plain text; see `log_response`. Raises 400, 404."""
    found = _found(call, execution)
    number = int(task) if task.isascii() and task.isdigit() and len(task) <= 6 else 0
    if call.services.executions.find_task(found.id, number) is None:
        raise not_found(f"execution {found.id} has no task {task[:20]!r}")
    return log_response(call, found.id, number)


def log_response(call: Call, execution_id: int, task: int) -> Response:
    """Respond with the parts of a task's log after the parameter `after`: as many as a response may have.

    If there are more, `Link` leads to them, and the last line says so. Raises 400.
    """
    text = call.request.parameter("after") or "-1"
    if not (text == "-1" or (text.isascii() and text.isdigit() and len(text) <= 6)):
        raise bad_request("after must be the number of a part of the log")
    shown: list[bytes] = []
    last, size = int(text), 0
    headers = [("Content-Type", "text/plain; charset=utf-8")]
    for part in call.services.executions.log_parts(execution_id, task, after=last):
        data = part.text.encode()
        if shown and size + len(data) > MAX_SHOWN_LOG:
            shown.append(f"(this log goes on: ask for it with ?after={last})\n".encode())
            headers.append(("Link", f'<{call.request.path}?after={last}>; rel="next"'))
            break
        shown.append(data)
        last, size = part.number, size + len(data)
    return Response(200, tuple(headers), b"".join(shown))


def execution_document(one: Execution) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "project": one.scope,
        "trigger": str(one.trigger),
        "requested_by": one.actor.name,
        "status": str(one.status),
        "stopping": one.stopping and not one.status.is_over,
        "created": milliseconds(one.created),
        "started": milliseconds(one.started) if one.started else None,
        "ended": milliseconds(one.ended) if one.ended else None,
        "progress": dict(one.progress),
        "message": one.message,
        **stored_until_of(one),
    }


def task_document(one: Task) -> dict[str, Any]:
    return {
        "number": one.number,
        "name": one.name,
        "status": str(one.status),
        "started": milliseconds(one.started) if one.started else None,
        "ended": milliseconds(one.ended) if one.ended else None,
        "progress": dict(one.progress),
    }


def location_of(execution: Execution) -> tuple[str, str]:
    """Return the header that leads to an execution that was just started."""
    return ("Location", f"{OWN}/executions/{execution.id}")


def _found(call: Call, text: str) -> Execution:
    """Costs a read, and for a project's execution another one unless the caller has started it."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else 0
    found = call.services.executions.find(number) if number else None
    if found is None or not _may_see(call, found):
        raise not_found(f"there is no execution {text[:20]!r}, or you may not see it")
    return found


def _may_see(call: Call, found: Execution) -> bool:
    actor, caller = call.actor, call.caller
    if caller.is_admin or (actor.name, actor.kind) == (found.actor.name, found.actor.kind):
        return True
    if not found.scope:
        return False
    project = ProjectName(found.scope)
    return _SEES in permissions_in(project, identity_of(call.services, caller, (project,)))


_EXECUTION = f"{OWN}/executions/{{execution}}"
ROUTES = (
    route("getExecution", "GET", _EXECUTION, SignedIn(), get),
    route("stopExecution", "POST", f"{_EXECUTION}/stop", SignedIn(), stop),
    route("listTasksOfExecution", "GET", f"{_EXECUTION}/tasks", SignedIn(), list_tasks),
    route("getLogOfTask", "GET", f"{_EXECUTION}/tasks/{{task}}/log", SignedIn(), get_log),
)
