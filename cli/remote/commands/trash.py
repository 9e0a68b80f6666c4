"""What was deleted and can be restored."""

from __future__ import annotations

from cli.failures import USAGE, Failure
from cli.remote.shapes import OWN_OF_PROJECT, PROJECT, Argument, Command, Given, Option, deleting, listing, showing

_TRASH = f"{OWN_OF_PROJECT}/trash"
_UNIT = Argument("unit", "the deletion's id")


def _renamed(given: Given) -> dict[str, str]:
    renamed = {}
    for one in given["rename"] or ():
        old, equals, new = one.partition("=")
        if not equals:
            raise Failure("--rename takes OLD=NEW; without a new name the tag is left out.", USAGE)
        renamed[old] = new
    return renamed


COMMANDS: tuple[Command, ...] = (
    listing(
        "trash",
        "list what can be restored, the last deletion first",
        _TRASH,
        {
            "ID": "id",
            "REPOSITORY": "repository",
            "KIND": "kind",
            "TAGS": "tags",
            "BYTES": "size",
            "BY": "deleted_by",
            "UNTIL": "expires",
        },
        PROJECT,
        options=(Option("repository", "of this repository alone", query="repository"),),
    ),
    showing("trash", "show a deletion", f"{_TRASH}/{{unit}}", PROJECT, _UNIT),
    Command(
        "trash",
        "restore",
        "restore a deletion",
        "POST",
        f"{_TRASH}/{{unit}}/restore",
        (PROJECT, _UNIT),
        (Option("rename", "OLD=NEW: a tag's other name, or OLD= to leave it out; may be repeated", kind="list"),),
        lambda o: {"tags": _renamed(o)},
    ),
    deleting("trash", "remove a deletion for good", f"{_TRASH}/{{unit}}", PROJECT, _UNIT),
    deleting("trash", "remove all deletions of a project for good", _TRASH, PROJECT, name="empty"),
    showing(
        "trash", "show for how long deletions can be undone", f"{OWN_OF_PROJECT}/trash-grace", PROJECT, name="grace"
    ),
    Command(
        "trash",
        "set-grace",
        "set for how long later deletions can be undone",
        "PUT",
        f"{OWN_OF_PROJECT}/trash-grace",
        (PROJECT,),
        (Option("seconds", "0: not at all", kind="number", required=True),),
        lambda o: {"seconds": o["seconds"]},
    ),
)
