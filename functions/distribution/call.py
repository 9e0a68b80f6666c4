"""One call: the request, what its path names, and whom it is from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from functions.distribution.services import Services
from roadstead.content.upload_token import UploadToken
from roadstead.digest import Digest, parse_algorithm
from roadstead.errors import ErrorCode, RegistryError
from roadstead.http import Request, Response
from roadstead.identity.access import PULL, PUSH, Access, permits
from roadstead.names import Reference, RepositoryName
from roadstead.trail.entries import Actor


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler gets. Fields that its path does not have raise when they are asked for."""

    request: Request
    services: Services
    actor: Actor
    body: Iterable[bytes] = ()  # of a chunk or a blob; all other bodies are small and are in the request
    length: int | None = 0  # bytes of `body`; None when nobody said
    granted: tuple[Access, ...] = ()
    named_repository: RepositoryName | None = None
    named_reference: Reference | None = None
    upload_token: UploadToken | None = None

    @property
    def repository(self) -> RepositoryName:
        assert self.named_repository is not None  # noqa: S101 - the route has a name
        return self.named_repository

    @property
    def reference(self) -> Reference:
        assert self.named_reference is not None  # noqa: S101 - the route has a reference
        return self.named_reference

    @property
    def digest(self) -> Digest:
        assert isinstance(self.named_reference, Digest)  # noqa: S101 - the route has a digest
        return self.named_reference

    @property
    def upload(self) -> UploadToken:
        assert self.upload_token is not None  # noqa: S101 - the route has an upload
        return self.upload_token

    @property
    def may_push(self) -> bool:
        return permits(self.granted, Access.to(self.repository, PUSH))

    def may_pull(self, repository: str) -> bool:
        return permits(self.granted, Access.to(repository, PULL))


Handler = Callable[[Call], Response]


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
