"""Rules by which tags never change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cli.failures import Failure
from cli.remote.shapes import OF_PROJECT, PROJECT, RULE, Command, Given, Option, deleting, listing

_RULES = f"{OF_PROJECT}/immutabletagrules"
_STATE = Option("state", "whether it holds", choices=("enabled", "disabled"))


def _selectors(given: Given) -> dict[str, Any]:
    """The parts of a rule that were given."""
    found: dict[str, Any] = {}
    if given["tags"] is not None:
        found["tag_selectors"] = [{"kind": "doublestar", "decoration": "matches", "pattern": given["tags"]}]
    if given["repositories"] is not None:
        pattern = {"kind": "doublestar", "decoration": "repoMatches", "pattern": given["repositories"]}
        found["scope_selectors"] = {"repository": [pattern]}
    if given["state"] is not None:
        found["disabled"] = given["state"] == "disabled"
    return found


def _rule(given: Given) -> dict[str, Any]:
    everywhere = {"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}
    whole = {"disabled": False, "action": "immutable", "template": "immutable_template"}
    return {**whole, "scope_selectors": {"repository": [everywhere]}, **_selectors(given)}


def _changed(given: Given) -> dict[str, Any]:
    rules: list[Mapping[str, Any]] = given["was"]
    was = next((one for one in rules if str(one["id"]) == given["rule"]), None)
    if was is None:
        raise Failure(f"The project has no rule {given['rule']}.")
    return {**was, **_selectors(given)}


_REPOSITORIES = Option("repositories", "a pattern (default: **)")

COMMANDS: tuple[Command, ...] = (
    listing(
        "immutable",
        "list a project's rules",
        _RULES,
        {
            "ID": "id",
            "DISABLED": "disabled",
            "TAGS": "tag_selectors.pattern",
            "REPOSITORIES": "scope_selectors.repository.pattern",
        },
        PROJECT,
    ),
    Command(
        "immutable",
        "create",
        "add a rule: tags that match never change",
        "POST",
        _RULES,
        (PROJECT,),
        (Option("tags", "a pattern such as v*", required=True), _REPOSITORIES, _STATE),
        _rule,
    ),
    Command(
        "immutable",
        "set",
        "change a rule",
        "PUT",
        f"{_RULES}/{{rule}}",
        (PROJECT, RULE),
        (Option("tags", "a pattern such as v*"), Option("repositories", "a pattern"), _STATE),
        _changed,
        base=_RULES,
    ),
    deleting("immutable", "remove a rule", f"{_RULES}/{{rule}}", PROJECT, RULE),
)
