"""One call of a handler: the request, and whom it is from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from functions.distribution.services import Services
from roadstead.digest import Digest, parse_algorithm
from roadstead.errors import ErrorCode, RegistryError
from roadstead.http import Request, Response
from roadstead.identity.access import PULL, PUSH, Access
from roadstead.identity.granted import NOTHING_GRANTED, Granted
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor


@dataclass(frozen=True, slots=True)
class Call:
    """What every handler gets; the parts of its path come as arguments of their own.

    `body` is that of a chunk or a blob (all other bodies are small and in the request), `length` its size in bytes, or
    None when the client did not declare one.
    """

    request: Request
    services: Services
    actor: Actor
    body: Iterable[bytes] = ()
    length: int | None = 0
    granted: Granted = NOTHING_GRANTED

    def may_push(self, repository: RepositoryName) -> bool:
        return self.granted.permits(Access.to(repository, PUSH))

    def may_pull(self, repository: RepositoryName) -> bool:
        return self.granted.permits(Access.to(repository, PULL))


Handler = Callable[..., Response]
"""A function of a call and the parts of its row's path, by name: `get(call, repository, digest)`."""


def digest_parameter(request: Request) -> Digest | None:
    """The `digest` of a query; several must say the same. Raises DIGEST_INVALID."""
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
    """The `digest-algorithm` of a query (distribution-spec 1.2). Raises DIGEST_INVALID."""
    text = request.parameter("digest-algorithm")
    if text is None:
        return None
    try:
        return parse_algorithm(text)
    except ValueError as error:
        raise RegistryError(ErrorCode.DIGEST_INVALID, str(error)) from error


def number_parameter(request: Request, name: str) -> int | None:
    """A whole number of a query, at least 0; raises 400."""
    text = request.parameter(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise RegistryError(
            ErrorCode.UNSUPPORTED, f"the parameter {name} must be a whole number of at most 9 digits", status=400
        )
    return int(text)


def next_link(path: str, parameters: Mapping[str, str]) -> tuple[str, str]:
    """A `Link` header to the next page (RFC 8288), relative, every value percent-encoded."""
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    return ("Link", f'<{quote(path)}?{query}>; rel="next"')
