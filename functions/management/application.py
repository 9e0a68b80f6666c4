"""From a request to its response: route, authorise, handle. Every response is safe to show in a browser."""

from __future__ import annotations

from functions.hosting import observation
from functions.hosting.viewer import as_viewed
from functions.management.authentication import CSRF_HEADER, SAFE_METHODS, session_token
from functions.management.authorization import authorize
from functions.management.call import Call
from functions.management.console import BUILD_HEADER
from functions.management.errors import ManagementCode, ManagementError, of_registry
from functions.management.routes import match
from functions.management.services import Services
from roadstead.errors import RegistryError
from roadstead.http import Request, Response
from roadstead.identity.sign_in.sessions import csrf_token

_ALWAYS = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
)


# What is possible while the registry is read-only: to end that, and to sign in and out.
_WHILE_READ_ONLY = frozenset(
    {"updateConfigurations", "beginSession", "endSession", "endOwnSession", "endOtherSessions"}
)


class Application:
    """The management API and the console on one set of services."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def respond(self, request: Request) -> Response:
        """Return the response; a refusal is one too. An unexpected exception rises to the function's boundary."""
        services = self._services
        request = as_viewed(request, services.edge_secrets, required=services.via_distribution_only)
        console, of_api = services.console, []
        try:
            response = console.respond(request) if console is not None else None
            if response is not None:
                observation.current().route = "console"
            else:
                of_api = _csrf(request)
                response = self._respond(request)
        except ManagementError as error:
            response = error.response()
        except RegistryError as error:
            response = of_registry(error).response()
        return response.with_headers(*_missing(response, [*_ALWAYS, *of_api, *self._build()]))

    def _respond(self, request: Request) -> Response:
        found = match(request.method, request.path)
        observation.current().route = found.route.operation
        caller, access = authorize(self._services, request, found)
        if request.method not in SAFE_METHODS and found.route.operation not in _WHILE_READ_ONLY:
            self._refuse_while_read_only()
        call = Call(request, self._services, caller, access)
        return found.route.handler(call, **found.parameters)

    def _refuse_while_read_only(self) -> None:
        """Costs one read a minute."""
        if self._services.configuration.read().flag("read_only"):
            message = "the registry is read-only; a system administrator can end that in its configuration"
            raise ManagementError(ManagementCode.DENIED, message)

    def _build(self) -> list[tuple[str, str]]:
        console = self._services.console
        return [(BUILD_HEADER, console.build)] if console is not None and console.build is not None else []


def _csrf(request: Request) -> list[tuple[str, str]]:
    """The CSRF token of the session whose cookie was sent. It is worth nothing without that session."""
    token = session_token(request)
    return [(CSRF_HEADER, csrf_token(token))] if token is not None else []


def _missing(response: Response, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    present = {name.lower() for name, _ in response.headers}
    return [header for header in headers if header[0].lower() not in present]
