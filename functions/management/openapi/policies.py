"""Policies of projects: immutable tags."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import (
    Described,
    Schema,
    array,
    created,
    flag,
    number,
    obj,
    one_of,
    page_of,
    ref,
    text,
)

_PATTERN = text("as docs/policies.md describes it", maxLength=256)
_OPTIONAL: Mapping[str, Schema] = {"disabled": flag("left out while false"), "priority": number("kept, without effect")}


def _selector(*decorations: str) -> Schema:
    return obj({"kind": one_of("doublestar"), "decoration": one_of(*decorations), "pattern": _PATTERN})


SCHEMAS: Mapping[str, Schema] = {
    "ImmutableRule": obj(
        {
            "id": number(),
            "action": one_of("immutable"),
            "template": one_of("immutable_template"),
            "tag_selectors": array(_selector("matches", "excludes")),
            "scope_selectors": obj({"repository": array(_selector("repoMatches", "repoExcludes"))}),
        },
        _OPTIONAL,
    ),
    "NewImmutableRule": obj(
        {
            "tag_selectors": array(_selector("matches", "excludes")),
            "scope_selectors": obj({"repository": array(_selector("repoMatches", "repoExcludes"))}),
        },
        {"action": one_of("immutable"), "template": one_of("immutable_template"), **_OPTIONAL},
    ),
}

OPERATIONS: Mapping[str, Described] = {
    "ListImmuRules": page_of("List a project's immutable rules", ref("ImmutableRule")),
    "CreateImmuRule": created("Make an immutable rule", ref("NewImmutableRule")),
    "UpdateImmuRule": Described("Replace an immutable rule", body=ref("ImmutableRule"), also=(400, 404, 409)),
    "DeleteImmuRule": Described("Remove an immutable rule", also=(400, 404)),
}
