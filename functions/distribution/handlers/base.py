"""`/v2/` (distribution-spec 1.1.1, end-1)."""

from __future__ import annotations

from functions.distribution.call import Call
from roadstead.http import Response


def check(_: Call) -> Response:
    """200 to whoever has a valid token, an anonymous one included."""
    return Response.json(200, {})
