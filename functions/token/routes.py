"""The token function's endpoints, one row each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from functions.token.handlers.keys import get_keys
from functions.token.handlers.tokens import get_token, post_token
from functions.token.services import TokenServices
from roadstead.errors import ErrorCode, RegistryError
from roadstead.http import Request, Response

Handler = Callable[[TokenServices, Request], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint. `name` is its `route` in metrics and log lines."""

    name: str
    method: str
    path: str
    handler: Handler


ROUTES = (
    Route("get_token", "GET", "/token", get_token),
    Route("post_token", "POST", "/token", post_token),
    Route("get_token", "GET", "/service/token", get_token),  # Harbor's, as scripts have it
    Route("get_keys", "GET", "/.well-known/jwks.json", get_keys),
)


def match(method: str, path: str) -> Route:
    """Return the route of a request. Raises 404 for an unknown path, 405 with `Allow` for a wrong method."""
    rows = [route for route in ROUTES if route.path == path]
    if not rows:
        raise RegistryError(ErrorCode.UNSUPPORTED, f"{path[:200]} is not an endpoint of this service", status=404)
    for route in rows:
        if route.method == ("GET" if method == "HEAD" else method):  # RFC 9110 section 9.3.2
            return route
    methods = {route.method for route in rows}
    allowed = ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
    raise RegistryError(
        ErrorCode.UNSUPPORTED, f"{path} supports {allowed}, not {method[:20]}", headers=[("Allow", allowed)]
    )
