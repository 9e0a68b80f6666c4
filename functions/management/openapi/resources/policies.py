"""Policies of projects: immutable tags and quotas."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import (
    Described,
    Parameter,
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
    time,
)

_PATTERN = text("as docs/policies.md describes it", maxLength=256)
_OPTIONAL: Mapping[str, Schema] = {"disabled": flag("left out while false"), "priority": number("kept, without effect")}


_LIMIT = number("-1 for none")
_HARD = flag("whether pushes reserve their bytes, so that they cannot exceed the limit together")
_STORAGE = obj({"storage": number("bytes; as a limit, -1 for none")})


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
    "Quota": obj(
        {
            "id": number("of the project"),
            "ref": obj({"id": number(), "name": text(), "owner_name": text()}),
            "hard": _STORAGE,
            "used": _STORAGE,
            "creation_time": time(),
            "update_time": time(),
        }
    ),
    "QuotaChange": obj({"hard": _STORAGE}),
    "ProjectLimits": obj(
        {
            "storage": obj({"limit": _LIMIT, "used": number("bytes"), "hard": _HARD}),
            "repositories": obj({"limit": _LIMIT, "used": number()}),
            "artifacts": obj({"limit": _LIMIT, "used": number()}),
        }
    ),
    "ProjectLimitsChange": obj({}, {"storage": _LIMIT, "repositories": _LIMIT, "artifacts": _LIMIT, "hard": _HARD}),
}

OPERATIONS: Mapping[str, Described] = {
    "ListImmuRules": page_of("List a project's immutable rules", ref("ImmutableRule")),
    "CreateImmuRule": created("Make an immutable rule", ref("NewImmutableRule")),
    "UpdateImmuRule": Described("Replace an immutable rule", body=ref("ImmutableRule"), also=(400, 404, 409)),
    "listQuotas": page_of(
        "List the quotas of all projects",
        ref("Quota"),
        Parameter("reference", one_of("project")),
        Parameter("reference_id", text(), "a project's id"),
    ),
    "getQuota": Described("Show a quota", ref("Quota"), also=(400, 404)),
    "updateQuota": Described("Limit the bytes of a project", body=ref("QuotaChange"), also=(400, 404)),
    "getProjectQuota": Described("Show a project's limits, and what it uses", ref("ProjectLimits")),
    "updateProjectQuota": Described(
        "Limit a project's bytes, repositories, artifacts", body=ref("ProjectLimitsChange"), also=(400, 404)
    ),
    "DeleteImmuRule": Described("Remove an immutable rule", also=(400, 404)),
}
