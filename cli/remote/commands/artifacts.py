"""Artifacts."""

from __future__ import annotations

from cli.remote.commands.labels import OF_PROJECT_OR_REGISTRY
from cli.remote.shapes import (
    OF_ARTIFACT,
    OF_REPOSITORY,
    OWN_OF_PROJECT,
    PROJECT,
    REFERENCE,
    REPOSITORY,
    Argument,
    Command,
    Option,
    deleting,
    listing,
    showing,
)

_ONE = (PROJECT, REPOSITORY, REFERENCE)
_LABEL = Argument("label", "a label's name or id", OF_PROJECT_OR_REGISTRY)

COMMANDS: tuple[Command, ...] = (
    listing(
        "artifact",
        "list a repository's artifacts",
        f"{OF_REPOSITORY}/artifacts",
        {
            "DIGEST": "digest",
            "TYPE": "type",
            "TAGS": "tags.name",
            "SIZE": "size",
            "PUSHED": "push_time",
            "PULLED": "pull_time",
        },
        PROJECT,
        REPOSITORY,
    ),
    showing("artifact", "show an artifact", OF_ARTIFACT, *_ONE),
    Command(
        "artifact",
        "layers",
        "list an image's layers, the lowest first",
        "GET",
        f"{OWN_OF_PROJECT}/repositories/{{repository}}/artifacts/{{reference}}/layers",
        _ONE,
        columns={"DIGEST": "digest", "SIZE": "size", "TYPE": "media_type", "CREATED BY": "created_by"},
    ),
    listing(
        "artifact",
        "list what belongs to an artifact: signatures, SBOMs",
        f"{OF_ARTIFACT}/accessories",
        {"DIGEST": "digest", "TYPE": "type", "SIZE": "size", "CREATED": "creation_time"},
        *_ONE,
        name="accessories",
    ),
    showing(
        "artifact",
        "print what was extracted of an artifact, such as build_history, readme.md or sbom",
        f"{OF_ARTIFACT}/additions/{{addition}}",
        *_ONE,
        Argument("addition"),
        name="addition",
    ),
    deleting("artifact", "delete an artifact with its tags", OF_ARTIFACT, *_ONE),
    Command(
        "artifact",
        "copy",
        "copy an artifact into a repository, with its tags, its children and what belongs to it",
        "POST",
        f"{OF_REPOSITORY}/artifacts",
        (PROJECT, REPOSITORY),
        (Option("from", "project/repository:tag or project/repository@digest", query="from", required=True),),
    ),
    Command(
        "artifact",
        "label",
        "put a label on an artifact",
        "POST",
        f"{OF_ARTIFACT}/labels",
        (*_ONE, _LABEL),
        body=lambda o: {"id": int(o["label"])},
    ),
    deleting(
        "artifact", "take a label off an artifact", f"{OF_ARTIFACT}/labels/{{label}}", *_ONE, _LABEL, name="unlabel"
    ),
)
