"""Which project a path or a parameter means: by its name, or by its number."""

from __future__ import annotations

from roadstead.identity.lists import DirectoryLists
from roadstead.ids import IdKind
from roadstead.names import ProjectName

_LONGEST_ID = 18  # digits


def name_of(lists: DirectoryLists, text: str, *, is_name: bool) -> ProjectName | None:
    """Return the name that `text` means, or None if it cannot be one. A number is an id unless `is_name`.

    Costs one read for an id. Whether the project still exists, and has that id, is for the caller to check.
    """
    if not is_name and is_id(text):
        found = lists.find_by_id(IdKind.PROJECT, int(text))
        return ProjectName(found) if found is not None else None
    try:
        return ProjectName.parse(text)
    except ValueError:
        return None


def is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID


def find_listed(lists: DirectoryLists, text: str, *, is_name: bool) -> ProjectName | None:
    """Return the name of an existing project. Costs the list of projects."""
    wanted = name_of(lists, text, is_name=is_name)
    return next((project.name for project in lists.list_projects() if project.name == wanted), None)
