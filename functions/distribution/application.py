"""From a request to its response: route, authorise, handle."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext

from functions.distribution.authorization import Authorization
from functions.distribution.call import Call, digest_parameter
from functions.distribution.routes import match
from functions.distribution.services import Services
from functions.distribution.settings import Challenge, HeadAnswers
from functions.hosting import observation
from functions.hosting.viewer import as_viewed
from roadstead.content.uploads.token import UploadToken
from roadstead.digest import DEFAULT_ALGORITHM
from roadstead.errors import RegistryError
from roadstead.http import Request, Response

CHALLENGE_COPY = "X-Roadstead-Challenge"  # infra/api.py maps it to WWW-Authenticate
_API_VERSION = ("Docker-Distribution-Api-Version", "registry/2.0")  # Docker's clients look for it on /v2/


Admission = Callable[[UploadToken], AbstractContextManager[None]]
"""Entered when a request that sends bytes to an upload, or may read them back, is authorised, before its handler runs.

May wait, and may raise RegistryError.
"""


class Application:
    """The application of one registry. Raises RegistryError, which the function's boundary turns into a response."""

    def __init__(self, services: Services, *, admission: Admission | None = None) -> None:
        self._services = services
        self._admission = admission
        self._authorization = Authorization(services)

    @property
    def head_bodies(self) -> bool:
        """Whether responses to HEAD have a body, which the gateway cuts off."""
        return self._services.head_answers is not HeadAnswers.LENGTH

    def respond(self, request: Request, body: Iterable[bytes] | None = None, length: int | None = None) -> Response:
        """`body`, if given, replaces `request.body`; `length` is its declared size, or None."""
        try:
            services = self._services
            viewed = as_viewed(request, services.edge_secrets, required=services.via_distribution_only)
            response = self._respond(viewed, body, length)
        except RegistryError as error:
            error.add_headers(_API_VERSION)  # on challenges above all: clients recognise a registry by it
            if self._services.challenge is Challenge.MAPPED:
                error.add_headers(
                    *((CHALLENGE_COPY, value) for name, value in error.headers if name == "WWW-Authenticate")
                )
            raise
        return response.with_headers(_API_VERSION)

    def _respond(self, request: Request, body: Iterable[bytes] | None, length: int | None) -> Response:
        found = match(request.method, request.path)
        observation.current().route = found.route.name
        authorized = self._authorization.authorize(request, found)
        call = Call(
            request=request,
            services=self._services,
            actor=authorized.actor,
            body=(request.body,) if body is None else body,
            length=len(request.body) if body is None else length,
            granted=authorized.granted,
        )
        if authorized.upload is not None and call.length != 0:
            self._authorization.check_body(authorized.upload)
        with self._admitted(call, authorized.upload):
            return found.route.handler(call, **{**found.parts, **authorized.parts})

    def _admitted(self, call: Call, upload: UploadToken | None) -> AbstractContextManager[None]:
        if self._admission is None or upload is None or (call.length == 0 and not _may_read_back(call.request, upload)):
            return nullcontext()
        return self._admission(upload)


def _may_read_back(request: Request, upload: UploadToken) -> bool:
    """Whether the request closes an upload by a digest whose algorithm was not named (ADR 27).

    That takes the memory and the time of a body, so any number at once would be more than a process has.
    """
    digest = digest_parameter(request) if request.method == "PUT" else None
    return digest is not None and upload.algorithm is None and digest.algorithm != DEFAULT_ALGORITHM
