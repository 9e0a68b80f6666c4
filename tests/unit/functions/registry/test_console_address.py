"""The console's address with a slash at its end, which API Gateway has no route for."""

from __future__ import annotations

from functions.registry import handler
from roadstead.http import Request


def test_the_consoles_address_with_a_slash_leads_to_the_one_without() -> None:
    response = handler._respond(Request("GET", "/ui/"))
    assert (response.status, dict(response.headers)["Location"]) == (308, "/ui")
    assert dict(response.headers)["Cache-Control"] == "no-store"
