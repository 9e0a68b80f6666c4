"""`/v2/` (distribution-spec 1.1.1, end-1), and the handler of requests that no endpoint serves."""

from __future__ import annotations

from functions.distribution.call import Call, Handler
from roadstead.errors import RegistryError
from roadstead.http import Response


def check(_: Call) -> Response:
    """Respond 200 to any valid token, an anonymous one included."""
    return Response.json(200, {})


def refusing(error: RegistryError) -> Handler:
    """Return a handler that raises `error`: a request is judged only after it was authorised."""

    def refuse(call: Call, **parts: object) -> Response:
        raise error

    return refuse
