"""The endpoints of the Distribution API: one row each, with path, access and handler.

Names contain slashes, so a path is matched from the right: the name is greedy and takes what the rest leaves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from functions.distribution.call import Handler
from functions.distribution.handlers import base, blobs, lists, manifests, uploads
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.identity import access
from roadstead.names import Reference, RepositoryName, parse_reference


class Needs(Enum):
    """What a row needs."""

    TOKEN = auto()  # any valid one
    PULL = auto()
    PUSH = auto()
    DELETE = auto()
    CATALOG = auto()
    UPLOAD = auto()  # the upload token; without it, what PUSH needs


ACTIONS = {
    Needs.PULL: frozenset({access.PULL}),
    Needs.PUSH: frozenset({access.PULL, access.PUSH}),
    Needs.DELETE: frozenset({access.DELETE}),
    Needs.UPLOAD: frozenset({access.PULL, access.PUSH}),
}
"""The actions that each of them needs on the repository in the path."""


@dataclass(frozen=True, slots=True)
class Route:
    """`endpoint` is the specification's id of the row.

    Each `{part}` of `path` is parsed and passed to the handler by that name. `{upload}` is an upload's id;
    authorisation replaces it by the upload token. A `?` makes the slash before it optional.
    """

    endpoint: str
    method: str
    path: str
    needs: Needs
    handler: Handler

    @property
    def name(self) -> str:
        """The row's name in metrics and logs, like `manifests.get`."""
        return f"{self.handler.__module__.rpartition('.')[2]}.{self.handler.__name__}"


ROUTES = (
    Route("end-1", "GET", "/v2/?", Needs.TOKEN, base.check),
    Route("catalog", "GET", "/v2/_catalog", Needs.CATALOG, lists.catalog),
    Route("end-8", "GET", "/v2/{repository}/tags/list", Needs.PULL, lists.tags),
    Route("end-12", "GET", "/v2/{repository}/referrers/{digest}", Needs.PULL, lists.referrers),
    Route("end-3", "GET", "/v2/{repository}/manifests/{reference}", Needs.PULL, manifests.get),
    Route("end-3", "HEAD", "/v2/{repository}/manifests/{reference}", Needs.PULL, manifests.head),
    Route("end-7", "PUT", "/v2/{repository}/manifests/{reference}", Needs.PUSH, manifests.put),
    Route("end-9", "DELETE", "/v2/{repository}/manifests/{reference}", Needs.DELETE, manifests.delete),
    # Before the rows of blobs: `uploads` is not a digest.
    Route("end-4", "POST", "/v2/{repository}/blobs/uploads/?", Needs.PUSH, uploads.start),
    Route("end-13", "GET", "/v2/{repository}/blobs/uploads/{upload}", Needs.UPLOAD, uploads.status),
    Route("end-5", "PATCH", "/v2/{repository}/blobs/uploads/{upload}", Needs.UPLOAD, uploads.append),
    Route("end-6", "PUT", "/v2/{repository}/blobs/uploads/{upload}", Needs.UPLOAD, uploads.close),
    Route("end-14", "DELETE", "/v2/{repository}/blobs/uploads/{upload}", Needs.UPLOAD, uploads.cancel),
    Route("end-2", "GET", "/v2/{repository}/blobs/{digest}", Needs.PULL, blobs.get),
    Route("end-2", "HEAD", "/v2/{repository}/blobs/{digest}", Needs.PULL, blobs.head),
    Route("end-10", "DELETE", "/v2/{repository}/blobs/{digest}", Needs.DELETE, blobs.delete),
)


@dataclass(frozen=True, slots=True)
class Match:
    """A request's row, and the parsed parts of its path by name."""

    route: Route
    parts: Mapping[str, Any]


def match(method: str, path: str) -> Match:
    """Return the row of a request; HEAD is served by the row of GET where it has none of its own (RFC 9110 §9.3.2).

    A request that cannot be served gets a row too, whose handler raises the error: 404 for an unknown path, 405 with
    `Allow` for a wrong method, 400 or 404 for a malformed name or reference. So a client without a token only learns
    how to get one. The first matching pattern decides, so an upload's URL is never taken for a blob's.
    """
    for pattern, rows in _TABLE.items():
        found = pattern.fullmatch(path)
        if found is not None:
            return _match(method, path, rows, found.groupdict())
    error = RegistryError(
        ErrorCode.UNSUPPORTED, "there is no such endpoint in the OCI Distribution API; check the path", status=404
    )
    return _refused(method, path, Needs.TOKEN, {}, error)


def _match(method: str, path: str, rows: Mapping[str, Route], texts: Mapping[str, str]) -> Match:
    route = rows.get(method) or (rows.get("GET") if method == "HEAD" else None)
    needs = route.needs if route else _instead(next(iter(rows.values())).needs)
    parts: dict[str, Any] = {}
    for name, text in texts.items():
        try:
            parts[name] = _PARSERS[name](text, method)
        except RegistryError as error:
            # No token can be for a malformed name.
            return _refused(method, path, needs if "repository" in parts else Needs.TOKEN, parts, error)
    if route is None:
        allowed = {*rows, *({"HEAD"} if "GET" in rows else ())}
        wrong_method = RegistryError(
            ErrorCode.UNSUPPORTED,
            f"{method[:20]} is not a method of this endpoint",
            headers=[("Allow", ", ".join(sorted(allowed)))],
        )
        return _refused(method, path, needs, parts, wrong_method)
    return Match(route, parts)


def _instead(needs: Needs) -> Needs:
    """Return what a wrong method needs instead of `needs`: an upload token does not authorise it."""
    return Needs.PUSH if needs is Needs.UPLOAD else needs


def _refused(method: str, path: str, needs: Needs, parts: Mapping[str, Any], error: RegistryError) -> Match:
    return Match(Route("", method, path, needs, base.refusing(error)), parts)


def _repository(text: str, _: str) -> RepositoryName:
    try:
        return RepositoryName.parse(text)
    except ValueError as error:
        raise RegistryError(ErrorCode.NAME_INVALID, str(error)) from error


def _digest(text: str, _: str) -> Digest:
    try:
        return Digest.parse(text)
    except ValueError as error:
        raise RegistryError(ErrorCode.DIGEST_INVALID, str(error)) from error


def _reference(text: str, method: str) -> Reference:
    try:
        return parse_reference(text)
    except ValueError as error:
        if ":" in text:
            raise RegistryError(ErrorCode.DIGEST_INVALID, str(error)) from error
        if method == "PUT":
            raise RegistryError(ErrorCode.TAG_INVALID, str(error)) from error
        raise RegistryError(ErrorCode.MANIFEST_UNKNOWN, f"there is no such tag: {error}") from error


def _upload_id(text: str, _: str) -> str:
    """Any text will do: the upload token must contain the same id."""
    return text


_PARSERS: Mapping[str, Callable[[str, str], Any]] = {
    "repository": _repository,
    "reference": _reference,
    "digest": _digest,
    "upload": _upload_id,
}


def _pattern(path: str) -> re.Pattern[str]:
    """Return a row's path as a regular expression. A repository's name spans slashes, any other part does not."""
    path = path.replace("{repository}", "(?P<repository>.+)")
    return re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path))


def _table() -> dict[re.Pattern[str], dict[str, Route]]:
    """Return the rows by pattern, in the order of ROUTES, and by method."""
    paths: dict[str, dict[str, Route]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method] = route
    return {_pattern(path): rows for path, rows in paths.items()}


_TABLE = _table()
