"""docs/management.md lists the endpoints that there are, with the access that each needs."""

from __future__ import annotations

import re
from pathlib import Path

from functions.management.routes import ROUTES, Anybody, InProject, Needs, Nothing, SignedIn, SystemAdmin

DOCUMENT = Path(__file__).parents[4] / "docs" / "management.md"


def in_words(needs: Needs) -> str:
    match needs:
        case Nothing():
            return "nothing; credentials are not read"
        case Anybody():
            return "nothing"
        case SignedIn():
            return "a sign-in"
        case SystemAdmin():
            return "a system administrator"
        case InProject(permission):
            return f"`{permission}` in the project"


def test_the_page_lists_every_endpoint_and_no_other() -> None:
    rows = re.findall(r"^\| ([A-Z]+) \| `([^`]+)` \| (.+) \|$", DOCUMENT.read_text(), re.MULTILINE)
    assert rows == [(route.method, route.template.text, in_words(route.needs)) for route in ROUTES]
