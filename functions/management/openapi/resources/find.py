"""Search, our own."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import (
    Described,
    Parameter,
    Schema,
    array,
    flag,
    nullable,
    number,
    obj,
    one_of,
    ref,
    text,
    time,
)

_NAMED = {"name": text(), "project_id": number(), "public": flag("of the project")}

SCHEMAS: Mapping[str, Schema] = {
    "Found": obj(
        {
            "projects": array(obj(_NAMED)),
            "repositories": array(obj({**_NAMED, "name": text("with the project's name")})),
            "tags": array(ref("FoundTag"), "where q is `repository:tag`"),
            "artifacts": array(ref("FoundArtifact"), "where q is a digest"),
            "labels": array(ref("FoundLabel"), "of the registry, and of projects"),
            "more": array(
                one_of("projects", "repositories", "tags", "artifacts", "labels"),
                "kinds of which there are more; tags also if more repositories are named so than are looked through",
            ),
        }
    ),
    "FoundTag": obj({"repository": text(), "name": text(), "digest": text(), "push_time": time()}),
    "FoundArtifact": obj({"repository": text(), "digest": text(), "is_manifest": flag("false for a blob")}),
    "FoundLabel": obj(
        {
            "id": number(),
            "name": text(),
            "color": text(),
            "scope": one_of("g", "p"),
            "project": nullable(text("the name of its project; null for a label of the registry")),
        }
    ),
}

OPERATIONS: Mapping[str, Described] = {
    "find": Described(
        "Find projects, repositories, tags, digests and labels among what the caller may see",
        ref("Found"),
        query=(
            Parameter("q", text(maxLength=255), "a part of a name, a digest, or `repository:tag`", required=True),
            Parameter("limit", number(minimum=1, maximum=100, default=20), "of each kind"),
        ),
        also=(400,),
    ),
}
