"""Immutable rules of a project: which tags can neither move nor go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from functions.management.call import Call
from functions.management.errors import bad_request, conflict, not_found
from functions.management.harbor.immutable_rules import parse_rule, rule_document
from functions.management.harbor.paging import page_response, requested_page
from functions.management.harbor.query import Sort, parse_query
from functions.management.route import HARBOR, in_project, route
from roadstead.http import Response
from roadstead.lifecycle.policy.changes import DuplicateRule, PolicyRefused, UnknownRule
from roadstead.lifecycle.policy.immutability import ImmutableRule

_FIELDS: Mapping[str, Callable[[ImmutableRule], Any]] = {
    "id": lambda one: one.id,
    "disabled": lambda one: one.disabled,
    "priority": lambda one: one.priority,
}
_RULES = f"{HARBOR}/projects/{{project}}/immutabletagrules"
_RULE = f"{_RULES}/{{rule}}"


def list_rules(call: Call, project: str) -> Response:
    """Costs one read. The oldest first unless told otherwise."""
    request = call.request
    page, query = requested_page(request), parse_query(request.parameter("q"), request.parameter("sort"))
    rules = call.services.policies.find(call.project.project.name).immutable
    found = query.sorted(query.filtered(rules, _FIELDS), _FIELDS, (Sort("id"),))
    return page_response(request, page, len(found), [rule_document(one) for one in page.of(found)])


def create_rule(call: Call, project: str) -> Response:
    """Raises 400, 409 for a rule that is there already. An id in the body is ignored."""
    rule = parse_rule(call.document())
    try:
        added = call.services.policies.add_immutable_rule(call.project.project.name, rule, call.actor)
    except DuplicateRule as error:
        raise conflict(str(error)) from error
    except PolicyRefused as error:
        raise bad_request(str(error)) from error
    return Response(201, (("Location", f"{HARBOR}/projects/{project}/immutabletagrules/{added.id}"),))


def update_rule(call: Call, project: str, rule: str) -> Response:
    """Replace a rule. Raises 400 if the body's id is not the path's, 404, 409."""
    number, changed = _number(rule), parse_rule(call.document())
    if changed.id != number:
        raise bad_request(f"the id in the body must be the one in the path, {number}")
    try:
        call.services.policies.change_immutable_rule(call.project.project.name, changed, call.actor)
    except UnknownRule as error:
        raise _unknown(rule) from error
    except DuplicateRule as error:
        raise conflict(str(error)) from error
    except PolicyRefused as error:
        raise bad_request(str(error)) from error
    return Response(200)


def delete_rule(call: Call, project: str, rule: str) -> Response:
    try:
        call.services.policies.remove_immutable_rule(call.project.project.name, _number(rule), call.actor)
    except UnknownRule as error:
        raise _unknown(rule) from error
    return Response(200)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise bad_request("the id of a rule is a number")
    return int(text)


def _unknown(text: str) -> Exception:
    return not_found(f"the project has no immutable rule {text[:20]}")


ROUTES = (
    route("ListImmuRules", "GET", _RULES, in_project("immutable-tag", "list"), list_rules),
    route("CreateImmuRule", "POST", _RULES, in_project("immutable-tag", "create"), create_rule),
    route("UpdateImmuRule", "PUT", _RULE, in_project("immutable-tag", "update"), update_rule),
    route("DeleteImmuRule", "DELETE", _RULE, in_project("immutable-tag", "delete"), delete_rule),
)
