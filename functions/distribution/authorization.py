"""Whether a request is authorised, decided once before its handler runs.

Bearer tokens: RFC 6750 and the Docker registry token documentation. The response to a token that grants too little is
401 with `insufficient_scope` and the scope to ask for, since another token may grant it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from functions.distribution import audit
from functions.distribution.challenge import challenge
from functions.distribution.routes import ACTIONS, Match, Needs
from functions.distribution.services import Services
from functions.hosting.viewer import origin
from roadstead.content.uploads.token import PARAMETER, ExpiredUpload, UploadToken, decode_upload_token
from roadstead.errors import ErrorCode, RegistryError
from roadstead.http import Request
from roadstead.identity.access import CATALOG_ACCESS, PUSH, Access
from roadstead.identity.tokens.granted import NOTHING_GRANTED, Granted
from roadstead.identity.tokens.verification import Caller, ExpiredToken, InvalidToken
from roadstead.trail.entries import Actor, ActorKind


@dataclass(frozen=True, slots=True)
class Authorized:
    """An authorised request: the actor, what their token grants, and on upload routes the upload token."""

    actor: Actor
    granted: Granted = NOTHING_GRANTED
    upload: UploadToken | None = None

    @property
    def parts(self) -> Mapping[str, Any]:
        """The handler's arguments that come from the authorisation, not from the path."""
        return {} if self.upload is None else {"upload": self.upload}


class Authorization:
    def __init__(self, services: Services, clock: Callable[[], float] = time.time) -> None:
        self._services = services
        self._clock = clock

    def authorize(self, request: Request, match: Match) -> Authorized:
        """Authorise a request. Raises 401, or 404 for an upload whose token is missing or invalid."""
        if match.route.needs is Needs.UPLOAD:
            token = self._upload(request, match)
            return Authorized(
                _actor(request, token.actor_name, ActorKind(token.actor_kind), token.token_id), upload=token
            )
        caller = self._permitted(request, match)
        actor = _actor(request, caller.subject, caller.kind, caller.token_id, caller.subject_id)
        return Authorized(actor, caller.granted)

    def _upload(self, request: Request, match: Match) -> UploadToken:
        text = request.parameter(PARAMETER)
        if text is None:
            self._permitted(request, match)  # so that only those who may push learn about uploads
            reason = "the upload's URL lacks its state: use the Location of the last response unchanged"
            raise RegistryError(ErrorCode.BLOB_UPLOAD_UNKNOWN, reason)
        try:
            return decode_upload_token(
                text,
                self._services.upload_keys.upload_keys(),
                now=self._clock(),
                repository=match.parts["repository"],
                upload_id=match.parts["upload"],
            )
        except ValueError as error:
            if not isinstance(error, ExpiredUpload):
                audit.token_refused(request, needed_access(match), str(error))
            raise RegistryError(ErrorCode.BLOB_UPLOAD_UNKNOWN, str(error)) from error

    def check_body(self, upload: UploadToken) -> None:
        """Raises BLOB_UPLOAD_UNKNOWN if the upload's URL is too old for a request with a body."""
        if not upload.takes_body(self._clock()):
            raise RegistryError(ErrorCode.BLOB_UPLOAD_UNKNOWN, "this upload takes no more data; start it again")

    def _permitted(self, request: Request, match: Match) -> Caller:
        """Return the caller if their token grants what the route needs. Raises 401 with a challenge otherwise."""
        needed = needed_access(match)
        caller = self._caller(request, needed)
        if needed is not None and not caller.granted.permits(needed):
            raise self._refusal(request, needed, caller)
        return caller

    def _caller(self, request: Request, needed: Access | None) -> Caller:
        scheme, _, token = (request.header("authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise RegistryError(
                ErrorCode.UNAUTHORIZED,
                "a bearer token is needed: log in, or ask the realm of the challenge for one",
                headers=[self._challenge(request, needed)],
            )
        try:
            return self._services.verifier.verify(token.strip())
        except InvalidToken as error:
            # Every token expires at some time; and what came by the function's URL is asked again through the API.
            if not isinstance(error, ExpiredToken) and not request.by_url:
                audit.token_refused(request, needed, str(error))
            raise RegistryError(
                ErrorCode.UNAUTHORIZED,
                str(error),
                headers=[self._challenge(request, needed, "invalid_token", str(error))],
            ) from error

    def _refusal(self, request: Request, needed: Access, caller: Caller) -> RegistryError:
        message = _refused(needed, caller)
        return RegistryError(
            ErrorCode.DENIED,
            message,
            status=401,
            detail={"scope": needed.scope()},
            headers=[self._challenge(request, needed, "insufficient_scope", message)],
        )

    def _challenge(
        self, request: Request, needed: Access | None, error: str = "", description: str = ""
    ) -> tuple[str, str]:
        scopes = (needed.scope(),) if needed is not None else ()
        return challenge(request, self._services.token_service, scopes, error, description)


def needed_access(match: Match) -> Access | None:
    """Return the access that a request needs; None if any valid token suffices."""
    if match.route.needs is Needs.TOKEN:
        return None
    if match.route.needs is Needs.CATALOG:
        return CATALOG_ACCESS
    return Access.to(match.parts["repository"], *ACTIONS[match.route.needs])


def _refused(needed: Access, caller: Caller) -> str:
    who = caller.subject or "an anonymous user"
    if needed.type != "repository":
        return f"{who} may not list the catalog: only system administrators may"
    if PUSH in needed.actions:
        return f"the project of {needed.name} does not exist, or {who} may not push to it"
    actions = " and ".join(sorted(needed.actions))
    return f"{needed.name} does not exist, or {who} may not {actions} there"


def _actor(request: Request, name: str, kind: ActorKind, token_id: str, id_: int = 0) -> Actor:
    return replace(origin(request), name=name, kind=kind, token_id=token_id, id=id_)
