"""Artifacts."""

from __future__ import annotations

from cli.remote.shapes import (
    LABEL,
    OF_ARTIFACT,
    OF_REPOSITORY,
    PROJECT,
    REFERENCE,
    REPOSITORY,
    Command,
    Option,
    deleting,
    listing,
    number,
    showing,
)

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
    showing("artifact", "show an artifact", OF_ARTIFACT, PROJECT, REPOSITORY, REFERENCE),
    deleting("artifact", "delete an artifact with its tags", OF_ARTIFACT, PROJECT, REPOSITORY, REFERENCE),
    Command(
        "artifact",
        "copy",
        "copy an artifact into a repository",
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
        (PROJECT, REPOSITORY, REFERENCE, LABEL),
        (),
        lambda o: {"id": number(o["label"])},
    ),
    deleting(
        "artifact",
        "take a label off an artifact",
        f"{OF_ARTIFACT}/labels/{{label}}",
        PROJECT,
        REPOSITORY,
        REFERENCE,
        LABEL,
        name="unlabel",
    ),
)
