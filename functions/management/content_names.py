"""Names of content in a path: repositories of the path's project, and references to their artifacts."""

from __future__ import annotations

from functions.management.call import Call
from functions.management.errors import not_found
from roadstead.names import Reference, RepositoryName, parse_reference


def repository_in(call: Call, text: str) -> RepositoryName:
    """Return the name of a repository of the path's project; `text` is the part behind the project's name.

    Raises 404 for what cannot be a name.
    """
    try:
        return RepositoryName.parse(f"{call.project.project.name}/{text}")
    except ValueError as error:
        raise not_found(f"there is no such repository: {error}") from error


def reference_in(text: str) -> Reference:
    """Return a digest, or a tag. Raises 404 for what cannot be either."""
    try:
        return parse_reference(text)
    except ValueError as error:
        raise not_found(f"there is no such artifact: {error}") from error
