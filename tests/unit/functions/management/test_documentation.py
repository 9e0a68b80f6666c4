"""docs/management.md lists the endpoints that there are, with the access that each needs."""

from __future__ import annotations

from functions.management.endpoints import DOCUMENT, table


def test_the_page_lists_every_endpoint_and_no_other() -> None:
    assert table() in DOCUMENT.read_text(), "run: python -m functions.management.endpoints"
