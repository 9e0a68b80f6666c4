"""Lists (distribution-spec 1.1.1, end-8 and end-12; `_catalog` of the Docker registry API)."""

from __future__ import annotations

from functions.distribution.call import Call, next_link, number_parameter
from roadstead.content.lists import Page
from roadstead.content.manifest_document import OCI_INDEX
from roadstead.digest import Digest
from roadstead.http import Headers, Response
from roadstead.names import RepositoryName


def tags(call: Call, repository: RepositoryName) -> Response:
    page = call.services.lists.tags(
        repository,
        n=number_parameter(call.request, "n"),
        last=call.request.parameter("last") or "",
    )
    return Response.json(200, {"name": repository, "tags": list(page.names)}, _next(call, page))


def catalog(call: Call) -> Response:
    page = call.services.lists.repositories(
        n=number_parameter(call.request, "n"), last=call.request.parameter("last") or ""
    )
    return Response.json(200, {"repositories": list(page.names)}, _next(call, page))


def referrers(call: Call, repository: RepositoryName, digest: Digest) -> Response:
    """Respond with an OCI index; it is empty for a subject without referrers, or that does not exist."""
    artifact_type = call.request.parameter("artifactType") or None
    found = call.services.lists.referrers(
        repository, digest, artifact_type=artifact_type, last=call.request.parameter("last") or ""
    )
    headers: Headers = (("Content-Type", OCI_INDEX),)
    if artifact_type is not None:
        headers += (("OCI-Filters-Applied", "artifactType"),)
    if found.last is not None:
        parameters = {"artifactType": artifact_type} if artifact_type else {}
        headers += (next_link(call.request.path, {**parameters, "last": found.last}),)
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(found.descriptors)}
    return Response.json(200, index, headers)


def _next(call: Call, page: Page) -> Headers:
    if page.last is None:
        return ()
    n = call.request.parameter("n")
    return (next_link(call.request.path, {**({"n": n} if n is not None else {}), "last": page.last}),)
