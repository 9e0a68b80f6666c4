"""The description of this API."""

from __future__ import annotations

from functions.management.call import Call
from functions.management.route import Nothing, route
from roadstead.http import Response


def get_document(call: Call) -> Response:
    """Our OpenAPI document. Public: it says what there is, and nothing about what is in it."""
    headers = (("Content-Type", "application/json"), ("Cache-Control", "public, max-age=300"))
    return Response(200, headers, call.services.description())


ROUTES = (route("getOpenApi", "GET", "/api/openapi.json", Nothing(), get_document),)
