"""A project's webhooks, and what was delivered to them in the last 30 days."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from functions.management.call import Call, text
from functions.management.errors import ManagementCode, ManagementError, bad_request, conflict, not_found
from functions.management.harbor.paging import page_response, requested_page
from functions.management.harbor.query import Sort, parse_query
from functions.management.harbor.webhooks import (
    NOTIFY_TYPE,
    event_types_document,
    execution_document,
    job_document,
    parse_number,
    policy_document,
    task_document,
    trigger_document,
)
from functions.management.route import HARBOR, OWN, in_project, route
from roadstead.http import Response
from roadstead.identity.permissions import Action, Permission, Resource
from roadstead.notifications.stores import SENT, Delivery, PayloadFormat, Webhook
from roadstead.notifications.webhook_fields import NoSuchWebhook, NotificationRefused, WebhookNameTaken
from roadstead.notifications.webhooks import Notifications

RECENT = 100  # deliveries in which the last one of each event is looked for

_FIELDS: Mapping[str, Callable[[Webhook], Any]] = {
    "name": lambda webhook: webhook.name,
    "id": lambda webhook: int(webhook.id),
    "enabled": lambda webhook: webhook.enabled,
    "creation_time": lambda webhook: webhook.created,
    "update_time": lambda webhook: webhook.updated,
}
_UPDATE = Permission(Resource.WEBHOOK, Action.UPDATE)


def list_policies(call: Call, project: str) -> Response:
    """Costs one read, and one for each shown webhook that has an Authorization header, for who may change it."""
    page = requested_page(call.request)
    query = parse_query(call.request.parameter("q"), call.request.parameter("sort"))
    found = query.sorted(query.filtered(_webhooks(call), _FIELDS), _FIELDS, (Sort("creation_time", descending=True),))
    return page_response(call.request, page, len(found), [_document(call, one) for one in page.of(found)])


def create_policy(call: Call, project: str) -> Response:
    """Raises 400, 409 for a name that is taken."""
    document = call.document()
    changes, authorization = _changes(document)
    name = changes.pop("name")
    if not name:
        raise bad_request("name is missing")
    added = _refused(
        lambda: _notifications(call).add(
            call.project.project.name,
            changes.pop("url"),
            changes.pop("events"),
            created_by=call.actor.name,
            name=name,
            authorization=authorization,
            **changes,
        )
    )
    return Response(201, (("Location", f"/api/v2.0/projects/{project}/webhook/policies/{added.webhook.id}"),))


def get_policy(call: Call, project: str, policy: str) -> Response:
    return Response.json(200, _document(call, _found(call, policy)))


def update_policy(call: Call, project: str, policy: str) -> Response:
    """Replace a webhook; its signing secret stays. Raises 400, 404, 409."""
    changes, authorization = _changes(call.document())
    found = _found(call, policy)
    changes["name"] = changes["name"] or found.name
    _refused(
        lambda: _notifications(call).change(call.project.project.name, found.id, changes, authorization=authorization)
    )
    return Response(200)


def delete_policy(call: Call, project: str, policy: str) -> Response:
    _refused(lambda: _notifications(call).remove(call.project.project.name, policy))
    return Response(200)


def list_event_types(call: Call, project: str) -> Response:
    """The events that are sent. Others of Harbor's are accepted in a policy, and never sent."""
    return Response.json(200, event_types_document(tuple(map(str, SENT))))


def list_last_triggers(call: Call, project: str) -> Response:
    """When each event was last delivered to each webhook, among its last deliveries. Two Queries for each webhook."""
    documents = []
    for webhook in _webhooks(call):
        recent, _ = _notifications(call).deliveries(webhook, start=0, size=RECENT)
        last = {one.event: one.at for one in reversed(recent)}
        documents += [trigger_document(webhook, event, last.get(event, 0)) for event in sorted(webhook.events)]
    return Response.json(200, documents)


def list_jobs(call: Call, project: str) -> Response:
    """The deliveries of the webhook that `policy_id` names; `status` filters among its last ones. Raises 400, 404."""
    webhook = _found(call, call.request.parameter("policy_id") or "")
    statuses = [value for name, value in call.request.query if name == "status" and value]
    if not statuses:
        return _deliveries(call, webhook, lambda one: job_document(webhook, one))
    page = requested_page(call.request)
    recent, _ = _notifications(call).deliveries(webhook, start=0, size=RECENT)
    found = [one for one in recent if str(one.outcome) in statuses]
    return page_response(call.request, page, len(found), [job_document(webhook, one) for one in page.of(found)])


def list_executions(call: Call, project: str, policy: str) -> Response:
    webhook = _found(call, policy)
    return _deliveries(call, webhook, lambda one: execution_document(webhook, one))


def list_tasks(call: Call, project: str, policy: str, execution: str) -> Response:
    """A delivery is an execution with one task, which has the same id."""
    page = requested_page(call.request)
    found = [_delivery(call, _found(call, policy), execution)]
    return page_response(call.request, page, 1, [task_document(one) for one in page.of(found)])


def get_log(call: Call, project: str, policy: str, execution: str, task: str) -> Response:
    if task != execution:
        raise not_found("the execution has no such task")
    sent = _delivery(call, _found(call, policy), execution)
    line = f"attempt {sent.attempts}: {sent.outcome}: {sent.detail}\n"
    return Response(200, (("Content-Type", "text/plain; charset=utf-8"),), line.encode())


def send_again(call: Call, project: str, policy: str, execution: str) -> Response:
    """Queue a delivery once more. A receiver recognises it by its id, which stays."""
    webhook = _found(call, policy)
    sent = _delivery(call, webhook, execution)
    _notifications(call).send_again(webhook, sent)
    return Response(202)


def send_test(call: Call, project: str, policy: str) -> Response:
    """Queue an example; its execution shows the outcome."""
    delivery = _refused(lambda: _notifications(call).send_test(call.project.project.name, policy))
    return Response.json(202, {"delivery": delivery})


def _notifications(call: Call) -> Notifications:
    return call.services.notifications(call.actor, call.request.host)


def _webhooks(call: Call) -> Sequence[Webhook]:
    found: Sequence[Webhook] = _refused(lambda: _notifications(call).list(call.project.project.name))
    return found


def _found(call: Call, policy: str) -> Webhook:
    found: Webhook = _refused(lambda: _notifications(call).find(call.project.project.name, policy))
    return found


def _delivery(call: Call, webhook: Webhook, execution: str) -> Delivery:
    parsed = parse_number(execution)
    if parsed is None:
        raise not_found("there is no such delivery")
    at, is_it = parsed
    found: Delivery = _refused(lambda: _notifications(call).find_sent(webhook, is_it, at))
    return found


def _deliveries(call: Call, webhook: Webhook, shape: Callable[[Delivery], dict[str, Any]]) -> Response:
    page = requested_page(call.request)
    found, total = _refused(lambda: _notifications(call).deliveries(webhook, start=page.start, size=page.size))
    return page_response(call.request, page, total, [shape(one) for one in found])


def _document(call: Call, webhook: Webhook) -> dict[str, Any]:
    """The Authorization header is shown to who may change it: Terraform compares it."""
    shown = _UPDATE in call.project.permissions
    authorization = _notifications(call).authorization_of(webhook) if shown else ""
    return policy_document(webhook, project_id=call.project.project.id, authorization=authorization)


def _changes(document: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """What a policy's document says, by our names, and the value of its Authorization header. Raises 400."""
    targets = document.get("targets")
    if not isinstance(targets, list) or len(targets) != 1 or not isinstance(targets[0], dict):
        raise bad_request("targets must be a list of one target")
    target, kind = targets[0], text(targets[0], "type", NOTIFY_TYPE)
    if kind != NOTIFY_TYPE:
        raise ManagementError(
            ManagementCode.UNSUPPORTED, f"the type {kind[:20]!r} is not supported; send to an endpoint of type http"
        )
    events, enabled = document.get("event_types"), document.get("enabled", True)
    if not isinstance(events, list) or not all(isinstance(one, str) for one in events):
        raise bad_request("event_types must be a list of names")
    changes = {
        "url": text(target, "address", most=4_096),
        "events": events,
        "payload": text(target, "payload_format", "") or str(PayloadFormat.DEFAULT),
        "name": text(document, "name", ""),
        "description": text(document, "description", ""),
        "enabled": enabled,
        "skip_verify": target.get("skip_cert_verify", False),
    }
    for name in ("enabled", "skip_verify"):
        if not isinstance(changes[name], bool):
            raise bad_request(f"{'skip_cert_verify' if name == 'skip_verify' else name} must be true or false")
    return changes, text(target, "auth_header", "")


def _refused(change: Callable[[], Any]) -> Any:
    try:
        return change()
    except NoSuchWebhook as error:
        raise not_found(str(error)) from error
    except WebhookNameTaken as error:
        raise conflict(str(error)) from error
    except NotificationRefused as error:
        raise bad_request(str(error)) from error


_WEBHOOK = f"{HARBOR}/projects/{{project}}/webhook"
_POLICIES = f"{_WEBHOOK}/policies"
_POLICY = f"{_POLICIES}/{{policy}}"
_EXECUTION = f"{_POLICY}/executions/{{execution}}"
_OWN = f"{OWN}/projects/{{project}}/webhook/policies/{{policy}}"
_READ, _LIST, _CREATE, _CHANGE, _DELETE = (
    in_project("notification-policy", action) for action in ("read", "list", "create", "update", "delete")
)

ROUTES = (
    route("ListWebhookPoliciesOfProject", "GET", _POLICIES, _LIST, list_policies),
    route("CreateWebhookPolicyOfProject", "POST", _POLICIES, _CREATE, create_policy),
    route("GetWebhookPolicyOfProject", "GET", _POLICY, _READ, get_policy),
    route("UpdateWebhookPolicyOfProject", "PUT", _POLICY, _CHANGE, update_policy),
    route("DeleteWebhookPolicyOfProject", "DELETE", _POLICY, _DELETE, delete_policy),
    route("GetSupportedEventTypes", "GET", f"{_WEBHOOK}/events", _READ, list_event_types),
    route("LastTrigger", "GET", f"{_WEBHOOK}/lasttrigger", _LIST, list_last_triggers),
    route("ListWebhookJobs", "GET", f"{_WEBHOOK}/jobs", _LIST, list_jobs),
    route("ListExecutionsOfWebhookPolicy", "GET", f"{_POLICY}/executions", _READ, list_executions),
    route("ListTasksOfWebhookExecution", "GET", f"{_EXECUTION}/tasks", _READ, list_tasks),
    route("GetLogsOfWebhookTask", "GET", f"{_EXECUTION}/tasks/{{task}}/log", _READ, get_log),
    route("sendWebhookDeliveryAgain", "POST", f"{_OWN}/executions/{{execution}}/redeliver", _CHANGE, send_again),
    route("sendWebhookTest", "POST", f"{_OWN}/test", _CHANGE, send_test),
)
