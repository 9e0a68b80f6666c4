"""From a request to its response: route, handle."""

from __future__ import annotations

from functions.hosting import observation
from functions.hosting.viewer import as_viewed
from functions.token.routes import match
from functions.token.services import TokenServices
from roadstead.http import Request, Response


def respond(services: TokenServices, request: Request) -> Response:
    """Respond to a request. Raises RegistryError; `functions.hosting.boundary` turns it into an error response."""
    route = match(request.method, request.path)
    observation.current().route = route.name
    return route.handler(services, as_viewed(request, services.edge_secrets, required=services.via_distribution_only))
