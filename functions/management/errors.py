"""The errors of the management API: `{"errors": [{"code", "message"}]}`, codes and statuses as Harbor has them.

Source: Harbor, src/lib/errors/const.go and src/lib/http/error.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from roadstead.content.commit_rules import ImmutableTag
from roadstead.errors import RegistryError
from roadstead.http import Response


class ManagementCode(Enum):
    """A code of Harbor's with its HTTP status."""

    BAD_REQUEST = ("BAD_REQUEST", 400)
    UNSUPPORTED = ("UNSUPPORTED", 400)  # what Harbor can do and this registry cannot
    UNAUTHORIZED = ("UNAUTHORIZED", 401)
    FORBIDDEN = ("FORBIDDEN", 403)
    DENIED = ("DENIED", 403)  # a quota, or an immutable tag's neighbour in the OCI API
    NOT_FOUND = ("NOT_FOUND", 404)
    METHOD_NOT_ALLOWED = ("METHOD_NOT_ALLOWED", 405)
    CONFLICT = ("CONFLICT", 409)
    PRECONDITION = ("PRECONDITION", 412)
    UNPROCESSABLE = ("UNPROCESSABLE_ENTITY", 422)
    TOO_MANY_REQUESTS = ("TOO_MANY_REQUEST", 429)
    UNKNOWN = ("UNKNOWN", 500)
    UNAVAILABLE = ("UNAVAILABLE", 503)

    def __init__(self, code: str, status: int) -> None:
        self.code = code
        self.status = status


class ManagementError(Exception):
    """A refusal for the client. `headers` travel with the response. Everything else that is raised becomes a 500."""

    def __init__(self, code: ManagementCode, message: str, *, headers: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.headers = tuple(headers)

    def response(self) -> Response:
        document = {"errors": [{"code": self.code.code, "message": str(self)}]}
        return Response.json(self.code.status, document, self.headers)


def of_registry(error: RegistryError) -> ManagementError:
    """Return Harbor's error for one of the OCI API's, which is what the rules about content raise."""
    codes = {
        400: ManagementCode.BAD_REQUEST,
        403: ManagementCode.DENIED,
        404: ManagementCode.NOT_FOUND,
        405: ManagementCode.PRECONDITION,  # something still needs it
        409: ManagementCode.CONFLICT,
        412: ManagementCode.PRECONDITION,
    }
    if isinstance(error, ImmutableTag):
        return ManagementError(ManagementCode.PRECONDITION, str(error))
    return ManagementError(codes.get(error.status, ManagementCode.BAD_REQUEST), error.entries[0].message)


def bad_request(message: str) -> ManagementError:
    return ManagementError(ManagementCode.BAD_REQUEST, message)


def not_found(message: str) -> ManagementError:
    return ManagementError(ManagementCode.NOT_FOUND, message)


def conflict(message: str) -> ManagementError:
    return ManagementError(ManagementCode.CONFLICT, message)
