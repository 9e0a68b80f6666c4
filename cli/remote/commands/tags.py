"""Tags."""

from __future__ import annotations

from cli.remote.shapes import (
    OF_ARTIFACT,
    OWN_OF_PROJECT,
    PROJECT,
    REFERENCE,
    REPOSITORY,
    SORT,
    Argument,
    Command,
    Option,
    deleting,
    listing,
)

COMMANDS: tuple[Command, ...] = (
    listing(
        "tag",
        "list a repository's tags, the last push first",
        f"{OWN_OF_PROJECT}/repositories/{{repository}}/tags",
        {
            "TAG": "name",
            "DIGEST": "digest",
            "SIZE": "size",
            "PUSHED": "push_time",
            "BY": "pushed_by",
            "PULLS": "pull_count",
        },
        PROJECT,
        REPOSITORY,
        options=(SORT, Option("prefix", "how tags begin; needs --sort name", query="prefix")),
    ),
    Command(
        "tag",
        "create",
        "put another tag on an artifact",
        "POST",
        f"{OF_ARTIFACT}/tags",
        (PROJECT, REPOSITORY, REFERENCE, Argument("tag", "the new tag")),
        body=lambda o: {"name": o["tag"]},
    ),
    deleting(
        "tag",
        "delete a tag, and keep what it names",
        f"{OF_ARTIFACT}/tags/{{reference}}",
        PROJECT,
        REPOSITORY,
        Argument("reference", "the tag"),
    ),
)
