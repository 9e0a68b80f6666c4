"""Repositories."""

from __future__ import annotations

from cli.remote.shapes import (
    HARBOR,
    OF_PROJECT,
    OF_REPOSITORY,
    PROJECT,
    REPOSITORY,
    Argument,
    Command,
    deleting,
    listing,
    showing,
)

_COLUMNS = {"NAME": "name", "ARTIFACTS": "artifact_count", "PULLS": "pull_count", "UPDATED": "update_time"}

COMMANDS: tuple[Command, ...] = (
    listing("repo", "list a project's repositories", f"{OF_PROJECT}/repositories", _COLUMNS, PROJECT),
    listing("repo", "list the repositories of all projects", f"{HARBOR}/repositories", _COLUMNS, name="list-all"),
    Command(
        "repo",
        "search",
        "find repositories by a part of their name, or by a digest",
        "GET",
        f"{HARBOR}/search",
        (Argument("text"),),
        columns={"NAME": "repository_name", "PROJECT": "project_name", "PUBLIC": "project_public"},
        query=lambda given, _: {"q": given["text"]},
        rows=lambda found: found["repository"],
    ),
    showing("repo", "show a repository", OF_REPOSITORY, PROJECT, REPOSITORY),
    Command(
        "repo",
        "describe",
        "set a repository's description",
        "PUT",
        OF_REPOSITORY,
        (PROJECT, REPOSITORY, Argument("description", "a text of up to 2,048 characters")),
        body=lambda o: {"description": o["description"]},
    ),
    deleting("repo", "delete a repository with all that is in it", OF_REPOSITORY, PROJECT, REPOSITORY),
)
