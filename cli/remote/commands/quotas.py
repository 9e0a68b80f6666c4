"""Quotas of projects."""

from __future__ import annotations

from cli.remote.shapes import (
    HARBOR,
    OWN_OF_PROJECT,
    PROJECT,
    Argument,
    Command,
    Option,
    listing,
    showing,
)

COMMANDS: tuple[Command, ...] = (
    listing(
        "quota",
        "list quotas",
        f"{HARBOR}/quotas",
        {"ID": "id", "PROJECT": "ref.name", "HARD": "hard.storage", "USED": "used.storage"},
        options=(),
    ),
    showing("quota", "show a project's quota", f"{OWN_OF_PROJECT}/quota", PROJECT),
    Command(
        "quota",
        "set",
        "set how many bytes a project may store; -1: any",
        "PUT",
        f"{HARBOR}/quotas/{{quota}}",
        (Argument("quota", "the project's id"),),
        (Option("storage", "bytes", kind="number", required=True),),
        lambda o: {"hard": {"storage": o["storage"]}},
    ),
)
