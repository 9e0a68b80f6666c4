"""Quotas of projects."""

from __future__ import annotations

from cli.remote.shapes import HARBOR, OWN_OF_PROJECT, PROJECT, QUERY, SORT, Command, Option, listing, showing

COMMANDS: tuple[Command, ...] = (
    listing(
        "quota",
        "list quotas",
        f"{HARBOR}/quotas",
        {"ID": "id", "PROJECT": "ref.name", "HARD": "hard.storage", "USED": "used.storage"},
        options=(QUERY, SORT),
    ),
    showing("quota", "show a project's quota, and what is used of it", f"{OWN_OF_PROJECT}/quota", PROJECT),
    Command(
        "quota",
        "set",
        "limit what a project may hold; -1 is no limit",
        "PUT",
        f"{OWN_OF_PROJECT}/quota",
        (PROJECT,),
        (
            Option("storage", "bytes", kind="number"),
            Option("repositories", "how many", kind="number"),
            Option("artifacts", "how many", kind="number"),
            Option(
                "enforce", "hard: refuse every byte too many; soft: refuse once it is passed", choices=("hard", "soft")
            ),
        ),
        lambda o: {
            "storage": o["storage"],
            "repositories": o["repositories"],
            "artifacts": o["artifacts"],
            "hard": None if o["enforce"] is None else o["enforce"] == "hard",
        },
    ),
)
