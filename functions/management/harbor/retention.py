"""Harbor's documents of retention: policies, executions, tasks, and what a policy can be made of.

Source: Harbor, src/server/v2.0/handler/retention.go and src/pkg/retention/policy/models.go.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from functions.management.errors import bad_request
from functions.management.harbor.shapes import milliseconds
from roadstead.lifecycle.executions.executions import Execution, Status, Task
from roadstead.lifecycle.retention.rules import DOUBLESTAR, REGULAR, Policy, Rule, Selector, Template

_TAGS, _REPOSITORIES = ("matches", "excludes"), ("repoMatches", "repoExcludes")
_CODES = {Status.PENDING: 0, Status.RUNNING: 2}  # of a task; all that are over have 3

METADATA = {
    "templates": [
        {
            "rule_template": str(template),
            "display_text": text,
            "action": "retain",
            "params": [{"type": "int", "unit": unit, "required": True}] if unit else [],
        }
        for template, text, unit in (
            (Template.LATEST_PUSHED, "the most recently pushed # artifacts", "COUNT"),
            (Template.LATEST_PULLED, "the most recently pulled # artifacts", "COUNT"),
            (Template.DAYS_SINCE_PUSH, "pushed within the last # days", "DAYS"),
            (Template.DAYS_SINCE_PULL, "pulled within the last # days", "DAYS"),
            (Template.ALWAYS, "always", ""),
            (Template.NEWEST_VERSIONS, "the newest # versions of each minor version", "COUNT"),
        )
    ],
    "scope_selectors": [
        {"display_text": "Repositories", "kind": "doublestar", "decorations": list(_REPOSITORIES)},
    ],
    "tag_selectors": [{"display_text": "Tags", "kind": "doublestar", "decorations": list(_TAGS)}],
}


def parse_policy(document: Mapping[str, Any], project_id: int) -> Policy:
    """Raises 400 for what is not a policy. Members that Harbor does not have are ignored."""
    if document.get("algorithm", "or") != "or":
        raise bad_request('algorithm must be "or": one rule that keeps an artifact is enough')
    rules = document.get("rules")
    rules = [] if rules is None else rules
    if not isinstance(rules, list):
        raise bad_request("rules must be a list")
    trigger = document.get("trigger") or {}
    settings = (trigger.get("settings") if isinstance(trigger, dict) else None) or {}
    cron = (settings.get("cron") if isinstance(settings, dict) else None) or ""
    if not isinstance(cron, str):
        raise bad_request("trigger.settings.cron must be text; it is empty if the rules run by hand only")
    parsed = tuple(_rule(rule, number) for number, rule in enumerate(rules, 1))
    return Policy(project_id, parsed, cron.strip())


def policy_document(policy: Policy, *, next_run: int | None) -> dict[str, Any]:
    """`next_run` is in ms."""
    settings: dict[str, Any] = {"cron": policy.cron}
    if next_run is not None:
        settings["next_scheduled_time"] = milliseconds(next_run)
    return {
        "id": policy.project_id,
        "algorithm": "or",
        "scope": {"level": "project", "ref": policy.project_id},
        "trigger": {"kind": "Schedule", "references": {}, "settings": settings},
        "rules": [
            {
                "id": rule.id,
                "priority": rule.id,
                "disabled": rule.disabled,
                "action": "retain",
                **rule.as_terms(),
            }
            for rule in policy.rules
        ],
    }


def execution_document(one: Execution, policy_id: int) -> dict[str, Any]:
    return {
        "id": one.id,
        "policy_id": policy_id,
        "start_time": milliseconds(one.started or one.created),
        "end_time": milliseconds(one.ended) if one.ended else "",
        "status": str(one.status),
        "trigger": "Manual" if one.trigger == "MANUAL" else "Schedule",
        "dry_run": one.parameters.get("dry_run") is True,
    }


def task_document(one: Task, execution_id: int) -> dict[str, Any]:
    return {
        "id": one.number,
        "execution_id": execution_id,
        "repository": one.name.partition("/")[2],
        "job_id": f"{execution_id}-{one.number}",
        "status": str(one.status),
        "status_code": _CODES.get(one.status, 3),
        "status_revision": one.started // 1000,
        "start_time": milliseconds(one.started),
        "end_time": milliseconds(one.ended) if one.ended else "",
        "total": one.progress.get("total", 0),
        "retained": one.progress.get("retained", 0),
    }


def _rule(document: Any, number: int) -> Rule:
    if not isinstance(document, dict):
        raise bad_request("a rule must be an object")
    if document.get("action", "retain") != "retain":
        raise bad_request('the action of a rule must be "retain"')
    try:
        template = Template(document.get("template", ""))
    except ValueError as error:
        known = ", ".join(Template)
        raise bad_request(f"the template of rule {number} must be one of {known}") from error
    params = document.get("params") or {}
    most = params.get(template) if isinstance(params, dict) else "none"
    if most is not None and (not isinstance(most, int) or isinstance(most, bool)):
        raise bad_request(f'params of rule {number} must be {{"{template}": a number}}')
    scopes = document.get("scope_selectors") or {}
    if not isinstance(scopes, dict) or scopes.keys() - {"repository"}:
        raise bad_request('scope_selectors must be {"repository": [selectors]}')
    disabled = document.get("disabled", False)
    if not isinstance(disabled, bool):
        raise bad_request("disabled must be true or false")
    tags = _selectors(document.get("tag_selectors"), "tag_selectors", _TAGS)
    repositories = _selectors(scopes.get("repository"), "scope_selectors.repository", _REPOSITORIES)
    return Rule(number, template, most, disabled, tags, repositories)


def _selectors(value: Any, name: str, decorations: tuple[str, str]) -> tuple[Selector, ...]:
    if not isinstance(value or [], list):
        raise bad_request(f"{name} must be a list")
    return tuple(_selector(one, name, decorations) for one in value or [])


def _selector(value: Any, name: str, decorations: tuple[str, str]) -> Selector:
    kind = value.get("kind", DOUBLESTAR) if isinstance(value, dict) else None
    if kind not in (DOUBLESTAR, REGULAR):
        raise bad_request(f"a selector of {name} must have the kind {DOUBLESTAR} or {REGULAR}")
    if value.get("decoration") not in decorations or not isinstance(value.get("pattern"), str):
        raise bad_request(f"a selector of {name} needs a pattern, and the decoration {' or '.join(decorations)}")
    excludes, untagged = value["decoration"] == decorations[1], _untagged(value.get("extras"))
    return Selector(value["pattern"], excludes, untagged, kind == REGULAR)


def _untagged(extras: Any) -> bool | None:
    if not extras:
        return None
    try:
        untagged = json.loads(extras)["untagged"]
    except (TypeError, ValueError, KeyError):
        untagged = None
    if not isinstance(untagged, bool):
        raise bad_request('extras of a selector must be the text {"untagged":true} or {"untagged":false}')
    return untagged
