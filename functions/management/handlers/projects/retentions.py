"""Retention of a project: its rules, what they would do, and their runs.

The id of a policy is that of its project, which has one at most.
"""

from __future__ import annotations

from typing import Any

from functions.management.authorization import require_in_project
from functions.management.call import Call, ProjectAccess
from functions.management.errors import ManagementError, bad_request, conflict, not_found
from functions.management.handlers.system.executions import log_response
from functions.management.harbor.paging import page_response, requested_page
from functions.management.harbor.retention import (
    METADATA,
    execution_document,
    parse_policy,
    policy_document,
    task_document,
)
from functions.management.harbor.shapes import milliseconds
from functions.management.route import HARBOR, OWN, SignedIn, in_project, route
from roadstead.conflicts import Conflict
from roadstead.http import Response
from roadstead.identity.permissions import Permission
from roadstead.ids import IdKind
from roadstead.lifecycle.executions.executions import Execution, Running
from roadstead.lifecycle.retention.execution import KIND
from roadstead.lifecycle.retention.policies import TooMany
from roadstead.lifecycle.retention.rules import DuplicateRule, Policy, PolicyRefused
from roadstead.lifecycle.retention.verdicts import Verdict
from roadstead.names import ProjectName

MAX_PREVIEW = 4 * 1024 * 1024  # bytes: a response of a Lambda function has 6 MB, in base64


def get_metadata(call: Call) -> Response:
    return Response.json(200, METADATA)


def create(call: Call) -> Response:
    """Raises 400, also where the project has rules already, 403, 404, 409 for two rules that do the same."""
    document = call.document()
    scope = document.get("scope")
    number = scope.get("ref") if isinstance(scope, dict) and scope.get("level", "project") == "project" else None
    if not isinstance(number, int) or isinstance(number, bool):
        raise bad_request('scope must be {"level": "project", "ref": the id of the project}')
    access = _access(call, str(number), "create")
    try:
        call.services.retention.create(access.project.name, parse_policy(document, access.project.id), actor=call.actor)
    except Conflict as error:
        raise bad_request(f"the project has retention rules already: change those of the id {number}") from error
    except PolicyRefused as error:
        raise _refused(error) from error
    return Response(201, (("Location", f"{HARBOR}/retentions/{access.project.id}"),))


def get(call: Call, id: str) -> Response:
    access = _access(call, id, "read")
    policy = _policy(call, access)
    return Response.json(200, policy_document(policy, next_run=call.services.retention.next_run(access.project.name)))


def update(call: Call, id: str) -> Response:
    """Replace the rules. Raises 400, 403, 409; 404 also where the document's scope is another project."""
    access, document = _access(call, id, "update"), call.document()
    _policy(call, access)
    scope = document.get("scope")
    if isinstance(scope, dict) and scope.get("ref") not in (None, 0, access.project.id):
        raise not_found("the document's scope is not the project of these rules")
    policy = parse_policy(document, access.project.id)
    try:
        call.services.retention.change(access.project.name, policy, actor=call.actor)
    except Conflict as error:
        raise conflict("somebody else changes the rules: try again") from error
    except PolicyRefused as error:
        raise _refused(error) from error
    return Response(200)


def delete(call: Call, id: str) -> Response:
    access = _access(call, id, "delete")
    _policy(call, access)
    try:
        call.services.retention.remove(access.project.name, actor=call.actor)
    except Conflict as error:
        raise not_found("the rules are gone already") from error
    return Response(200)


def start(call: Call, id: str) -> Response:
    """Run the rules, or with `{"dry_run": true}` look what they would do: 201. Raises 409 while another run goes on."""
    access = _access(call, id, "update")
    policy = _policy(call, access)
    dry = call.document().get("dry_run") is True if call.request.body else False
    try:
        started = call.services.retention.start(access.project.name, policy, dry=dry, actor=call.actor)
    except Running as error:
        raise conflict(f"execution {error.id} of these rules is under way: stop it, or wait for its end") from error
    return Response(201, (("Location", f"{HARBOR}/retentions/{access.project.id}/executions/{started.id}"),))


def list_executions(call: Call, id: str) -> Response:
    access, page = _access(call, id, "read"), requested_page(call.request)
    _policy(call, access)
    executions, name = call.services.executions, access.project.name
    found = executions.list_newest(KIND, name, limit=page.start + page.size)[page.start :]
    documents = [execution_document(one, access.project.id) for one in found]
    return page_response(call.request, page, executions.count(KIND, name), documents)


def operate(call: Call, id: str, eid: str) -> Response:
    """`{"action": "stop"}`: end it after the step that is under way."""
    found = _execution(call, _access(call, id, "update"), eid)
    if call.document().get("action") != "stop":
        raise bad_request('the action must be "stop"')
    try:
        call.services.starter.stop(found, actor=call.actor)
    except Conflict as error:
        raise bad_request(f"execution {found.id} is over already") from error
    return Response(200)


def list_tasks(call: Call, id: str, eid: str) -> Response:
    """A task for each repository that a rule selects, in the order of their names."""
    found, page = _execution(call, _access(call, id, "read"), eid), requested_page(call.request)
    tasks = call.services.executions.tasks(found.id, after=page.start, limit=page.size)
    total = max(found.progress.get("repositories", 0), page.start + len(tasks))
    return page_response(call.request, page, total, [task_document(task, found.id) for task in tasks])


def get_task_log(call: Call, id: str, eid: str, tid: str) -> Response:
    """A line for each artifact: whether it stays, and why."""
    found = _execution(call, _access(call, id, "read"), eid)
    number = int(tid) if tid.isascii() and tid.isdigit() and len(tid) <= 6 else 0
    if call.services.executions.find_task(found.id, number) is None:
        raise not_found(f"execution {found.id} has no task {tid[:20]!r}")
    return log_response(call, found.id, number)


def preview(call: Call, project: str) -> Response:
    """What the rules in the body would do now, or those that the project has. Writes nothing. Raises 400, 404.

    400 also for more than fits in a response of Lambda, which many rules for thousands of artifacts come to.
    """
    access = call.project
    policy = parse_policy(call.document(), access.project.id) if call.request.body else _policy(call, access)
    try:
        found = call.services.retention.preview(access.project.name, policy)
    except PolicyRefused as error:
        raise _refused(error) from error
    except TooMany as error:
        raise bad_request(str(error)) from error
    document = [
        {"repository": name.partition("/")[2], "artifacts": [_verdict_document(one) for one in verdicts]}
        for name, verdicts in found.items()
    ]
    response = Response.json(200, document)
    if len(response.body) > MAX_PREVIEW:
        raise bad_request("the reasons for so many artifacts are more than 4 MB: start a dry run, and read its log")
    return response


def _verdict_document(one: Verdict) -> dict[str, Any]:
    candidate = one.candidate
    return {
        "digest": candidate.digest,
        "media_type": candidate.media_type,
        "tags": list(candidate.tags),
        "push_time": milliseconds(candidate.pushed),
        "pull_time": milliseconds(candidate.pulled) if candidate.pulled else None,
        "keep": one.keep,
        "rule": one.rule,
        "reason": one.reason,
        "reasons": [{"cause": reason.cause, **reason.values} for reason in one.reasons],
    }


def _access(call: Call, id: str, action: str) -> ProjectAccess:
    """The project whose id this is, if the caller has the permission there. Raises 403, 404. Costs two reads."""
    number = int(id) if id.isascii() and id.isdigit() and len(id) <= 10 else 0
    name = call.services.lists.find_by_id(IdKind.PROJECT, number) if number else None
    permission = Permission.parse("tag-retention", action)
    return require_in_project(call.services, call.caller, ProjectName(name or "-"), permission, id_=number)


def _policy(call: Call, access: ProjectAccess) -> Policy:
    policy = call.services.retention.find(access.project.name, access.project.id)
    if policy is None:
        raise not_found("the project has no retention rules")
    return policy


def _execution(call: Call, access: ProjectAccess, eid: str) -> Execution:
    number = int(eid) if eid.isascii() and eid.isdigit() and len(eid) <= 16 else 0
    found = call.services.executions.find(number) if number else None
    if found is None or (found.kind, found.scope) != (KIND, access.project.name):
        raise not_found(f"the rules of the project have no execution {eid[:20]!r}")
    return found


def _refused(error: PolicyRefused) -> ManagementError:
    return conflict(str(error)) if isinstance(error, DuplicateRule) else bad_request(str(error))


_POLICIES = f"{HARBOR}/retentions"
_POLICY = f"{_POLICIES}/{{id}}"
_EXECUTIONS = f"{_POLICY}/executions"
_TASKS = f"{_EXECUTIONS}/{{eid}}/tasks"
_PREVIEW = f"{OWN}/projects/{{project}}/retention/preview"
ROUTES = (
    route("getRentenitionMetadata", "GET", f"{_POLICIES}/metadatas", SignedIn(), get_metadata),
    route("createRetention", "POST", _POLICIES, SignedIn(), create),
    route("getRetention", "GET", _POLICY, SignedIn(), get),
    route("updateRetention", "PUT", _POLICY, SignedIn(), update),
    route("deleteRetention", "DELETE", _POLICY, SignedIn(), delete),
    route("triggerRetentionExecution", "POST", _EXECUTIONS, SignedIn(), start),
    route("listRetentionExecutions", "GET", _EXECUTIONS, SignedIn(), list_executions),
    route("operateRetentionExecution", "PATCH", f"{_EXECUTIONS}/{{eid}}", SignedIn(), operate),
    route("listRetentionTasks", "GET", _TASKS, SignedIn(), list_tasks),
    route("getRetentionTaskLog", "GET", f"{_TASKS}/{{tid}}", SignedIn(), get_task_log),
    route("previewRetention", "POST", _PREVIEW, in_project("tag-retention", "read"), preview),
)
