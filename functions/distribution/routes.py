"""The endpoints of the Distribution API: a row each, with its handler and the access that it needs.

Names contain slashes, so a path is matched from the right: the greedy name takes all that the rest leaves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from functions.distribution.call import Handler
from functions.distribution.handlers import base, blobs, lists, manifests, uploads
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.identity import access
from roadstead.names import Reference, RepositoryName, parse_reference


class Needs(Enum):
    """The access of a row."""

    TOKEN = auto()  # any valid one
    PULL = auto()
    PUSH = auto()
    DELETE = auto()
    CATALOG = auto()
    UPLOAD = auto()  # the upload token; without one a challenge asks for what PUSH needs


ACTIONS = {
    Needs.PULL: frozenset({access.PULL}),
    Needs.PUSH: frozenset({access.PULL, access.PUSH}),
    Needs.DELETE: frozenset({access.DELETE}),
    Needs.UPLOAD: frozenset({access.PULL, access.PUSH}),
}
"""What is needed on the repository that the path names."""


@dataclass(frozen=True, slots=True)
class Route:
    """`endpoint` is the specification's id of the row."""

    endpoint: str
    method: str
    pattern: re.Pattern[str]
    needs: Needs
    handler: Handler

    @property
    def name(self) -> str:
        """What metrics and logs call it, as `manifests.get`."""
        return f"{self.handler.__module__.rpartition('.')[2]}.{self.handler.__name__}"


_NAME = r"/v2/(?P<name>.+)"
_BASE = re.compile(r"/v2/?")
_CATALOG = re.compile(r"/v2/_catalog")
_BLOB = re.compile(_NAME + r"/blobs/(?P<digest>[^/]+)")
_MANIFEST = re.compile(_NAME + r"/manifests/(?P<reference>[^/]+)")
_UPLOADS = re.compile(_NAME + r"/blobs/uploads/?")
_UPLOAD = re.compile(_NAME + r"/blobs/uploads/(?P<upload>[^/]+)")
_TAGS = re.compile(_NAME + r"/tags/list")
_REFERRERS = re.compile(_NAME + r"/referrers/(?P<digest>[^/]+)")

ROUTES = (
    Route("end-1", "GET", _BASE, Needs.TOKEN, base.check),
    Route("end-1", "HEAD", _BASE, Needs.TOKEN, base.check),
    Route("catalog", "GET", _CATALOG, Needs.CATALOG, lists.catalog),
    Route("end-8", "GET", _TAGS, Needs.PULL, lists.tags),
    Route("end-12", "GET", _REFERRERS, Needs.PULL, lists.referrers),
    Route("end-3", "GET", _MANIFEST, Needs.PULL, manifests.get),
    Route("end-3", "HEAD", _MANIFEST, Needs.PULL, manifests.head),
    Route("end-7", "PUT", _MANIFEST, Needs.PUSH, manifests.put),
    Route("end-9", "DELETE", _MANIFEST, Needs.DELETE, manifests.delete),
    # Before the rows of blobs: `uploads` is no digest.
    Route("end-4", "POST", _UPLOADS, Needs.PUSH, uploads.start),
    Route("end-13", "GET", _UPLOAD, Needs.UPLOAD, uploads.status),
    Route("end-5", "PATCH", _UPLOAD, Needs.UPLOAD, uploads.append),
    Route("end-6", "PUT", _UPLOAD, Needs.UPLOAD, uploads.close),
    Route("end-14", "DELETE", _UPLOAD, Needs.UPLOAD, uploads.cancel),
    Route("end-2", "GET", _BLOB, Needs.PULL, blobs.get),
    Route("end-2", "HEAD", _BLOB, Needs.PULL, blobs.head),
    Route("end-10", "DELETE", _BLOB, Needs.DELETE, blobs.delete),
)


@dataclass(frozen=True, slots=True)
class Match:
    """A request's route, with what the path names in its parsed form."""

    route: Route
    repository: RepositoryName | None = None
    reference: Reference | None = None
    upload_id: str | None = None


def match(method: str, path: str) -> Match:
    """Raises 404 for a path that no row has, 405 with Allow for another method, and for what cannot be parsed.

    A path with a row is matched by the first pattern alone, so an upload's URL is never taken for a blob's.
    """
    patterns = dict.fromkeys(route.pattern for route in ROUTES)
    for pattern in patterns:
        found = pattern.fullmatch(path)
        if found is None:
            continue
        rows = {route.method: route for route in ROUTES if route.pattern is pattern}
        if method not in rows:
            raise RegistryError(
                ErrorCode.UNSUPPORTED,
                f"{method[:20]} is not a method of this endpoint",
                headers=[("Allow", ", ".join(sorted(rows)))],
            )
        return _parse(rows[method], found.groupdict())
    raise RegistryError(
        ErrorCode.UNSUPPORTED, "there is no such endpoint in the OCI Distribution API; check the path", status=404
    )


def _parse(route: Route, groups: dict[str, str]) -> Match:
    repository = None
    if "name" in groups:
        try:
            repository = RepositoryName.parse(groups["name"])
        except ValueError as error:
            raise RegistryError(ErrorCode.NAME_INVALID, str(error)) from error
    return Match(route, repository, _reference(route, groups), groups.get("upload"))


def _reference(route: Route, groups: dict[str, str]) -> Reference | None:
    text = groups.get("reference") or groups.get("digest")
    if text is None:
        return None
    try:
        return parse_reference(text) if "reference" in groups else Digest.parse(text)
    except ValueError as error:
        if ":" in text or "digest" in groups:
            raise RegistryError(ErrorCode.DIGEST_INVALID, str(error)) from error
        if route.method == "PUT":
            raise RegistryError(ErrorCode.TAG_INVALID, str(error)) from error
        raise RegistryError(ErrorCode.MANIFEST_UNKNOWN, f"there is no such tag: {error}") from error
