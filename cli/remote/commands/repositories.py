"""Repositories."""

from __future__ import annotations

from cli.remote.shapes import (
    OF_PROJECT,
    OF_REPOSITORY,
    PROJECT,
    REPOSITORY,
    Command,
    deleting,
    listing,
    showing,
)

COMMANDS: tuple[Command, ...] = (
    listing(
        "repo",
        "list a project's repositories",
        f"{OF_PROJECT}/repositories",
        {"NAME": "name", "ARTIFACTS": "artifact_count", "PULLS": "pull_count", "UPDATED": "update_time"},
        PROJECT,
    ),
    showing("repo", "show a repository", OF_REPOSITORY, PROJECT, REPOSITORY),
    deleting("repo", "delete a repository with all that is in it", OF_REPOSITORY, PROJECT, REPOSITORY),
)
