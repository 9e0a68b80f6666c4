"""The client's real host name, address and credentials behind CloudFront, which calls the client the viewer.

API Gateway sees the edge's address and needs its own Host header, and on the way to a function URL CloudFront's
signature replaces Authorization. So the edge function passes the viewer's in headers of our own, and CloudFront adds a
secret to what it sends to an origin. Without that secret the headers are ignored.
"""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Protocol

from roadstead.errors import ErrorCode, RegistryError
from roadstead.http import Request
from roadstead.trail.entries import Actor, ActorKind

SECRET = "x-roadstead-secret"
HOST = "x-roadstead-host"
ADDRESS = "x-roadstead-address"
AUTHORIZATION = "x-roadstead-authorization"
_PREFIX = "x-roadstead-"


class EdgeSecretSource(Protocol):
    def edge_secrets(self) -> tuple[str, ...]:
        """Return the values that CloudFront may send in `x-roadstead-secret`: one, or two during a rotation."""
        ...


def as_viewed(request: Request, secrets: EdgeSecretSource | None, *, required: bool = False) -> Request:
    """Return the request as its viewer sent it, without our own headers.

    If the secret is right, `via_edge` is set; otherwise host, address and Authorization stay as they came. Raises 403
    DENIED for a request without the right secret if it is `required`.
    """
    own = tuple(header for header in request.headers if not header[0].startswith(_PREFIX))
    given = request.header(SECRET)
    if secrets is None or given is None or not _right(given, secrets.edge_secrets()):
        if required:
            raise RegistryError(
                ErrorCode.DENIED, "requests to this address are refused: use the registry's own host name"
            )
        return replace(request, headers=own) if len(own) < len(request.headers) else request
    moved = tuple(("authorization", value) for name, value in request.headers if name == AUTHORIZATION)
    if moved:
        own = (*(header for header in own if header[0] != "authorization"), *moved)
    return replace(
        request,
        headers=own,
        host=request.header(HOST) or request.host,
        source_ip=request.header(ADDRESS) or request.source_ip,
        via_edge=True,
    )


def origin(request: Request) -> Actor:
    """Return an anonymous actor with the request's address, user agent and ids."""
    where = (request.source_ip, request.user_agent, request.request_id, request.trace_id)
    return Actor("", ActorKind.ANONYMOUS, "", *where)


def _right(given: str, secrets: tuple[str, ...]) -> bool:
    return any(hmac.compare_digest(given.encode(), secret.encode()) for secret in secrets)
