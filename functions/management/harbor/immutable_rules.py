"""Harbor's document of an immutable rule, both ways.

Source: Harbor, api/v2.0/swagger.yaml (ImmutableRule), src/pkg/immutable/model/rule.go; what is empty is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.management.errors import bad_request
from roadstead.lifecycle.policy.immutability import MAX_SELECTORS, ImmutableRule, Selector
from roadstead.patterns import check_pattern

ACTION, TEMPLATE = "immutable", "immutable_template"
_TAGS, _REPOSITORIES = ("matches", "excludes"), ("repoMatches", "repoExcludes")  # by `Selector.excludes`


def rule_document(rule: ImmutableRule) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": rule.id,
        "action": ACTION,
        "template": TEMPLATE,
        "tag_selectors": [_selector_document(one, _TAGS) for one in rule.tags],
        "scope_selectors": {"repository": [_selector_document(one, _REPOSITORIES) for one in rule.repositories]},
    }
    if rule.disabled:
        document["disabled"] = True
    if rule.priority:
        document["priority"] = rule.priority
    return document


def parse_rule(document: Mapping[str, Any]) -> ImmutableRule:
    """Return the rule in a body, with the id 0 if it has none. Raises 400."""
    for name, value in (("action", ACTION), ("template", TEMPLATE)):
        if document.get(name, value) != value:
            raise bad_request(f"{name} must be {value!r}")
    disabled = document.get("disabled", False)
    if not isinstance(disabled, bool):
        raise bad_request("disabled must be true or false")
    scope = document.get("scope_selectors")
    if not isinstance(scope, dict):
        raise bad_request('scope_selectors must be an object: {"repository": […]}')
    return ImmutableRule(
        _number(document, "id"),
        _selectors(document.get("tag_selectors"), "tag_selectors", _TAGS),
        _selectors(scope.get("repository"), "scope_selectors.repository", _REPOSITORIES),
        disabled,
        _number(document, "priority"),
    )


def _selector_document(selector: Selector, decorations: tuple[str, str]) -> dict[str, str]:
    return {"kind": "doublestar", "decoration": decorations[selector.excludes], "pattern": selector.pattern}


def _selectors(value: Any, name: str, decorations: tuple[str, str]) -> tuple[Selector, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_SELECTORS:
        raise bad_request(f"{name} must be a list of 1 to {MAX_SELECTORS} selectors")
    return tuple(_selector(one, name, decorations) for one in value)


def _selector(value: Any, name: str, decorations: tuple[str, str]) -> Selector:
    if not isinstance(value, dict):
        raise bad_request(f"a selector of {name} must be an object: kind, decoration, pattern")
    if value.get("kind") != "doublestar":
        raise bad_request(f"the kind of a selector of {name} must be 'doublestar'")
    if value.get("decoration") not in decorations:
        raise bad_request(f"the decoration of a selector of {name} must be {' or '.join(decorations)}")
    pattern = value.get("pattern")
    if not isinstance(pattern, str) or not pattern:
        raise bad_request(f"a selector of {name} needs a pattern, such as ** or v*")
    try:
        check_pattern(pattern)
    except ValueError as error:
        raise bad_request(str(error)) from error
    return Selector(pattern, bool(decorations.index(value["decoration"])))


def _number(document: Mapping[str, Any], name: str) -> int:
    value = document.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise bad_request(f"{name} must be a number from 0")
    return value
