"""The table of endpoints in docs/management.md: `python -m functions.management.endpoints` writes it anew."""

from __future__ import annotations

import re
from pathlib import Path

from functions.management.route import in_words
from functions.management.routes import ROUTES

DOCUMENT = Path(__file__).parents[2] / "docs" / "management.md"
_HEAD = "| method | path | needs |\n|---|---|---|\n"
_TABLE = re.compile(re.escape(_HEAD) + r"(?:\|.*\n)*")


def table() -> str:
    """Return the table in Markdown, a row for each endpoint."""
    rows = (f"| {route.method} | `{route.template.text}` | {in_words(route.needs)} |\n" for route in ROUTES)
    return _HEAD + "".join(rows)


def written(document: str) -> str:
    """Return `document` with its table replaced by the current one."""
    return _TABLE.sub(lambda _: table(), document, count=1)


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text()))
