"""Rules by which tags never change."""

from __future__ import annotations

from typing import Any

from cli.remote.shapes import (
    OF_PROJECT,
    PROJECT,
    RULE,
    Command,
    Given,
    Option,
    deleting,
    listing,
)


def _rule(given: Given) -> dict[str, Any]:
    tags = {"kind": "doublestar", "decoration": "matches", "pattern": given["tags"]}
    repositories = {"kind": "doublestar", "decoration": "repoMatches", "pattern": given["repositories"] or "**"}
    return {
        "disabled": False,
        "action": "immutable",
        "template": "immutable_template",
        "tag_selectors": [tags],
        "scope_selectors": {"repository": [repositories]},
    }


COMMANDS: tuple[Command, ...] = (
    listing(
        "immutable",
        "list a project's rules",
        f"{OF_PROJECT}/immutabletagrules",
        {"ID": "id", "DISABLED": "disabled", "TAGS": "tag_selectors.pattern"},
        PROJECT,
    ),
    Command(
        "immutable",
        "create",
        "add a rule: tags that match never change",
        "POST",
        f"{OF_PROJECT}/immutabletagrules",
        (PROJECT,),
        (Option("tags", "a pattern such as v*", required=True), Option("repositories", "a pattern (default: **)")),
        _rule,
    ),
    deleting("immutable", "remove a rule", f"{OF_PROJECT}/immutabletagrules/{{rule}}", PROJECT, RULE),
)
