"""Repositories and tags."""

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
    page_of,
    ref,
    text,
    time,
)

SCHEMAS: Mapping[str, Schema] = {
    "Repository": obj(
        {
            "id": number(),
            "project_id": number(),
            "name": text("with the project's name"),
            "description": text(),
            "artifact_count": number(),
            "pull_count": number(),
            "creation_time": time(),
            "update_time": time(),
        }
    ),
    "TagRow": obj(
        {
            "name": text(),
            "digest": text(),
            "media_type": text(),
            "push_time": time(),
            "pushed_by": text(),
            "immutable": flag("whether a rule of the project keeps it"),
            "size": nullable(number("bytes of the artifact with its layers; null until it is counted")),
            "artifact_type": text(),
            "platforms": array(text("such as linux/arm64")),
            "signed": flag(),
            "sbom": flag(),
            "pull_count": number(),
            "pull_time": nullable(time("null if it was never pulled")),
        }
    ),
}

OPERATIONS: Mapping[str, Described] = {
    "listRepositories": page_of("List a project's repositories", ref("Repository")),
    "getRepository": Described("A repository", ref("Repository")),
    "listAllRepositories": page_of("List the repositories that the caller may see", ref("Repository")),
    "updateRepository": Described("Set a repository's description", body=obj({}, {"description": text()})),
    "deleteRepository": Described(
        "Delete a repository with everything in it",
        also=(412,),
        goes_on="It is out of all lists, and an execution goes on deleting what it had",
    ),
    "listTagsOfRepository": Described(
        "A page of a repository's tags; `Link` leads to the next one",
        array(ref("TagRow")),
        query=(
            Parameter("sort", one_of("name", "-name", "pushed", "-pushed")),
            Parameter("prefix", text(), "how names begin; needs a sort by name"),
            Parameter("limit", number(minimum=1, maximum=50)),
            Parameter("after", text(maxLength=160), "the cursor in `Link`"),
        ),
        also=(400,),
    ),
}
