"""The context of one call of a handler, and the parameters that handlers read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from functions.distribution.services import Services
from roadstead.digest import Digest, parse_algorithm
from roadstead.errors import ErrorCode, RegistryError
from roadstead.http import Request, Response
from roadstead.identity.access import PULL, PUSH, Access
from roadstead.identity.tokens.granted import NOTHING_GRANTED, Granted
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor


@dataclass(frozen=True, slots=True)
class Call:
    """A request, the services, the caller and the access granted. The parts of the path are arguments of their own.

    `body` is the body of a chunk or blob (every other body is small, and in the request); `length` is its declared size
    in bytes, or None.
    """

    request: Request
    services: Services
    actor: Actor
    body: Iterable[bytes] = ()
    length: int | None = 0
    granted: Granted = NOTHING_GRANTED

    @property
    def distribution_url(self) -> str:
        """The distribution's URL, as the request tells it; empty if it does not."""
        return self.request.base_url if self.request.via_edge else self.request.distribution

    def may_push(self, repository: RepositoryName) -> bool:
        return self.granted.permits(Access.to(repository, PUSH))

    def may_pull(self, repository: RepositoryName) -> bool:
        return self.granted.permits(Access.to(repository, PULL))


Handler = Callable[..., Response]
"""A function of a call and the parts of its row's path, by name: `get(call, repository, digest)`."""


def digest_parameter(request: Request) -> Digest | None:
    """Return the query's `digest`, or None; repeated ones must be equal. Raises DIGEST_INVALID."""
    values = set(request.parameters("digest"))
    if not values:
        return None
    if len(values) > 1:
        raise RegistryError(ErrorCode.DIGEST_INVALID, "the query has several digests that differ; send one")
    try:
        return Digest.parse(values.pop())
    except ValueError as error:
        raise RegistryError(ErrorCode.DIGEST_INVALID, str(error)) from error


def algorithm_parameter(request: Request) -> str | None:
    """Return the query's `digest-algorithm` (distribution-spec 1.2), or None. Raises DIGEST_INVALID."""
    text = request.parameter("digest-algorithm")
    if text is None:
        return None
    try:
        return parse_algorithm(text)
    except ValueError as error:
        raise RegistryError(ErrorCode.DIGEST_INVALID, str(error)) from error


def number_parameter(request: Request, name: str) -> int | None:
    """Return a whole number of at least 0 from the query, or None. Raises 400."""
    text = request.parameter(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise RegistryError(
            ErrorCode.UNSUPPORTED, f"the parameter {name} must be a whole number of at most 9 digits", status=400
        )
    return int(text)


def next_link(path: str, parameters: Mapping[str, str]) -> tuple[str, str]:
    """Return a `Link` header to the next page (RFC 8288): relative, with every value percent-encoded."""
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    return ("Link", f'<{quote(path)}?{query}>; rel="next"')
